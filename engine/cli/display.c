/* display.c: text from outside, made fit for a terminal. */
#include "cli/display.h"

#include "base/mem.h"

#include <string.h>

enum { REPLACEMENT = 0xfffd };

struct range {
    unsigned first, last;
};

static bool within(unsigned character, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last) return true;
    return false;
}

/* Two columns: East Asian Wide and Fullwidth of Unicode 15 (UAX 11), in blocks. Our own table because wcwidth() depends on the locale. */
static bool is_wide(unsigned character)
{
    static const struct range wide[] = {{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0},
        {0x23f3, 0x23f3}, {0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1},
        {0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea}, {0x26f2, 0x26f3},
        {0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c},
        {0x274e, 0x274e}, {0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797}, {0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c},
        {0x2b50, 0x2b50}, {0x2b55, 0x2b55}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xa960, 0xa97c}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
        {0xfe10, 0xfe19}, {0xfe30, 0xfe6b}, {0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18cff}, {0x1aff0, 0x1b2ff}, {0x1f004, 0x1f004},
        {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c},
        {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e},
        {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a},
        {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2},
        {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f90c, 0x1f93a},
        {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};
    return character >= 0x1100 && within(character, wide, COUNT_OF(wide));
}

/* No column: combining marks, joiners and variation selectors, the common blocks. */
static bool is_joined(unsigned character)
{
    static const struct range joined[] = {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
        {0x06d6, 0x06dc}, {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a},
        {0x0e47, 0x0e4e}, {0x1160, 0x11ff}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x2060, 0x2064}, {0x20d0, 0x20ff},
        {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0x1f3fb, 0x1f3ff}, {0xe0100, 0xe01ef}};
    return character >= 0x300 && within(character, joined, COUNT_OF(joined));
}

/* Characters that move the cursor, turn the writing direction round, or break lines behind a terminal's back. */
static bool is_control(unsigned character)
{
    static const struct range controls[] = {
        {0, 0x1f}, {0x7f, 0x9f}, {0x061c, 0x061c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
    return within(character, controls, COUNT_OF(controls));
}

static unsigned decode(const unsigned char *bytes, size_t size)
{
    if (!text_is_utf8((const char *)bytes, size)) return REPLACEMENT;
    if (size == 1) return bytes[0];
    unsigned character = bytes[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        character = character << 6 | (bytes[i] & 0x3f);
    return character;
}

static size_t sequence_length(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 1;
}

static void line_break(struct display_filter *filter, struct text *out)
{
    if (filter->keep == DISPLAY_LINE) {
        text_add_char(out, ' ');
        return;
    }
    if (filter->coloured) text_add(out, "\x1b[0m"); /* so that no line colours the next one's prefix */
    filter->coloured = false;
    text_add_char(out, '\n');
}

static void add_character(struct display_filter *filter, const unsigned char *bytes, size_t size, struct text *out)
{
    unsigned character = decode(bytes, size);
    bool after_carriage = filter->carriage;
    filter->carriage = character == '\r';
    if (character == '\r') return;
    if (after_carriage && character != '\n') line_break(filter, out); /* a lone one would overwrite the line */
    if (character == '\n')
        line_break(filter, out);
    else if (character == '\t')
        text_add_char(out, filter->keep == DISPLAY_LINE ? ' ' : '\t');
    else if (character == REPLACEMENT)
        text_add(out, "\xef\xbf\xbd");
    else if (!is_control(character))
        text_add_bytes(out, (const char *)bytes, size);
}

/* A colour is `ESC [ digits and semicolons m`; all other control sequences are dropped. */
static void end_sequence(struct display_filter *filter, unsigned char last, struct text *out)
{
    filter->state = DISPLAY_GROUND;
    filter->sequence[filter->sequence_size] = '\0';
    bool colour = last == 'm' && strspn(filter->sequence, "0123456789;:") == filter->sequence_size;
    if (!colour || filter->keep != DISPLAY_COLOUR) return;
    text_add_format(out, "\x1b[%sm", filter->sequence);
    filter->coloured = filter->sequence_size > 0 && !text_equal(filter->sequence, "0");
}

/* What belongs to an escape sequence; false: an ordinary byte. */
static bool take_escape(struct display_filter *filter, unsigned char byte, struct text *out)
{
    switch (filter->state) {
    case DISPLAY_GROUND:
        if (byte == 0x1b) filter->state = DISPLAY_ESCAPE;
        return byte == 0x1b;
    case DISPLAY_ESCAPE:
        filter->sequence_size = 0;
        if (byte == '[')
            filter->state = DISPLAY_SEQUENCE;
        else if (strchr("]PX^_", byte) && byte)
            filter->state = DISPLAY_STRING;
        else if (byte == 0x1b || (byte >= 0x20 && byte < 0x30))
            filter->state = DISPLAY_ESCAPE;
        else
            filter->state = DISPLAY_GROUND;
        return byte == 0x1b || byte >= 0x20;
    case DISPLAY_SEQUENCE:
        if (byte == 0x1b)
            filter->state = DISPLAY_ESCAPE;
        else if (byte >= 0x40 && byte < 0x7f)
            end_sequence(filter, byte, out);
        else if (byte < 0x20 || byte >= 0x7f)
            filter->state = DISPLAY_GROUND;
        else if (filter->sequence_size + 1 < sizeof filter->sequence)
            filter->sequence[filter->sequence_size++] = (char)byte;
        else
            filter->sequence[0] = '?'; /* too long for a colour */
        return byte >= 0x1b && byte < 0x7f;
    case DISPLAY_STRING_ESCAPE:
    case DISPLAY_STRING: /* a line break ends it too: an unfinished title must not swallow the log */
        if (byte == 0x07 || byte == '\n' || (byte == '\\' && filter->state == DISPLAY_STRING_ESCAPE))
            filter->state = DISPLAY_GROUND;
        else
            filter->state = byte == 0x1b ? DISPLAY_STRING_ESCAPE : DISPLAY_STRING;
        return byte != '\n';
    }
    return false;
}

static void flush_pending(struct display_filter *filter, struct text *out)
{
    size_t count = filter->pending_count;
    filter->pending_count = 0;
    if (count) add_character(filter, filter->pending, count, out);
}

static void add_byte(struct display_filter *filter, unsigned char byte, struct text *out)
{
    if (filter->pending_count && (byte & 0xc0) != 0x80) flush_pending(filter, out); /* cut short */
    if (!filter->pending_count && take_escape(filter, byte, out)) return;
    if (!filter->pending_count) filter->pending_wanted = sequence_length(byte);
    filter->pending[filter->pending_count++] = byte;
    if (filter->pending_count >= filter->pending_wanted) flush_pending(filter, out);
}

void display_filter_add(struct display_filter *filter, const char *bytes, size_t size, struct text *out)
{
    for (size_t i = 0; i < size; i++)
        add_byte(filter, (unsigned char)bytes[i], out);
}

void display_filter_end(struct display_filter *filter, struct text *out)
{
    flush_pending(filter, out);
    if (filter->coloured) text_add(out, "\x1b[0m");
    filter->coloured = false;
}

void display_add(struct text *out, const char *text, enum display_keep keep)
{
    struct display_filter filter = {.keep = keep};
    display_filter_add(&filter, text, strlen(text), out);
    display_filter_end(&filter, out);
}

static size_t character_width(const char *at, size_t length)
{
    unsigned character = decode((const unsigned char *)at, length);
    return is_joined(character) ? 0 : is_wide(character) ? 2 : 1;
}

static size_t character_length(const char *at)
{
    size_t length = sequence_length((unsigned char)*at);
    size_t there = strnlen(at, length);
    return there < length ? there : length;
}

size_t display_width(const char *text)
{
    size_t width = 0;
    for (const char *at = text; *at;) {
        if (at[0] == 0x1b && at[1] == '[') {
            at += 2;
            at += strspn(at, "0123456789;:");
            if (*at) at++;
            continue;
        }
        size_t length = character_length(at);
        width += character_width(at, length);
        at += length;
    }
    return width;
}

size_t display_add_cut(struct text *out, const char *text, size_t columns)
{
    struct text clean = {0};
    display_add(&clean, text, DISPLAY_LINE);
    size_t width = display_width(text_view(&clean));
    if (width <= columns) {
        text_add(out, text_view(&clean));
        text_release(&clean);
        return width;
    }
    size_t taken = 0;
    const char *at = text_view(&clean);
    while (*at && columns) {
        size_t length = character_length(at), step = character_width(at, length);
        if (taken + step > columns - 1) break;
        text_add_bytes(out, at, length);
        taken += step;
        at += length;
    }
    if (columns) text_add(out, "…");
    text_release(&clean);
    return columns ? taken + 1 : 0;
}

static size_t word_length(const char *at)
{
    size_t size = 0;
    while (at[size] && at[size] != ' ')
        size++;
    return size;
}

void display_add_wrapped(struct text *out, const char *text, size_t columns, size_t indent)
{
    struct text clean = {0}, word = {0};
    display_add(&clean, text, DISPLAY_LINE);
    size_t taken = 0; /* of the line, behind its indent */
    for (const char *at = text_view(&clean); *at;) {
        size_t size = word_length(at);
        word.size = 0;
        text_add_bytes(&word, at, size);
        size_t width = size ? display_width(text_view(&word)) : 0;
        bool breaks = columns && taken && taken + 1 + width + indent > columns;
        if (breaks) {
            text_add_char(out, '\n');
            text_add_repeated(out, ' ', indent);
            taken = 0;
        } else if (at > text_view(&clean)) {
            text_add_char(out, ' ');
            taken++;
        }
        text_add_bytes(out, at, size);
        taken += width;
        at += size + (at[size] == ' ');
    }
    text_release(&word);
    text_release(&clean);
}

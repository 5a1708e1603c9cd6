/* forms.c: what a secret looks like where it is printed: as it is, its lines, base64, hexadecimal, percent-encoded, in a JSON text. */
#include "mask.h"

#include "base/encode.h"
#include "base/mem.h"

#include <string.h>

struct sink {
    void (*form)(void *context, const char *bytes, size_t size);
    void *context;
    struct text text; /* scratch */
};

static void hand_over(struct sink *sink)
{
    sink->form(sink->context, text_view(&sink->text), sink->text.size);
    if (sink->text.bytes) explicit_bzero(sink->text.bytes, sink->text.size);
    sink->text.size = 0;
}

static void hand_part(struct sink *sink, const char *bytes, size_t size)
{
    text_add_bytes(&sink->text, bytes, size);
    hand_over(sink);
}

/* The two alphabets differ in two characters. */
static void both_alphabets(struct sink *sink, char *bytes, size_t size)
{
    hand_part(sink, bytes, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = bytes[i] == '+' ? '-' : bytes[i] == '/' ? '_' : bytes[i];
    hand_part(sink, bytes, size);
}

/* base64(1) and openssl break a long text after 76 and 64 characters. */
static void wrapped(struct sink *sink, const char *bytes, size_t size, size_t width)
{
    for (size_t at = 0; size > width && at < size; at += width)
        if (size - at >= MASK_LINE_BYTES) hand_part(sink, bytes + at, size - at < width ? size - at : width);
}

/* phase: how many bytes before it begin its first group of three. Only characters that are made of nothing but the secret's bits count;
   where nothing stands before it, it may as well end there, with its padding. */
static void base64_form(struct sink *sink, const char *bytes, size_t size, size_t phase)
{
    AUTO(text_release) struct text whole = {0}, encoded = {0};
    text_add_repeated(&whole, '\0', phase);
    text_add_bytes(&whole, bytes, size);
    base64_encode(whole.bytes, whole.size, &encoded);
    size_t first = (phase * 8 + 5) / 6, end = whole.size * 8 / 6;
    if (phase == 0) {
        wrapped(sink, encoded.bytes, end, 76);
        wrapped(sink, encoded.bytes, end, 64);
        both_alphabets(sink, encoded.bytes, encoded.size);
        encoded.size = 0;
        base64_encode(whole.bytes, whole.size, &encoded);
    }
    both_alphabets(sink, encoded.bytes + first, end - first);
    explicit_bzero(whole.bytes, whole.size);
    explicit_bzero(encoded.bytes, encoded.size);
}

static void hex_form(struct sink *sink, const char *bytes, size_t size, const char *digits)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        text_add_char(&sink->text, digits[byte >> 4]);
        text_add_char(&sink->text, digits[byte & 15]);
    }
    hand_over(sink);
}

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("-._~", c));
}

/* kept: what a tool leaves as it is beside the unreserved characters of RFC 3986. */
static void percent_form(struct sink *sink, const char *bytes, size_t size, const char *kept, const char *digits, bool plus)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        char escaped[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        if (is_unreserved(bytes[i]) || (byte && strchr(kept, byte)))
            text_add_char(&sink->text, bytes[i]);
        else if (plus && byte == ' ')
            text_add_char(&sink->text, '+');
        else
            text_add_bytes(&sink->text, escaped, sizeof escaped);
    }
    hand_over(sink);
}

/* How writers of JSON differ: what they escape beside what they must. */
struct json_way {
    const char *escaped; /* of these, as \u00XX; '/' as \/ */
    bool ascii;
};

static void json_unit(struct text *text, unsigned unit)
{
    text_add_format(text, "\\u%04x", unit);
}

/* The character at the front of bytes that is not ASCII: its size, 0 = no UTF-8. */
static size_t json_wide(struct text *text, const char *bytes, size_t size)
{
    unsigned char lead = (unsigned char)bytes[0];
    size_t wide = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (wide > size || !text_is_utf8(bytes, wide)) return 0;
    unsigned code = lead & (0xffU >> (wide + 1));
    for (size_t i = 1; i < wide; i++)
        code = code << 6 | ((unsigned char)bytes[i] & 0x3fU);
    if (code < 0x10000) {
        json_unit(text, code);
    } else {
        json_unit(text, 0xd800 + ((code - 0x10000) >> 10));
        json_unit(text, 0xdc00 + ((code - 0x10000) & 0x3ff));
    }
    return wide;
}

static void json_character(struct text *text, char c, const struct json_way *way)
{
    static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *found = c ? strchr(named, c) : NULL;
    if (found)
        text_add_format(text, "\\%c", names[found - named]);
    else if (c == '/' && strchr(way->escaped, '/'))
        text_add(text, "\\/");
    else if ((unsigned char)c < 0x20 || strchr(way->escaped, c))
        json_unit(text, (unsigned char)c);
    else
        text_add_char(text, c);
}

static void json_form(struct sink *sink, const char *bytes, size_t size, const struct json_way *way)
{
    for (size_t at = 0, wide; at < size; at += wide) {
        wide = way->ascii && (unsigned char)bytes[at] >= 0x80 ? json_wide(&sink->text, bytes + at, size - at) : 0;
        if (wide) continue;
        json_character(&sink->text, bytes[at], way);
        wide = 1;
    }
    hand_over(sink);
}

static void lines(struct sink *sink, const char *bytes, size_t size)
{
    for (size_t at = 0, length; at < size; at += length + 1) {
        const char *end = memchr(bytes + at, '\n', size - at);
        length = end ? (size_t)(end - bytes) - at : size - at;
        size_t shown = length && bytes[at + length - 1] == '\r' ? length - 1 : length;
        if (shown >= MASK_LINE_BYTES && shown < size) hand_part(sink, bytes + at, shown);
    }
}

void forms_of(const char *bytes, size_t size, void (*form)(void *context, const char *bytes, size_t size), void *context)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    static const struct json_way ways[] = {{"", false}, {"", true}, {"/", false}, {"/", true}, {"<>&", false}};
    struct sink sink = {form, context, {0}};
    hand_part(&sink, bytes, size);
    lines(&sink, bytes, size);
    for (size_t phase = 0; phase < 3; phase++)
        base64_form(&sink, bytes, size, phase);
    hex_form(&sink, bytes, size, lower);
    hex_form(&sink, bytes, size, upper);
    percent_form(&sink, bytes, size, "", upper, false);
    percent_form(&sink, bytes, size, "", lower, false);
    percent_form(&sink, bytes, size, "/", upper, false);
    percent_form(&sink, bytes, size, "", upper, true);
    percent_form(&sink, bytes, size, "!*'()", upper, false); /* encodeURIComponent */
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        json_form(&sink, bytes, size, &ways[i]);
    text_release(&sink.text);
}

/* text.c: the one string builder, and the questions about text that everybody asks. */
#include "base/text.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add_bytes(struct text *text, const char *bytes, size_t size)
{
    text->bytes = mem_grow(text->bytes, &text->capacity, text->size + size + 1, 1);
    if (size) memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void text_add(struct text *text, const char *more)
{
    text_add_bytes(text, more, strlen(more));
}

void text_add_char(struct text *text, char c)
{
    if (text->size + 2 > text->capacity) return text_add_bytes(text, &c, 1);
    text->bytes[text->size++] = c;
    text->bytes[text->size] = '\0';
}

/* Into the room that is left, which is nearly always enough; else once more, behind making room. */
void text_add_list(struct text *text, const char *format, va_list arguments)
{
    enum { ROOM = 64 };
    va_list again;
    va_copy(again, arguments);
    text->bytes = mem_grow(text->bytes, &text->capacity, text->size + ROOM, 1);
    size_t room = text->capacity - text->size;
    int size = vsnprintf(text->bytes + text->size, room, format, arguments);
    if (size >= 0 && (size_t)size >= room) {
        text->bytes = mem_grow(text->bytes, &text->capacity, text->size + (size_t)size + 1, 1);
        size = vsnprintf(text->bytes + text->size, (size_t)size + 1, format, again);
    }
    if (size > 0) text->size += (size_t)size;
    text->bytes[text->size] = '\0';
    va_end(again);
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(text, format, arguments);
    va_end(arguments);
}

void text_add_repeated(struct text *text, char c, size_t count)
{
    text->bytes = mem_grow(text->bytes, &text->capacity, text->size + count + 1, 1);
    memset(text->bytes + text->size, c, count);
    text->size += count;
    text->bytes[text->size] = '\0';
}

char *text_take(struct text *text)
{
    if (!text->bytes) text_add(text, "");
    char *bytes = text->bytes;
    *text = (struct text){0};
    return bytes;
}

const char *text_view(const struct text *text)
{
    return text->bytes ? text->bytes : "";
}

void text_release(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t size = strlen(text), tail = strlen(suffix);
    return size >= tail && strcmp(text + size - tail, suffix) == 0;
}

bool text_is_name(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > 63 || text[0] < 'a' || text[0] > 'z') return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

/* The length of the well-formed sequence at bytes (RFC 3629: no surrogates, no overlong forms), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *bytes, size_t size)
{
    unsigned char lead = bytes[0];
    if (lead < 0x80) return 1;
    size_t length = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
    if (length == 0 || length > size) return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80) return 0;
    if ((lead == 0xe0 && bytes[1] < 0xa0) || (lead == 0xed && bytes[1] > 0x9f)) return 0;
    if ((lead == 0xf0 && bytes[1] < 0x90) || (lead == 0xf4 && bytes[1] > 0x8f)) return 0;
    return length;
}

uint64_t text_hash(uint64_t seed, const char *text)
{
    for (; *text; text++)
        seed = (seed ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return seed;
}

bool text_is_utf8(const char *bytes, size_t size)
{
    for (size_t at = 0, length; at < size; at += length) {
        length = utf8_sequence((const unsigned char *)bytes + at, size - at);
        if (length == 0) return false;
    }
    return true;
}

size_t text_columns(const char *text, size_t size)
{
    size_t columns = 0;
    for (size_t i = 0; i < size; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

/* Levenshtein distance with neighbouring letters swapped counted as one; both texts at most 63 bytes. */
static size_t edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t before[64], last[64], row[64];
    memset(before, 0, sizeof before);
    for (size_t j = 0; j <= b_size; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            row[j] = best;
        }
        memcpy(before, last, sizeof before);
        memcpy(last, row, sizeof last);
    }
    return last[b_size];
}

const char *text_nearest(const char *text, const char *const *candidates)
{
    size_t size = strlen(text);
    if (size == 0 || size > 63) return NULL;
    const char *nearest = NULL;
    size_t best = size < 6 ? 2 : 3; /* one letter may differ, two in a long word: what is farther helps nobody */
    for (; *candidates; candidates++) {
        size_t other = strlen(*candidates);
        if (other > 63) continue;
        size_t distance = edit_distance(text, size, *candidates, other);
        if (distance < best && distance < size) {
            nearest = *candidates;
            best = distance;
        }
    }
    return nearest;
}

bool text_to_integer(const char *text, int64_t *ret_value)
{
    const char *digits = text[0] == '-' || text[0] == '+' ? text + 1 : text;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits)) return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno) return false;
    *ret_value = value;
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* A decimal number followed by exactly one of the units; up to three decimals count. */
static bool text_to_quantity(const char *text, const struct unit *units, size_t unit_count, int64_t *ret_value)
{
    int64_t whole = 0, thousandths = 0, scale = 100;
    const char *at = text;
    if (*at < '0' || *at > '9') return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (whole > (INT64_MAX - 9) / 10) return false;
        whole = whole * 10 + (*at - '0');
    }
    if (*at == '.') {
        if (*++at < '0' || *at > '9') return false;
        for (; *at >= '0' && *at <= '9'; at++, scale /= 10)
            thousandths += (*at - '0') * scale;
    }
    for (size_t i = 0; i < unit_count; i++) {
        if (strcmp(at, units[i].name) != 0) continue;
        if (whole > (INT64_MAX / units[i].factor) - 1) return false;
        *ret_value = whole * units[i].factor + thousandths * units[i].factor / 1000;
        return true;
    }
    return false;
}

bool text_to_duration_ms(const char *text, int64_t *ret_ms)
{
    static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    return text_to_quantity(text, units, COUNT_OF(units), ret_ms);
}

bool text_to_size_bytes(const char *text, int64_t *ret_bytes)
{
    static const struct unit units[] = {{"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1LL << 40},
        {"kB", 1000}, {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {"TB", 1000000000000LL}};
    return text_to_quantity(text, units, COUNT_OF(units), ret_bytes);
}

void text_add_duration(struct text *text, int64_t ms)
{
    if (ms < 1000)
        text_add_format(text, "%lld ms", (long long)ms);
    else if (ms < 60000)
        text_add_format(text, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    else if (ms < 3600000)
        text_add_format(text, "%lld m %lld s", (long long)(ms / 60000), (long long)(ms % 60000 / 1000));
    else
        text_add_format(text, "%lld h %lld m", (long long)(ms / 3600000), (long long)(ms % 3600000 / 60000));
}

void text_add_size(struct text *text, int64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) {
        text_add_format(text, "%lld B", (long long)bytes);
        return;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < COUNT_OF(units); unit++)
        value /= 1024;
    text_add_format(text, "%.1f %s", value, units[unit]);
}

/* Behind "key:" of this line, or NULL. */
static const char *value_in_line(const char *line, const char *key)
{
    size_t size = strlen(key);
    if (strncmp(line, key, size) != 0) return NULL;
    line += size + strspn(line + size, " ");
    if (*line != ':' || !strchr(" \t\r\n", line[1])) return NULL;
    return line + 1 + strspn(line + 1, " \t");
}

bool text_find_top_value(const char *yaml, const char *key, struct text *out)
{
    for (const char *line = yaml; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *value = value_in_line(line, key);
        if (!value) continue;
        bool quoted = *value == '"' || *value == '\'';
        const char quote[] = {*value, '\n', '\0'};
        size_t size = quoted ? strcspn(value + 1, quote) : strcspn(value, "#\r\n");
        while (!quoted && size && (value[size - 1] == ' ' || value[size - 1] == '\t'))
            size--;
        text_add_bytes(out, value + quoted, size);
        return size > 0;
    }
    return false;
}

/* Without recursion, so that a hostile glob costs time in proportion to the texts and no stack. It goes back to the last star
   of each kind only: what an earlier star could still do, the later one can do as well. */
bool text_matches_glob(const char *text, const char *glob)
{
    const char *star = NULL, *star_text = NULL; /* behind the last '*', and where in text it ends for now */
    const char *deep = NULL, *deep_text = NULL; /* the same for the last double star */
    bool deep_parts = false;                    /* it is a star pair with a slash: whole parts, perhaps none */
    for (;;) {
        if (glob[0] == '*' && glob[1] == '*') {
            deep_parts = glob[2] == '/';
            deep = glob += deep_parts ? 3 : 2;
            deep_text = text;
            star = NULL;
        } else if (*glob == '*') {
            star = ++glob;
            star_text = text;
        } else if (*text && (*glob == '?' ? *text != '/' : *glob == *text)) {
            text++, glob++;
        } else if (!*text && !*glob) {
            return true;
        } else if (star && *star_text && *star_text != '/') {
            text = ++star_text, glob = star;
        } else {
            if (!deep || !*deep_text) return false;
            deep_text += deep_parts ? strcspn(deep_text, "/") : 0;
            if (!*deep_text) return false;
            text = ++deep_text, glob = deep;
            star = NULL;
        }
    }
}

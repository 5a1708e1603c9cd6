/* encode.c: bytes as text and back. */
#include "base/encode.h"

#include "base/mem.h"

#include <string.h>

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_digits[] = "0123456789ABCDEF";

void base64_encode(const void *bytes, size_t size, struct text *out)
{
    const unsigned char *at = bytes;
    while (size) {
        size_t part = size < 3 ? size : 3;
        unsigned word = (unsigned)at[0] << 16 | (part > 1 ? (unsigned)at[1] << 8 : 0) | (part > 2 ? at[2] : 0);
        char group[4] = {base64_digits[word >> 18], base64_digits[word >> 12 & 63], '=', '='};
        if (part > 1) group[2] = base64_digits[word >> 6 & 63];
        if (part > 2) group[3] = base64_digits[word & 63];
        text_add_bytes(out, group, sizeof group);
        at += part;
        size -= part;
    }
}

/* The six bits of a digit of either alphabet, -1 for anything else. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Drops what a failed decoding has appended. */
static bool give_up(struct text *out, size_t size)
{
    out->size = size;
    if (out->bytes) out->bytes[size] = '\0';
    return false;
}

bool base64_decode(const char *text, size_t size, struct text *out)
{
    size_t before = out->size, padding = 0;
    unsigned word = 0, bits = 0;
    while (padding < 2 && size > padding && text[size - 1 - padding] == '=')
        padding++;
    if (padding && size % 4) return false;
    size -= padding;
    if (size % 4 == 1) return false;
    out->bytes = mem_grow(out->bytes, &out->capacity, before + size / 4 * 3 + 4, 1);
    for (size_t i = 0; i < size; i++) {
        int value = base64_value(text[i]);
        if (value < 0) return give_up(out, before);
        word = word << 6 | (unsigned)value;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out->bytes[out->size++] = (char)(word >> bits & 255);
        word &= (1U << bits) - 1;
    }
    if (word) return give_up(out, before); /* bits beyond the last byte must be zero: one text for one content */
    out->bytes[out->size] = '\0';
    return true;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

void percent_encode(const char *text, struct text *out)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        char escaped[3] = {'%', hex_digits[byte >> 4], hex_digits[byte & 15]};
        if (is_unreserved(*text))
            text_add_char(out, *text);
        else
            text_add_bytes(out, escaped, sizeof escaped);
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool percent_decode(const char *text, struct text *out)
{
    size_t before = out->size;
    for (; *text; text++) {
        if (*text != '%') {
            text_add_char(out, *text);
            continue;
        }
        int high = hex_value(text[1]), low = high < 0 ? -1 : hex_value(text[2]);
        if (low < 0 || high + low == 0) return give_up(out, before);
        text_add_char(out, (char)(high << 4 | low));
        text += 2;
    }
    return true;
}

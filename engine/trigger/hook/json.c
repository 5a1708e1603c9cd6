/* json.c: as much of JSON as the hook needs: writing texts, and finding a member of a flat object. */
#include "trigger/hook/hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_add(struct text *out, const char *bytes, size_t size)
{
    bool utf8 = text_is_utf8(bytes, size);
    text_add_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            text_add_format(out, "\\%c", c);
        else if (c < 0x20)
            text_add_format(out, "\\u%04x", c);
        else if (c >= 0x80 && !utf8)
            text_add_char(out, '?');
        else
            text_add_char(out, (char)c);
    }
    text_add_char(out, '"');
}

static void add_code_point(struct text *out, unsigned long point)
{
    if (point < 0x80) {
        text_add_char(out, (char)point);
    } else if (point < 0x800) {
        text_add_char(out, (char)(0xc0 | point >> 6));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    } else {
        text_add_char(out, (char)(0xe0 | point >> 12));
        text_add_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    }
}

/* Decodes the string that begins behind the quote at *at; leaves *at behind its closing quote. */
static void json_read_string(const char **at, struct text *out)
{
    static const char codes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *p = *at;
    for (; *p && *p != '"'; p++) {
        if (*p != '\\' || !p[1]) {
            text_add_char(out, *p);
        } else if (*++p == 'u' && strnlen(p, 5) == 5) {
            char digits[5] = {p[1], p[2], p[3], p[4], 0};
            add_code_point(out, strtoul(digits, NULL, 16));
            p += 4;
        } else {
            const char *code = strchr(codes, *p);
            text_add_char(out, code ? meanings[code - codes] : *p);
        }
    }
    *at = *p ? p + 1 : p;
}

/* The first member of that name, at any depth, as text. */
bool json_find(const char *json, const char *key, struct text *out)
{
    struct text string = {0};
    bool found = false;
    for (const char *at = json; *at && !found;) {
        if (*at++ != '"') continue;
        string.size = 0;
        text_add(&string, "");
        json_read_string(&at, &string);
        found = *at == ':' && text_equal(text_view(&string), key);
        if (!found) continue;
        at += 1 + strspn(at + 1, " ");
        if (*at == '"')
            at++, json_read_string(&at, out);
        else
            text_add_bytes(out, at, strcspn(at, ",}] "));
    }
    text_release(&string);
    return found;
}

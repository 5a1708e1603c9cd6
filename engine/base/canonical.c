/* canonical.c: JSON as the one text that is digested and stored: a line, keys in the order of their bytes, no spaces; and the same over
   many lines for a person. As json_dumps with JSON_SORT_KEYS and JSON_ENCODE_ANY and JSON_COMPACT or JSON_INDENT(2), byte by byte, at a
   fraction of its cost: a plan of 10,000 steps is written so whenever one is made. */
#include "base/json.h"

#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct member {
    const char *key;
    size_t size;
    const json_t *value;
};

static void add_escaped(struct text *out, unsigned char byte)
{
    static const char names[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};
    if (byte < sizeof names && names[byte])
        text_add_bytes(out, (const char[]){'\\', names[byte]}, 2);
    else
        text_add_format(out, "\\u%04X", byte);
}

static void add_string(struct text *out, const char *bytes, size_t size)
{
    size_t start = 0;
    text_add_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
        text_add_bytes(out, bytes + start, i - start);
        add_escaped(out, byte);
        start = i + 1;
    }
    text_add_bytes(out, bytes + start, size - start);
    text_add_char(out, '"');
}

static void add_value(struct text *out, const json_t *json);

static int compare(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    int order = memcmp(a->key, b->key, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* Objects are small: this beats qsort, which allocates. */
static void sort(struct member *members, size_t count)
{
    enum { FEW = 24 };
    if (count > FEW) return qsort(members, count, sizeof *members, compare);
    for (size_t i = 1; i < count; i++) {
        struct member member = members[i];
        size_t at = i;
        for (; at && compare(&members[at - 1], &member) > 0; at--)
            members[at] = members[at - 1];
        members[at] = member;
    }
}

static void add_members(struct text *out, struct member *members, size_t count)
{
    sort(members, count);
    text_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i) text_add_char(out, ',');
        add_string(out, members[i].key, members[i].size);
        text_add_char(out, ':');
        add_value(out, members[i].value);
    }
    text_add_char(out, '}');
}

static void add_object(struct text *out, json_t *object)
{
    struct member few[16], *members = few;
    size_t count = 0, size = json_object_size(object);
    if (size > COUNT_OF(few)) members = mem_alloc_array(size, sizeof *members);
    for (void *at = json_object_iter(object); at && count < size; at = json_object_iter_next(object, at))
        members[count++] = (struct member){json_object_iter_key(at), json_object_iter_key_len(at), json_object_iter_value(at)};
    add_members(out, members, count);
    if (members != few) free(members);
}

static void add_array(struct text *out, const json_t *array)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i) text_add_char(out, ',');
        add_value(out, json_array_get(array, i));
    }
    text_add_char(out, ']');
}

static void add_real(struct text *out, const json_t *real)
{
    AUTO(free_text) char *text = json_dumps(real, JSON_ENCODE_ANY);
    text_add(out, text ? text : "null");
}

void json_add_whole(struct text *out, int64_t value)
{
    char digits[24], *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) *--at = '-';
    text_add_bytes(out, at, (size_t)(digits + sizeof digits - at));
}

void json_add_text(struct text *out, const char *text)
{
    size_t size = strlen(text);
    if (text_is_utf8(text, size)) return add_string(out, text, size);
    AUTO(free_json) json_t *repaired = json_object();
    json_put_text(repaired, "", text);
    add_value(out, json_object_get(repaired, ""));
}

static void add_value(struct text *out, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT: return add_object(out, (json_t *)(uintptr_t)json);
    case JSON_ARRAY: return add_array(out, json);
    case JSON_STRING: return add_string(out, json_string_value(json), json_string_length(json));
    case JSON_INTEGER: return json_add_whole(out, (int64_t)json_integer_value(json));
    case JSON_REAL: return add_real(out, json);
    case JSON_TRUE: return text_add(out, "true");
    case JSON_FALSE: return text_add(out, "false");
    case JSON_NULL: return text_add(out, "null");
    }
}

void json_add_canonical(struct text *out, const json_t *json)
{
    if (json)
        add_value(out, json);
    else
        text_add(out, "null");
}

char *json_canonical(const json_t *json)
{
    struct text out = {0};
    json_add_canonical(&out, json);
    return text_take(&out);
}

void json_digest(const json_t *json, char ret_hex[65])
{
    AUTO(text_release) struct text out = {0};
    json_add_canonical(&out, json);
    sha256_hex(text_view(&out), out.size, ret_hex);
}

/* --- over many lines --------------------------------------------------------------------------------------------------- */

static void add_break(struct text *out, size_t depth)
{
    text_add_char(out, '\n');
    text_add_repeated(out, ' ', 2 * depth);
}

/* How many bytes the string, number or word at text has. */
static size_t token_size(const char *text)
{
    size_t size = 1;
    if (*text != '"') return size + strcspn(text + 1, ",:]}");
    for (; text[size] && text[size] != '"'; size++)
        size += text[size] == '\\' && text[size + 1];
    return size + (text[size] == '"');
}

/* An empty collection is written in one. */
static size_t opening_size(const char *text)
{
    return text[1] == ']' || text[1] == '}' ? 2 : 1;
}

void json_add_lines(struct text *out, const char *canonical)
{
    size_t depth = 0, size;
    for (const char *at = canonical; *at; at += size) {
        bool opens = *at == '{' || *at == '[', closes = *at == '}' || *at == ']';
        size = opens ? opening_size(at) : closes || *at == ',' || *at == ':' ? 1 : token_size(at);
        if (closes) add_break(out, --depth);
        text_add_bytes(out, at, size);
        if (*at == ':') text_add_char(out, ' ');
        if (*at == ',') add_break(out, depth);
        if (opens && size == 1) add_break(out, ++depth);
    }
}

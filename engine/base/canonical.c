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

/* depth: how many collections are open where lines are wanted; FLAT where they are not. */
enum { FLAT = -1 };

static void add_value(struct text *out, const json_t *json, int depth);

static int inside(int depth)
{
    return depth == FLAT ? FLAT : depth + 1;
}

static void add_break(struct text *out, int depth)
{
    if (depth == FLAT) return;
    text_add_char(out, '\n');
    text_add_repeated(out, ' ', 2 * (size_t)depth);
}

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

static void add_members(struct text *out, struct member *members, size_t count, int depth)
{
    sort(members, count);
    text_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i) text_add_char(out, ',');
        add_break(out, inside(depth));
        add_string(out, members[i].key, members[i].size);
        text_add_bytes(out, ": ", depth == FLAT ? 1 : 2);
        add_value(out, members[i].value, inside(depth));
    }
    if (count) add_break(out, depth);
    text_add_char(out, '}');
}

static void add_object(struct text *out, json_t *object, int depth)
{
    struct member few[16], *members = few;
    size_t count = 0, size = json_object_size(object);
    if (size > COUNT_OF(few)) members = mem_alloc_array(size, sizeof *members);
    for (void *at = json_object_iter(object); at && count < size; at = json_object_iter_next(object, at))
        members[count++] = (struct member){json_object_iter_key(at), json_object_iter_key_len(at), json_object_iter_value(at)};
    add_members(out, members, count, depth);
    if (members != few) free(members);
}

static void add_array(struct text *out, const json_t *array, int depth)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i) text_add_char(out, ',');
        add_break(out, inside(depth));
        add_value(out, json_array_get(array, i), inside(depth));
    }
    if (json_array_size(array)) add_break(out, depth);
    text_add_char(out, ']');
}

static void add_real(struct text *out, const json_t *real)
{
    AUTO(free_text) char *text = json_dumps(real, JSON_ENCODE_ANY);
    text_add(out, text ? text : "null");
}

static void add_value(struct text *out, const json_t *json, int depth)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT: return add_object(out, (json_t *)(uintptr_t)json, depth);
    case JSON_ARRAY: return add_array(out, json, depth);
    case JSON_STRING: return add_string(out, json_string_value(json), json_string_length(json));
    case JSON_INTEGER: return text_add_format(out, "%lld", (long long)json_integer_value(json));
    case JSON_REAL: return add_real(out, json);
    case JSON_TRUE: return text_add(out, "true");
    case JSON_FALSE: return text_add(out, "false");
    case JSON_NULL: return text_add(out, "null");
    }
}

void json_add_canonical(struct text *out, const json_t *json)
{
    if (json)
        add_value(out, json, FLAT);
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

void json_add_lines(struct text *out, const json_t *json)
{
    if (json)
        add_value(out, json, 0);
    else
        text_add(out, "null");
}

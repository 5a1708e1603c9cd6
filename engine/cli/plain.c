/* plain.c: JSON in a few words. */
#include "cli/plain.h"

#include "base/json.h"
#include "base/mem.h"

#include <string.h>

enum { DEPTH_MAX = 4 };

static void add(struct text *out, const json_t *value, unsigned depth);

static void add_parts(struct text *out, const json_t *value, unsigned depth)
{
    const char *key;
    json_t *part;
    size_t i, count = 0;
    json_object_foreach((json_t *)value, key, part)
    {
        text_add_format(out, "%s%s=", count++ ? " " : "", key);
        add(out, part, depth + 1);
    }
    json_array_foreach(value, i, part)
    {
        if (count++) text_add(out, json_is_string(part) ? " " : ", ");
        add(out, part, depth + 1);
    }
}

static void add(struct text *out, const json_t *value, unsigned depth)
{
    if (json_is_string(value)) {
        text_add(out, json_string_value(value));
    } else if (json_is_real(value)) {
        text_add_format(out, "%g", json_real_value(value));
    } else if ((json_is_object(value) || json_is_array(value)) && depth < DEPTH_MAX) {
        add_parts(out, value, depth);
    } else if (value && !json_is_null(value)) {
        AUTO(free_text) char *text = json_canonical(value);
        text_add(out, text);
    }
}

void plain_add(struct text *out, const json_t *value)
{
    add(out, value, 0);
}

static bool is_skipped(const char *key, const char *skip)
{
    size_t size = strlen(key);
    for (const char *at = skip; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == size && memcmp(at, key, size) == 0) return true;
    return false;
}

void plain_add_members(struct text *out, const json_t *object, const char *skip)
{
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        if (is_skipped(key, skip) || json_is_null(value)) continue;
        text_add_format(out, "%s%s ", count++ ? "  " : "", key);
        plain_add(out, value);
    }
}

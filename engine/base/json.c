/* json.c: the few things that we do with JSON again and again. */
#include "base/json.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void free_json(json_t **json)
{
    json_decref(*json);
}

const char *json_text(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : fallback;
}

int64_t json_whole(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

bool json_flag(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

void json_put(json_t *object, const char *key, json_t *value)
{
    if (value) json_object_set_new_nocheck(object, key, value);
}

/* JSON is UTF-8, but a commit's author or a cut message may not be: what is broken becomes U+FFFD. */
static json_t *repaired_text(const char *text)
{
    AUTO(text_release) struct text repaired = {0};
    for (size_t size = strlen(text), length; size; text += length, size -= length) {
        for (length = size < 4 ? size : 4; length > 1 && !(text_is_utf8(text, length) && text_columns(text, length) == 1);)
            length--;
        if (text_is_utf8(text, length))
            text_add_bytes(&repaired, text, length);
        else
            text_add(&repaired, "\xef\xbf\xbd");
    }
    return json_string(text_view(&repaired));
}

void json_put_text(json_t *object, const char *key, const char *text)
{
    if (!text) return;
    json_t *value = json_string(text);
    json_put(object, key, value ? value : repaired_text(text));
}

void json_put_whole(json_t *object, const char *key, int64_t value)
{
    json_put(object, key, json_integer(value));
}

void json_put_flag(json_t *object, const char *key, bool value)
{
    json_put(object, key, json_boolean(value));
}

int json_parse(const char *bytes, size_t size, const char *source, json_t **ret_json, struct error *err)
{
    json_error_t fault;
    json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (!json)
        return error_set(
            err, ERROR_INVALID, NOWHERE, "%s: not valid JSON at line %d, column %d: %s", source, fault.line, fault.column, fault.text);
    *ret_json = json;
    return 0;
}

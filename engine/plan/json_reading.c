/* json_reading.c: members of a plan's JSON while it is read. */
#include "plan/json_reading.h"

#include "base/json.h"
#include "base/mem.h"

#include <string.h>

int reading_fail(const struct reading *reading, const char *path, const char *what)
{
    return error_set(reading->err, ERROR_INVALID, NOWHERE, "plan: %.80s: %s", path, what);
}

static bool same_type(const json_t *value, json_type type)
{
    if (type == JSON_TRUE) return json_is_true(value); /* false is left out */
    return json_typeof(value) == type;
}

int reading_check(const struct reading *reading, const json_t *object, const char *path, const struct member *members)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) return reading_fail(reading, path, "must be an object");
    for (const struct member *member = members; member->name; member++)
        if (member->required && !json_object_get(object, member->name))
            return error_set(reading->err, ERROR_INVALID, NOWHERE, "plan: %.80s: '%s' is missing", path, member->name);
    json_object_foreach((json_t *)object, key, value)
    {
        const struct member *member = members;
        while (member->name && strcmp(member->name, key) != 0)
            member++;
        if (!member->name) return error_set(reading->err, ERROR_INVALID, NOWHERE, "plan: %.80s: unknown member '%.60s'", path, key);
        if (!same_type(value, member->type))
            return error_set(reading->err, ERROR_INVALID, NOWHERE, "plan: %.80s: '%s' has the wrong type", path, key);
    }
    return 0;
}

const char *reading_text(const struct reading *reading, const json_t *object, const char *key)
{
    return arena_copy_text(reading->arena, json_text(object, key, NULL));
}

json_t *reading_shared(const struct reading *reading, const json_t *object, const char *key, json_t *fallback)
{
    json_t *value = json_object_get(object, key);
    return value ? arena_own_json(reading->arena, json_incref(value)) : fallback;
}

int reading_whole(const struct reading *reading, const json_t *object, const char *key, const char *path, int64_t fallback, int64_t *ret)
{
    const json_t *value = json_object_get(object, key);
    if (!value) return *ret = fallback, 0;
    if (json_integer_value(value) < 0 || json_integer_value(value) == fallback || json_integer_value(value) > INT64_MAX / 4)
        return error_set(reading->err, ERROR_INVALID, NOWHERE, "plan: %.80s: '%s' is not a value that it may have", path, key);
    *ret = json_integer_value(value);
    return 0;
}

int reading_filled(const struct reading *reading, const json_t *object, const char *path, const char *const *keys)
{
    for (; *keys; keys++) {
        const json_t *value = json_object_get(object, *keys);
        if (value && !json_object_size(value) && !json_array_size(value))
            return error_set(reading->err, ERROR_INVALID, NOWHERE, "plan: %.80s: '%s' is empty", path, *keys);
    }
    return 0;
}

int reading_condition(const struct reading *reading, const char *condition, const char *path)
{
    AUTO(expression_free) struct expression *expression = NULL;
    if (!condition || strcmp(condition, "false") == 0) return 0;
    if (!expression_parse(condition, NOWHERE, &expression, reading->err)) return 0;
    return error_wrap(reading->err, "plan: %.80s: condition", path);
}

int reading_id(const struct reading *reading, const char *id, const char *path)
{
    return text_is_name(id) ? 0 : reading_fail(reading, path, "an id must be a name");
}

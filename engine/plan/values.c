/* values.c: evaluates the expressions inside values, and converts what they give to the type of their field. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"
#include "spec/quantity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool value_is_unknown(const json_t *value)
{
    return json_text(value, "$unknown", NULL) != NULL;
}

/* Does an object with this member stand in value, or is it one? */
static bool has_marker(const json_t *value, const char *marker)
{
    const char *key;
    json_t *member;
    json_object_foreach(
        (json_t *)value, key, member) if (json_is_string(member) ? strcmp(key, marker) == 0 : has_marker(member, marker)) return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (has_marker(json_array_get(value, i), marker)) return true;
    return false;
}

bool value_has_unknown(const json_t *value)
{
    return has_marker(value, "$unknown");
}

/* --- converting -------------------------------------------------------------------------------------------------------- */

static int fail_type(const json_t *value, enum field_type type, struct error *err)
{
    AUTO(free_text) char *shown = json_canonical(value);
    error_set(err, ERROR_INVALID, NOWHERE, "%s is not a value of type %s", strlen(shown) > 80 ? "what stands here" : shown,
        field_type_name(type));
    if (json_is_null(value)) return error_hint(err, "a skipped step's output is null: give a value in its place with default(x, 'text')");
    if (json_is_array(value)) return error_hint(err, "join(list, ', ') makes text of a list");
    if (json_is_object(value)) return error_hint(err, "format-json(x) makes text of an object");
    if (type == FIELD_DURATION) return error_hint(err, "a duration is a number with a unit: 500ms 30s 10m 2h 1d");
    if (type == FIELD_PERCENT) return error_hint(err, "a percentage is a number with its sign: 5%% 99.9%%");
    if (type == FIELD_SIZE) return error_hint(err, "a size is a number with a unit: 512 64KiB 1GiB");
    return -ERROR_INVALID;
}

/* A scalar as text, as if it had been written so. */
static int to_text(const json_t *value, enum field_type type, char **ret, struct error *err)
{
    if (json_is_string(value))
        *ret = mem_copy_text(json_string_value(value));
    else if (json_is_number(value) || json_is_boolean(value))
        *ret = json_canonical(value);
    else
        return fail_type(value, type, err);
    return 0;
}

static bool path_is_inside(const char *path)
{
    if (!*path || *path == '/') return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strcmp(part, "..") == 0 || text_starts(part, "../")) return false;
    }
    return true;
}

static int convert_text(const json_t *value, enum field_type type, json_t **ret, struct error *err)
{
    AUTO(free_text) char *text = NULL;
    int result = to_text(value, type, &text, err);
    if (result) return result;
    if (type == FIELD_NAME && !text_is_name(text)) return fail_type(value, type, err);
    if (type == FIELD_PATH && !path_is_inside(text)) return fail_type(value, type, err);
    *ret = json_is_string(value) ? json_incref((json_t *)value) : json_string(text);
    return 0;
}

static bool takes_real(enum field_type type)
{
    return type == FIELD_NUMBER || type == FIELD_PERCENT || type == FIELD_RATE || type == FIELD_LATENCY;
}

static int convert_number(const json_t *value, enum field_type type, json_t **ret, struct error *err)
{
    const char *text = json_string_value(value);
    int64_t whole = 0;
    bool good = false;
    if (text && quantity_from_text(type, text, ret)) return 0;
    if (json_is_integer(value) || (takes_real(type) && json_is_real(value))) return *ret = json_incref((json_t *)value), 0;
    if (text && type == FIELD_INTEGER) good = text_to_integer(text, &whole);
    if (text && type == FIELD_DURATION) good = text_to_duration_ms(text, &whole);
    if (text && type == FIELD_SIZE) good = text_to_size_bytes(text, &whole);
    if (text && type == FIELD_NUMBER && strlen(text) == strspn(text, "0123456789+-.eE")) {
        char *end;
        double real = strtod(text, &end);
        *ret = *text && !*end ? json_real(real) : NULL; /* NULL also for what is not finite */
        return *ret ? 0 : fail_type(value, type, err);
    }
    if (!good) return fail_type(value, type, err);
    *ret = json_integer(whole);
    return 0;
}

static int convert_boolean(const json_t *value, json_t **ret, struct error *err)
{
    const char *text = json_string_value(value);
    bool is_true = text_equal(text, "true");
    if (!json_is_boolean(value) && !is_true && !text_equal(text, "false")) return fail_type(value, FIELD_BOOLEAN, err);
    *ret = json_boolean(json_is_boolean(value) ? json_is_true(value) : is_true);
    return 0;
}

/* One scalar is a list of one. */
static int convert_list(const json_t *value, enum field_type item_type, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *list = json_array();
    for (size_t i = 0; i < (json_is_array(value) ? json_array_size(value) : 1); i++) {
        json_t *item;
        int result = value_convert(json_is_array(value) ? json_array_get(value, i) : value, item_type, &item, err);
        if (result) return result;
        json_array_append_new(list, item);
    }
    *ret = take(&list);
    return 0;
}

static int convert_map(const json_t *value, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *map = json_object();
    const char *key;
    json_t *member;
    if (!json_is_object(value)) return fail_type(value, FIELD_TEXT_MAP, err);
    json_object_foreach((json_t *)value, key, member)
    {
        json_t *text;
        int result = value_convert(member, FIELD_TEXT, &text, err);
        if (result) return result;
        json_put(map, key, text);
    }
    *ret = take(&map);
    return 0;
}

int value_convert(const json_t *value, enum field_type type, json_t **ret, struct error *err)
{
    switch (type) {
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_PATH:
    case FIELD_CHOICE: return convert_text(value, type, ret, err);
    case FIELD_BOOLEAN:
    case FIELD_CONDITION: return convert_boolean(value, ret, err);
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_PERCENT:
    case FIELD_CPU:
    case FIELD_BITRATE:
    case FIELD_RATE:
    case FIELD_LATENCY: return convert_number(value, type, ret, err);
    case FIELD_TEXT_LIST: return convert_list(value, FIELD_TEXT, ret, err);
    case FIELD_NAME_LIST: return convert_list(value, FIELD_NAME, ret, err);
    case FIELD_PERCENT_LIST: return convert_list(value, FIELD_PERCENT, ret, err);
    case FIELD_TEXT_MAP: return convert_map(value, ret, err);
    case FIELD_OBJECT:
    case FIELD_OBJECT_MAP:
        if (!json_is_object(value)) return fail_type(value, type, err);
        break;
    case FIELD_OBJECT_LIST:
        if (!json_is_array(value)) return fail_type(value, type, err);
        break;
    case FIELD_ANY: break;
    }
    *ret = json_incref((json_t *)value);
    return 0;
}

static enum field_type type_from_name(const char *name)
{
    for (int type = FIELD_TEXT; name && type < FIELD_ANY; type++)
        if (text_equal(field_type_name((enum field_type)type), name)) return (enum field_type)type;
    return FIELD_ANY;
}

/* --- resolving --------------------------------------------------------------------------------------------------------- */

/* "file:line:column"; the file is the caller's, because the text goes away. */
static struct location location_from_text(const char *text, const char *file)
{
    struct location at = {.file = file};
    const char *colon = text ? strrchr(text, ':') : NULL;
    if (!colon) return NOWHERE;
    at.column = (unsigned)strtoul(colon + 1, NULL, 10);
    while (colon > text && *--colon != ':') {
    }
    at.line = (unsigned)strtoul(*colon == ':' ? colon + 1 : colon, NULL, 10);
    return at;
}

/* Points err at the value, unless it already points at something more exact in the file; places in text that the loader folded
   into a concat are not places in the file. */
static int at_value(int result, const char *text, struct location at, struct error *err)
{
    if (result && err && (!err->at.line || text_starts(text, "concat("))) err->at = at;
    return result;
}

/* marker: an {"$expression"} or {"$unknown"}. What is still not known becomes an {"$unknown"}. */
static int resolve_marker(
    const json_t *marker, const char *text, const struct scope *scope, const char *file, json_t **ret, struct error *err)
{
    struct location at = location_from_text(json_text(marker, "$at", NULL), file);
    AUTO(expression_free) struct expression *expression = NULL;
    AUTO(free_json) json_t *value = NULL;
    AUTO(free_text) char *residual = NULL;
    int result = expression_parse(text, at, &expression, err);
    if (result) return at_value(result, text, at, err);
    result = expression_evaluate(expression, scope, &value, &residual, err);
    if (result) return at_value(result, text, at, err);
    if (!residual) return at_value(value_convert(value, type_from_name(json_text(marker, "$type", NULL)), ret, err), text, at, err);
    json_t *unknown = json_object();
    json_put_text(unknown, "$unknown", residual);
    json_put_text(unknown, "$type", json_text(marker, "$type", NULL));
    json_put_text(unknown, "$at", json_text(marker, "$at", NULL));
    *ret = unknown;
    return 0;
}

static int resolve(
    const json_t *value, const char *key_of_marker, const struct scope *scope, const char *file, json_t **ret, struct error *err)
{
    const char *text = json_text(value, key_of_marker, NULL);
    if (text) return resolve_marker(value, text, scope, file, ret, err);
    if (!has_marker(value, key_of_marker)) return *ret = json_incref((json_t *)value), 0;
    AUTO(free_json) json_t *copy = json_is_object(value) ? json_object() : json_array();
    const char *key;
    json_t *member, *resolved = NULL;
    json_object_foreach((json_t *)value, key, member)
    {
        int result = resolve(member, key_of_marker, scope, file, &resolved, err);
        if (result) return result;
        json_put(copy, key, resolved);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        int result = resolve(json_array_get(value, i), key_of_marker, scope, file, &resolved, err);
        if (result) return result;
        json_array_append_new(copy, resolved);
    }
    *ret = take(&copy);
    return 0;
}

int value_resolve(const json_t *value, const struct scope *scope, const char *file, json_t **ret, struct error *err)
{
    return resolve(value, "$expression", scope, file, ret, err);
}

/* The first unknown in value; there is one. */
static const json_t *first_unknown(const json_t *value)
{
    if (value_is_unknown(value)) return value;
    const char *key;
    json_t *member;
    const json_t *found;
    json_object_foreach((json_t *)value, key, member) if ((found = first_unknown(member))) return found;
    for (size_t i = 0; i < json_array_size(value); i++)
        if ((found = first_unknown(json_array_get(value, i)))) return found;
    return NULL;
}

int plan_resolve(const json_t *value, const struct scope *scope, json_t **ret_value, struct error *err)
{
    AUTO(free_json) json_t *resolved = NULL;
    int result = resolve(value, "$unknown", scope, NULL, &resolved, err);
    if (result) { /* the file is known by name only, and that name goes away with the value */
        const json_t *wrong = first_unknown(value);
        if (err) err->at = NOWHERE;
        return json_text(wrong, "$at", NULL) ? error_wrap(err, "%.80s", json_text(wrong, "$at", NULL)) : result;
    }
    const json_t *left = value_has_unknown(resolved) ? first_unknown(resolved) : NULL;
    if (left) return error_set(err, ERROR_STATE, NOWHERE, "%.160s is not known yet", json_text(left, "$unknown", ""));
    *ret_value = take(&resolved);
    return 0;
}

int condition_fold(const char *condition, const struct place *place, struct location at, const char **ret, bool *ret_overrides)
{
    const struct build *build = place->frame->build;
    AUTO(expression_free) struct expression *expression = NULL;
    AUTO(free_json) json_t *value = NULL;
    AUTO(free_text) char *residual = NULL;
    struct scope scope = place_scope(place);
    struct error err = {0};
    int result = expression_parse(condition, at, &expression, &err);
    if (!result) result = expression_evaluate(expression, &scope, &value, &residual, &err);
    if (!result && !residual && !json_is_boolean(value)) {
        result =
            error_set(&err, ERROR_INVALID, at, "a condition is true or false, not %s", json_is_string(value) ? "text" : "what stands here");
        error_hint(&err, "compare it with something: params.x == 'y'");
    }
    if (result) return build_fail(build, "wrong-condition", at, &err), result;
    *ret_overrides = expression_overrides_default(expression);
    *ret = residual ? arena_copy_text(build->arena, residual) : json_is_true(value) ? NULL : "false";
    return 0;
}

/* Every reference stays as it is. */
static enum lookup look_up_nothing(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
    char **ret_residual, struct error *err)
{
    (void)context, (void)ret_value, (void)err;
    AUTO(text_release) struct text text = {0};
    text_add(&text, root);
    for (size_t i = 0; i < part_count; i++)
        text_add_format(&text, ".%s", parts[i]);
    if (!part_count) text_add(&text, "()");
    *ret_residual = text_take(&text);
    return LOOKUP_UNKNOWN;
}

const char *condition_join(const struct build *build, const char *a, const char *b, struct location at)
{
    if (!a || !b) return a ? a : b;
    AUTO(free_text) char *text = mem_format("(%s) && (%s)", a, b);
    AUTO(expression_free) struct expression *expression = NULL;
    AUTO(free_json) json_t *value = NULL;
    AUTO(free_text) char *residual = NULL;
    struct scope scope = {.look_up = look_up_nothing};
    struct error err = {0};
    int result = expression_parse(text, at, &expression, &err);
    if (!result) result = expression_evaluate(expression, &scope, &value, &residual, &err);
    if (result) build_fail(build, "wrong-condition", at, &err);
    return result || !residual ? "false" : arena_copy_text(build->arena, residual);
}

int64_t timeout_shorter(int64_t a_ms, int64_t b_ms)
{
    if (!a_ms || !b_ms) return a_ms ? a_ms : b_ms;
    return a_ms < b_ms ? a_ms : b_ms;
}

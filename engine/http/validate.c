/* validate.c: does a JSON body hold what a table of fields allows? Recursion follows the tables, so its depth is theirs. */
#include "http/validate.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

static int wrong_type(const char *path, const char *wanted, struct error *err)
{
    return error_set(err, ERROR_INVALID, NOWHERE, "request body: '%s' must be %s", path, wanted);
}

static int check_object(const json_t *object, const struct field *fields, const char *path, struct error *err);

static int check_range(int64_t value, const struct field *field, const char *path, struct error *err)
{
    if ((field->min || field->max) && (value < field->min || value > field->max))
        return error_set(err, ERROR_INVALID, NOWHERE, "request body: '%s' must be between %lld and %lld", path, (long long)field->min,
            (long long)field->max);
    return 0;
}

/* A whole number, or text that the reader understands. */
static int check_quantity(const json_t *value, const struct field *field, const char *path, bool (*read)(const char *, int64_t *),
    const char *wanted, struct error *err)
{
    int64_t number = 0;
    if (json_is_integer(value))
        number = (int64_t)json_integer_value(value);
    else if (!json_is_string(value) || !read(json_string_value(value), &number))
        return wrong_type(path, wanted, err);
    return check_range(number, field, path, err);
}

static int check_text(const json_t *value, const struct field *field, const char *path, struct error *err)
{
    if (!json_is_string(value)) return wrong_type(path, "text", err);
    const char *text = json_string_value(value);
    if (field->type == FIELD_NAME && !text_is_name(text)) return wrong_type(path, "a name: letters a to z, digits and hyphens", err);
    if (field->type != FIELD_CHOICE) return 0;
    struct text choices = {0};
    for (const char *const *choice = field->choices; *choice; choice++) {
        if (text_equal(*choice, text)) {
            text_release(&choices);
            return 0;
        }
        text_add_format(&choices, "%s%s", choices.size ? ", " : "one of ", *choice);
    }
    int code = wrong_type(path, text_view(&choices), err);
    text_release(&choices);
    return code;
}

static int check_text_list(const json_t *value, const struct field *field, const char *path, struct error *err)
{
    if (!json_is_array(value)) return wrong_type(path, "a list of text", err);
    size_t index;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        bool good = json_is_string(item) && (field->type != FIELD_NAME_LIST || text_is_name(json_string_value(item)));
        if (!good) return wrong_type(path, field->type == FIELD_NAME_LIST ? "a list of names" : "a list of text", err);
    }
    return 0;
}

/* Of percents or of objects. */
static int check_list(const json_t *value, const struct field *field, const char *path, struct error *err)
{
    if (!json_is_array(value)) return wrong_type(path, "a list", err);
    size_t index;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        AUTO(free_text) char *inner = mem_format("%s[%zu]", path, index);
        int code = field->type == FIELD_OBJECT_LIST ? check_object(item, field->fields, inner, err)
                   : json_is_number(item)           ? 0
                                                    : wrong_type(inner, "a number", err);
        if (code < 0) return code;
    }
    return 0;
}

static int check_map(const json_t *value, const struct field *field, const char *path, struct error *err)
{
    if (!json_is_object(value)) return wrong_type(path, "an object", err);
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        AUTO(free_text) char *inner = mem_format("%s.%s", path, key);
        if (field->type == FIELD_TEXT_MAP && !json_is_string(item)) return wrong_type(inner, "text", err);
        if (field->type == FIELD_TEXT_MAP) continue;
        int code = check_object(item, field->fields, inner, err);
        if (code < 0) return code;
    }
    return 0;
}

static int check_value(const json_t *value, const struct field *field, const char *path, struct error *err)
{
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_PATH:
    case FIELD_CHOICE:
    case FIELD_CONDITION: return check_text(value, field, path, err);
    case FIELD_BOOLEAN: return json_is_boolean(value) ? 0 : wrong_type(path, "true or false", err);
    case FIELD_INTEGER:
        if (!json_is_integer(value)) return wrong_type(path, "a whole number", err);
        return check_range((int64_t)json_integer_value(value), field, path, err);
    case FIELD_NUMBER:
    case FIELD_PERCENT:
    case FIELD_CPU:
    case FIELD_BITRATE:
    case FIELD_RATE:
    case FIELD_LATENCY: return json_is_number(value) ? 0 : wrong_type(path, "a number", err);
    case FIELD_DURATION: return check_quantity(value, field, path, text_to_duration_ms, "a duration like 30s", err);
    case FIELD_SIZE: return check_quantity(value, field, path, text_to_size_bytes, "a size like 64KiB", err);
    case FIELD_TEXT_LIST:
    case FIELD_NAME_LIST: return check_text_list(value, field, path, err);
    case FIELD_PERCENT_LIST:
    case FIELD_OBJECT_LIST: return check_list(value, field, path, err);
    case FIELD_TEXT_MAP:
    case FIELD_OBJECT_MAP: return check_map(value, field, path, err);
    case FIELD_OBJECT: return check_object(value, field->fields, path, err);
    case FIELD_ANY: break;
    }
    return 0;
}

static const struct field *find_field(const struct field *fields, const char *name)
{
    for (; fields->name; fields++)
        if (text_equal(fields->name, name)) return fields;
    return NULL;
}

static int unknown_member(const char *path, const char *key, const struct field *fields, struct error *err)
{
    const char *names[64] = {NULL};
    for (size_t i = 0; i < COUNT_OF(names) - 1 && fields[i].name; i++)
        names[i] = fields[i].name;
    int code = error_set(err, ERROR_INVALID, NOWHERE, "request body: '%s%s%s' is not known here", path, *path ? "." : "", key);
    const char *near = text_nearest(key, names);
    return near ? error_hint(err, "did you mean '%s'?", near) : code;
}

static int check_object(const json_t *object, const struct field *fields, const char *path, struct error *err)
{
    if (!json_is_object(object)) return wrong_type(*path ? path : "(all of it)", "an object", err);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const struct field *field = find_field(fields, key);
        if (!field) return unknown_member(path, key, fields, err);
        AUTO(free_text) char *inner = mem_format("%s%s%s", path, *path ? "." : "", key);
        int code = check_value(value, field, inner, err);
        if (code < 0) return code;
    }
    for (const struct field *field = fields; field->name; field++)
        if ((field->flags & FIELD_REQUIRED) && !json_object_get(object, field->name))
            return error_set(err, ERROR_INVALID, NOWHERE, "request body: '%s%s%s' is missing", path, *path ? "." : "", field->name);
    return 0;
}

int validate_body(const json_t *body, const struct field *fields, struct error *err)
{
    return check_object(body, fields, "", err);
}

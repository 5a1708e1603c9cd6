/* value.c: one text → the typed JSON value that a field wants (rule 1: the field decides, never the text's looks). */
#include "spec/value.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/pipeline.h"
#include "spec/quantity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *phrase, *hint;
} types[] = {
    [FIELD_TEXT] = {"text", "text", "write one text"},
    [FIELD_NAME] = {"name", "a name", "names are lower-case letters, digits and hyphens, a letter first, at most 63"},
    [FIELD_PATH] = {"path", "a path inside the workspace", "write a relative path without '..', like src/main.c"},
    [FIELD_BOOLEAN] = {"boolean", "true or false", "write true or false"},
    [FIELD_INTEGER] = {"integer", "a whole number", "write digits only, like 3"},
    [FIELD_NUMBER] = {"number", "a number", "write a decimal number, like 0.5"},
    [FIELD_DURATION] = {"duration", "a duration", "write a number and its unit: 500ms, 30s, 10m, 2h or 1d"},
    [FIELD_SIZE] = {"size", "a size", "write bytes, or a number and its unit: 512, 64KiB, 1GiB, 10MB"},
    [FIELD_PERCENT] = {"percent", "a percentage", "write a number and %: 5% or 99.9%"},
    [FIELD_CPU] = {"cpu", "a number of processors", "write processors, or thousandths and m: 2, 0.5 or 500m"},
    [FIELD_BITRATE] = {"bitrate", "a bit rate", "write a number and its unit: 500kbps, 100Mbps or 1Gbps"},
    [FIELD_RATE] = {"rate", "a rate", "write a number and what it is by: 60/s, 5/m or 1/h"},
    [FIELD_LATENCY] = {"latency", "a latency", "write a number and its unit: 10ms, 0.5ms, 200us or 1s"},
    [FIELD_CHOICE] = {"choice", "one of a few words", NULL},
    [FIELD_CONDITION] = {"condition", "a condition", "write a bare expression, like run.branch == 'main'"},
    [FIELD_TEXT_LIST] = {"text-list", "a list of texts", "write [one, two], or one text"},
    [FIELD_NAME_LIST] = {"name-list", "a list of names", "write [one, two], or one name"},
    [FIELD_PERCENT_LIST] = {"percent-list", "a list of percentages", "write [5%, 25%], or one percentage"},
    [FIELD_TEXT_MAP] = {"text-map", "a map of texts", "write { NAME: text }"},
    [FIELD_OBJECT] = {"object", "a map", "write { key: value }"},
    [FIELD_OBJECT_MAP] = {"object-map", "a map of maps", "write { NAME: { key: value } }"},
    [FIELD_OBJECT_LIST] = {"object-list", "a list of maps", "write [{ key: value }]"},
    [FIELD_ANY] = {"any", "a value", "write a value"},
};

const char *field_type_name(enum field_type type)
{
    return types[type].name;
}

const char *value_type_phrase(enum field_type type)
{
    return types[type].phrase;
}

const char *value_type_hint(enum field_type type)
{
    return types[type].hint;
}

static int wrong_type(const struct field *field, const char *text, struct error *err)
{
    error_set(err, ERROR_INVALID, NOWHERE, "\"%.63s\" must be %s, not \"%.60s\"", field->name, types[field->type].phrase, text);
    return error_hint(err, "%s", types[field->type].hint);
}

/* Bounds in the way a person writes them. */
static void add_bound(struct text *out, enum field_type type, int64_t bound)
{
    static const struct {
        enum field_type type;
        const char *unit;
        int64_t factor;
    } units[] = {{FIELD_DURATION, "d", 86400000}, {FIELD_DURATION, "h", 3600000}, {FIELD_DURATION, "m", 60000}, {FIELD_DURATION, "s", 1000},
        {FIELD_DURATION, "ms", 1}, {FIELD_SIZE, "TiB", 1LL << 40}, {FIELD_SIZE, "GiB", 1 << 30}, {FIELD_SIZE, "MiB", 1 << 20},
        {FIELD_SIZE, "KiB", 1 << 10}, {FIELD_PERCENT, "%", 1}, {FIELD_CPU, "", 1000}, {FIELD_CPU, "m", 1},
        {FIELD_BITRATE, "Gbps", 1000000000}, {FIELD_BITRATE, "Mbps", 1000000}, {FIELD_BITRATE, "kbps", 1000}, {FIELD_BITRATE, "bps", 1},
        {FIELD_RATE, "/s", 1}, {FIELD_LATENCY, "s", 1000}, {FIELD_LATENCY, "ms", 1}};
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (units[i].type != type || bound == 0 || bound % units[i].factor) continue;
        text_add_format(out, "%lld%s", (long long)(bound / units[i].factor), units[i].unit);
        return;
    }
    text_add_format(out, "%lld", (long long)bound);
}

static int out_of_bounds(const struct field *field, const char *text, struct error *err)
{
    AUTO(text_release) struct text range = {0};
    if (field->min == INT64_MIN)
        text_add(&range, "at most ");
    else
        add_bound(&range, field->type, field->min);
    if (field->min != INT64_MIN) text_add(&range, field->max == INT64_MAX ? " or more" : " to ");
    if (field->max != INT64_MAX) add_bound(&range, field->type, field->max);
    error_set(err, ERROR_LIMIT, NOWHERE, "\"%s\" is out of bounds: %.60s", field->name, text);
    return error_hint(err, "it may be %s", text_view(&range));
}

static int read_whole(const struct field *field, const char *text, bool fits, int64_t value, json_t **ret, struct error *err)
{
    bool bounded = field->min != 0 || field->max != 0;
    if (!fits) return wrong_type(field, text, err);
    if (bounded && (value < field->min || value > field->max)) return out_of_bounds(field, text, err);
    *ret = json_integer(value);
    return 0;
}

static int read_quantity(const struct field *field, const char *text, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *value = NULL;
    if (!quantity_from_text(field->type, text, &value)) return wrong_type(field, text, err);
    double number = json_number_value(value);
    bool bounded = field->min != 0 || field->max != 0;
    if (bounded && (number < (double)field->min || number > (double)field->max)) return out_of_bounds(field, text, err);
    *ret = take(&value);
    return 0;
}

static int read_number(const struct field *field, const char *text, json_t **ret, struct error *err)
{
    char *end;
    if (!*text || strspn(text, "0123456789+-.eE") != strlen(text)) return wrong_type(field, text, err);
    errno = 0;
    double value = strtod(text, &end);
    if (*end || !isfinite(value) || errno == ERANGE) return wrong_type(field, text, err);
    if ((field->min || field->max) && (value < (double)field->min || value > (double)field->max)) {
        error_set(err, ERROR_LIMIT, NOWHERE, "\"%s\" is out of bounds: %.60s", field->name, text);
        return error_hint(err, "it may be %lld to %lld", (long long)field->min, (long long)field->max);
    }
    *ret = json_real(value);
    return 0;
}

static bool is_among(const char *text, const char *const *names)
{
    for (; names && *names; names++)
        if (strcmp(text, *names) == 0) return true;
    return false;
}

static int read_choice(const struct field *field, const char *text, json_t **ret, struct error *err)
{
    AUTO(text_release) struct text all = {0};
    if (is_among(text, field->choices)) {
        *ret = json_string(text);
        return 0;
    }
    for (const char *const *choice = field->choices; *choice; choice++)
        text_add_format(&all, "%s%s", all.size ? (choice[1] ? ", " : " or ") : "", *choice);
    if (is_among(text, field->later)) {
        error_set(err, ERROR_UNSUPPORTED, NOWHERE, "\"%s: %s\" is in the language, but not in this version", field->name, text);
        return error_hint(err, "it may be %.140s", text_view(&all));
    }
    error_set(err, ERROR_INVALID, NOWHERE, "\"%s\" cannot be \"%.60s\"", field->name, text);
    const char *near = text_nearest(text, field->choices);
    if (near) return error_hint(err, "did you mean \"%s\"? It may be %.110s", near, text_view(&all));
    return error_hint(err, "it may be %.140s", text_view(&all));
}

static bool is_inside_path(const char *text)
{
    if (!*text || *text == '/') return false;
    for (const char *part = text; *part;) {
        size_t size = strcspn(part, "/");
        if (size == 2 && part[0] == '.' && part[1] == '.') return false;
        part += size + (part[size] == '/');
    }
    return true;
}

static int read_checked_text(const struct field *field, const char *text, bool fits, json_t **ret, struct error *err)
{
    if (!fits) return wrong_type(field, text, err);
    *ret = json_string(text);
    return *ret ? 0 : wrong_type(field, text, err); /* NULL: not UTF-8, from a command line */
}

struct field value_item_field(const struct field *list)
{
    struct field item = *list;
    item.type = list->type == FIELD_NAME_LIST      ? FIELD_NAME
                : list->type == FIELD_PERCENT_LIST ? FIELD_PERCENT
                : list->choices                    ? FIELD_CHOICE
                                                   : FIELD_TEXT;
    return item;
}

static int read_list(const struct field *field, const char *text, json_t **ret, struct error *err)
{
    struct field item = value_item_field(field);
    AUTO(free_json) json_t *list = json_array();
    while (*text) {
        text += strspn(text, " ");
        size_t size = strcspn(text, ",");
        AUTO(free_text) char *one = mem_copy_bytes(text, size);
        json_t *value = NULL;
        int failed = value_from_text(&item, one, &value, err);
        if (failed) return failed;
        json_array_append_new(list, value);
        text += size + (text[size] == ',');
    }
    *ret = take(&list);
    return 0;
}

json_t *value_defaults(const struct field *fields)
{
    json_t *object = json_object(), *value;
    for (; fields->name; fields++)
        if (fields->fallback && value_from_text(fields, fields->fallback, &value, NULL) == 0) json_put(object, fields->name, value);
    return object;
}

int value_from_text(const struct field *field, const char *text, json_t **ret_value, struct error *err)
{
    int64_t value = 0;
    bool fits;
    switch (field->type) {
    case FIELD_BOOLEAN:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) return wrong_type(field, text, err);
        *ret_value = json_boolean(text[0] == 't');
        return 0;
    case FIELD_INTEGER: fits = text_to_integer(text, &value); return read_whole(field, text, fits, value, ret_value, err);
    case FIELD_DURATION: fits = text_to_duration_ms(text, &value); return read_whole(field, text, fits, value, ret_value, err);
    case FIELD_SIZE: fits = text_to_size_bytes(text, &value); return read_whole(field, text, fits, value, ret_value, err);
    case FIELD_NUMBER: return read_number(field, text, ret_value, err);
    case FIELD_PERCENT:
    case FIELD_CPU:
    case FIELD_BITRATE:
    case FIELD_RATE:
    case FIELD_LATENCY: return read_quantity(field, text, ret_value, err);
    case FIELD_CHOICE: return read_choice(field, text, ret_value, err);
    case FIELD_NAME: return read_checked_text(field, text, text_is_name(text), ret_value, err);
    case FIELD_PATH: return read_checked_text(field, text, is_inside_path(text), ret_value, err);
    case FIELD_TEXT_LIST:
    case FIELD_NAME_LIST:
    case FIELD_PERCENT_LIST: return read_list(field, text, ret_value, err);
    case FIELD_TEXT:
    case FIELD_CONDITION:
    case FIELD_ANY: return field->choices ? read_choice(field, text, ret_value, err) : read_checked_text(field, text, true, ret_value, err);
    case FIELD_OBJECT:
        if (strcmp(text, "{}") != 0) break;
        *ret_value = value_defaults(field->fields);
        return 0;
    case FIELD_TEXT_MAP:
    case FIELD_OBJECT_MAP:
    case FIELD_OBJECT_LIST: break;
    }
    return wrong_type(field, text, err);
}

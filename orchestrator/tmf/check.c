/* check.c: does a document have the members that a table of fields asks for, with their types? Pure. */
#include "orchestrator/tmf/check.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

/* Where in the document we are; a chain on the stack. */
struct place {
    const struct place *up;
    const char *name; /* NULL: an item of a list */
    size_t index;
};

static void add_place(struct text *text, const struct place *place)
{
    if (!place) return;
    add_place(text, place->up);
    if (place->name)
        text_add_format(text, "%s%.60s", text->size ? "." : "", place->name);
    else
        text_add_format(text, "[%zu]", place->index);
}

static int wrong(const struct place *place, const char *what, struct error *err)
{
    AUTO(text_release) struct text where = {0};
    add_place(&where, place);
    return error_set(err, ERROR_INVALID, NOWHERE, "%.180s %s", text_view(&where), what);
}

static bool are_digits(const char *text, const char *pattern)
{
    for (; *pattern; text++, pattern++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern) return false;
    return true;
}

/* Where the seconds end that stand behind the minutes, with any number of digits behind them; NULL: there are none. */
static const char *behind_seconds(const char *at)
{
    if (!are_digits(at, ":00")) return NULL;
    return at[3] == '.' ? at + 4 + strspn(at + 4, "0123456789") : at + 3;
}

static bool is_zone(const char *at)
{
    if (at[0] == 'Z' && !at[1]) return true;
    return (*at == '+' || *at == '-') && are_digits(at + 1, "00:00") && !at[6];
}

/* RFC 3339: 2026-01-31T08:00:00.5+01:00; a clock's time (2017-08-23T00:00) may be without seconds and zone. */
static bool is_time(const char *text, bool is_clock)
{
    enum { MINUTES_END = 16 };
    if (!are_digits(text, "0000-00-00T00:00")) return false;
    const char *at = behind_seconds(text + MINUTES_END);
    if (!is_clock) return at && is_zone(at);
    if (!at) at = text + MINUTES_END;
    return !*at || is_zone(at);
}

static bool is_choice(const char *text, const char *const *choices)
{
    for (; choices && *choices; choices++)
        if (text_equal(text, *choices)) return true;
    return !choices;
}

static int check_text(const json_t *value, const struct tmf_field *field, const struct place *place, struct error *err)
{
    if (!json_is_string(value)) return wrong(place, "must be text", err);
    bool is_clock = field->type == TMF_CLOCK;
    if ((field->type == TMF_TIME || is_clock) && !is_time(json_string_value(value), is_clock))
        return wrong(place, "must be a time (2026-01-31T08:00:00Z)", err);
    if (is_choice(json_string_value(value), field->choices)) return 0;
    wrong(place, "has a value that is not possible here", err);
    AUTO(text_release) struct text possible = {0};
    for (const char *const *choice = field->choices; *choice; choice++)
        text_add_format(&possible, "%s%s", possible.size ? ", " : "", *choice);
    return error_hint(err, "possible: %s", text_view(&possible));
}

static int check_object(const json_t *object, const struct tmf_field *fields, const struct place *place, struct error *err);

static int check_list(const json_t *list, const struct tmf_field *field, const struct place *place, struct error *err)
{
    size_t i;
    json_t *item;
    if (!json_is_array(list)) return wrong(place, "must be a list", err);
    json_array_foreach(list, i, item)
    {
        struct place here = {.up = place, .index = i};
        if (field->type == TMF_TEXT_LIST && !json_is_string(item)) return wrong(&here, "must be text", err);
        int failed = field->type == TMF_LIST ? check_object(item, field->fields, &here, err) : 0;
        if (failed) return failed;
    }
    return 0;
}

static int check_value(const json_t *value, const struct tmf_field *field, const struct place *place, struct error *err)
{
    switch (field->type) {
    case TMF_TEXT:
    case TMF_TIME:
    case TMF_CLOCK: return check_text(value, field, place, err);
    case TMF_BOOLEAN: return json_is_boolean(value) ? 0 : wrong(place, "must be true or false", err);
    case TMF_INTEGER: return json_is_integer(value) ? 0 : wrong(place, "must be a whole number", err);
    case TMF_NUMBER: return json_is_number(value) ? 0 : wrong(place, "must be a number", err);
    case TMF_OBJECT: return check_object(value, field->fields, place, err);
    case TMF_LIST:
    case TMF_TEXT_LIST: return check_list(value, field, place, err);
    case TMF_ANY: return 0;
    }
    return 0;
}

/* "@type" and its like. */
static int check_meta(const json_t *object, const struct place *place, struct error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        struct place here = {.up = place, .name = name};
        if (name[0] == '@' && !json_is_string(value) && !json_is_null(value)) return wrong(&here, "must be text", err);
    }
    return 0;
}

static int check_object(const json_t *object, const struct tmf_field *fields, const struct place *place, struct error *err)
{
    if (!json_is_object(object)) return wrong(place, "must be an object", err);
    int failed = check_meta(object, place, err);
    for (const struct tmf_field *field = fields; field && field->name && !failed; field++) {
        const json_t *value = json_object_get(object, field->name);
        struct place here = {.up = place, .name = field->name};
        bool absent = !value || (json_is_null(value) && field->type != TMF_ANY);
        if (!absent)
            failed = check_value(value, field, &here, err);
        else if (field->flags & TMF_REQUIRED)
            failed = wrong(&here, "is missing", err);
    }
    return failed;
}

int tmf_check(const json_t *document, const struct tmf_field *fields, struct error *err)
{
    if (!json_is_object(document)) return error_set(err, ERROR_INVALID, NOWHERE, "the body must be a JSON object");
    return check_object(document, fields, NULL, err);
}

static int check_same(const json_t *stored, const json_t *patched, const char *name, struct error *err)
{
    const json_t *before = json_object_get(stored, name), *after = json_object_get(patched, name);
    if (before == after || (before && after && json_equal(before, after))) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "%s cannot be changed", name);
    return error_hint(err, "leave %s out of the patch", name);
}

int tmf_check_fixed(const json_t *stored, const json_t *patched, const struct tmf_field *fields, struct error *err)
{
    int failed = check_same(stored, patched, "id", err);
    if (!failed) failed = check_same(stored, patched, "href", err);
    for (const struct tmf_field *field = fields; field && field->name && !failed; field++)
        if (field->flags & (TMF_FIXED | TMF_SERVER)) failed = check_same(stored, patched, field->name, err);
    return failed;
}

bool tmf_is_shallow(const json_t *value, unsigned levels)
{
    size_t i;
    const char *name;
    json_t *item;
    if (!json_is_object(value) && !json_is_array(value)) return true;
    if (levels == 0) return false;
    json_array_foreach(value, i, item) if (!tmf_is_shallow(item, levels - 1)) return false;
    json_object_foreach((json_t *)value, name, item) if (!tmf_is_shallow(item, levels - 1)) return false;
    return true;
}

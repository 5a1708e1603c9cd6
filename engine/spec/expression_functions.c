/* expression_functions.c: the functions of the language, one table. All are total: what they cannot take is an error. */
#include "base/mem.h"
#include "crescendo/limits.h"
#include "spec/expression_node.h"

#include <stdlib.h>
#include <string.h>

#define KIND(name) (1u << VALUE_##name)
enum { ANYTHING = KIND(NULL) | KIND(BOOLEAN) | KIND(NUMBER) | KIND(TEXT) | KIND(LIST) | KIND(OBJECT) };
enum { PRINTABLE = KIND(BOOLEAN) | KIND(NUMBER) | KIND(TEXT) };
enum { ARGUMENTS_MAX = LIMIT_PIPELINE_BYTES };

static const json_t *argument(const struct node *call, size_t index)
{
    return call->children[index]->value;
}

static const char *argument_text(const struct node *call, size_t index)
{
    return json_string_value(argument(call, index));
}

static int apply_concat(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    AUTO(text_release) struct text text = {0};
    for (size_t i = 0; i < call->child_count; i++) {
        int result = evaluation_charge(evaluation, json_string_length(argument(call, i)), call->at, err);
        if (result) return result;
        value_add_text(&text, argument(call, i));
    }
    *ret = json_string(text_view(&text));
    return 0;
}

static int apply_default(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    (void)evaluation, (void)err;
    *ret = json_incref((json_t *)(json_is_null(argument(call, 0)) ? argument(call, 1) : argument(call, 0)));
    return 0;
}

static int contains_item(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    const json_t *list = argument(call, 0), *wanted = argument(call, 1);
    bool found = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        int order, result = evaluation_charge(evaluation, json_string_length(wanted), call->at, err);
        if (result || (result = value_compare(json_array_get(list, i), wanted, call->at, &order, err))) return result;
        found = found || order == 0;
    }
    *ret = json_boolean(found);
    return 0;
}

static int apply_contains(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    if (json_is_array(argument(call, 0))) return contains_item(evaluation, call, ret, err);
    if (!json_is_string(argument(call, 1)))
        return error_set(err, ERROR_INVALID, call->at, "contains() looks for text in text, not for %s",
            value_kind_name(value_kind_of(argument(call, 1))));
    *ret = json_boolean(strstr(argument_text(call, 0), argument_text(call, 1)) != NULL);
    return evaluation_charge(evaluation, json_string_length(argument(call, 0)), call->at, err);
}

static int apply_starts(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    (void)evaluation, (void)err;
    *ret = json_boolean(text_starts(argument_text(call, 0), argument_text(call, 1)));
    return 0;
}

static int apply_ends(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    (void)evaluation, (void)err;
    *ret = json_boolean(text_ends(argument_text(call, 0), argument_text(call, 1)));
    return 0;
}

static int apply_length(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    const json_t *value = argument(call, 0);
    size_t length = json_is_array(value) ? json_array_size(value) : text_columns(json_string_value(value), json_string_length(value));
    *ret = json_integer((json_int_t)length);
    return evaluation_charge(evaluation, json_string_length(value), call->at, err);
}

static int apply_join(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    AUTO(text_release) struct text text = {0};
    for (size_t i = 0; i < json_array_size(argument(call, 0)); i++) {
        const json_t *item = json_array_get(argument(call, 0), i);
        enum value_kind kind = value_kind_of(item);
        if (!((1u << kind) & PRINTABLE))
            return error_set(err, ERROR_INVALID, call->at, "join() takes a list of text, numbers and booleans; item %zu is %s", i + 1,
                value_kind_name(kind));
        int result = evaluation_charge(evaluation, json_string_length(item) + json_string_length(argument(call, 1)), call->at, err);
        if (result) return result;
        if (i) text_add(&text, argument_text(call, 1));
        value_add_text(&text, item);
    }
    *ret = json_string(text_view(&text));
    return 0;
}

static int apply_format_json(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    AUTO(free_text) char *text = json_dumps(argument(call, 0), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    int result = evaluation_charge(evaluation, text ? strlen(text) : 0, call->at, err);
    if (result) return result;
    *ret = json_string(text ? text : "null");
    return 0;
}

static int apply_parse_json(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err)
{
    const char *text = argument_text(call, 0);
    json_error_t fault;
    int result = evaluation_charge(evaluation, strlen(text), call->at, err);
    if (result) return result;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &fault);
    if (!value)
        return error_set(err, ERROR_INVALID, call->at, "parse-json() was given text that is not JSON: %.120s (line %d, column %d)",
            fault.text, fault.line, fault.column);
    *ret = value;
    return 0;
}

const struct function expression_functions[] = {
    {"concat", 1, ARGUMENTS_MAX, VALUE_TEXT, {PRINTABLE, PRINTABLE}, apply_concat},
    {"default", 2, 2, VALUE_ANY, {ANYTHING, ANYTHING}, apply_default},
    {"contains", 2, 2, VALUE_BOOLEAN, {KIND(LIST) | KIND(TEXT), ANYTHING}, apply_contains},
    {"starts-with", 2, 2, VALUE_BOOLEAN, {KIND(TEXT), KIND(TEXT)}, apply_starts},
    {"ends-with", 2, 2, VALUE_BOOLEAN, {KIND(TEXT), KIND(TEXT)}, apply_ends},
    {"length", 1, 1, VALUE_NUMBER, {KIND(LIST) | KIND(TEXT), 0}, apply_length},
    {"join", 2, 2, VALUE_TEXT, {KIND(LIST), KIND(TEXT)}, apply_join},
    {"format-json", 1, 1, VALUE_TEXT, {ANYTHING, 0}, apply_format_json},
    {"parse-json", 1, 1, VALUE_ANY, {KIND(TEXT), 0}, apply_parse_json},
    {.name = NULL},
};

const struct function *expression_function(const char *name, size_t size)
{
    for (const struct function *function = expression_functions; function->name; function++)
        if (strlen(function->name) == size && memcmp(function->name, name, size) == 0) return function;
    return NULL;
}

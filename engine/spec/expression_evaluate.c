/* expression_evaluate.c: folds a tree as far as the scope knows. Evaluating what is left later, with a scope that knows
   more, gives what evaluating the whole would have given; only && || and default() may skip a side that cannot matter. */
#include "base/mem.h"
#include "crescendo/limits.h"
#include "spec/expression_node.h"

#include <stdlib.h>
#include <string.h>

enum value_kind value_kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: return VALUE_TEXT;
    case JSON_INTEGER:
    case JSON_REAL: return VALUE_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE: return VALUE_BOOLEAN;
    case JSON_ARRAY: return VALUE_LIST;
    case JSON_OBJECT: return VALUE_OBJECT;
    case JSON_NULL: return VALUE_NULL;
    }
    return VALUE_ANY;
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {[VALUE_ANY] = "anything",
        [VALUE_NULL] = "null",
        [VALUE_BOOLEAN] = "a boolean",
        [VALUE_NUMBER] = "a number",
        [VALUE_TEXT] = "text",
        [VALUE_LIST] = "a list",
        [VALUE_OBJECT] = "an object"};
    return names[kind];
}

enum value_kind node_value_kind(const struct node *node)
{
    switch (node->kind) {
    case NODE_LITERAL: return value_kind_of(node->value);
    case NODE_REFERENCE: return node->part_count ? VALUE_ANY : VALUE_BOOLEAN;
    case NODE_CALL: return node->function->result;
    case NODE_NOT:
    case NODE_COMPARE:
    case NODE_AND:
    case NODE_OR: return VALUE_BOOLEAN;
    }
    return VALUE_ANY;
}

int evaluation_charge(struct evaluation *evaluation, size_t size_bytes, struct location at, struct error *err)
{
    evaluation->budget -= 1 + (long)(size_bytes / 64);
    if (evaluation->budget >= 0) return 0;
    error_set(err, ERROR_LIMIT, at, "expression takes more than %d steps", LIMIT_EXPRESSION_BUDGET);
    return error_hint(err, "compute it in a run step and use the step's output");
}

static bool is_literal(const struct node *node)
{
    return node->kind == NODE_LITERAL;
}

static struct node *node_like(struct evaluation *evaluation, const struct node *node, const struct node *const *children, size_t count)
{
    struct node *copy = arena_alloc(evaluation->arena, sizeof *copy);
    *copy = *node;
    copy->child_count = count;
    copy->children = arena_alloc_array(evaluation->arena, count, sizeof *copy->children);
    if (count) memcpy(copy->children, children, count * sizeof *children);
    return copy;
}

/* --- comparing --------------------------------------------------------------------------------------------------------- */

static int fail_kinds(enum value_kind a, enum value_kind b, struct location at, struct error *err)
{
    error_set(err, ERROR_INVALID, at, "%s cannot be compared with %s", value_kind_name(a), value_kind_name(b));
    if (a == VALUE_TEXT && b == VALUE_NUMBER) return error_hint(err, "a number stands without quotes; text that is compared needs them");
    if (a == VALUE_NUMBER && b == VALUE_TEXT) return error_hint(err, "write the number without quotes");
    if (a == VALUE_BOOLEAN || b == VALUE_BOOLEAN) return error_hint(err, "true and false stand without quotes");
    if (a == VALUE_LIST || b == VALUE_LIST) return error_hint(err, "contains(list, x) asks whether x is in the list");
    return -ERROR_INVALID;
}

static int compare_numbers(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t left = json_integer_value(a), right = json_integer_value(b);
        return (left > right) - (left < right);
    }
    double left = json_number_value(a), right = json_number_value(b);
    return (left > right) - (left < right);
}

int value_compare(const json_t *a, const json_t *b, struct location at, int *ret, struct error *err)
{
    enum value_kind left = value_kind_of(a), right = value_kind_of(b);
    if (left == VALUE_NULL || right == VALUE_NULL)
        *ret = left != right;
    else if (left != right)
        return fail_kinds(left, right, at, err);
    else if (left == VALUE_NUMBER)
        *ret = compare_numbers(a, b);
    else if (left == VALUE_TEXT)
        *ret = strcmp(json_string_value(a), json_string_value(b));
    else
        *ret = !json_equal(a, b);
    return 0;
}

static bool is_ordered(enum value_kind kind)
{
    return kind == VALUE_NUMBER || kind == VALUE_TEXT || kind == VALUE_ANY;
}

/* What can be said of a comparison from its sides' kinds alone. */
static int check_comparison(const struct node *node, const struct node *a, const struct node *b, struct error *err)
{
    enum value_kind left = node_value_kind(a), right = node_value_kind(b);
    bool order = node->comparison != COMPARE_EQUAL && node->comparison != COMPARE_UNEQUAL;
    if (order && (!is_ordered(left) || !is_ordered(right))) {
        enum value_kind wrong = is_ordered(left) ? right : left;
        error_set(err, ERROR_INVALID, node->at, "%s has no order", value_kind_name(wrong));
        if (wrong == VALUE_NULL) return error_hint(err, "give a value in its place with default(x, 0)");
        return error_hint(err, "< <= > >= compare two numbers or two texts");
    }
    if (left == VALUE_ANY || right == VALUE_ANY || left == VALUE_NULL || right == VALUE_NULL || left == right) return 0;
    return fail_kinds(left, right, node->at, err);
}

static bool comparison_holds(enum comparison comparison, int order)
{
    switch (comparison) {
    case COMPARE_EQUAL: return order == 0;
    case COMPARE_UNEQUAL: return order != 0;
    case COMPARE_LESS: return order < 0;
    case COMPARE_AT_MOST: return order <= 0;
    case COMPARE_MORE: return order > 0;
    case COMPARE_AT_LEAST: return order >= 0;
    }
    return false;
}

static int fold(struct evaluation *evaluation, const struct node *node, const struct node **ret, struct error *err);

static int fold_comparison(struct evaluation *evaluation, const struct node *node, const struct node **ret, struct error *err)
{
    const struct node *sides[2];
    int order = 0, result;
    for (int i = 0; i < 2; i++)
        if ((result = fold(evaluation, node->children[i], &sides[i], err))) return result;
    if ((result = check_comparison(node, sides[0], sides[1], err))) return result;
    if (!is_literal(sides[0]) || !is_literal(sides[1])) {
        *ret = node_like(evaluation, node, sides, 2);
        return 0;
    }
    if ((result = evaluation_charge(evaluation, json_string_length(sides[0]->value), node->at, err))) return result;
    if ((result = value_compare(sides[0]->value, sides[1]->value, node->at, &order, err))) return result;
    *ret = node_literal(evaluation->arena, node->at, json_boolean(comparison_holds(node->comparison, order)));
    return 0;
}

/* --- && || ! ----------------------------------------------------------------------------------------------------------- */

static int check_boolean(const struct node *node, const char *sign, struct error *err)
{
    enum value_kind kind = node_value_kind(node);
    if (kind == VALUE_BOOLEAN || kind == VALUE_ANY) return 0;
    error_set(err, ERROR_INVALID, node->at, "%s takes true or false, not %s", sign, value_kind_name(kind));
    if (kind == VALUE_NULL) return error_hint(err, "give a value in its place with default(x, false)");
    if (kind == VALUE_TEXT) return error_hint(err, "compare it: x == 'text', or x != ''");
    return error_hint(err, "compare it with something");
}

static int fold_not(struct evaluation *evaluation, const struct node *node, const struct node **ret, struct error *err)
{
    const struct node *operand;
    int result = fold(evaluation, node->children[0], &operand, err);
    if (result || (result = check_boolean(operand, "!", err))) return result;
    if (is_literal(operand))
        *ret = node_literal(evaluation->arena, node->at, json_boolean(!json_is_true(operand->value)));
    else if (operand->kind == NODE_NOT && node_value_kind(operand->children[0]) == VALUE_BOOLEAN)
        *ret = operand->children[0];
    else
        *ret = node_like(evaluation, node, &operand, 1);
    return 0;
}

/* && ends at false, || at true, wherever in the chain it stands; the other one drops out. */
static int fold_chain(struct evaluation *evaluation, const struct node *node, const struct node **ret, struct error *err)
{
    bool ender = node->kind == NODE_OR;
    const struct node **left = arena_alloc_array(evaluation->arena, node->child_count + 1, sizeof *left);
    size_t count = 0;
    for (size_t i = 0; i < node->child_count; i++) {
        const struct node *operand;
        int result = fold(evaluation, node->children[i], &operand, err);
        if (result || (result = check_boolean(operand, ender ? "||" : "&&", err))) return result;
        if (!is_literal(operand))
            left[count++] = operand;
        else if (json_is_true(operand->value) == ender) {
            *ret = operand;
            return 0;
        }
    }
    if (count == 0)
        *ret = node_literal(evaluation->arena, node->at, json_boolean(!ender));
    else if (count == 1 && node_value_kind(left[0]) == VALUE_BOOLEAN)
        *ret = left[0];
    else {
        if (count == 1) left[count++] = node_literal(evaluation->arena, node->at, json_boolean(!ender)); /* keeps that it must be boolean */
        *ret = node_like(evaluation, node, left, count);
    }
    return 0;
}

/* --- calls ------------------------------------------------------------------------------------------------------------- */

static int check_argument(const struct node *call, size_t index, const struct node *argument, struct error *err)
{
    enum value_kind kind = node_value_kind(argument);
    const struct function *function = call->function;
    if (kind == VALUE_ANY || (function->accepts[index > 0] & (1u << kind))) return 0;
    error_set(err, ERROR_INVALID, argument->at, "%s() cannot take %s", function->name, value_kind_name(kind));
    if (kind == VALUE_NULL) return error_hint(err, "a skipped step's output is null: give a value in its place with default(x, 'text')");
    if (kind == VALUE_LIST && function->accepts[0] & (1u << VALUE_TEXT)) return error_hint(err, "join(list, ', ') makes text of a list");
    if (kind == VALUE_OBJECT) return error_hint(err, "format-json(x) makes text of an object");
    return -ERROR_INVALID;
}

/* A concat in a concat dissolves into its parts. */
static const struct node **flatten_parts(
    struct evaluation *evaluation, const struct node *call, const struct node *const *parts, size_t count, size_t *ret_count)
{
    size_t room = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        room += parts[i]->function == call->function ? parts[i]->child_count : 1;
    const struct node **flat = arena_alloc_array(evaluation->arena, room, sizeof *flat);
    for (size_t i = 0; i < count; i++) {
        bool nested = parts[i]->function == call->function;
        for (size_t j = 0; nested && j < parts[i]->child_count; j++)
            flat[kept++] = parts[i]->children[j];
        if (!nested) flat[kept++] = parts[i];
    }
    *ret_count = kept;
    return flat;
}

/* Neighbouring known parts of a concat become one. */
static int join_parts(struct evaluation *evaluation, const struct node *call, const struct node *const *parts, size_t count,
    const struct node **ret, struct error *err)
{
    size_t kept = 0;
    const struct node **flat = flatten_parts(evaluation, call, parts, count, &count);
    for (size_t i = 0; i < count;) {
        if (!is_literal(flat[i])) {
            flat[kept++] = flat[i++];
            continue;
        }
        AUTO(text_release) struct text text = {0};
        struct location at = flat[i]->at;
        for (; i < count && is_literal(flat[i]); i++) {
            int result = evaluation_charge(evaluation, json_string_length(flat[i]->value), call->at, err);
            if (result) return result;
            value_add_text(&text, flat[i]->value);
        }
        if (text.size) flat[kept++] = node_literal(evaluation->arena, at, json_string(text_view(&text)));
    }
    *ret = node_like(evaluation, call, flat, kept);
    return 0;
}

static int fold_default(struct evaluation *evaluation, const struct node *call, const struct node **ret, struct error *err)
{
    const struct node *sides[2];
    int result = fold(evaluation, call->children[0], &sides[0], err);
    if (result) return result;
    if (is_literal(sides[0]) && !json_is_null(sides[0]->value)) {
        *ret = sides[0];
        return 0;
    }
    if ((result = fold(evaluation, call->children[1], &sides[1], err))) return result;
    *ret = is_literal(sides[0]) ? sides[1] : node_like(evaluation, call, sides, 2);
    return 0;
}

static int fold_call(struct evaluation *evaluation, const struct node *call, const struct node **ret, struct error *err)
{
    if (strcmp(call->function->name, "default") == 0) return fold_default(evaluation, call, ret, err);
    const struct node **arguments = arena_alloc_array(evaluation->arena, call->child_count, sizeof *arguments);
    bool known = true;
    for (size_t i = 0; i < call->child_count; i++) {
        int result = fold(evaluation, call->children[i], &arguments[i], err);
        if (result || (result = check_argument(call, i, arguments[i], err))) return result;
        known = known && is_literal(arguments[i]);
    }
    if (!known) {
        bool joins = strcmp(call->function->name, "concat") == 0;
        if (joins) return join_parts(evaluation, call, arguments, call->child_count, ret, err);
        *ret = node_like(evaluation, call, arguments, call->child_count);
        return 0;
    }
    json_t *value = NULL;
    int result = call->function->apply(evaluation, node_like(evaluation, call, arguments, call->child_count), &value, err);
    if (result) return json_decref(value), result;
    *ret = node_literal(evaluation->arena, call->at, value);
    return 0;
}

/* --- references -------------------------------------------------------------------------------------------------------- */

static int fold_reference(struct evaluation *evaluation, const struct node *node, const struct node **ret, struct error *err)
{
    json_t *value = NULL;
    AUTO(free_text) char *residual = NULL;
    struct error missing = {0};
    switch (
        evaluation->scope->look_up(evaluation->scope->context, node->root, node->parts, node->part_count, &value, &residual, &missing)) {
    case LOOKUP_KNOWN: *ret = node_literal(evaluation->arena, node->at, value); return 0;
    case LOOKUP_UNKNOWN: {
        int result = evaluation_charge(evaluation, strlen(residual), node->at, err);
        return result ? result : expression_parse_node(evaluation->arena, residual, node->at, true, ret, err);
    }
    case LOOKUP_MISSING: break;
    }
    int result = -(int)missing.code;
    if (!result) result = error_set(&missing, ERROR_INVALID, node->at, "'%s' is not known here", node->root);
    if (!missing.at.line) missing.at = node->at;
    if (err) *err = missing;
    return result;
}

static int fold(struct evaluation *evaluation, const struct node *node, const struct node **ret, struct error *err)
{
    int result = evaluation_charge(evaluation, 0, node->at, err);
    if (result) return result;
    switch (node->kind) {
    case NODE_LITERAL: *ret = node; return 0;
    case NODE_REFERENCE: return fold_reference(evaluation, node, ret, err);
    case NODE_CALL: return fold_call(evaluation, node, ret, err);
    case NODE_NOT: return fold_not(evaluation, node, ret, err);
    case NODE_COMPARE: return fold_comparison(evaluation, node, ret, err);
    case NODE_AND:
    case NODE_OR: return fold_chain(evaluation, node, ret, err);
    }
    return error_set(err, ERROR_INTERNAL, node->at, "expression of an unknown kind");
}

/* A residual is read again later, so it must be within the limits of an expression itself. */
static int print_residual(struct evaluation *evaluation, const struct node *node, char **ret, struct error *err)
{
    AUTO(text_release) struct text text = {0};
    const struct node *again;
    expression_print(node, &text);
    int result = expression_parse_node(evaluation->arena, text_view(&text), node->at, true, &again, err);
    if (result) return error_wrap(err, "what is left of the expression until more is known");
    *ret = text_take(&text);
    return 0;
}

static void free_arena(struct arena **arena)
{
    arena_free(arena);
}

int expression_evaluate(
    const struct expression *expression, const struct scope *scope, json_t **ret_value, char **ret_residual, struct error *err)
{
    AUTO(free_arena) struct arena *arena = arena_new();
    struct evaluation evaluation = {.arena = arena, .scope = scope, .budget = LIMIT_EXPRESSION_BUDGET};
    const struct node *node;
    int result = fold(&evaluation, expression->root, &node, err);
    if (result) return result;
    if (!is_literal(node)) {
        if ((result = print_residual(&evaluation, node, ret_residual, err))) return result;
        *ret_value = NULL;
        return 0;
    }
    *ret_value = json_incref(node->value);
    *ret_residual = NULL;
    return 0;
}

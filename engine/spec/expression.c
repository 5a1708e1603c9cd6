/* expression.c: the life of an expression, what it refers to, and how it is written out again. */
#include "spec/expression.h"

#include "base/mem.h"
#include "crescendo/limits.h"
#include "spec/expression_node.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int expression_parse(const char *text, struct location at, struct expression **ret, struct error *err)
{
    struct expression *expression = mem_alloc(sizeof *expression);
    expression->arena = arena_new();
    int result = expression_parse_node(expression->arena, text, at, false, &expression->root, err);
    if (result)
        expression_free(&expression);
    else
        *ret = expression;
    return result;
}

void expression_free(struct expression **expression)
{
    if (!*expression) return;
    arena_free(&(*expression)->arena);
    free(*expression);
    *expression = NULL;
}

typedef int visit_reference(void *context, const char *root, const char *const *parts, size_t part_count, struct location at);

static int visit_references(const struct node *node, visit_reference *visit, void *context)
{
    if (node->kind == NODE_REFERENCE) return visit(context, node->root, node->parts, node->part_count, node->at);
    for (size_t i = 0; i < node->child_count; i++) {
        int result = visit_references(node->children[i], visit, context);
        if (result) return result;
    }
    return 0;
}

int expression_references(const struct expression *expression, visit_reference *visit, void *context)
{
    return visit_references(expression->root, visit, context);
}

static int visit_override(void *context, const char *root, const char *const *parts, size_t part_count, struct location at)
{
    (void)context, (void)parts, (void)part_count, (void)at;
    return strcmp(root, "failed") == 0 || strcmp(root, "cancelled") == 0 || strcmp(root, "always") == 0;
}

bool expression_overrides_default(const struct expression *expression)
{
    return expression_references(expression, visit_override, NULL) != 0;
}

bool expression_is_status(const char *name, size_t size)
{
    static const char *const names[] = {"succeeded", "failed", "cancelled", "always"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) return true;
    return false;
}

const struct node *node_literal(struct arena *arena, struct location at, json_t *value)
{
    struct node *node = arena_alloc(arena, sizeof *node);
    *node = (struct node){.kind = NODE_LITERAL, .at = at, .value = value};
    if (!json_is_null(value) && !json_is_boolean(value)) arena_own_json(arena, value); /* those are never freed */
    return node;
}

/* --- writing it out ---------------------------------------------------------------------------------------------------- */

static void add_real(struct text *text, double value)
{
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    text_add(text, digits);
    if (!strpbrk(digits, ".en")) text_add(text, ".0");
}

void value_add_text(struct text *text, const json_t *value)
{
    if (json_is_string(value))
        text_add_bytes(text, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        text_add_format(text, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        add_real(text, json_real_value(value));
    else if (json_is_boolean(value))
        text_add(text, json_is_true(value) ? "true" : "false");
    else
        text_add(text, "null");
}

static void add_quoted(struct text *out, const char *bytes)
{
    text_add_char(out, '\'');
    for (const char *quote; (quote = strchr(bytes, '\'')); bytes = quote + 1) {
        text_add_bytes(out, bytes, (size_t)(quote - bytes));
        text_add(out, "''");
    }
    text_add(out, bytes);
    text_add_char(out, '\'');
}

static void print_literal(const json_t *value, struct text *out)
{
    if (json_is_string(value)) {
        add_quoted(out, json_string_value(value));
    } else if (json_is_array(value) || json_is_object(value)) {
        AUTO(free_text) char *json = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
        text_add(out, "parse-json(");
        add_quoted(out, json ? json : "null");
        text_add_char(out, ')');
    } else {
        value_add_text(out, value);
    }
}

static void print_reference(const struct node *node, struct text *out)
{
    text_add(out, node->root);
    for (size_t i = 0; i < node->part_count; i++)
        text_add_format(out, ".%s", node->parts[i]);
    if (!node->part_count) text_add(out, "()");
}

static int binding(const struct node *node)
{
    static const int bindings[] = {
        [NODE_OR] = 1, [NODE_AND] = 2, [NODE_COMPARE] = 3, [NODE_NOT] = 4, [NODE_LITERAL] = 5, [NODE_REFERENCE] = 5, [NODE_CALL] = 5};
    return bindings[node->kind];
}

/* Binds weaker than its place asks for: goes into parentheses. */
static void print_operand(const struct node *node, int wanted, struct text *out)
{
    if (binding(node) < wanted) text_add_char(out, '(');
    expression_print(node, out);
    if (binding(node) < wanted) text_add_char(out, ')');
}

static void print_chain(const struct node *node, const char *sign, struct text *out)
{
    for (size_t i = 0; i < node->child_count; i++) {
        if (i) text_add(out, sign);
        print_operand(node->children[i], binding(node) + 1, out);
    }
}

void expression_print(const struct node *node, struct text *out)
{
    static const char *const signs[] = {[COMPARE_EQUAL] = " == ",
        [COMPARE_UNEQUAL] = " != ",
        [COMPARE_LESS] = " < ",
        [COMPARE_AT_MOST] = " <= ",
        [COMPARE_MORE] = " > ",
        [COMPARE_AT_LEAST] = " >= "};
    switch (node->kind) {
    case NODE_LITERAL: print_literal(node->value, out); break;
    case NODE_REFERENCE: print_reference(node, out); break;
    case NODE_NOT:
        text_add_char(out, '!');
        print_operand(node->children[0], binding(node), out);
        break;
    case NODE_COMPARE: print_chain(node, signs[node->comparison], out); break;
    case NODE_AND: print_chain(node, " && ", out); break;
    case NODE_OR: print_chain(node, " || ", out); break;
    case NODE_CALL:
        text_add_format(out, "%s(", node->function->name);
        for (size_t i = 0; i < node->child_count; i++) {
            if (i) text_add(out, ", ");
            expression_print(node->children[i], out);
        }
        text_add_char(out, ')');
        break;
    }
}

/* expression_parse.c: text to tree: a descent along the precedences, one token ahead,
   || then && then comparison then ! then a value. What cannot be is said with the place and what to write instead. */
#include "base/mem.h"
#include "crescendo/limits.h"
#include "spec/expression_lex.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const ROOTS[] = {"params", "run", "secrets", "steps", "stages", NULL};
static const char *const LATER_ROOTS[] = {"matrix", NULL};

/* --- values ------------------------------------------------------------------------------------------------------------ */

static int parse_literal(struct parser *parser, json_t *value, const struct node **ret, struct error *err)
{
    *ret = node_literal(parser->arena, parser->token.at, value);
    return lex(parser, err);
}

static int parse_text(struct parser *parser, const struct node **ret, struct error *err)
{
    AUTO(text_release) struct text text = {0};
    const char *bytes = parser->token.bytes + 1, *end = parser->token.bytes + parser->token.size - 1;
    while (bytes < end) {
        const char *quote = memchr(bytes, '\'', (size_t)(end - bytes));
        size_t size = quote ? (size_t)(quote - bytes) + 1 : (size_t)(end - bytes);
        text_add_bytes(&text, bytes, size);
        bytes += size + (quote != NULL);
    }
    return parse_literal(parser, json_stringn(text_view(&text), text.size), ret, err);
}

static int parse_number(struct parser *parser, const struct node **ret, struct error *err)
{
    const struct token *token = &parser->token;
    AUTO(free_text) char *digits = mem_copy_bytes(token->bytes, token->size);
    int64_t whole;
    if (text_to_integer(digits, &whole)) return parse_literal(parser, json_integer(whole), ret, err);
    errno = 0;
    double value = strtod(digits, NULL);
    if (!isfinite(value) || !strpbrk(digits, ".eE")) return error_set(err, ERROR_INVALID, token->at, "number %.40s is too large", digits);
    return parse_literal(parser, json_real(value), ret, err);
}

static int parse_or(struct parser *parser, const struct node **ret, struct error *err);

static int enter(struct parser *parser, struct error *err)
{
    if (++parser->depth <= LIMIT_EXPRESSION_DEPTH) return 0;
    return error_set(err, ERROR_LIMIT, parser->token.at, "expression is nested deeper than %d", LIMIT_EXPRESSION_DEPTH);
}

struct node_list {
    const struct node **items;
    size_t count, capacity;
};

static void free_node_list(struct node_list *list)
{
    free(list->items);
}

static void node_list_add(struct node_list *list, const struct node *node)
{
    list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = node;
}

static void node_adopt(struct parser *parser, struct node *node, const struct node_list *list)
{
    node->child_count = list->count;
    node->children = arena_alloc_array(parser->arena, list->count, sizeof *node->children);
    if (list->count) memcpy(node->children, list->items, list->count * sizeof *list->items);
}

/* The arguments of a call, from behind its ( to behind its ). */
static int parse_arguments(struct parser *parser, struct node_list *list, struct location at, struct error *err)
{
    int result = lex(parser, err);
    if (result || (result = enter(parser, err))) return result;
    while (!at_sign(parser, ")")) {
        if (list->count) {
            if (!at_sign(parser, ",")) {
                error_set(
                    err, ERROR_INVALID, parser->token.at, parser->token.kind == TOKEN_END ? "( is not closed" : "expected , or ) here");
                return error_hint(err, "the ( stands at column %u", at.column);
            }
            if ((result = lex(parser, err))) return result;
        }
        const struct node *argument;
        if ((result = parse_or(parser, &argument, err))) return result;
        node_list_add(list, argument);
    }
    parser->depth--;
    return lex(parser, err);
}

static int fail_function(const char *name, struct location at, struct error *err)
{
    const char *names[32] = {"succeeded", "failed", "cancelled", "always"};
    size_t count = 4;
    for (const struct function *f = expression_functions; f->name; f++)
        names[count++] = f->name;
    error_set(err, ERROR_INVALID, at, "there is no function %.63s()", name);
    const char *near = text_nearest(name, names);
    if (near) return error_hint(err, "did you mean %s()?", near);
    return error_hint(err, "there are concat default contains starts-with ends-with length join format-json parse-json");
}

static int check_argument_count(const struct function *function, size_t count, struct location at, struct error *err)
{
    if (count >= function->min && count <= function->max) return 0;
    if (function->min == function->max)
        return error_set(err, ERROR_INVALID, at, "%s() takes %zu argument%s, not %zu", function->name, function->min,
            function->min == 1 ? "" : "s", count);
    return error_set(err, ERROR_INVALID, at, "%s() takes at least %zu argument", function->name, function->min);
}

/* name ( ... ): a function, or a question about the run's state, which the scope answers. */
static int parse_call(struct parser *parser, const char *name, struct location at, const struct node **ret, struct error *err)
{
    bool status = expression_is_status(name, strlen(name));
    const struct function *function = expression_function(name, strlen(name));
    if (!status && !function) return fail_function(name, at, err);
    AUTO(free_node_list) struct node_list list = {0};
    int result = parse_arguments(parser, &list, parser->token.at, err);
    if (result) return result;
    if (status && list.count) return error_set(err, ERROR_INVALID, at, "%s() takes no argument", name);
    if (!status && (result = check_argument_count(function, list.count, at, err))) return result;
    struct node *node = node_new(parser, status ? NODE_REFERENCE : NODE_CALL, at);
    node->root = status ? name : NULL;
    node->function = function;
    node_adopt(parser, node, &list);
    *ret = node;
    return 0;
}

static int fail_root(const char *name, struct location at, struct error *err)
{
    for (const char *const *later = LATER_ROOTS; *later; later++)
        if (strcmp(name, *later) == 0) {
            error_set(err, ERROR_UNSUPPORTED, at, "'%s' is in the language, but not in this version", name);
            return error_hint(err, "this version has params, run, secrets, steps and stages");
        }
    error_set(err, ERROR_INVALID, at, "'%.63s' means nothing here", name);
    if (strcmp(name, "and") == 0) return error_hint(err, "and is written &&");
    if (strcmp(name, "or") == 0) return error_hint(err, "or is written ||");
    if (strcmp(name, "not") == 0) return error_hint(err, "not is written !");
    if (strcasecmp(name, "true") == 0 || strcasecmp(name, "false") == 0) return error_hint(err, "write true and false in lower case");
    if (strcasecmp(name, "null") == 0 || strcasecmp(name, "none") == 0 || strcmp(name, "nil") == 0) return error_hint(err, "write null");
    const char *near = text_nearest(name, ROOTS);
    if (near) return error_hint(err, "did you mean %s?", near);
    if (expression_is_status(name, strlen(name)) || expression_function(name, strlen(name)))
        return error_hint(err, "it is a function: %s()", name);
    return error_hint(err, "text stands in single quotes ('%.63s'); a reference begins with params, run, steps or stages", name);
}

static int parse_word(struct parser *parser, const struct node **ret, struct error *err)
{
    if (at_word(parser, "true") || at_word(parser, "false")) return parse_literal(parser, json_boolean(at_word(parser, "true")), ret, err);
    if (at_word(parser, "null")) return parse_literal(parser, json_null(), ret, err);
    struct location at = parser->token.at;
    const char *name = arena_copy_bytes(parser->arena, parser->token.bytes, parser->token.size);
    int result = lex(parser, err);
    if (result) return result;
    if (at_sign(parser, "(")) return parse_call(parser, name, at, ret, err);
    for (const char *const *root = ROOTS; *root; root++)
        if (strcmp(name, *root) == 0) return parse_reference(parser, *root, at, ret, err);
    return fail_root(name, at, err);
}

static int parse_parentheses(struct parser *parser, const struct node **ret, struct error *err)
{
    struct location at = parser->token.at;
    int result = enter(parser, err);
    if (result || (result = lex(parser, err)) || (result = parse_or(parser, ret, err))) return result;
    if (!at_sign(parser, ")")) {
        error_set(err, ERROR_INVALID, parser->token.at, parser->token.kind == TOKEN_END ? "( is not closed" : "expected ) here");
        return error_hint(err, "the ( stands at column %u", at.column);
    }
    parser->depth--;
    return lex(parser, err);
}

static int fail_value(const struct parser *parser, struct error *err)
{
    const struct token *token = &parser->token;
    if (token->kind == TOKEN_END) {
        bool empty = token->bytes == parser->start || strspn(parser->start, " \t\r\n") == (size_t)(token->bytes - parser->start);
        error_set(err, ERROR_INVALID, token->at, empty ? "the expression is empty" : "the expression ends where a value should follow");
        return error_hint(err, "a value is 'text', a number, true, false, null, a reference or a function");
    }
    error_set(err, ERROR_INVALID, token->at, "expected a value before '%.*s'", (int)token->size, token->bytes);
    if (at_sign(parser, "/")) return error_hint(err, "there is no arithmetic");
    return -ERROR_INVALID;
}

/* --- operators --------------------------------------------------------------------------------------------------------- */

static int parse_unary(struct parser *parser, const struct node **ret, struct error *err)
{
    if (at_sign(parser, "!")) {
        struct node *node = node_new(parser, NODE_NOT, parser->token.at);
        int result = enter(parser, err);
        node->children = arena_alloc_array(parser->arena, 1, sizeof *node->children);
        node->child_count = 1;
        if (result || (result = lex(parser, err)) || (result = parse_unary(parser, node->children, err))) return result;
        parser->depth--;
        *ret = node;
        return 0;
    }
    if (at_sign(parser, "(")) return parse_parentheses(parser, ret, err);
    switch (parser->token.kind) {
    case TOKEN_TEXT: return parse_text(parser, ret, err);
    case TOKEN_NUMBER: return parse_number(parser, ret, err);
    case TOKEN_NAME: return parse_word(parser, ret, err);
    case TOKEN_END:
    case TOKEN_SIGN: break;
    }
    return fail_value(parser, err);
}

static bool at_comparison(const struct parser *parser, enum comparison *ret)
{
    static const char *const signs[] = {[COMPARE_EQUAL] = "==",
        [COMPARE_UNEQUAL] = "!=",
        [COMPARE_LESS] = "<",
        [COMPARE_AT_MOST] = "<=",
        [COMPARE_MORE] = ">",
        [COMPARE_AT_LEAST] = ">="};
    for (size_t i = 0; i < COUNT_OF(signs); i++)
        if (at_sign(parser, signs[i])) {
            *ret = (enum comparison)i;
            return true;
        }
    return false;
}

static int parse_comparison(struct parser *parser, const struct node **ret, struct error *err)
{
    const struct node *left = NULL;
    enum comparison comparison;
    int result = parse_unary(parser, &left, err);
    if (result) return result;
    if (!at_comparison(parser, &comparison)) {
        *ret = left;
        return 0;
    }
    struct node *node = node_new(parser, NODE_COMPARE, parser->token.at);
    node->comparison = comparison;
    node->child_count = 2;
    node->children = arena_alloc_array(parser->arena, 2, sizeof *node->children);
    node->children[0] = left;
    if ((result = lex(parser, err)) || (result = parse_unary(parser, &node->children[1], err))) return result;
    *ret = node;
    if (!at_comparison(parser, &comparison)) return 0;
    error_set(err, ERROR_INVALID, parser->token.at, "comparisons do not chain");
    return error_hint(err, "write a == b && b == c");
}

/* operand SIGN operand SIGN ... as one node, so that a long chain is not deep. */
static int parse_chain(struct parser *parser, enum node_kind kind, const char *sign,
    int (*operand)(struct parser *, const struct node **, struct error *), const struct node **ret, struct error *err)
{
    AUTO(free_node_list) struct node_list list = {0};
    struct location at = parser->token.at;
    const struct node *first;
    int result = operand(parser, &first, err);
    if (result) return result;
    if (!at_sign(parser, sign)) {
        *ret = first;
        return 0;
    }
    node_list_add(&list, first);
    while (at_sign(parser, sign)) {
        const struct node *next;
        if ((result = lex(parser, err)) || (result = operand(parser, &next, err))) return result;
        node_list_add(&list, next);
    }
    struct node *node = node_new(parser, kind, at);
    node_adopt(parser, node, &list);
    *ret = node;
    return 0;
}

static int parse_and(struct parser *parser, const struct node **ret, struct error *err)
{
    return parse_chain(parser, NODE_AND, "&&", parse_comparison, ret, err);
}

static int parse_or(struct parser *parser, const struct node **ret, struct error *err)
{
    return parse_chain(parser, NODE_OR, "||", parse_and, ret, err);
}

static int fail_rest(const struct parser *parser, struct error *err)
{
    const struct token *token = &parser->token;
    error_set(
        err, ERROR_INVALID, token->at, "expected an operator before '%.*s'", (int)(token->size > 60 ? 60 : token->size), token->bytes);
    if (at_word(parser, "and")) return error_hint(err, "and is written &&");
    if (at_word(parser, "or")) return error_hint(err, "or is written ||");
    if (at_word(parser, "is")) return error_hint(err, "equality is written ==");
    if (at_word(parser, "in")) return error_hint(err, "write contains(list, value)");
    if (token->kind == TOKEN_NUMBER || at_sign(parser, "/")) return error_hint(err, "there is no arithmetic");
    if (at_sign(parser, ")")) return error_hint(err, "no ( is open here");
    if (at_sign(parser, ".")) return error_hint(err, "only a reference has names behind a dot");
    return -ERROR_INVALID;
}

int expression_parse_node(struct arena *arena, const char *text, struct location at, bool fixed, const struct node **ret, struct error *err)
{
    size_t size = strlen(text);
    if (size > LIMIT_PIPELINE_BYTES) return error_set(err, ERROR_LIMIT, at, "expression is longer than %d bytes", LIMIT_PIPELINE_BYTES);
    if (!text_is_utf8(text, size)) return error_set(err, ERROR_INVALID, at, "expression is not UTF-8 text");
    struct parser parser = {.arena = arena, .start = text, .next = text, .at = at, .fixed = fixed};
    const struct node *root;
    int result = lex(&parser, err);
    if (result || (result = parse_or(&parser, &root, err))) return result;
    if (parser.token.kind != TOKEN_END) return fail_rest(&parser, err);
    *ret = root;
    return 0;
}

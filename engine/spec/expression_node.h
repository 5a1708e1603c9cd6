/* expression_node.h: the tree behind struct expression; shared by its parser, evaluator and printer only.
   A tree's depth is bounded by the parser (LIMIT_EXPRESSION_DEPTH, chains of && and || are one node), so that everything
   that walks it may recurse. Evaluation makes a new tree: what became known is a literal, the rest is the residual. */
#ifndef CRESCENDO_SPEC_EXPRESSION_NODE_H
#define CRESCENDO_SPEC_EXPRESSION_NODE_H

#include "base/arena.h"
#include "base/text.h"
#include "spec/expression.h"

enum node_kind { NODE_LITERAL, NODE_REFERENCE, NODE_CALL, NODE_NOT, NODE_COMPARE, NODE_AND, NODE_OR };
enum comparison { COMPARE_EQUAL, COMPARE_UNEQUAL, COMPARE_LESS, COMPARE_AT_MOST, COMPARE_MORE, COMPARE_AT_LEAST };
enum value_kind { VALUE_ANY, VALUE_NULL, VALUE_BOOLEAN, VALUE_NUMBER, VALUE_TEXT, VALUE_LIST, VALUE_OBJECT };

struct node {
    enum node_kind kind;
    struct location at;
    json_t *value;    /* literal; owned by the tree's arena */
    const char *root; /* reference; of a status function its name, without parts */
    const char *const *parts;
    size_t part_count;
    const struct function *function; /* call */
    enum comparison comparison;
    const struct node **children; /* arguments, operands */
    size_t child_count;
};

struct expression {
    struct arena *arena;
    const struct node *root;
};

/* One evaluation: where its nodes live, and how many steps are left. */
struct evaluation {
    struct arena *arena;
    const struct scope *scope;
    long budget;
};

struct function {
    const char *name;
    size_t min, max; /* arguments */
    enum value_kind result;
    unsigned accepts[2]; /* bit set of 1 << value_kind: the first argument, each further one */
    int (*apply)(struct evaluation *evaluation, const struct node *call, json_t **ret, struct error *err); /* all arguments are literals */
};

extern const struct function expression_functions[]; /* ends with a NULL name */
const struct function *expression_function(const char *name, size_t size);
bool expression_is_status(const char *name, size_t size); /* succeeded, failed, cancelled, always */

/* Parses into arena. fixed: every node stands at `at` (a residual, whose columns mean nothing to a person). */
int expression_parse_node(
    struct arena *arena, const char *text, struct location at, bool fixed, const struct node **ret, struct error *err) MUST_CHECK;

enum value_kind value_kind_of(const json_t *value);
const char *value_kind_name(enum value_kind kind);                                       /* "text", "a number": for messages */
enum value_kind node_value_kind(const struct node *node);                                /* VALUE_ANY where only a run can tell */
const struct node *node_literal(struct arena *arena, struct location at, json_t *value); /* steals value */

/* What a text, number or boolean looks like inside other text. */
void value_add_text(struct text *text, const json_t *value);
/* Compares two values of the same kind, or with null; others are errors. *ret: <0, 0, >0 (for == only 0 or not). */
int value_compare(const json_t *a, const json_t *b, struct location at, int *ret, struct error *err) MUST_CHECK;
/* Takes from the budget, one and one more for each 64 bytes. */
int evaluation_charge(struct evaluation *evaluation, size_t size_bytes, struct location at, struct error *err) MUST_CHECK;

void expression_print(const struct node *node, struct text *out);

#endif

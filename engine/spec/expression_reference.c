/* expression_reference.c: a reference in an expression: the names behind its root, and how many there may be. */
#include "base/mem.h"
#include "spec/expression_lex.h"

#include <string.h>

static int check_name(const struct token *token, const char *what, struct error *err)
{
    AUTO(free_text) char *name = mem_copy_bytes(token->bytes, token->size);
    if (token->kind != TOKEN_NAME) {
        error_set(err, ERROR_INVALID, token->at, "%s is missing after the dot", what);
        return error_hint(err, "names are a lower-case letter, then lower-case letters, digits and hyphens");
    }
    if (text_is_name(name)) return 0;
    error_set(err, ERROR_INVALID, token->at, "'%.63s' is not a name", name);
    return error_hint(err, "names are lower-case letters, digits and hyphens, at most 63, a letter first");
}

/* After "stages.": a stage's id, or in a residual its path: indoor/release. */
static int parse_stage_path(struct parser *parser, struct text *path, struct error *err)
{
    for (;;) {
        int result = check_name(&parser->token, "a stage's name", err);
        if (result) return result;
        text_add_bytes(path, parser->token.bytes, parser->token.size);
        if ((result = lex(parser, err))) return result;
        if (!at_sign(parser, "/")) return 0;
        text_add_char(path, '/');
        if ((result = lex(parser, err))) return result;
    }
}

enum { PARTS_MAX = 3 };

static int check_part_count(const struct node *node, struct error *err)
{
    static const struct {
        const char *root, *form;
        size_t min, max;
    } forms[] = {{"params", "params.NAME", 1, 1}, {"run", "run.NAME", 1, 1}, {"secrets", "secrets.NAME", 1, 1},
        {"steps", "steps.ID.OUTPUT", 2, 2}, {"stages", "stages.STAGE.ID.OUTPUT, or stages.STAGE.OUTPUT for a stage with use", 2, 3}};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (strcmp(node->root, forms[i].root) != 0) continue;
        if (node->part_count >= forms[i].min && node->part_count <= forms[i].max) return 0;
        error_set(err, ERROR_INVALID, node->at, "'%s' with %zu name%s behind it refers to nothing", node->root, node->part_count,
            node->part_count == 1 ? "" : "s");
        return error_hint(err, "the form is %s", forms[i].form);
    }
    return -ERROR_INTERNAL;
}

int parse_reference(struct parser *parser, const char *root, struct location at, const struct node **ret, struct error *err)
{
    struct node *node = node_new(parser, NODE_REFERENCE, at);
    const char **parts = arena_alloc_array(parser->arena, PARTS_MAX + 1, sizeof *parts);
    node->root = root;
    node->parts = parts;
    while (at_sign(parser, ".")) {
        int result = lex(parser, err);
        if (result) return result;
        AUTO(text_release) struct text part = {0};
        if (strcmp(root, "stages") == 0 && node->part_count == 0) {
            if ((result = parse_stage_path(parser, &part, err))) return result;
        } else {
            if ((result = check_name(&parser->token, "a name", err))) return result;
            text_add_bytes(&part, parser->token.bytes, parser->token.size);
            if ((result = lex(parser, err))) return result;
        }
        if (node->part_count < PARTS_MAX) parts[node->part_count] = arena_copy_text(parser->arena, text_view(&part));
        if (node->part_count++ == PARTS_MAX) return check_part_count(node, err);
    }
    if (at_sign(parser, "(") && strcmp(root, "stages") == 0) {
        error_set(err, ERROR_UNSUPPORTED, parser->token.at, "one child of a matrix is in the language, but not in this version");
        return error_hint(err, "remove it until a version has it");
    }
    *ret = node;
    return check_part_count(node, err);
}

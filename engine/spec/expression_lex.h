/* expression_lex.h: what the lexer and the two halves of the parser of expressions share; included by them only. */
#ifndef CRESCENDO_SPEC_EXPRESSION_LEX_H
#define CRESCENDO_SPEC_EXPRESSION_LEX_H

#include "spec/expression_node.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    const char *bytes;
    size_t size;
    struct location at;
};

struct parser {
    struct arena *arena;
    const char *start, *next;
    struct location at; /* of *next */
    bool fixed;
    size_t quoted_bytes; /* text in quotes does not count towards LIMIT_EXPRESSION_BYTES */
    struct token token;  /* the one in hand */
    unsigned depth;
};

/* Reads the next token into parser->token. */
int lex(struct parser *parser, struct error *err) MUST_CHECK;
bool at_sign(const struct parser *parser, const char *sign); /* is the token in hand this sign, this word? */
bool at_word(const struct parser *parser, const char *word);

static inline struct node *node_new(struct parser *parser, enum node_kind kind, struct location at)
{
    struct node *node = arena_alloc(parser->arena, sizeof *node);
    node->kind = kind;
    node->at = at;
    return node;
}

/* The names behind the root of a reference, from its first dot on. root: lives as long as the tree. */
int parse_reference(struct parser *parser, const char *root, struct location at, const struct node **ret, struct error *err) MUST_CHECK;

#endif

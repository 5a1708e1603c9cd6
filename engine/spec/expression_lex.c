/* expression_lex.c: the next token of an expression, and what is said of characters that begin none. */
#include "spec/expression_lex.h"

#include "base/mem.h"
#include "crescendo/limits.h"

#include <string.h>

static const char NAME_BYTES[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
static void advance(struct parser *parser, size_t size)
{
    for (; size; size--, parser->next++) {
        if (parser->fixed) continue;
        if (*parser->next == '\n') {
            parser->at.line++;
            parser->at.column = 1;
        } else if (((unsigned char)parser->next[0] & 0xc0) != 0x80) {
            parser->at.column++;
        }
    }
}

static int check_length(const struct parser *parser, struct error *err)
{
    if ((size_t)(parser->next - parser->start) - parser->quoted_bytes <= LIMIT_EXPRESSION_BYTES) return 0;
    error_set(err, ERROR_LIMIT, parser->at, "expression is longer than %d bytes", LIMIT_EXPRESSION_BYTES);
    return error_hint(err, "compute it in a run step and use the step's output");
}

/* The text's size with its quotes; a doubled quote stands for one. */
static int lex_text(struct parser *parser, size_t *ret_size, struct error *err)
{
    const char *end = parser->next + 1;
    for (; *end; end++) {
        if (*end != '\'') continue;
        if (end[1] != '\'') {
            *ret_size = (size_t)(end + 1 - parser->next);
            parser->quoted_bytes += *ret_size;
            return 0;
        }
        end++;
    }
    error_set(err, ERROR_INVALID, parser->at, "text is not closed");
    return error_hint(err, "put ' behind it; a ' inside text is written ''");
}

static size_t digits_at(const char *text)
{
    return strspn(text, "0123456789");
}

static size_t number_size(const char *text)
{
    size_t size = text[0] == '-';
    size += digits_at(text + size);
    if (text[size] == '.' && digits_at(text + size + 1)) size += 1 + digits_at(text + size + 1);
    if (text[size] == 'e' || text[size] == 'E') {
        size_t sign = text[size + 1] == '-' || text[size + 1] == '+';
        size_t digits = digits_at(text + size + 1 + sign);
        if (digits) size += 1 + sign + digits;
    }
    return size;
}

static size_t sign_size(const char *text)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "&&", "||", NULL};
    for (const char *const *pair = pairs; *pair; pair++)
        if (strncmp(text, *pair, 2) == 0) return 2;
    return strchr("<>!(),./", text[0]) ? 1 : 0;
}

static int fail_sign(const struct parser *parser, struct error *err)
{
    static const struct {
        char sign;
        const char *hint;
    } hints[] = {{'=', "equality is =="}, {'&', "and is &&"}, {'|', "or is ||"}, {'"', "text stands in single quotes: 'text'"},
        {'+', "there is no arithmetic; concat(a, b) joins texts"}, {'-', "there is no arithmetic; a name's hyphen has no spaces round it"},
        {'*', "there is no arithmetic"}, {'%', "there is no arithmetic"},
        {'[', "there is no index; contains(list, x) and join(list, ', ') read lists"}, {'?', "default(a, b) gives b where a is null"},
        {'$', "write the bare expression, without ${{ }}"}, {'}', "write the bare expression, without ${{ }}"}};
    size_t size = 1;
    while (((unsigned char)parser->next[size] & 0xc0) == 0x80)
        size++;
    if ((unsigned char)parser->next[0] < 0x20 || parser->next[0] == 0x7f)
        return error_set(err, ERROR_INVALID, parser->at, "control character %d in an expression", parser->next[0]);
    error_set(err, ERROR_INVALID, parser->at, "'%.*s' means nothing here", (int)size, parser->next);
    for (size_t i = 0; i < COUNT_OF(hints); i++)
        if (parser->next[0] == hints[i].sign) return error_hint(err, "%s", hints[i].hint);
    return -ERROR_INVALID;
}

int lex(struct parser *parser, struct error *err)
{
    advance(parser, strspn(parser->next, " \t\r\n"));
    int result = check_length(parser, err);
    if (result) return result;
    struct token token = {.bytes = parser->next, .at = parser->at};
    char first = parser->next[0];
    if (!first) {
        token.kind = TOKEN_END;
    } else if (first == '\'') {
        token.kind = TOKEN_TEXT;
        if ((result = lex_text(parser, &token.size, err))) return result;
    } else if ((first >= '0' && first <= '9') || (first == '-' && digits_at(parser->next + 1))) {
        token.kind = TOKEN_NUMBER;
        token.size = number_size(parser->next);
    } else if (first != '-' && strchr(NAME_BYTES, first)) {
        token.kind = TOKEN_NAME;
        token.size = strspn(parser->next, NAME_BYTES);
    } else {
        token.kind = TOKEN_SIGN;
        token.size = sign_size(parser->next);
        if (!token.size) return fail_sign(parser, err);
    }
    parser->token = token;
    advance(parser, token.size);
    return check_length(parser, err);
}

bool at_sign(const struct parser *parser, const char *sign)
{
    const struct token *token = &parser->token;
    return token->kind == TOKEN_SIGN && token->size == strlen(sign) && memcmp(token->bytes, sign, token->size) == 0;
}

bool at_word(const struct parser *parser, const char *word)
{
    const struct token *token = &parser->token;
    return token->kind == TOKEN_NAME && token->size == strlen(word) && memcmp(token->bytes, word, token->size) == 0;
}

/* tokens.c: who may ask over TCP. */
#include "server/tokens.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX_BYTES = 1024 * 1024, GROUPS_MAX = 64 };

struct token {
    const char *user, *digest;
    const char *const *groups; /* NULL-ended */
    struct token *next;
};

struct tokens {
    char *path;
    struct arena *arena;
    struct token *first;
    struct timespec changed;
    off_t size;
};

static int wrong_line(const struct tokens *tokens, unsigned line, const char *what, struct error *err)
{
    error_set(err, ERROR_INVALID, NOWHERE, "%s:%u: %s", tokens->path, line, what);
    return error_hint(err, "a line is: NAME GROUP[,GROUP] SHA256-OF-THE-TOKEN; `-` for no groups");
}

/* The next word that is not empty; NULL at the end. */
static char *next_word(char **rest, const char *separators)
{
    char *word = NULL;
    do
        word = strsep(rest, separators);
    while (word && !*word);
    return word;
}

static const char *const *split_groups(struct arena *arena, char *text)
{
    const char **groups = arena_alloc_array(arena, GROUPS_MAX + 1, sizeof *groups);
    if (text_equal(text, "-")) return groups;
    size_t count = 0;
    for (char *name; count < GROUPS_MAX && (name = next_word(&text, ","));)
        groups[count++] = name;
    return groups;
}

static int read_line(struct tokens *tokens, char *line, unsigned number, struct error *err)
{
    static const char blanks[] = " \t\r";
    line[strcspn(line, "#")] = '\0';
    char *rest = line;
    char *user = next_word(&rest, blanks), *groups = next_word(&rest, blanks), *digest = next_word(&rest, blanks);
    if (!user) return 0;
    if (!digest || next_word(&rest, blanks)) return wrong_line(tokens, number, "not three words", err);
    if (strlen(digest) != SHA256_HEX - 1 || strspn(digest, "0123456789abcdef") != SHA256_HEX - 1)
        return wrong_line(tokens, number, "the third word is not a SHA-256 in lower case", err);
    struct token *token = arena_alloc(tokens->arena, sizeof *token);
    *token = (struct token){user, digest, split_groups(tokens->arena, groups), tokens->first};
    tokens->first = token;
    return 0;
}

static int read_all(struct tokens *tokens, struct error *err)
{
    arena_free(&tokens->arena);
    tokens->arena = arena_new();
    tokens->first = NULL;
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    int code = file_read(tokens->path, FILE_MAX_BYTES, &bytes, &size, err);
    if (code < 0) return code;
    char *rest = arena_copy_bytes(tokens->arena, bytes, size);
    unsigned number = 0;
    for (char *line; code == 0 && (line = strsep(&rest, "\n"));)
        code = read_line(tokens, line, ++number, err);
    if (code < 0) tokens->first = NULL;
    return code;
}

int tokens_open(const char *path, struct tokens **ret, struct error *err)
{
    struct tokens *tokens = mem_alloc(sizeof *tokens);
    tokens->path = mem_copy_text(path);
    struct stat status;
    if (stat(path, &status) == 0) {
        tokens->changed = status.st_mtim;
        tokens->size = status.st_size;
    }
    int code = read_all(tokens, err);
    if (code < 0)
        tokens_free(&tokens);
    else
        *ret = tokens;
    return code;
}

void tokens_free(struct tokens **tokens)
{
    struct tokens *one = take(tokens);
    if (!one) return;
    arena_free(&one->arena);
    free(one->path);
    free(one);
}

static void read_if_changed(struct tokens *tokens)
{
    struct stat status = {0};
    struct error err;
    stat(tokens->path, &status);
    bool same = status.st_mtim.tv_sec == tokens->changed.tv_sec && status.st_mtim.tv_nsec == tokens->changed.tv_nsec;
    if (same && status.st_size == tokens->size) return;
    tokens->changed = status.st_mtim;
    tokens->size = status.st_size;
    if (read_all(tokens, &err) < 0) log_error(&err, "the token file (nobody is let in until it is right)");
}

bool tokens_find(struct tokens *tokens, const char *token, const char **ret_user, const char *const **ret_groups)
{
    char digest[SHA256_HEX];
    read_if_changed(tokens);
    sha256_hex(token, strlen(token), digest);
    for (const struct token *one = tokens->first; one; one = one->next) {
        if (!text_equal(one->digest, digest)) continue;
        *ret_user = one->user;
        *ret_groups = one->groups;
        return true;
    }
    return false;
}

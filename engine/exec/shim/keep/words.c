/* words.c: lines of the keeper's protocol, which the state file is made of as well: `VERB NAME=VALUE ...`, values percent-encoded. */
#include "keep.h"

#include "base/encode.h"

#include <stdlib.h>
#include <string.h>

void line_release(struct line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        free(line->words[i].name);
        free(line->words[i].value);
    }
    free(line->words);
    free(line->verb);
    *line = (struct line){0};
}

static int read_word(const char *bytes, size_t size, struct word *ret, struct error *err)
{
    const char *equals = memchr(bytes, '=', size);
    if (!equals) return error_set(err, ERROR_INVALID, NOWHERE, "'%.*s' is not NAME=VALUE", (int)(size < 40 ? size : 40), bytes);
    AUTO(free_text) char *encoded = mem_copy_bytes(equals + 1, size - (size_t)(equals + 1 - bytes));
    struct text value = {0};
    text_add(&value, "");
    if (!percent_decode(encoded, &value)) {
        text_release(&value);
        return error_set(err, ERROR_INVALID, NOWHERE, "the value of %.*s is not percent-encoded",
            (int)(equals - bytes < 40 ? equals - bytes : 40), bytes);
    }
    ret->name = mem_copy_bytes(bytes, (size_t)(equals - bytes));
    ret->value = text_take(&value);
    return 0;
}

int line_read(const char *bytes, size_t size, struct line *ret, struct error *err)
{
    struct line line = {0};
    size_t capacity = 0;
    int failed = 0;
    if (memchr(bytes, '\0', size) || !text_is_utf8(bytes, size))
        return error_set(err, ERROR_INVALID, NOWHERE, "the line is not UTF-8 text");
    for (size_t at = 0, length; !failed && at < size; at += length + 1) {
        const char *space = memchr(bytes + at, ' ', size - at);
        length = space ? (size_t)(space - bytes) - at : size - at;
        if (!length) continue;
        if (!line.verb) {
            line.verb = mem_copy_bytes(bytes + at, length);
            continue;
        }
        line.words = mem_grow(line.words, &capacity, line.count + 1, sizeof *line.words);
        failed = read_word(bytes + at, length, &line.words[line.count], err);
        if (!failed) line.count++;
    }
    if (!failed && !line.verb) failed = error_set(err, ERROR_INVALID, NOWHERE, "the line is empty");
    if (failed) {
        line_release(&line);
        return failed;
    }
    *ret = line;
    return 0;
}

const char *line_text(const struct line *line, const char *name)
{
    for (size_t i = 0; i < line->count; i++)
        if (strcmp(line->words[i].name, name) == 0) return line->words[i].value;
    return NULL;
}

int line_number(const struct line *line, const char *name, int64_t least, int64_t most, int64_t fallback, int64_t *ret, struct error *err)
{
    const char *text = line_text(line, name);
    int64_t value = fallback;
    if (!text && (fallback < least || fallback > most)) return error_set(err, ERROR_INVALID, NOWHERE, "%s needs %s=", line->verb, name);
    if (text && (!text_to_integer(text, &value) || value < least || value > most))
        return error_set(
            err, ERROR_INVALID, NOWHERE, "%s=%.40s is not a number from %lld to %lld", name, text, (long long)least, (long long)most);
    *ret = value;
    return 0;
}

/* Names go into HAProxy's configuration, file names and space-separated lines. */
int line_name(const struct line *line, const char *name, const char **ret, struct error *err)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@+-";
    const char *text = line_text(line, name);
    if (!text || !*text) return error_set(err, ERROR_INVALID, NOWHERE, "%s needs %s=", line->verb, name);
    if (strlen(text) >= NAME_BYTES || text[strspn(text, safe)]) {
        error_set(err, ERROR_INVALID, NOWHERE, "%s=%.70s is not a name", name, text);
        return error_hint(err, "use letters, digits and . _ : @ + - (at most %d)", NAME_BYTES - 1);
    }
    *ret = text;
    return 0;
}

char **line_list(const struct line *line, const char *name)
{
    char **list = mem_alloc_array(line->count + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < line->count; i++)
        if (strcmp(line->words[i].name, name) == 0) list[count++] = mem_copy_text(line->words[i].value);
    return list;
}

void list_release(char ***list)
{
    for (char **at = *list; at && *at; at++)
        free(*at);
    free(*list);
    *list = NULL;
}

static uint64_t hash_more(uint64_t hash, const char *text)
{
    for (;; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL; /* FNV-1a, the NUL as well */
        if (!*text) return hash;
    }
}

/* The order of different names does not matter, nor in which epoch it is said: each word's hash is added. */
uint64_t line_hash(const struct line *line)
{
    uint64_t hash = hash_more(0xcbf29ce484222325ULL, line->verb);
    for (size_t i = 0; i < line->count; i++) {
        if (strcmp(line->words[i].name, "key") == 0 || strcmp(line->words[i].name, "epoch") == 0) continue;
        uint64_t word = hash_more(hash_more(0xcbf29ce484222325ULL, line->words[i].name), line->words[i].value);
        for (size_t before = 0; before < i; before++)
            if (strcmp(line->words[before].name, line->words[i].name) == 0) word = word * 31 + 1;
        hash += word * 0x9e3779b97f4a7c15ULL;
    }
    return hash;
}

void add_word(struct text *out, const char *name, const char *value)
{
    text_add_char(out, ' ');
    text_add(out, name);
    text_add_char(out, '=');
    percent_encode(value ? value : "", out);
}

void add_number(struct text *out, const char *name, int64_t value)
{
    text_add_format(out, " %s=%lld", name, (long long)value);
}

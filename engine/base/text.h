/* text.h: the one string builder, and the questions about text that everybody asks. */
#ifndef CRESCENDO_BASE_TEXT_H
#define CRESCENDO_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing text, always NUL-terminated once written to. Starts as {0}; text_release frees. bytes may be NULL while
   nothing was added; text_take hands the bytes out (never NULL) and leaves an empty builder. */
struct text {
    char *bytes;
    size_t size, capacity;
};

void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *bytes, size_t size);
void text_add_char(struct text *text, char c);
void text_add_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_list(struct text *text, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
void text_add_repeated(struct text *text, char c, size_t count);
char *text_take(struct text *text);
const char *text_view(const struct text *text); /* "" while empty */
void text_release(struct text *text);

bool text_equal(const char *a, const char *b); /* NULLs are equal to each other only */
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
bool text_is_name(const char *text); /* [a-z][a-z0-9-]*, at most 63 bytes */
bool text_is_utf8(const char *bytes, size_t size);
/* FNV-1a, 64 bits, for tables in memory and names of a machine: no defence against who chooses the texts. Two texts: the hash of the first
   is the seed of the second. */
#define TEXT_HASH_SEED UINT64_C(14695981039346656037)
uint64_t text_hash(uint64_t seed, const char *text);
size_t text_columns(const char *text, size_t size); /* characters (code points), for carets and tables */

/* The most similar of candidates (NULL-ended), near enough to suggest ("did you mean"); NULL when none is. */
const char *text_nearest(const char *text, const char *const *candidates);

/* Whole-text numbers: true only when all of text is one decimal number in range. */
bool text_to_integer(const char *text, int64_t *ret_value);
bool text_to_duration_ms(const char *text, int64_t *ret_ms);   /* 500ms 30s 10m 2h 1d; no unit is an error */
bool text_to_size_bytes(const char *text, int64_t *ret_bytes); /* 512, 64KiB, 1GiB, 10MB */
void text_add_duration(struct text *text, int64_t ms);         /* 340 ms, 1.2 s, 3 m 20 s, 2 h 5 m */
void text_add_size(struct text *text, int64_t bytes);          /* 512 B, 1.5 MiB */

/* The value of a top-level key of a YAML text, as far as one line tells it ("key: value", a quote or a comment taken off), for who has no
   reader of YAML at hand; appended to *out. false: no line says so. */
bool text_find_top_value(const char *yaml, const char *key, struct text *out);

/* Glob over '/'-separated paths and branch names: * and ? stay within a part, ** crosses parts. */
bool text_matches_glob(const char *text, const char *glob);

#endif

/* error.h: how a function fails: a negative code for the caller, a struct error for the person. */
#ifndef CRESCENDO_ERROR_H
#define CRESCENDO_ERROR_H

#include <stdbool.h>

enum error_code {
    ERROR_NONE = 0,
#define ERROR(name, text, http) ERROR_##name,
#include "crescendo/errors.def"
#undef ERROR
    ERROR_CODE_COUNT
};

/* A place in a file that a person wrote. file is borrowed and outlives the error; line 0 means "nowhere". */
struct location {
    const char *file;
    unsigned line, column; /* both count from 1; the column counts characters */
};
#define NOWHERE ((struct location){0})

struct error {
    enum error_code code;
    bool retryable;
    struct location at;
    char message[256]; /* what happened and where, one line, no full stop */
    char hint[160];    /* what to do; empty when there is nothing to say */
};

/* Fills *err (may be NULL) and returns -code, so that `return error_set(...)` is the whole failure path.
   Never called twice for one failure: a border that adds context uses error_wrap. */
int error_set(struct error *err, enum error_code code, struct location at, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds what to do to an error that is already set. Returns -code. */
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message; used at module borders only. Returns -code. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_set with errno's text behind the message; ENOSPC and EDQUOT become ERROR_NO_SPACE, ENOENT ERROR_NOT_FOUND,
   EACCES and EPERM ERROR_DENIED, all others ERROR_IO. */
int error_set_errno(struct error *err, int saved_errno, const char *format, ...) __attribute__((format(printf, 3, 4)));

const char *error_code_name(enum error_code code); /* "INVALID" */
int error_code_http(enum error_code code);         /* the status that the API answers with */

#define MUST_CHECK __attribute__((warn_unused_result))

#endif

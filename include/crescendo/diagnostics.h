/* diagnostics.h: what is wrong with a file that a person wrote: all of it, sorted, with positions.
   Filled by spec, plan and the step types' check functions; printed by engine/spec/diagnose.c. */
#ifndef CRESCENDO_DIAGNOSTICS_H
#define CRESCENDO_DIAGNOSTICS_H

#include "crescendo/error.h"

#include <stddef.h>

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diagnostic {
    enum severity severity;
    const char *code; /* stable, kebab-case, a string constant: "unknown-key"; "denied": a policy or a domain forbids it */
    struct location at;
    unsigned width;       /* characters to underline; 0 = one caret */
    char *message, *hint; /* owned; hint may be NULL */
};

/* Starts as {0}; diagnostics_release frees. Kept sorted by file, line, column. At most LIMIT_DIAGNOSTICS are kept, the
   rest is counted in dropped. */
struct diagnostics {
    struct diagnostic *items;
    size_t count, capacity, error_count, dropped;
};

/* Adds an error. hint may be NULL. */
void diagnostics_add(struct diagnostics *list, const char *code, struct location at, unsigned width, const char *hint, const char *format,
    ...) __attribute__((format(printf, 6, 7)));
void diagnostics_warn(struct diagnostics *list, const char *code, struct location at, unsigned width, const char *hint, const char *format,
    ...) __attribute__((format(printf, 6, 7)));
/* Are there errors, and every one of them a matter of what is allowed ("denied")? The command line then says 4, not 64. */
bool diagnostics_only_denied(const struct diagnostics *list);
void diagnostics_release(struct diagnostics *list);

#endif

/* expression.h: the language between ${{ and }}: total, typed, budgeted; no arithmetic, no side effects. Pure.

   values    'text' (quotes doubled inside), 12, 1.5, true, false, null
   roots     params.NAME  run.NAME  secrets.NAME  steps.ID.OUT  stages.STAGE.ID.OUT  stages.USED-STAGE.OUT
   operators == != < <= > >= && || ! ( )
   functions concat(a, ...) default(a, b) contains(list or text, x) starts-with(t, p) ends-with(t, s) length(x) join(list, sep)
             format-json(x); in conditions only: succeeded() failed() cancelled() always()
   A residual (what evaluation leaves when something is not known yet) is again an expression, whose only references
   are stages.PATH.ID.OUT with PATH the stage's full path ("indoor/release"). */
#ifndef CRESCENDO_SPEC_EXPRESSION_H
#define CRESCENDO_SPEC_EXPRESSION_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stddef.h>

struct expression; /* a parsed one */

/* at: where the expression's first character stands, so that errors point into it. Caller frees. */
int expression_parse(const char *text, struct location at, struct expression **ret, struct error *err) MUST_CHECK;
void expression_free(struct expression **expression);

/* What a reference means. root is "params", "run", "secrets", "steps", "stages" or a status function's name; parts follow
   ("release", "order", "service"). */
enum lookup { LOOKUP_KNOWN, LOOKUP_UNKNOWN, LOOKUP_MISSING };
struct scope {
    /* KNOWN: *ret_value is a new reference. UNKNOWN: *ret_residual (malloc'd) is the expression that will give it.
       MISSING: an error; err is filled. */
    enum lookup (*look_up)(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
        char **ret_residual, struct error *err);
    void *context;
};

/* Evaluates as far as scope allows. Either *ret_value (new reference; the other is NULL) or *ret_residual (malloc'd). */
int expression_evaluate(
    const struct expression *expression, const struct scope *scope, json_t **ret_value, char **ret_residual, struct error *err) MUST_CHECK;

/* Calls back for each reference in it; for checks at load time. Stops at the first non-zero return, which it returns. */
int expression_references(const struct expression *expression,
    int (*visit)(void *context, const char *root, const char *const *parts, size_t part_count, struct location at), void *context);

/* Does it name failed(), cancelled() or always() (rule 9)? */
bool expression_overrides_default(const struct expression *expression);

#endif

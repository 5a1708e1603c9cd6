/* show.h: what the text and the picture of a plan have in common. */
#ifndef CRESCENDO_PLAN_SHOW_H
#define CRESCENDO_PLAN_SHOW_H

#include "plan/plan.h"

/* Text of a person for a terminal: control characters are shown as \xNN, so that a file cannot move the cursor. */
void show_text(struct text *out, const char *text, size_t size);
/* "(known after build)", or "(known after build and publish)": the stages that a residual refers to; of the stage where it is shown, which
   may be NULL, the steps. What is no residual are a step type's own words: "(known when it runs: the id of the offering)". */
void show_unknown(struct text *out, const char *residual, const char *stage);
/* A value in a line: texts as they are, unknowns as above, the rest as JSON. */
void show_value(struct text *out, const json_t *value, const char *stage);
/* All of a step's effects, each with its key, what undoes it, and what it sends. */
void show_effects(struct text *out, const struct plan *plan, const struct plan_step *step, size_t indent);
/* A copy whose members are in the order of their names: a plan reads the same before it was stored and after. Caller's. */
json_t *show_sorted(const json_t *value);
/* A line for each group that the stage is in. */
void show_groups(struct text *out, const struct plan_stage *stage);
void show_duration(struct text *out, int64_t ms); /* 10 m, 1 h 30 m: without parts that are 0 */

#endif

/* parts.h: what the files of this folder share and nobody else needs. */
#ifndef CRESCENDO_STATE_PARTS_H
#define CRESCENDO_STATE_PARTS_H

#include "state/state.h"

/* --- run_state.c: counters and work lists; called by reduce only --- */
void stage_mark_dirty(struct run_state *state, uint32_t stage);
void stage_mark_all_open_dirty(struct run_state *state);
void queue_push(struct run_state *state, uint32_t stage);
/* Keeps every counter in step with a step's change of status. */
void count_step_move(struct run_state *state, uint32_t step, enum step_status from, enum step_status to);

/* --- timers.c --- */
void timer_add(struct run_state *state, struct timer timer);
/* Takes stale timers off the top, so that the top is always true. */
void timers_trim(struct run_state *state);
void timer_pop(struct run_state *state);

/* --- effect.c --- */
struct effect_state *effect_find(const struct step_state *step, const char *name);
struct effect_state *effect_find_key(const struct step_state *step, const char *key);
bool effect_is_open(const struct effect_state *effect); /* told to happen, and no outcome on record */
bool step_has_effect(const struct step_state *step, bool (*test)(const struct effect_state *effect));
bool effect_is_unknown(const struct effect_state *effect);

/* --- condition.c --- */
struct circumstances { /* what the status functions answer */
    bool failed, cancelled;
};
/* Evaluates a residual condition (NULL is true). Where it cannot be told, -ERROR_INVALID. */
int condition_holds(
    const struct run_state *state, const char *condition, struct circumstances circumstances, bool *ret, struct error *err) MUST_CHECK;

/* --- view.c --- */
/* Does this stage stand in the way of those that need it (rule 9)? Asked of stages at rest. */
bool stage_is_broken(const struct run_state *state, uint32_t stage);
bool plan_step_is_approval(const struct plan_step *step);

#endif

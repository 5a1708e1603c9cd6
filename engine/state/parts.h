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

/* --- reduce.c, for its parts --- */
int refuse_move(const char *what, const char *status, const struct event *event, struct error *err);
int refuse_payload(const struct event *event, const char *what, struct error *err);
void replace_text(char **text, const char *with);
void replace_json(json_t **json, json_t *with);

/* --- reduce_effect.c; called by reduce only --- */
int reduce_effect(struct run_state *state, const struct event *event, struct error *err) MUST_CHECK;

/* --- reduce_undo.c; called by reduce only --- */
void fold_undo(struct run_state *state, const struct event *event);
/* Undoing had been given up, and a person cancels again: it is tried anew. */
void fold_undo_anew(struct run_state *state);

/* The part of an event of the run about its groups: they are given back, waited for, got again. */
void fold_turn_again(struct run_state *state, const struct event *event);

/* --- reduce_person.c; called by reduce only --- */
void fold_vote(struct step_state *step, const struct event *event);
void fold_resolved(struct step_state *step, const struct event *event);
/* What an event of an effect owes to a person: adopted by their word, or done by it. */
void fold_word(struct step_state *step, struct effect_state *effect, const struct event *event);
char *resolution_words(const json_t *data);          /* "ann says that order was done, as 17: it is there"; caller frees */
bool resolution_is_whole(const struct event *event); /* does step_resolved say who, and how? */

/* --- timers.c --- */
/* Is the wait of this step over? Also where the clock was set back behind its beginning: how long it has waited cannot be told then, and a
   process that is started too early looks at its own time, while one that sleeps for the hours that the clock lost does harm. What a person
   has time for, an approval, is as long as the clock says. */
bool wait_is_over(const struct step_state *step, int64_t now_ms);
/* Marks the stages of what is due, and takes its timers off. */
void timers_notice(struct run_state *state, int64_t now_ms);
void timer_add(struct run_state *state, struct timer timer);
/* Takes stale timers off the top, so that the top is always true. */
void timers_trim(struct run_state *state);

/* --- effect.c --- */
struct effect_state *effect_find(const struct step_state *step, const char *name);
struct effect_state *effect_find_key(const struct step_state *step, const char *key);
bool effect_is_open(const struct effect_state *effect); /* told to happen, and no outcome on record */
bool step_has_effect(const struct step_state *step, bool (*test)(const struct effect_state *effect));
bool effect_is_unknown(const struct effect_state *effect);
bool effect_is_unsettled(const struct effect_state *effect); /* open or unknown: it may have happened */
/* What the plan says of this effect; NULL: it was not foreseen. */
const json_t *effect_planned(const struct plan_step *plan, const char *name);
/* Every effect of the run, in turn: begin with step 0 and NULL; NULL = there is none any more. */
const struct effect_state *effect_next(const struct run_state *state, uint32_t *step, const struct effect_state *effect);

/* The outcome that a person's word makes: done as `id`, and what the intent said that it will hold. New. */
json_t *effect_outcome_by_word(const struct effect_state *effect, const char *id);

/* --- undo.c --- */
/* The step to compensate next, NO_STEP where nothing is (any more) to be undone. unfinished: the run was cancelled. */
uint32_t undo_next(const struct run_state *state, bool unfinished);
/* Has this step an effect that is done, can be undone, and is not behind a pivot? */
bool undo_is_due(const struct run_state *state, uint32_t step, const struct effect_state *effect);
/* Will a run that goes back find out what became of every effect of this step that has no outcome on record? */
bool undo_finds_out(const struct run_state *state, uint32_t step);

/* Is nothing of this stage left that a cancelled run would undo: each step did its work, and no lease is held? */
bool stage_is_finished(const struct run_state *state, uint32_t stage);

/* --- turn.c --- */
void fold_turn(struct run_state *state, const struct event *event); /* called by reduce only */
bool stage_waits_for_turn(const struct run_state *state, uint32_t stage);

/* --- lease.c --- */
/* Is it by this effect that the run holds a lease now? */
bool lease_is_held(const struct run_state *state, const struct effect_state *effect);
const char *lease_service(const struct effect_state *effect); /* the service whose lease its outcome tells of; NULL = of none */

/* --- settle_end.c --- */
enum { EXIT_PARKED = 75 }; /* EX_TEMPFAIL: "go on later" */
/* "exit 2", "ended by signal 9, SIGKILL", "took longer than 5 m" */
void describe_end(const struct report *report, const struct plan_step *plan, const char *fault, struct text *message);

/* --- settle_undo.c --- */
/* A report about a step in compensating. */
void settle_undo(const struct run_state *state, const struct report *report, struct event_list *list);

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
bool plan_step_is_rollback(const struct plan_step *step); /* it fails on purpose, without a process */

#endif

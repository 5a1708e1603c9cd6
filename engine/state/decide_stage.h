/* decide_stage.h: what shall happen next in one stage. */
#ifndef CRESCENDO_STATE_DECIDE_STAGE_H
#define CRESCENDO_STATE_DECIDE_STAGE_H

#include "state/parts.h"

struct decision {
    struct run_state *state;
    int64_t now_ms;
    bool hold; /* nothing new is to begin */
    const struct turn *turns;
    uint32_t free_slots; /* not yet given away in this decision */
    struct event_list *list;
    size_t first; /* where this decision's events begin in the list */
};

/* All but what needs a slot that others wait for longer. */
void decide_stage(struct decision *decision, uint32_t stage);
/* decide_undo.c: what is next in a run that rolls back. */
void decide_undo(struct decision *decision);
/* decide_turn.c: is the stage let in? Asks for its turn where it has not got it: then something was decided, and it does not begin yet. */
bool decide_turn(struct decision *decision, const struct plan_step *step);
/* The same for a step that is parked for its turn; true: it waits no more, since its run has failed or is being cancelled. */
bool decide_waiting(struct decision *decision, const struct plan_step *step);
/* Has the run the groups that it let others into, so that it may go on undoing? Asks for them where it has not, as decide_turn. */
bool decide_turn_again(struct decision *decision);
/* Looks at every stage that waits for its turn, since what it waits for is not in this run. false: the run was superseded. */
bool decide_turns(struct decision *decision);
/* The words of a turn (turn_words) that this message was made of; "?" where there is none; caller frees. */
char *turn_words_within(const char *message);
/* Does it say that a stage was turned away? */
bool turn_is_rejection(const char *message);
/* Starts the stage's ready step, if it is one, with one of the free slots. */
void decide_ready(struct decision *decision, uint32_t stage);

#endif

/* decide_stage.h: what shall happen next in one stage. */
#ifndef CRESCENDO_STATE_DECIDE_STAGE_H
#define CRESCENDO_STATE_DECIDE_STAGE_H

#include "state/parts.h"

struct decision {
    struct run_state *state;
    int64_t now_ms;
    bool hold;           /* nothing new is to begin */
    uint32_t free_slots; /* not yet given away in this decision */
    struct event_list *list;
    size_t first; /* where this decision's events begin in the list */
};

/* All but what needs a slot that others wait for longer. */
void decide_stage(struct decision *decision, uint32_t stage);
/* decide_undo.c: what is next in a run that rolls back. */
void decide_undo(struct decision *decision);
/* Starts the stage's ready step, if it is one, with one of the free slots. */
void decide_ready(struct decision *decision, uint32_t stage);

#endif

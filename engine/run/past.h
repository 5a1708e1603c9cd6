/* past.h: a run as its events tell it, without an engine: for `crescendo fsck`, `crescendo replay` and a run that wakes (sleep.h). Blocks
 * for the disk. */
#ifndef CRESCENDO_RUN_PAST_H
#define CRESCENDO_RUN_PAST_H

#include "run/project.h"
#include "store/inspect.h"

struct past {
    uint64_t run;
    struct plan *plan;
    struct run_state *state;
    json_t *accepted; /* run_accepted's data */
    struct step_counts counts;
    bool *touched; /* per step: an event names it */
    uint64_t event_count;
    int64_t event_ms; /* when the last one was made */
};

/* What walks along. All may be NULL. The state is the one before the event, and the one after it. */
struct past_walk {
    void (*before)(void *context, const struct past *past, const struct event *event);
    int (*after)(void *context, struct past *past, const struct event *event, struct error *err); /* negative ends the walk */
    void *context;
};

/* Folds all events of a run through the reducer. *ret_past is NULL where it has none. -ERROR_CONFLICT, -ERROR_STATE: an event that does
   not follow, with its number; -ERROR_UNSUPPORTED: one that this version does not know; -ERROR_NOT_FOUND: the plan's blob is missing. */
int past_read(struct journal *journal, uint64_t run, const struct past_walk *walk, struct past **ret_past, struct error *err) MUST_CHECK;
void past_free(struct past **past);
struct projected past_projected(const struct past *past);

#endif

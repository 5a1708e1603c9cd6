/* follower.h: one run's events in order, with the state that they fold to: for whoever tells a run's story from the journal. */
#ifndef CRESCENDO_SERVER_FOLLOWER_H
#define CRESCENDO_SERVER_FOLLOWER_H

#include "run/engine.h"

struct follower;

/* -ERROR_NOT_FOUND: no such run. A run whose file was wrong has a plan without stages. Reads the plan: blocks for the disk only. */
int follower_open(struct engine *engine, uint64_t run, struct follower **ret, struct error *err) MUST_CHECK;
void follower_free(struct follower **follower);

/* Folds the events that came since the last call, and calls back (may be NULL) after each with the state that holds it; the callback
   must not ask the journal. */
int follower_read(
    struct follower *follower, void (*each)(void *context, const struct event *event), void *context, struct error *err) MUST_CHECK;
const struct run_state *follower_state(const struct follower *follower);
const struct plan *follower_plan(const struct follower *follower);

#endif

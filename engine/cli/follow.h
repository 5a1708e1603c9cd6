/* follow.h: follows one run over its event stream: reads the plan, folds the events through the real reducer, goes on behind the last
   event when the server was away. Knows nothing of terminals. */
#ifndef CRESCENDO_CLI_FOLLOW_H
#define CRESCENDO_CLI_FOLLOW_H

#include "cli/client.h"
#include "state/state.h"

#include <pthread.h>

struct follower {
    pthread_mutex_t *mutex; /* held while the state changes and while event is called; NULL = none */
    /* The plan is there; state lives until `over` was called. */
    void (*begun)(void *context, const struct run_state *state);
    void (*over)(void *context); /* called once for each begun */
    /* An event was folded. true: enough, stop following. */
    bool (*event)(void *context, const struct run_state *state, const struct event *event);
    /* event said enough, which may be of a moment long past when the run's history is read: is it still so, by RUN as the API tells it now?
       NULL: it is. */
    bool (*still)(void *context, const json_t *run);
    void (*note)(void *context, const char *line); /* the server went away, is back */
    void *context;
};

/* Blocks until the run is at rest, or waits for nothing but a person to settle it, or event said so. *ret_run: RUN as the API tells it
   then; the caller frees. -ERROR_UNAVAILABLE: the server stayed away for two minutes. */
int follow_run(struct client *client, uint64_t run, const struct follower *follower, json_t **ret_run, struct error *err) MUST_CHECK;

#endif

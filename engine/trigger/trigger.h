/* trigger.h: what starts runs: pushes (over the API and from the spools), hand-made runs; and the repositories that are pushed to. */
#ifndef CRESCENDO_TRIGGER_TRIGGER_H
#define CRESCENDO_TRIGGER_TRIGGER_H

#include "crescendo/route.h"
#include "run/engine.h"

/* The context of the routes below. All borrowed. */
struct trigger {
    struct engine *engine;
    const char *data;    /* the data folder */
    const char *address; /* what people put before "/v1/runs/7"; NULL without TCP */
    const char *hook;    /* the program crescendo-hook */
};

/* "address" of an answer: the run's URL; nothing without TCP, since a socket has none. */
void trigger_put_address(const struct trigger *trigger, json_t *body, uint64_t run);

extern const struct route push_routes[], manual_routes[], repository_routes[];

#endif

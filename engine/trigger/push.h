/* push.h: a push becomes a run, once: the key is (repository, ref, old, new). */
#ifndef CRESCENDO_TRIGGER_PUSH_H
#define CRESCENDO_TRIGGER_PUSH_H

#include "trigger/trigger.h"

/* What the body of POST /v1/pushes may hold. */
extern const struct field push_body_fields[];

struct push_answer {
    uint64_t run; /* 0: the push starts nothing */
    bool known, invalid;
    const char *text; /* to print in the push, in colour where the body wants it; ends with a newline; borrowed for the call */
};

/* body: as push_body_fields say; borrowed for the call. done is called once, perhaps at once; err where it could not be taken. */
void push_submit(const struct trigger *trigger, const json_t *body, const char *author,
    void (*done)(void *context, const struct push_answer *answer, const struct error *err), void *context);

#endif

/* protocol_private.h: what protocol.c and effects_perform.c share: a step, and questions to the engine. */
#ifndef CRESCENDO_STEPS_PROTOCOL_PRIVATE_H
#define CRESCENDO_STEPS_PROTOCOL_PRIVATE_H

#include "protocol.h"

#include "crescendo/limits.h"

struct step {
    const struct step_type *type;
    const json_t *input;
    json_t *checkpoint; /* the latest; owned */
    int fd;
    const char *reason; /* of a failure; NULL = none in particular */
    bool parked;
    size_t got; /* bytes in buffer that are not consumed yet */
    char buffer[LIMIT_STEP_LINE_BYTES];
};

int step_broken(struct error *err, const char *what); /* the engine does not keep to the protocol */
json_t *step_message(const char *type);

/* Sends (stealing) and waits for one of the wanted answers (NULL-ended), about the effect `name` where there is one. Other lines are passed
   over: an engine that was started again repeats what it cannot know to have been heard (docs/adr/0006). */
int step_ask(
    struct step *step, json_t *message, const char *const *wanted, const char *name, json_t **ret_answer, struct error *err) MUST_CHECK;
/* The same, where the answer is that it is kept. */
int step_ask_kept(struct step *step, json_t *message, const char *name, struct error *err) MUST_CHECK;

#endif

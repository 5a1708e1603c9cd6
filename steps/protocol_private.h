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
    int64_t began_us; /* monotonic: whoever sent something before is gone since then */
    size_t got;       /* bytes in buffer that are not consumed yet */
    char buffer[LIMIT_STEP_LINE_BYTES];
};

int step_broken(struct error *err, const char *what); /* the engine does not keep to the protocol */
json_t *step_message(const char *type);

/* step_park, with what it waits for: "timer", "window" or "peer"; checkpoint NULL: it stays as it is. */
int step_park_for(struct step *step, int64_t until_ms, const char *what, json_t *checkpoint, struct error *err) MUST_CHECK;

/* --- late_perform.c --- */
/* When a request was sent, as far as it is known. */
struct sending {
    int64_t left_us; /* monotonic: by this process, which has given it up; 0 = by an earlier one */
    int64_t told_ms; /* wall clock: an earlier one was told to go; 0 = not known */
};
/* How long it may still arrive; 0 = no more. */
int64_t late_left_ms(const struct step *step, const struct sending *sending);
bool late_may_repeat(const struct step *step);
/* Waits so long, or parks: -ERROR_PARKED. -ERROR_STATE: the step is to be ended meanwhile; the signal is pending. */
int late_wait(struct step *step, const struct sending *sending, const char *name, int64_t left_ms, struct error *err) MUST_CHECK;
/* Is the step to be ended, as soon as it lets itself be? */
bool late_is_ended(void);

/* Sends (stealing) and waits for one of the wanted answers (NULL-ended), about the effect `name` where there is one. Other lines are passed
   over: an engine that was started again repeats what it cannot know to have been heard (docs/adr/0006). */
int step_ask(
    struct step *step, json_t *message, const char *const *wanted, const char *name, json_t **ret_answer, struct error *err) MUST_CHECK;
/* The same, where the answer is that it is kept. */
int step_ask_kept(struct step *step, json_t *message, const char *name, struct error *err) MUST_CHECK;

#endif

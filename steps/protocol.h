/* protocol.h: makes a struct step (include/crescendo/step.h) from its input and its end of the protocol. For main and for tests. */
#ifndef CRESCENDO_STEPS_PROTOCOL_H
#define CRESCENDO_STEPS_PROTOCOL_H

#include "crescendo/step.h"

enum { STEP_PROTOCOL_VERSION = 1, STEP_EXIT_PARKED = 75 };

/* input: {"protocol": 1, "with": {...}, "facts": {...}, "checkpoint": ...}, borrowed for the step's life, as is fd (both ways, blocking).
   Says hello. -ERROR_UNSUPPORTED: another version; -ERROR_INVALID: not such an object. */
int step_open(const struct step_type *type, const json_t *input, int fd, struct step **ret, struct error *err) MUST_CHECK;
void step_close(struct step **step);

/* What an earlier process of this step did and is now to be undone, newest first: [{name, target, key, digest, body, outcome, find?,
   keep?}, ...]; NULL: nothing, it is to perform. find: nobody knows whether it was done; keep: that is all that is asked. Borrowed. */
const json_t *step_to_compensate(const struct step *step);
/* Asks the type's find what became of an effect that an earlier process began, and records what was seen; *ret_outcome is the caller's. */
int step_find_out(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err) MUST_CHECK;
/* Says that the effect is undone; blocks until that is on disk. */
int step_compensated(struct step *step, const char *name, struct error *err) MUST_CHECK;

/* Undoes all of that, newest first; each is on record before the next is begun. */
int step_compensate(const struct step_type *type, struct step *step, struct error *err) MUST_CHECK;

/* Says why it is about to end badly; what cannot be said is lost. */
int step_fault(struct step *step, const struct error *fault);

/* Did it park? Then the process ends with STEP_EXIT_PARKED, whatever perform returned. */
bool step_is_parked(const struct step *step);

#endif

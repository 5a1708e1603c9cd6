/* ask_perform.h: what the driver types do with a domain's keeper. Blocking; in the step's process. */
#ifndef CRESCENDO_DRIVERS_ASK_PERFORM_H
#define CRESCENDO_DRIVERS_ASK_PERFORM_H

#include "crescendo/step.h"

/* Asks the keeper of the step's `with`, again and again while it is not there: it may be on its way up. Only for what may be asked twice: a
   question, or a change with a key. */
int keeper_say(struct step *step, const char *verb, const json_t *fields, json_t **ret, json_t **ret_lines, struct error *err) MUST_CHECK;

/* One effect: the verb of that name, its fields the effect's body. The outcome is the keeper's answer, with numbers as numbers. */
int keeper_effect(
    struct step *step, const char *verb, const char *service, const json_t *fields, json_t **ret_outcome, struct error *err) MUST_CHECK;

/* The answer as an outcome; new reference. */
json_t *keeper_outcome(const json_t *answer);

/* Waits until as many instances are healthy as it shall have. -ERROR_CONFLICT: the keeper says that it failed, or it is not there any more;
   -ERROR_TIMEOUT. The message holds the service's own words, the whole of which is in *ret_words (caller frees) then. */
int keeper_wait_ready(
    struct step *step, const char *service, int64_t start_ms, int64_t *ret_ready, char **ret_words, struct error *err) MUST_CHECK;
/* How many are healthy now; 0 where it is not there. */
int keeper_count_ready(struct step *step, const char *service, int64_t *ret_ready, struct error *err) MUST_CHECK;
/* Waits until it is gone. */
int keeper_wait_gone(struct step *step, const char *service, int64_t limit_ms, struct error *err) MUST_CHECK;

/* Gives the outputs `message` and, where there is one, the error: returns failed. words: NULL = the error's own. */
int driver_end(struct step *step, int failed, const char *words, struct error *err);

#endif

/* perform.h: what the built-in types do in the step's process. Linked into crescendo-step only; the tables refer to these weakly. */
#ifndef CRESCENDO_STEPS_PERFORM_H
#define CRESCENDO_STEPS_PERFORM_H

#include "crescendo/step.h"

int checkout_perform(struct step *step, struct error *err);
int package_perform(struct step *step, struct error *err);

#endif

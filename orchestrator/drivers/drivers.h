/* drivers.h: what the driver types share. What performs is linked into crescendo-step only; the tables refer to it weakly (docs/adr/0003).
 */
#ifndef CRESCENDO_DRIVERS_DRIVERS_H
#define CRESCENDO_DRIVERS_DRIVERS_H

#include "crescendo/step.h"

extern const struct step_type activate_driver_type, modify_driver_type, deactivate_driver_type, reserve_driver_type, release_driver_type,
    note_driver_type, refuse_driver_type, await_driver_type;

/* The effects of an order's plan are written by orchestrator/fulfil; this says that there may be some. */
int driver_describe(const struct planned *planned, json_t **ret_effects, struct error *err);

int activate_perform(struct step *step, struct error *err) __attribute__((weak));
int modify_perform(struct step *step, struct error *err) __attribute__((weak));
int deactivate_perform(struct step *step, struct error *err) __attribute__((weak));
int await_perform(struct step *step, struct error *err) __attribute__((weak));
int refuse_perform(struct step *step, struct error *err) __attribute__((weak));
int record_perform(struct step *step, struct error *err) __attribute__((weak));
/* Of activate, modify, deactivate. */
int driver_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));
int driver_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err) __attribute__((weak));

#endif

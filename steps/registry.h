/* registry.h: the step types that are built in. The mains join them with external ones (external.h) and hand the table on. */
#ifndef CRESCENDO_STEPS_REGISTRY_H
#define CRESCENDO_STEPS_REGISTRY_H

#include "crescendo/step.h"

extern const struct step_type run_step_type, package_step_type, checkout_step_type, approve_step_type, rollback_step_type;
extern const struct step_type publish_step_type, order_step_type, shift_step_type, kpi_step_type, scale_step_type, promote_step_type,
    retire_step_type, notify_step_type;

/* NULL-ended. */
extern const struct step_type *const step_types_builtin[];

/* By name in a NULL-ended table; NULL when there is none. */
const struct step_type *step_type_find(step_types *types, const char *name);

#endif

/* approve.c: the step type `approve`: what a stage with `approve:` becomes in the plan. It has no process: the engine parks it, takes
   votes and ends it. What may be written under `approve:` is approve_fields of engine/spec, since it is a key of stages,
   not of steps; a second table here could only disagree with it. */
#include "registry.h"

static const struct field fields[] = {FIELD_END};
static const struct field outputs[] = {FIELD_END};

const struct step_type approve_step_type = {
    .name = "approve",
    .summary = "Waits for people to approve or reject",
    .fields = fields,
    .outputs = outputs,
};

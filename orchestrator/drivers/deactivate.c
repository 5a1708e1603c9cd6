/* deactivate.c: the driver type `deactivate`: ends a service. Performed by deactivate_perform.c. */
#include "drivers.h"

static const struct field fields[] = {
    {.name = "keeper", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The folder of the domain's keeper"},
    {.name = "service", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The service"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "message", .type = FIELD_TEXT, .help = "Why it failed; empty when it did not"},
    FIELD_END,
};

const struct step_type deactivate_driver_type = {
    .name = "deactivate",
    .summary = "Drains a service and ends it",
    .fields = fields,
    .outputs = outputs,
    .describe = driver_describe,
    .reaches_out = true,
    .perform = deactivate_perform,
    .find = driver_find,
};

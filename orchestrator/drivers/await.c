/* await.c: the driver type `await`: an order that is wished for later begins then. No process waits meanwhile. */
#include "drivers.h"

static const struct field fields[] = {
    {.name = "until", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .help = "When to go on: milliseconds since 1970"},
    FIELD_END,
};

const struct step_type await_driver_type = {
    .name = "await",
    .summary = "Waits until the order is to begin",
    .fields = fields,
    .describe = driver_describe,
    .perform = await_perform,
};

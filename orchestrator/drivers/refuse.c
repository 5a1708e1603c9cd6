/* refuse.c: the driver type `refuse`: an item of an order that nothing here can do. It fails with the reason, so that the order ends as the
   standard has it, and what its other items did is undone. */
#include "drivers.h"

static const struct field fields[] = {
    {.name = "because", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "Why it cannot be done"},
    FIELD_END,
};

const struct step_type refuse_driver_type = {
    .name = "refuse",
    .summary = "Fails: nothing here can do what the item asks for",
    .fields = fields,
    .describe = driver_describe,
    .perform = refuse_perform,
};

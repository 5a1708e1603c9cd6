/* record.c: the driver types `reserve`, `release` and `note`: a network or a user of the site is the inventory's record of it, so there is
   nothing to do but to say so. A driver that shapes a real network takes their place. */
#include "drivers.h"

static const struct field fields[] = {
    {.name = "kind", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "network or user"},
    {.name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The component, or the service"},
    {.name = "values", .type = FIELD_ANY, .help = "What is reserved, by measure"},
    FIELD_END,
};

const struct step_type reserve_driver_type = {
    .name = "reserve",
    .summary = "Reserves a network or users of the site",
    .fields = fields,
    .describe = driver_describe,
    .perform = record_perform,
};

const struct step_type release_driver_type = {
    .name = "release",
    .summary = "Gives back what was reserved",
    .fields = fields,
    .describe = driver_describe,
    .perform = record_perform,
};

const struct step_type note_driver_type = {
    .name = "note",
    .summary = "Notes in the inventory what an order says of a service",
    .fields = fields,
    .describe = driver_describe,
    .perform = record_perform,
};

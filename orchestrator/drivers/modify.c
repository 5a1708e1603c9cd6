/* modify.c: the driver type `modify`: replicas, share and lease of a service. Performed by modify_perform.c. */
#include "drivers.h"

static const struct field fields[] = {
    {.name = "keeper", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The folder of the domain's keeper"},
    {.name = "service", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The service"},
    {.name = "replicas", .type = FIELD_INTEGER, .max = 100, .help = "Instances"},
    {.name = "share", .type = FIELD_INTEGER, .max = 10000, .help = "Of the family's requests, in hundredths of a percent"},
    {.name = "lease_ms", .type = FIELD_INTEGER, .help = "How long the share is lent, when it is"},
    {.name = "start_ms", .type = FIELD_INTEGER, .help = "How long an instance may take to become healthy"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "ready", .type = FIELD_INTEGER, .help = "Healthy instances"},
    {.name = "message", .type = FIELD_TEXT, .help = "Why it failed; empty when it did not"},
    FIELD_END,
};

const struct step_type modify_driver_type = {
    .name = "modify",
    .summary = "Changes a service's replicas and its share of the requests",
    .fields = fields,
    .outputs = outputs,
    .describe = driver_describe,
    .reaches_out = true,
    .perform = modify_perform,
    .find = driver_find,
    .compensate = driver_compensate,
};

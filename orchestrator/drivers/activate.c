/* activate.c: the driver type `activate`: a package becomes a running service of a domain. Performed by activate_perform.c. */
#include "drivers.h"

static const struct field fields[] = {
    {.name = "keeper", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The folder of the domain's keeper"},
    {.name = "item", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The order's item: the service is ORDER.ITEM"},
    {.name = "family", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "What shares one address with it"},
    {.name = "version", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "Its version"},
    {.name = "artifact", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The package's file"},
    {.name = "digest", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The package's sha256:HEX"},
    {.name = "command", .type = FIELD_TEXT_LIST, .flags = FIELD_REQUIRED, .help = "What an instance runs, in the package's folder"},
    {.name = "env", .type = FIELD_TEXT_MAP, .help = "Its environment"},
    {.name = "ports", .type = FIELD_ANY, .help = "Its ports by name"},
    {.name = "health", .type = FIELD_TEXT, .help = "The path that answers when it is healthy"},
    {.name = "replicas", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .max = 100, .help = "Instances"},
    {.name = "share",
        .type = FIELD_INTEGER,
        .flags = FIELD_REQUIRED,
        .max = 10000,
        .help = "Of the family's requests, in hundredths of a percent"},
    {.name = "lease_ms", .type = FIELD_INTEGER, .help = "How long the share is lent, when it is"},
    {.name = "cpu", .type = FIELD_INTEGER, .help = "Thousandths of a processor of an instance"},
    {.name = "memory", .type = FIELD_INTEGER, .help = "Bytes of an instance"},
    {.name = "disk", .type = FIELD_INTEGER, .help = "Bytes of an instance"},
    {.name = "start_ms", .type = FIELD_INTEGER, .help = "How long it may take to become healthy"},
    {.name = "drain_ms", .type = FIELD_INTEGER, .help = "How long requests may go on when an instance ends"},
    {.name = "grace_ms", .type = FIELD_INTEGER, .help = "From SIGTERM to SIGKILL"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "address", .type = FIELD_TEXT, .help = "Where the family answers"},
    {.name = "ready", .type = FIELD_INTEGER, .help = "Healthy instances"},
    {.name = "share", .type = FIELD_NUMBER, .help = "Its share in percent"},
    {.name = "message", .type = FIELD_TEXT, .help = "Why it failed, with the service's own words; empty when it did not"},
    FIELD_END,
};

const struct step_type activate_driver_type = {
    .name = "activate",
    .summary = "Starts a service from its package and waits until it is healthy",
    .fields = fields,
    .outputs = outputs,
    .describe = driver_describe,
    .reaches_out = true,
    .perform = activate_perform,
    .find = driver_find,
    .compensate = driver_compensate,
};

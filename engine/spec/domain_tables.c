/* domain_tables.c: what the file of a domain may hold. */
#include "spec/domain.h"

#define PETA (1LL << 50)

static const char *const dialects[] = {"standard", "openslice", "maestro", NULL};
static const char *const capabilities[] = {"share", "raw-samples", "aggregates", "find-by-key", "events", "lease", NULL};
static const char *const drivers[] = {"process", NULL}, *const drivers_later[] = {"kubernetes", "peer", NULL};
static const char *const slice_types[] = {"eMBB", "URLLC", "mMTC", NULL};

const struct field domain_flavour_fields[] = {
    {.name = "cpu", .type = FIELD_CPU, .flags = FIELD_LITERAL, .min = 1, .max = 4096000, .help = "Of a compute: most processors"},
    {.name = "memory", .type = FIELD_SIZE, .flags = FIELD_LITERAL, .min = 1 << 20, .max = PETA, .help = "Of a compute: most memory"},
    {.name = "slice-type", .type = FIELD_CHOICE, .flags = FIELD_LITERAL, .choices = slice_types, .help = "Of a network: the kind of slice"},
    {.name = "latency", .type = FIELD_LATENCY, .flags = FIELD_LITERAL, .help = "Of a network: the least that it gives"},
    {.name = "downlink", .type = FIELD_BITRATE, .flags = FIELD_LITERAL, .help = "Of a network: the most towards the users"},
    {.name = "uplink", .type = FIELD_BITRATE, .flags = FIELD_LITERAL, .help = "Of a network: the most from the users"},
    {.name = "reliability", .type = FIELD_PERCENT, .flags = FIELD_LITERAL, .max = 100, .help = "Of a network: the most that it gives"},
    FIELD_END,
};

const struct field domain_capacity_fields[] = {
    {.name = "cpu", .type = FIELD_CPU, .flags = FIELD_LITERAL, .min = 1, .max = 1000000000, .help = "Processors of all instances together"},
    {.name = "memory", .type = FIELD_SIZE, .flags = FIELD_LITERAL, .min = 1 << 20, .max = PETA, .help = "Memory of all instances together"},
    {.name = "instances", .type = FIELD_INTEGER, .flags = FIELD_LITERAL, .min = 1, .max = 100000, .help = "Instances at a time"},
    {.name = "downlink", .type = FIELD_BITRATE, .flags = FIELD_LITERAL, .help = "Of all networks together"},
    {.name = "uplink", .type = FIELD_BITRATE, .flags = FIELD_LITERAL, .help = "Of all networks together"},
    {.name = "users", .type = FIELD_INTEGER, .flags = FIELD_LITERAL, .max = 1000000000, .help = "End users together"},
    {.name = "latency", .type = FIELD_LATENCY, .flags = FIELD_LITERAL, .help = "The least that it can give to a network"},
    FIELD_END,
};

const struct field domain_site_fields[] = {
    {.name = "driver",
        .type = FIELD_CHOICE,
        .flags = FIELD_LITERAL,
        .fallback = "process",
        .choices = drivers,
        .later = drivers_later,
        .help = "What runs instances there: `process`, programs behind HAProxy on the core's machine; `kubernetes` and `peer` are not in "
                "this version"},
    {.name = "address",
        .type = FIELD_TEXT,
        .flags = FIELD_LITERAL,
        .fallback = "127.0.0.1",
        .help = "The IP address on which services listen"},
    {.name = "ports",
        .type = FIELD_TEXT,
        .flags = FIELD_LITERAL,
        .fallback = "18080-18099",
        .help = "The ports for families of services, one each: FIRST-LAST"},
    {.name = "flavours",
        .type = FIELD_OBJECT_MAP,
        .flags = FIELD_LITERAL,
        .fields = domain_flavour_fields,
        .help = "What a component may name as its `flavour`"},
    {.name = "capacity", .type = FIELD_OBJECT, .flags = FIELD_LITERAL, .fields = domain_capacity_fields, .help = "What there is in all"},
    FIELD_END,
};

const struct field domain_fields[] = {
    {.name = "domain", .type = FIELD_NAME, .flags = FIELD_REQUIRED | FIELD_LITERAL, .help = "Its name, which is also the file's"},
    {.name = "url",
        .type = FIELD_TEXT,
        .flags = FIELD_LITERAL,
        .fallback = "embedded",
        .help = "Where its APIs answer: `embedded` (the server's own core), `http://HOST:PORT`, `https://HOST`, `unix:/PATH`"},
    {.name = "dialect",
        .type = FIELD_CHOICE,
        .flags = FIELD_LITERAL,
        .fallback = "standard",
        .choices = dialects,
        .help = "How it speaks TM Forum's APIs"},
    {.name = "request-life",
        .type = FIELD_DURATION,
        .flags = FIELD_LITERAL,
        .min = 100,
        .max = 24LL * 60 * 60 * 1000,
        .help = "How long a request that was given up may still arrive there, held by what lies between: so long a step waits before it "
                "takes an "
                "order for absent, or sends a document again. By default 90 s, and 3 s at a Unix socket"},
    {.name = "token", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .help = "A reference to the secret that it asks for"},
    {.name = "capabilities",
        .type = FIELD_TEXT_LIST,
        .flags = FIELD_LITERAL,
        .choices = capabilities,
        .help = "What it can do; by default all with the dialect `standard`, else `aggregates` and `events`"},
    {.name = "owner", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .help = "Whom to ask about it"},
    {.name = "policy",
        .type = FIELD_OBJECT,
        .flags = FIELD_LITERAL,
        .fallback = "{}",
        .fields = domain_policy_fields,
        .help = "What its owner allows"},
    {.name = "site",
        .type = FIELD_OBJECT,
        .flags = FIELD_LITERAL,
        .fields = domain_site_fields,
        .help = "What is there; only where our core drives it itself"},
    FIELD_END,
};

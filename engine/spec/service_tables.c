/* service_tables.c: what a service's descriptor may hold. */
#include "spec/fields.h"
#include "spec/service.h"

#define PETA (1LL << 50)

static const char *const kinds[] = {"microservice", "vnf", "cnf", "xapp", "rapp", "model", "ledger-node", NULL};
static const char *const slice_types[] = {"eMBB", "URLLC", "mMTC", NULL};
static const char *const patterns[] = {"periodic", "poisson", "bursty", "constant", NULL};
static const char *const policies[] = {"deadline", "fifo", "round-robin", NULL};
static const char *const spreads[] = {"domain", "none", NULL};

const struct field service_health_fields[] = {
    {.name = "http",
        .type = FIELD_TEXT,
        .flags = FIELD_REQUIRED | FIELD_LITERAL,
        .help = "The path that answers 200 when an instance can take requests, like /healthz"},
    FIELD_END,
};

const struct field service_scheduling_fields[] = {
    {.name = "policy",
        .type = FIELD_CHOICE,
        .flags = FIELD_REQUIRED | FIELD_LITERAL,
        .choices = policies,
        .help = "How its threads share the processor"},
    {.name = "runtime", .type = FIELD_LATENCY, .flags = FIELD_LITERAL, .help = "What it needs in each period"},
    {.name = "period", .type = FIELD_LATENCY, .flags = FIELD_LITERAL, .help = "The period"},
    FIELD_END,
};

const struct field service_compute_fields[] = {
    {.name = "name", .type = FIELD_NAME, .flags = FIELD_REQUIRED | FIELD_LITERAL, .help = "Its name, unique in the service"},
    {.name = "flavour", .type = FIELD_NAME, .flags = FIELD_LITERAL, .help = "One of the domain's flavours; by default one that fits"},
    {.name = "cpu", .type = FIELD_CPU, .flags = FIELD_LITERAL, .min = 1, .max = 4096000, .help = "Processors of each instance"},
    {.name = "memory", .type = FIELD_SIZE, .flags = FIELD_LITERAL, .min = 1 << 20, .max = PETA, .help = "Memory of each instance"},
    {.name = "disk", .type = FIELD_SIZE, .flags = FIELD_LITERAL, .min = 1 << 20, .max = PETA, .help = "Disk of each instance"},
    {.name = "replicas",
        .type = FIELD_INTEGER,
        .flags = FIELD_LITERAL,
        .min = 1,
        .max = 1000,
        .help = "Instances where the order does not say"},
    {.name = "ports",
        .type = FIELD_TEXT_MAP,
        .flags = FIELD_LITERAL | FIELD_RAW,
        .help = "`{ NAME: 1..65535 }`, numbers in the typed form; the first takes the requests. An instance is told in `PORT` and "
                "`PORT_NAME` which ports are its own"},
    {.name = "command",
        .type = FIELD_TEXT_LIST,
        .flags = FIELD_LITERAL,
        .help = "The program, a path in the package, and its arguments. A `microservice` must have it"},
    {.name = "env", .type = FIELD_TEXT_MAP, .flags = FIELD_LITERAL | FIELD_RAW, .help = "Environment variables of each instance"},
    {.name = "health",
        .type = FIELD_OBJECT,
        .flags = FIELD_LITERAL,
        .fields = service_health_fields,
        .help = "How to see that an instance is well; without it: that it takes connections"},
    {.name = "metrics", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .help = "The path of its own metrics, like /metrics"},
    {.name = "scheduling",
        .type = FIELD_OBJECT,
        .flags = FIELD_LITERAL,
        .fields = service_scheduling_fields,
        .help = "What it asks of the scheduler; kept with the order, and not enforced by the driver `process`"},
    FIELD_END,
};

const struct field service_traffic_fields[] = {
    {.name = "pattern", .type = FIELD_CHOICE, .flags = FIELD_LITERAL, .choices = patterns, .help = "How packets come"},
    {.name = "packet-size", .type = FIELD_SIZE, .flags = FIELD_LITERAL, .min = 1, .max = 1 << 30, .help = "Size of a packet"},
    {.name = "rate", .type = FIELD_RATE, .flags = FIELD_LITERAL, .help = "Packets by time"},
    FIELD_END,
};

const struct field service_network_fields[] = {
    {.name = "name", .type = FIELD_NAME, .flags = FIELD_REQUIRED | FIELD_LITERAL, .help = "Its name, unique in the service"},
    {.name = "flavour", .type = FIELD_NAME, .flags = FIELD_LITERAL, .help = "One of the domain's flavours; by default one that fits"},
    {.name = "slice-type", .type = FIELD_CHOICE, .flags = FIELD_LITERAL, .choices = slice_types, .help = "The kind of slice"},
    {.name = "latency", .type = FIELD_LATENCY, .flags = FIELD_LITERAL, .help = "The most that is bearable"},
    {.name = "downlink", .type = FIELD_BITRATE, .flags = FIELD_LITERAL, .help = "The least towards the users"},
    {.name = "uplink", .type = FIELD_BITRATE, .flags = FIELD_LITERAL, .help = "The least from the users"},
    {.name = "reliability", .type = FIELD_PERCENT, .flags = FIELD_LITERAL, .max = 100, .help = "Packets that arrive"},
    {.name = "traffic-profile",
        .type = FIELD_OBJECT,
        .flags = FIELD_LITERAL,
        .fields = service_traffic_fields,
        .help = "What the traffic is like"},
    FIELD_END,
};

const struct field service_user_fields[] = {
    {.name = "name", .type = FIELD_NAME, .flags = FIELD_REQUIRED | FIELD_LITERAL, .help = "Its name, unique in the service"},
    {.name = "count",
        .type = FIELD_INTEGER,
        .flags = FIELD_LITERAL,
        .fallback = "1",
        .min = 1,
        .max = 1000000,
        .help = "How many end users, or devices, there are"},
    FIELD_END,
};

const struct field service_placement_fields[] = {
    {.name = "near", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .help = "What it should be close to, like mec"},
    {.name = "domains", .type = FIELD_NAME_LIST, .flags = FIELD_LITERAL, .help = "Where it may run; by default anywhere"},
    {.name = "spread", .type = FIELD_CHOICE, .flags = FIELD_LITERAL, .choices = spreads, .help = "What two instances should not share"},
    FIELD_END,
};

const struct field service_goal_fields[] = {
    {.name = "kpi",
        .type = FIELD_NAME,
        .flags = FIELD_REQUIRED | FIELD_LITERAL,
        .help = "What is measured: `latency`, `errors`, `throughput`, or a KPI of the service's own"},
    {.name = "quantile",
        .type = FIELD_PERCENT,
        .flags = FIELD_LITERAL,
        .max = 100,
        .help = "Of a latency: the part of the requests that it holds for, like 95%"},
    {.name = "below",
        .type = FIELD_TEXT,
        .flags = FIELD_LITERAL | FIELD_RAW,
        .help = "It must be below this: of a latency in milliseconds (`40ms`), of errors in percent (`0.1%`), of a throughput in bits per "
                "second (`80Mbps`), else a number"},
    {.name = "above", .type = FIELD_TEXT, .flags = FIELD_LITERAL | FIELD_RAW, .help = "It must be above this; as `below`"},
    FIELD_END,
};

const struct field service_fields[] = {
    {.name = "service", .type = FIELD_NAME, .flags = FIELD_REQUIRED | FIELD_LITERAL, .help = "Its name"},
    {.name = "version",
        .type = FIELD_TEXT,
        .flags = FIELD_REQUIRED | FIELD_LITERAL,
        .help = "Its version: letters, digits and `._+-`, at most 64"},
    {.name = "kind", .type = FIELD_CHOICE, .flags = FIELD_LITERAL, .fallback = "microservice", .choices = kinds, .help = "What it is"},
    {.name = "components",
        .type = FIELD_ANY,
        .flags = FIELD_REQUIRED | FIELD_RAW,
        .help = "A list; each is `compute`, `network` or `user`, and becomes one item of an order"},
    {.name = "placement", .type = FIELD_OBJECT, .flags = FIELD_LITERAL, .fields = service_placement_fields, .help = "Where it may run"},
    {.name = "sla", .type = FIELD_ANY, .flags = FIELD_RAW, .help = "A list of what is promised to its users"},
    FIELD_END,
};

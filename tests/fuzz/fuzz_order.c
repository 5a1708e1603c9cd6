/* fuzz_order.c: three lines: an order, a service specification "s", a service "1.1". A refusal has a message; what is accepted becomes a
   plan that the engine reads, and documents that say so. */
#include "base/json.h"
#include "base/mem.h"
#include "orchestrator/fulfil/check.h"
#include "orchestrator/fulfil/decompose.h"
#include "orchestrator/fulfil/observe.h"
#include "orchestrator/fulfil/project.h"

#include <stdlib.h>
#include <string.h>

static const char domains_text[] =
    "{\"edge\":{\"domain\":\"edge\",\"site\":{\"driver\":\"process\",\"flavours\":{\"small\":{\"cpu\":500,\"memory\":268435456},"
    "\"embb\":{\"slice-type\":\"eMBB\",\"latency\":20.0,\"downlink\":100000000}},\"capacity\":{\"cpu\":4000,\"instances\":6,\"users\":10}}}"
    "}";

static json_t *parse(const char *bytes, size_t size)
{
    json_t *json = NULL;
    struct error err = {0};
    return json_parse(bytes, size, "input", &json, &err) ? json_object() : json;
}

static json_t *next_line(const char **bytes, size_t *size)
{
    const char *end = *size ? memchr(*bytes, '\n', *size) : NULL;
    size_t used = end ? (size_t)(end - *bytes) : *size;
    json_t *json = parse(*bytes, used);
    *bytes += used + (end != NULL);
    *size -= used + (end != NULL);
    return json;
}

/* Each item has at least one service, but for what nothing can start. */
static size_t services_at_least(const json_t *checked)
{
    const json_t *items = json_object_get(checked, "items");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(items); i++)
        count += !json_object_get(json_array_get(items, i), "impossible");
    return count;
}

static void project(const json_t *checked, const struct plan *plan)
{
    struct run_state *state = run_state_new(plan);
    AUTO(free_json) json_t *accepted = json_object();
    json_object_set(accepted, "order", (json_t *)checked);
    const struct run_view view = {.run = 17, .plan = plan, .state = state, .accepted = accepted, .now_ms = 1};
    AUTO(free_json) json_t *order = project_order(&view);
    AUTO(free_json) json_t *services = project_services(&view);
    if (strcmp(json_text(order, "state", ""), "acknowledged") != 0) abort();
    if (json_array_size(services) < services_at_least(checked)) abort();
    run_state_free(&state);
}

static void follow(const json_t *checked)
{
    static const struct fulfil_places places = {"/keepers", "/artifacts"};
    AUTO(free_json) json_t *json = order_decompose(checked, &places);
    AUTO(plan_free) struct plan *plan = NULL;
    struct error err = {0};
    if (plan_from_json(json, &plan, &err)) abort();
    project(checked, plan);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    const char *at = (const char *)bytes;
    AUTO(free_json) json_t *order = next_line(&at, &size);
    AUTO(free_json) json_t *specifications = json_object();
    AUTO(free_json) json_t *services = json_object();
    AUTO(free_json) json_t *orders = json_object();
    AUTO(free_json) json_t *domains = parse(domains_text, sizeof domains_text - 1);
    AUTO(free_json) json_t *checked = NULL;
    json_object_set_new(specifications, "s", next_line(&at, &size));
    json_object_set_new(services, "1.1", next_line(&at, &size));
    const struct order_world world = {domains, specifications, services, orders, 1700000000000};
    struct error err = {0};
    int failed = order_check(order, "ada", &world, &checked, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    if (!failed) follow(checked);
    return 0;
}

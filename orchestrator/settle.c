/* settle.c: POST /settle/v1/orders/{order}: what a person says of an order that is held, as of a run (engine/server/routes_resolve.c): an
   order is a run of the core's own engine, which the pipelines' server does not know. */
#include "orchestrator/settle.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/core_private.h"
#include "orchestrator/fulfil/decompose.h"
#include "orchestrator/fulfil/project.h"

#include <stdlib.h>

struct settling {
    struct core *core;
    struct request *request;
    char *order;
};

/* The hints of a run speak of runs and steps. */
static void refuse(const struct settling *settling, const struct error *err)
{
    struct error refusal = *err;
    if (text_starts(refusal.hint, "name the step")) error_hint(&refusal, "name the item");
    if (text_starts(refusal.hint, "`crescendo explain"))
        error_hint(&refusal, "`crescendo order show %s` says how it stands", settling->order);
    respond_error(settling->request, &refusal);
}

static void on_settled(void *context, const struct error *err)
{
    struct settling *settling = context;
    struct error unread = {0};
    AUTO(free_json) json_t *order = NULL;
    if (err)
        refuse(settling, err);
    else if (tmf_read(engine_journal(settling->core->engine), ORDER_COLLECTION, settling->order, &order, &unread))
        respond_error(settling->request, &unread);
    else
        respond_json(settling->request, 200, take(&order));
    free(settling->order);
    free(settling);
}

/* The stage of an item; "-" where none is named: the only step that there is to settle. New; NULL: there is no such item. */
static char *stage_of(const json_t *order, const char *item)
{
    size_t index;
    json_t *one;
    if (!item) return mem_copy_text("-");
    json_array_foreach(json_object_get(order, "serviceOrderItem"), index, one)
    {
        if (text_equal(json_text(one, "id", NULL), item)) return order_stage_path(index);
    }
    return NULL;
}

static int find_stage(const struct core *core, const char *id, const char *item, char **ret, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    int failed = tmf_read(engine_journal(core->engine), ORDER_COLLECTION, id, &order, err);
    if (failed) return failed;
    *ret = stage_of(order, item);
    return *ret ? 0 : error_set(err, ERROR_NOT_FOUND, NOWHERE, "order %s has no item %.60s", id, item);
}

/* Everybody who may cancel the order may. */
static void handle_settle(struct request *request, void *context)
{
    struct core *core = context;
    struct error err = {0};
    AUTO(free_text) char *stage = NULL;
    const json_t *body = request_body(request);
    const char *id = request_part(request, "order"), *user = request_user(request);
    const struct resolution resolution = {.as = (enum resolved)resolved_from_name(json_text(body, "as", "")),
        .by = user ? user : "anonymous",
        .effect = json_text(body, "effect", NULL),
        .id = json_text(body, "id", NULL),
        .comment = json_text(body, "comment", NULL)};
    if (find_stage(core, id, json_text(body, "item", NULL), &stage, &err)) return respond_error(request, &err);
    struct settling *settling = mem_alloc(sizeof *settling);
    *settling = (struct settling){core, request, mem_copy_text(id)};
    engine_resolve(core->engine, strtoull(id, NULL, 10), stage, &resolution, on_settled, settling);
}

static const char *const ways[] = {"done", "not_done", "undone", NULL};
static const struct field settle_fields[] = {
    {.name = "as",
        .type = FIELD_CHOICE,
        .flags = FIELD_REQUIRED,
        .choices = ways,
        .help = "done: the effect happened, to `id`; not_done: it did not, and may be sent again; undone: what could not be undone was "
                "undone by hand"},
    {.name = "id", .type = FIELD_TEXT, .help = "Of done: the service's id"},
    {.name = "item", .type = FIELD_TEXT, .help = "Where several items of the order are held: which, by its id"},
    {.name = "effect", .type = FIELD_TEXT, .help = "Where several effects of the item are unknown: which"},
    {.name = "comment", .type = FIELD_TEXT, .help = "Why; stands in the record"},
    FIELD_END,
};

static const struct route routes[] = {
    {"POST", "/settle/v1/orders/{order}", handle_settle, "Settles what the core cannot tell of an order that is held", settle_fields},
    ROUTE_END,
};

struct http_mount settle_mount(struct core *core)
{
    return (struct http_mount){.routes = routes, .context = core};
}

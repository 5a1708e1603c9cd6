/* cancel641.c: TMF641 cancelServiceOrder: a task that asks an order's run to end and to undo what it did. It is denied when the order is at
   rest, or has done what nothing undoes. */
#include "orchestrator/tmf/ordering.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/core_private.h"
#include "orchestrator/fulfil/project.h"

#include <stdlib.h>

static const struct tmf_field reference_fields[] = {
    {.name = "id", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "href", .type = TMF_TEXT},
    TMF_END,
};

static const struct tmf_field cancel_fields[] = {
    {.name = "cancellationReason", .type = TMF_TEXT},
    {.name = "requestedCancellationDate", .type = TMF_TIME},
    {.name = "serviceOrder", .type = TMF_OBJECT, .flags = TMF_REQUIRED, .fields = reference_fields},
    {.name = "state", .type = TMF_TEXT, .flags = TMF_SERVER},
    {.name = "completionMessage", .type = TMF_TEXT, .flags = TMF_SERVER},
    {.name = "effectiveCancellationDate", .type = TMF_TIME, .flags = TMF_SERVER},
    {.name = "errorMessage", .type = TMF_OBJECT, .flags = TMF_SERVER},
    TMF_END,
};

struct cancelling {
    struct tmf_call *call;
    json_t *task;
};

static void on_cancelled(void *context, const struct error *err)
{
    struct cancelling *cancelling = context;
    if (err)
        tmf_refuse(cancelling->call, err);
    else
        tmf_answer(cancelling->call, 201, json_incref(cancelling->task));
    json_decref(cancelling->task);
    free(cancelling);
}

/* Why the order cannot be cancelled; NULL: it can. Caller frees. */
static char *denial(const struct core *core, const json_t *order)
{
    const char *id = json_text(order, "id", ""), *state = json_text(order, "state", "");
    if (order_state_is_final(state)) return mem_format("order %s is at rest: it is %s", id, state);
    const struct run_state *run = engine_run_state(core->engine, strtoull(id, NULL, 10));
    const char *why = run ? order_cancel_denial(run) : NULL;
    return why ? mem_format("order %s %s", id, why) : NULL;
}

static void deny(struct tmf_change *change, const char *why)
{
    json_put_text(change->document, "state", "terminatedWithError");
    json_put_text(change->document, "completionMessage", why);
    json_put(change->document, "errorMessage", json_pack("{s:s, s:s, s:s}", "code", "denied", "reason", "denied", "message", why));
}

/* The task and the order's reason come before the cancel itself: after a crash in between the task is taken up (orders.c). */
static void write_task(struct tmf_change *change, json_t *order)
{
    struct document_list list = {0};
    const char *reason = json_text(change->document, "cancellationReason", NULL);
    tmf_put_identity(&cancel_service_order_resource, change->document, change->id);
    document_list_add(&list, CANCEL_COLLECTION, change->id, NULL, change->document);
    if (reason) {
        json_put_text(order, "cancellationReason", reason);
        document_list_add(&list, ORDER_COLLECTION, json_text(order, "id", ""), NULL, order);
    }
    journal_append(tmf_journal(change->call), &(struct journal_batch){.documents = list.items, .document_count = list.count}, NULL, NULL);
    document_list_release(&list);
}

static enum tmf_verdict on_create(struct tmf_change *change, struct error *err)
{
    struct core *core = tmf_context(change->call);
    const char *id = json_text(json_object_get(change->document, "serviceOrder"), "id", "");
    AUTO(free_json) json_t *order = NULL;
    if (tmf_read(tmf_journal(change->call), ORDER_COLLECTION, id, &order, err)) return TMF_REFUSED;
    AUTO(free_text) char *href = tmf_href(&service_order_resource, id);
    AUTO(free_text) char *why = denial(core, order);
    json_put_text(json_object_get(change->document, "serviceOrder"), "href", href);
    if (why) {
        deny(change, why);
        return TMF_GO_ON;
    }
    json_put_text(change->document, "state", "accepted");
    write_task(change, order);
    orders_keep_cancel(core->orders, id, change->document);
    struct cancelling *cancelling = mem_alloc(sizeof *cancelling);
    *cancelling = (struct cancelling){change->call, json_incref(change->document)};
    const char *user = request_user(tmf_request(change->call));
    engine_cancel(core->engine, strtoull(id, NULL, 10), user ? user : "anonymous", json_text(change->document, "cancellationReason", NULL),
        on_cancelled, cancelling);
    return TMF_TAKEN;
}

const struct tmf_resource cancel_service_order_resource = {
    .base = ORDER_BASE,
    .name = CANCEL_COLLECTION,
    .type = "CancelServiceOrder",
    .verbs = TMF_READ | TMF_CREATE,
    .fields = cancel_fields,
    .on_create = on_create,
};

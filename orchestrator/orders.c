/* orders.c: the projection of orders, and what it remembers. */
#include "orchestrator/orders.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/fulfil/check.h"
#include "orchestrator/fulfil/project.h"
#include "orchestrator/tmf/resource.h"

#include <stdlib.h>

struct orders {
    json_t *services, *open;
    json_t *ahead;   /* ids of open orders that are to begin later: nobody is at work on what they name */
    json_t *cancels; /* order's id → the task's document */
    json_t *touched; /* domain → family → what `rested` was when the last order that changed it came to rest */
    uint64_t rested;
};

struct orders *orders_new(void)
{
    struct orders *orders = mem_alloc(sizeof *orders);
    *orders = (struct orders){json_object(), json_object(), json_object(), json_object(), json_object(), 0};
    return orders;
}

void orders_free(struct orders **place)
{
    struct orders *orders = take(place);
    if (!orders) return;
    json_decref(orders->services);
    json_decref(orders->open);
    json_decref(orders->ahead);
    json_decref(orders->cancels);
    json_decref(orders->touched);
    free(orders);
}

const json_t *orders_services(const struct orders *orders)
{
    return orders->services;
}

const json_t *orders_open(const struct orders *orders)
{
    return orders->open;
}

uint64_t orders_rested(const struct orders *orders)
{
    return orders->rested;
}

static bool is_open(const struct orders *orders, const char *domain, const char *family)
{
    const char *id;
    json_t *order, *item;
    size_t index;
    json_object_foreach(orders->open, id, order)
    {
        if (json_object_get(orders->ahead, id)) continue;
        json_array_foreach(json_object_get(order, "items"), index, item)
        {
            if (text_equal(json_text(item, "domain", NULL), domain) && text_equal(json_text(item, "family", NULL), family)) return true;
        }
    }
    return false;
}

bool orders_touched(const struct orders *orders, uint64_t since, const char *domain, const char *family)
{
    if (!domain || !family) return false;
    const json_t *last = json_object_get(json_object_get(orders->touched, domain), family);
    return (last && (uint64_t)json_integer_value(last) >= since) || is_open(orders, domain, family);
}

static void keep_touched(struct orders *orders, const json_t *checked)
{
    json_t *item;
    size_t index;
    json_array_foreach(json_object_get(checked, "items"), index, item)
    {
        const char *domain = json_text(item, "domain", NULL), *family = json_text(item, "family", NULL);
        if (!domain || !family) continue;
        if (!json_object_get(orders->touched, domain)) json_object_set_new(orders->touched, domain, json_object());
        json_object_set_new(json_object_get(orders->touched, domain), family, json_integer((json_int_t)orders->rested));
    }
    orders->rested++;
}

void orders_keep_service(struct orders *orders, const json_t *service)
{
    const char *id = json_text(service, "id", "");
    if (text_equal(json_text(service, "state", NULL), "terminated"))
        json_object_del(orders->services, id);
    else
        json_object_set(orders->services, id, (json_t *)service);
}

void orders_keep_cancel(struct orders *orders, const char *order, const json_t *task)
{
    json_object_set(orders->cancels, order, (json_t *)task);
}

/* --- the projection -------------------------------------------------------------------------------------------------------- */

/* What people said meanwhile by a patch, or a cancel, stays. */
static void keep_said(struct journal *journal, const char *collection, json_t *document, const char *const *members)
{
    AUTO(free_json) json_t *stored = NULL;
    struct error err;
    if (tmf_read(journal, collection, json_text(document, "id", ""), &stored, &err)) return;
    for (; *members; members++) {
        json_t *said = json_object_get(stored, *members);
        if (said)
            json_object_set(document, *members, said);
        else
            json_object_del(document, *members);
    }
}

static void project_the_order(const struct run_view *run, const char *id, struct document_list *list)
{
    static const char *const said[] = {"description", "note", "priority", "category", "requestedCompletionDate", "expectedCompletionDate",
        "notificationContact", "externalReference", "cancellationReason", NULL};
    AUTO(free_json) json_t *order = project_order(run);
    keep_said(run->journal, ORDER_COLLECTION, order, said);
    document_list_add(list, ORDER_COLLECTION, id, json_text(json_object_get(run->accepted, "order"), "key", NULL), order);
}

/* Once, with the order's acceptance: the same order again is known by it. */
static void project_the_digest(const json_t *checked, const char *id, struct document_list *list)
{
    AUTO(free_json) json_t *body = json_object();
    json_put_text(body, "digest", json_text(checked, "digest", NULL));
    document_list_add(list, ORDER_DIGESTS, id, NULL, body);
}

static void project_the_services(struct orders *orders, const struct run_view *run, struct document_list *list)
{
    static const char *const said[] = {"name", "description", "note", NULL};
    AUTO(free_json) json_t *services = project_services(run);
    json_t *service;
    size_t index;
    json_array_foreach(services, index, service)
    {
        keep_said(run->journal, SERVICE_COLLECTION, service, said);
        document_list_add(list, SERVICE_COLLECTION, json_text(service, "id", ""), NULL, service);
        orders_keep_service(orders, service);
    }
}

/* A cancel is done when its order is cancelled; where the order ended otherwise, it came too late. */
static void end_cancel(json_t *task, const char *state, int64_t now_ms)
{
    bool done = text_equal(state, "cancelled");
    json_put_text(task, "state", done ? "done" : "terminatedWithError");
    tmf_put_time(task, "effectiveCancellationDate", now_ms);
    if (done) return;
    bool held = text_equal(state, "held");
    AUTO(free_text)
    char *message = held ? mem_copy_text("what the order did could not be undone, and it is held: cancel it again when it may work now")
                         : mem_format("the order ended before it could be cancelled: it is %s", state);
    json_put_text(task, "completionMessage", message);
}

/* Accepted until the order's run has heard of it, then in progress until that is at rest, or gives up. */
static void project_the_cancel(struct orders *orders, const struct run_view *run, const char *id, struct document_list *list)
{
    AUTO(free_json) json_t *task = json_deep_copy(json_object_get(orders->cancels, id));
    bool ends = run_status_at_rest(run->state->status) || run->state->status == RUN_rollback_failed;
    bool is_new = text_equal(json_text(task, "state", NULL), "accepted");
    if (!task || (!ends && (!is_new || !run->state->cancelled_by))) return;
    if (ends)
        end_cancel(task, order_state(run->state), run->now_ms);
    else
        json_put_text(task, "state", "inProgress");
    document_list_add(list, CANCEL_COLLECTION, json_text(task, "id", ""), NULL, task);
    if (ends)
        json_object_del(orders->cancels, id);
    else
        json_object_set(orders->cancels, id, task);
}

void orders_project(void *context, const struct run_view *run, struct document_list *list)
{
    struct orders *orders = context;
    json_t *checked = json_object_get(run->accepted, "order");
    AUTO(free_text) char *id = mem_format("%llu", (unsigned long long)run->run);
    if (!checked) return;
    if (!json_object_get(orders->open, id)) project_the_digest(checked, id, list);
    project_the_order(run, id, list);
    project_the_services(orders, run, list);
    project_the_cancel(orders, run, id, list);
    if (order_is_ahead(run->state))
        json_put_flag(orders->ahead, id, true);
    else
        json_object_del(orders->ahead, id);
    if (!run_status_at_rest(run->state->status)) {
        json_object_set(orders->open, id, checked);
        return;
    }
    json_object_del(orders->open, id);
    keep_touched(orders, checked);
}

/* --- after a restart ----------------------------------------------------------------------------------------------------------- */

static int load_service(void *context, const json_t *service)
{
    struct orders *orders = context;
    const char *id = json_text(service, "id", "");
    if (!json_object_get(orders->services, id)) orders_keep_service(orders, service); /* else the projection was here */
    return 0;
}

struct loading {
    struct orders *orders;
    struct engine *engine;
};

static void on_cancelled(void *context, const struct error *err)
{
    (void)context, (void)err; /* it is cancelling, or was at rest: both is what the task wants to know later */
}

/* The core may have died between a cancel's task and the cancel itself, or between the order's end and the task's. */
static int load_cancel(void *context, const json_t *task)
{
    const struct loading *loading = context;
    struct journal *journal = engine_journal(loading->engine);
    const char *order = json_text(json_object_get(task, "serviceOrder"), "id", "");
    AUTO(free_json) json_t *stored = NULL;
    struct error err;
    const char *state = json_text(task, "state", NULL);
    if (!text_equal(state, "accepted") && !text_equal(state, "inProgress")) return 0;
    orders_keep_cancel(loading->orders, order, task);
    const struct run_state *run = engine_run_state(loading->engine, strtoull(order, NULL, 10));
    if (json_object_get(loading->orders->open, order)) {
        if (run && run->cancelled_by && run->status != RUN_rollback_failed) return 0;
        engine_cancel(loading->engine, strtoull(order, NULL, 10), "cancelServiceOrder", NULL, on_cancelled, NULL);
    } else if (tmf_read(journal, ORDER_COLLECTION, order, &stored, &err) == 0) {
        struct document_list list = {0};
        AUTO(free_json) json_t *ended = json_deep_copy(task);
        end_cancel(ended, json_text(stored, "state", ""), clock_now_ms());
        document_list_add(&list, CANCEL_COLLECTION, json_text(task, "id", ""), NULL, ended);
        journal_append(journal, &(struct journal_batch){.documents = list.items, .document_count = list.count}, NULL, NULL);
        document_list_release(&list);
        json_object_del(loading->orders->cancels, order);
    }
    return 0;
}

int orders_load(struct orders *orders, struct engine *engine, struct error *err)
{
    struct loading loading = {orders, engine};
    struct journal *journal = engine_journal(engine);
    int failed = tmf_list_documents(journal, SERVICE_COLLECTION, NULL, load_service, orders, err);
    if (!failed) failed = tmf_list_documents(journal, CANCEL_COLLECTION, "\"state\":\"accepted\"", load_cancel, &loading, err);
    if (!failed) failed = tmf_list_documents(journal, CANCEL_COLLECTION, "\"state\":\"inProgress\"", load_cancel, &loading, err);
    return failed;
}

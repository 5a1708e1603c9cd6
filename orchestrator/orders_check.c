/* orders_check.c: documents computed from events against documents in the journal. */
#include "orchestrator/orders_check.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tmf/characteristic.h"
#include "orchestrator/fulfil/project.h"
#include "orchestrator/orders.h"
#include "orchestrator/tmf/resource.h"

/* What a document has that no event says. */
static const char *const said_of_orders[] = {"description", "note", "priority", "category", "requestedCompletionDate",
    "expectedCompletionDate", "notificationContact", "externalReference", "cancellationReason", NULL};
static const char *const said_of_services[] = {"name", "description", "note", NULL};
static const char *const observed[] = {"ready", "traffic.share", "traffic.lease", "traffic.lost", NULL};

struct order_look {
    const struct run_view *run;
    journal_complaint *complain;
    void *context;
};

static void complain_of(const struct order_look *at, const char *collection, const char *id, const char *what)
{
    AUTO(free_text) char *line = mem_format("%s %s: %s", collection, id, what);
    at->complain(at->context, "documents", line);
}

/* The first member that differs. */
static void compare(const struct order_look *at, const char *collection, const char *id, const json_t *stored, const json_t *computed)
{
    const char *name = "";
    json_t *value;
    if (json_equal(stored, computed)) return;
    json_object_foreach((json_t *)computed, name, value)
    {
        if (!json_equal(json_object_get(stored, name), value)) break;
    }
    AUTO(free_text) char *what = mem_format("%s is not what the events say", name && *name ? name : "it has a member that");
    complain_of(at, collection, id, what);
}

static void forget(json_t *document, const char *const *members)
{
    for (; *members; members++)
        json_object_del(document, *members);
}

static void forget_observed(json_t *service)
{
    json_t *list = json_object_get(service, "serviceCharacteristic");
    for (const char *const *name = observed; list && *name; name++)
        characteristic_set(list, *name, NULL);
}

/* NULL: there is none, and that was said. What an order at rest left behind, a person may have removed, which leaves no event. */
static json_t *read_stored(const struct order_look *at, const char *collection, const char *id)
{
    json_t *stored = NULL;
    struct error err;
    if (tmf_read(at->run->journal, collection, id, &stored, &err) == 0) return stored;
    if (err.code != ERROR_NOT_FOUND)
        complain_of(at, collection, id, err.message);
    else if (!run_status_at_rest(at->run->state->status))
        complain_of(at, collection, id, "it is missing");
    return NULL;
}

static void check_order(const struct order_look *at, const char *id)
{
    AUTO(free_json) json_t *computed = project_order(at->run);
    AUTO(free_json) json_t *stored = read_stored(at, ORDER_COLLECTION, id);
    if (!stored) return;
    forget(stored, said_of_orders);
    forget(computed, said_of_orders);
    compare(at, ORDER_COLLECTION, id, stored, computed);
}

/* The order that a service's document names last. */
static const char *last_order(const json_t *service)
{
    const json_t *list = json_object_get(service, "serviceOrderItem");
    return json_text(json_array_get(list, json_array_size(list) - 1), "serviceOrderId", NULL);
}

static void check_service(const struct order_look *at, json_t *computed, const char *order)
{
    const char *id = json_text(computed, "id", "");
    if (!text_equal(last_order(computed), order)) return; /* the other one of a family, which this order only gave or took requests */
    AUTO(free_json) json_t *stored = read_stored(at, SERVICE_COLLECTION, id);
    if (!stored || !text_equal(last_order(stored), order)) return;
    forget(stored, said_of_services);
    forget(computed, said_of_services);
    forget_observed(stored);
    forget_observed(computed);
    compare(at, SERVICE_COLLECTION, id, stored, computed);
}

static void check_digest(const struct order_look *at, const json_t *checked, const char *id)
{
    AUTO(free_json) json_t *stored = read_stored(at, ORDER_DIGESTS, id);
    if (stored && !text_equal(json_text(stored, "digest", NULL), json_text(checked, "digest", NULL)))
        complain_of(at, ORDER_DIGESTS, id, "digest is not what the events say");
}

void orders_check(const struct run_view *run, journal_complaint *complain, void *context)
{
    struct order_look at = {run, complain, context};
    const json_t *checked = json_object_get(run->accepted, "order");
    if (!checked) return;
    AUTO(free_text) char *id = mem_format("%llu", (unsigned long long)run->run);
    AUTO(free_json) json_t *services = project_services(run);
    json_t *service;
    size_t index;
    check_digest(&at, checked, id);
    check_order(&at, id);
    json_array_foreach(services, index, service) check_service(&at, service, id);
}

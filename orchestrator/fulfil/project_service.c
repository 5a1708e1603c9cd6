/* project_service.c: the documents of the services that an order makes, changes and ends. */
#include "orchestrator/fulfil/project.h"

#include "base/moment.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tmf/characteristic.h"

enum { ORDER_ITEMS_KEPT = 50 };

struct projecting {
    const struct run_view *view;
    const struct run_state *state;
    const json_t *checked, *item;
    uint32_t stage;
    json_t *services; /* what is made */
};

static void put_time(json_t *object, const char *name, int64_t ms)
{
    char text[MOMENT_TEXT_SIZE];
    if (ms > 0) json_put_text(object, name, moment_format(ms, text));
}

static const struct step_state *first_step(const struct projecting *at)
{
    return &at->state->steps[at->view->plan->stages[at->stage].first_step];
}

static const struct step_state *last_step(const struct projecting *at)
{
    const struct plan_stage *stage = &at->view->plan->stages[at->stage];
    return &at->state->steps[stage->first_step + stage->step_count - 1];
}

static json_t *characteristics(json_t *service)
{
    json_t *list = json_object_get(service, "serviceCharacteristic");
    if (!list) json_put(service, "serviceCharacteristic", list = json_array());
    return list;
}

/* What it had a part of, others have now; its address may be theirs. */
static void terminate(json_t *service, int64_t ms)
{
    bool is_compute = text_equal(json_text(service, "category", NULL), "compute");
    json_put_text(service, "state", "terminated");
    put_time(service, "endDate", ms);
    if (!is_compute) return;
    static const char *const ended[] = {"traffic.share", "traffic.lease", "address"};
    for (size_t i = 0; i < COUNT_OF(ended); i++)
        characteristic_set(characteristics(service), ended[i], NULL);
    json_object_del(service, "supportingResource");
    characteristic_set(characteristics(service), "ready", json_integer(0));
}

/* Which items of which orders made it what it is: the first and the latest ones. */
static void put_order_item(const struct projecting *at, json_t *service)
{
    json_t *list = json_object_get(service, "serviceOrderItem"), *entry = json_object();
    AUTO(free_text) char *order = mem_format("%llu", (unsigned long long)at->view->run);
    AUTO(free_text) char *href = mem_format(ORDER_BASE "/serviceOrder/%s", order);
    if (!list) json_put(service, "serviceOrderItem", list = json_array());
    if (json_array_size(list) >= ORDER_ITEMS_KEPT) json_array_remove(list, 1);
    json_put_text(entry, "serviceOrderId", order);
    json_put_text(entry, "serviceOrderHref", href);
    json_put_text(entry, "itemId", json_text(at->item, "id", ""));
    json_put_text(entry, "itemAction", json_text(at->item, "action", NULL));
    json_put_text(entry, "@referredType", "ServiceOrderItem");
    json_array_append_new(list, entry);
}

/* --- add ------------------------------------------------------------------------------------------------------------------------- */

static void put_identity(const struct projecting *at, json_t *service)
{
    const json_t *specification = json_object_get(at->item, "specification"), *order = json_object_get(at->checked, "order");
    const char *domain = json_text(at->item, "domain", ""), *requester = json_text(at->checked, "requester", "unknown");
    AUTO(free_text) char *id = mem_format("%llu.%s", (unsigned long long)at->view->run, json_text(at->item, "id", ""));
    AUTO(free_text) char *href = mem_format(INVENTORY_BASE "/service/%s", id);
    AUTO(free_text)
    char *name = mem_format(
        "%s %s %s", json_text(specification, "name", ""), json_text(specification, "version", ""), json_text(at->item, "component", ""));
    json_t *parties = json_object_get(order, "relatedParty");
    json_put_text(service, "id", id);
    json_put_text(service, "href", href);
    json_put_text(service, "@type", "Service");
    json_put_text(service, "name", name);
    json_put_text(service, "category", json_text(at->item, "kind", NULL));
    json_put(service, "serviceSpecification", json_incref((json_t *)specification));
    json_put(service, "place", json_pack("[{s:s, s:s, s:s, s:s}]", "role", "domain", "id", domain, "name", domain, "@type", "Place"));
    json_put(service, "relatedParty",
        json_array_size(parties)
            ? json_incref(parties)
            : json_pack("[{s:s, s:s, s:s, s:s}]", "role", "requester", "id", requester, "name", requester, "@referredType", "Individual"));
}

/* A compute relies on the networks and users of its order. */
static void put_relations(const struct projecting *at, json_t *service)
{
    json_t *relations = json_array();
    const json_t *other;
    size_t index;
    json_array_foreach(json_object_get(at->checked, "items"), index, other)
    {
        if (!text_equal(json_text(other, "action", NULL), "add") || text_equal(json_text(other, "kind", NULL), "compute")) continue;
        if (!text_equal(json_text(other, "domain", NULL), json_text(at->item, "domain", NULL))) continue;
        AUTO(free_text) char *id = mem_format("%llu.%s", (unsigned long long)at->view->run, json_text(other, "id", ""));
        AUTO(free_text) char *href = mem_format(INVENTORY_BASE "/service/%s", id);
        json_array_append_new(
            relations, json_pack("{s:s, s:{s:s, s:s}}", "relationshipType", "reliesOn", "service", "id", id, "href", href));
    }
    json_put(service, "serviceRelationship", relations);
}

/* Before what is ours, which none of them has the name of. */
static void put_kept(const struct projecting *at, json_t *list)
{
    const json_t *kept = json_object_get(at->item, "kept");
    for (size_t i = 0; i < json_array_size(kept); i++)
        characteristic_put(list, json_array_get(kept, i));
}

static void put_values(const struct projecting *at, json_t *service)
{
    json_t *list = characteristics(service), *value;
    const char *name;
    put_kept(at, list);
    const char *flavour = json_text(at->item, "flavour", NULL);
    characteristic_set(list, "component", json_string(json_text(at->item, "component", "")));
    characteristic_set(list, "version", json_string(json_text(json_object_get(at->item, "specification"), "version", "")));
    if (flavour) characteristic_set(list, "flavour", json_string(flavour));
    json_object_foreach(json_object_get(at->item, "limits"), name, value)
    {
        characteristic_set(list, name, json_incref(value));
    }
}

static void put_traffic(const struct projecting *at, json_t *service, bool active)
{
    const json_t *asked = json_object_get(at->item, "asked"), *outputs = first_step(at)->outputs;
    const char *address = json_text(outputs, "address", NULL);
    json_t *list = characteristics(service), *ready = json_object_get(outputs, "ready");
    characteristic_set(list, "family", json_string(json_text(at->item, "family", "")));
    characteristic_set(list, "replicas", json_integer(json_whole(asked, "replicas", 1)));
    characteristic_set(list, "ready", active && ready ? json_incref(ready) : json_integer(0));
    characteristic_set(list, "traffic.share", json_real(active ? json_number_value(json_object_get(asked, "share")) : 0));
    if (active && json_object_get(asked, "lease")) characteristic_set(list, "traffic.lease", json_incref(json_object_get(asked, "lease")));
    if (!address || !*address) return;
    characteristic_set(list, "address", json_string(address));
    json_put(service, "supportingResource",
        json_pack("[{s:s, s:s, s:s, s:s}]", "id", address, "name", address, "@type", "ResourceRef", "@referredType", "Endpoint"));
}

static bool is_added(const struct projecting *at)
{
    return item_is_done(at->state, at->stage);
}

/* What was done before an item that nothing undoes stays, though the order failed. */
static bool is_taken_back(const struct projecting *at)
{
    bool is_compute = text_equal(json_text(at->item, "kind", NULL), "compute");
    if (!order_is_undone(at->state)) return stage_status(at->state, at->stage) == STEP_compensated;
    return is_compute ? !stage_effect_is_done(at->state, at->stage, "start") : !is_added(at);
}

static json_t *added_service(const struct projecting *at)
{
    bool is_compute = text_equal(json_text(at->item, "kind", NULL), "compute"), active = is_added(at);
    json_t *service = json_object();
    put_identity(at, service);
    put_values(at, service);
    if (is_compute) put_traffic(at, service, active);
    if (is_compute) put_relations(at, service);
    put_order_item(at, service);
    json_put_text(service, "state", active ? "active" : "reserved");
    json_put_flag(service, "hasStarted", active);
    if (active) put_time(service, "startDate", last_step(at)->ended_ms);
    if (is_taken_back(at)) terminate(service, at->state->ended_ms ? at->state->ended_ms : last_step(at)->since_ms);
    return service;
}

/* --- modify, delete --------------------------------------------------------------------------------------------------------------- */

static json_t *modified_service(const struct projecting *at)
{
    const json_t *asked = json_object_get(at->item, "asked");
    json_t *service = json_deep_copy(json_object_get(at->item, "before")), *list = characteristics(service);
    json_t *ready = json_object_get(first_step(at)->outputs, "ready");
    put_order_item(at, service);
    if (is_added(at)) put_kept(at, list);
    if (stage_effect_is_done(at->state, at->stage, "replicas"))
        characteristic_set(list, "replicas", json_incref(json_object_get(asked, "replicas")));
    if (ready && !order_is_undone(at->state)) characteristic_set(list, "ready", json_incref(ready));
    if (!stage_effect_is_done(at->state, at->stage, "share")) return service;
    characteristic_set(list, "traffic.share", json_incref(json_object_get(asked, "share")));
    characteristic_set(list, "traffic.lease", json_incref(json_object_get(asked, "lease")));
    characteristic_set(list, "traffic.lost", NULL);
    return service;
}

static bool is_ended(const struct projecting *at)
{
    return is_added(at) || stage_effect_is_done(at->state, at->stage, "stop");
}

static json_t *deleted_service(const struct projecting *at, const json_t *before)
{
    json_t *service = json_deep_copy(before);
    bool begun = first_step(at)->attempt > 0 && !order_is_undone(at->state);
    put_order_item(at, service);
    if (is_ended(at))
        terminate(service, first_step(at)->ended_ms ? first_step(at)->ended_ms : at->view->now_ms);
    else if (begun)
        json_put_text(service, "state", "inactive");
    return service;
}

/* --- the other one of the family --------------------------------------------------------------------------------------------------- */

static bool is_subject(const json_t *items, const char *id)
{
    const json_t *item;
    size_t index;
    json_array_foreach(items, index, item)
    {
        if (text_equal(json_text(json_object_get(item, "before"), "id", NULL), id)) return true;
    }
    return false;
}

/* It has what this one does not have; what it had, while this one has no part of the requests yet or any more. */
static void add_sibling(const struct projecting *at, const json_t *service)
{
    const json_t *sibling = json_object_get(at->item, "sibling");
    const char *id = json_text(sibling, "id", NULL), *action = json_text(at->item, "action", "");
    if (!id || first_step(at)->attempt == 0 || is_subject(json_object_get(at->checked, "items"), id)) return;
    bool is_gone = text_equal(json_text(service, "state", NULL), "terminated");
    bool takes_part = text_equal(action, "add") ? is_added(at) && !is_gone : true;
    double share = characteristic_number(json_object_get(service, "serviceCharacteristic"), "traffic.share", 0);
    json_t *copy = json_deep_copy(sibling);
    if (takes_part && !(text_equal(action, "delete") && !is_gone))
        characteristic_set(characteristics(copy), "traffic.share", json_real(100 - share));
    json_array_append_new(at->services, copy);
}

static void add_services(struct projecting *at)
{
    const char *action = json_text(at->item, "action", "");
    json_t *service = NULL;
    if (text_equal(action, "add"))
        service = added_service(at);
    else if (text_equal(action, "modify"))
        service = modified_service(at);
    else
        service = deleted_service(at, json_object_get(at->item, "before"));
    json_array_append_new(at->services, service);
    const json_t *released;
    size_t index;
    json_array_foreach(json_object_get(at->item, "released"), index, released)
    {
        json_array_append_new(at->services, deleted_service(at, released));
    }
    if (text_equal(json_text(at->item, "kind", NULL), "compute")) add_sibling(at, service);
}

json_t *project_services(const struct run_view *view)
{
    const json_t *checked = json_object_get(view->accepted, "order"), *items = json_object_get(checked, "items");
    struct projecting at = {.view = view, .state = view->state, .checked = checked, .services = json_array()};
    for (uint32_t stage = 0; stage < order_item_count(view->plan); stage++) {
        at.item = json_array_get(items, stage);
        at.stage = stage;
        if (!json_object_get(at.item, "impossible")) add_services(&at);
    }
    return at.services;
}

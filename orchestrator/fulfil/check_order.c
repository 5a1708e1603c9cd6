/* check_order.c: an order as a whole becomes a checked one. */
#include "orchestrator/fulfil/check_parts.h"

#include "base/moment.h"
#include "net/tmf/characteristic.h"
#include "orchestrator/fulfil/site.h"

#include <string.h>

enum { ID_BYTES_MAX = 40, ORDER_BYTES_MAX = 256 * 1024 };

const char *order_requester(const json_t *order, const char *fallback)
{
    const json_t *parties = json_object_get(order, "relatedParty");
    for (size_t i = 0; i < json_array_size(parties); i++) {
        const json_t *party = json_array_get(parties, i);
        const char *name = json_text(party, "id", json_text(party, "name", NULL));
        if (name && text_equal(json_text(party, "role", NULL), "requester")) return name;
    }
    return fallback;
}

const char *service_domain(const json_t *service)
{
    return name_by_role(json_object_get(service, "place"), "domain");
}

const char *service_family(const json_t *service)
{
    return characteristic_text(json_object_get(service, "serviceCharacteristic"), "family", NULL);
}

const char *service_kind(const json_t *service)
{
    return json_text(service, "category", "compute");
}

json_t *service_use(const json_t *service)
{
    const json_t *list = json_object_get(service, "serviceCharacteristic");
    json_t *use = json_object(), *single = json_object();
    bool is_compute = text_equal(service_kind(service), "compute");
    double replicas = is_compute ? characteristic_number(list, "replicas", 1) : 1;
    for (const struct measure *measure = site_measures; measure->name; measure++)
        json_put(single, measure->name, json_real(characteristic_number(list, measure->name, 0)));
    if (is_compute) json_put(single, "instances", json_real(1));
    measures_add(use, single, replicas);
    json_decref(single);
    return use;
}

json_t *family_members(const struct order_world *world, const char *domain, const char *family, const char *but)
{
    json_t *members = json_object(), *service;
    const char *id;
    json_object_foreach((json_t *)world->services, id, service)
    {
        if (text_equal(json_text(service, "state", NULL), "terminated") || text_equal(id, but)) continue;
        if (text_equal(service_domain(service), domain) && text_equal(service_family(service), family))
            json_object_set(members, id, service);
    }
    return members;
}

/* --- what is used already ------------------------------------------------------------------------------------------------ */

static void add_use(json_t *used, const char *domain, const json_t *use)
{
    json_t *sum = domain ? json_object_get(used, domain) : NULL;
    if (!domain) return;
    if (!sum) json_put(used, domain, sum = json_object());
    measures_add(sum, use, 1);
}

/* Services that an open order changes are counted by what the order makes of them, others by their documents. */
static json_t *use_of_world(const struct order_world *world)
{
    json_t *used = json_object(), *order, *service, *item;
    AUTO(free_json) json_t *changed = json_object();
    const char *id;
    size_t index;
    json_object_foreach((json_t *)world->orders, id, order)
    {
        json_array_foreach(json_object_get(order, "items"), index, item)
        {
            const char *before = json_text(json_object_get(item, "before"), "id", NULL);
            AUTO(free_text) char *added = mem_format("%s.%s", id, json_text(item, "id", ""));
            json_put_flag(changed, before ? before : added, true);
            add_use(used, json_text(item, "domain", NULL), json_object_get(item, "use"));
        }
    }
    json_object_foreach((json_t *)world->services, id, service)
    {
        if (json_object_get(changed, id) || text_equal(json_text(service, "state", NULL), "terminated")) continue;
        AUTO(free_json) json_t *use = service_use(service);
        add_use(used, service_domain(service), use);
    }
    return used;
}

/* --- items ------------------------------------------------------------------------------------------------------------------ */

/* A service's id is ORDER.ITEM, and stands in addresses and in the keeper's lines. */
static const char id_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int check_id(const struct checking *checking, const char *id, size_t position, struct error *err)
{
    const json_t *item;
    size_t index;
    if (!id || !*id || strlen(id) > ID_BYTES_MAX || strspn(id, id_characters) != strlen(id)) {
        error_set(err, ERROR_INVALID, NOWHERE, "item %zu of the order has no `id`, or not one that an address can hold", position + 1);
        return error_hint(err, "1 to %d letters, digits, '-' and '_': \"1\"", ID_BYTES_MAX);
    }
    json_array_foreach(checking->items, index, item)
    {
        if (text_equal(json_text(item, "id", NULL), id))
            return error_set(err, ERROR_INVALID, NOWHERE, "two items of the order have the id '%s'", id);
    }
    return 0;
}

/* Parts of the standard's items that would be dropped in silence. */
static int check_form(const struct item_check *check)
{
    int64_t quantity = json_whole(check->posted, "quantity", 1);
    if (!json_is_object(check->service)) return item_fail(check, ERROR_INVALID, "it has no `service`");
    if (json_array_size(json_object_get(check->posted, "serviceOrderItem"))) {
        item_fail(check, ERROR_INVALID, "items within an item are not carried out");
        return error_hint(check->err, "send them side by side, each with its serviceOrderItemRelationship");
    }
    if (quantity == 1) return 0;
    item_fail(check, ERROR_INVALID, "its `quantity` is %lld: an item is one service", (long long)quantity);
    return error_hint(check->err, "ask for instances by the characteristic replicas");
}

static int check_action(struct item_check *check)
{
    const char *action = json_text(check->posted, "action", "missing");
    if (text_equal(action, "add")) return item_check_add(check);
    if (text_equal(action, "modify")) return item_check_modify(check);
    if (text_equal(action, "delete")) return item_check_delete(check);
    if (text_equal(action, "noChange")) {
        item_fail(check, ERROR_INVALID, "`noChange` does nothing");
        return error_hint(check->err, "leave the item out");
    }
    item_fail(check, ERROR_INVALID, "`action` is %.40s", action);
    return error_hint(check->err, "it is add, modify or delete");
}

static int check_item(struct checking *checking, const json_t *posted, size_t position, struct error *err)
{
    struct item_check check = {.checking = checking,
        .posted = posted,
        .service = json_object_get(posted, "service"),
        .id = json_text(posted, "id", NULL),
        .err = err};
    int failed = check_id(checking, check.id, position, err);
    if (failed || (failed = check_form(&check))) return failed;
    AUTO(free_json) json_t *item = json_object();
    check.item = item;
    json_put_text(item, "id", check.id);
    json_put_text(item, "action", json_text(posted, "action", NULL));
    failed = check_action(&check);
    if (!failed) json_array_append(checking->items, item);
    return failed;
}

static int check_items(struct checking *checking, const json_t *posted, struct error *err)
{
    const json_t *item;
    size_t index;
    if (!json_is_array(posted) || !json_array_size(posted))
        return error_set(err, ERROR_INVALID, NOWHERE, "the order has no items: `serviceOrderItem` is a list of at least one");
    if (json_array_size(posted) > ORDER_ITEMS_MAX)
        return error_set(err, ERROR_INVALID, NOWHERE, "the order has %zu items; %d are the most", json_array_size(posted), ORDER_ITEMS_MAX);
    json_array_foreach(posted, index, item)
    {
        int failed = check_item(checking, item, index, err);
        if (failed) return failed;
    }
    return order_check_graph(posted, checking->items, err);
}

/* What the server says of an order is not the poster's to say. */
static json_t *shown_order(const json_t *order)
{
    static const char *const ours[] = {"id", "href", "state", "orderDate", "startDate", "completionDate", "cancellationDate",
        "cancellationReason", "errorMessage", "jeopardyAlert", "milestone"};
    json_t *shown = json_deep_copy(order), *item;
    size_t index;
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        json_object_del(shown, ours[i]);
    json_array_foreach(json_object_get(shown, "serviceOrderItem"), index, item)
    {
        json_object_del(item, "state");
        json_object_del(item, "errorMessage");
    }
    return shown;
}

/* *ret_ms: after now; 0 = at once. */
static int find_start(const json_t *order, int64_t now_ms, int64_t *ret_ms, struct error *err)
{
    const char *wish = json_text(order, "requestedStartDate", NULL);
    int64_t us = 0;
    if (wish && !moment_read(wish, &us)) return error_set(err, ERROR_INVALID, NOWHERE, "`requestedStartDate` %.40s is no moment", wish);
    *ret_ms = us / 1000 > now_ms ? us / 1000 : 0;
    return 0;
}

int order_check(const json_t *order, const char *requester, const struct order_world *world, json_t **ret_checked, struct error *err)
{
    AUTO(free_json) json_t *items = json_array();
    AUTO(free_json) json_t *used = use_of_world(world);
    struct checking checking = {.world = world, .posted = json_object_get(order, "serviceOrderItem"), .items = items, .used = used};
    if (!json_is_object(order)) return error_set(err, ERROR_INVALID, NOWHERE, "an order is a JSON object");
    if (json_dumpb(order, NULL, 0, JSON_COMPACT) > ORDER_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, NOWHERE, "the order is larger than %d KiB", ORDER_BYTES_MAX / 1024);
    int64_t starts_ms = 0;
    int failed = find_start(order, world->now_ms, &starts_ms, err);
    if (failed || (failed = check_items(&checking, checking.posted, err))) return failed;
    json_t *checked = json_object();
    if (starts_ms) json_put_whole(checked, "starts_ms", starts_ms);
    json_put(checked, "order", shown_order(order));
    json_put_text(checked, "requester", order_requester(order, requester));
    json_put(checked, "items", json_incref(items));
    *ret_checked = checked;
    return 0;
}

/* check_change.c: items that change or end a service that is there. */
#include "orchestrator/fulfil/check_parts.h"

#include "net/tmf/characteristic.h"
#include "orchestrator/fulfil/site.h"

static int find_service(struct item_check *check, const json_t **ret)
{
    const char *id = json_text(check->service, "id", NULL);
    if (!id) return item_fail(check, ERROR_INVALID, "its service has no `id`: an item `add` makes a new one");
    const json_t *service = json_object_get(check->checking->world->services, id), *other;
    size_t index;
    if (!service) {
        item_fail(check, ERROR_INVALID, "there is no service %.60s", id);
        return error_hint(check->err, "`crescendo inventory --all` lists them");
    }
    if (text_equal(json_text(service, "state", NULL), "terminated"))
        return item_fail(check, ERROR_CONFLICT, "service %.60s is terminated", id);
    json_array_foreach(check->checking->items, index, other)
    {
        if (text_equal(json_text(json_object_get(other, "before"), "id", NULL), id))
            return item_fail(check, ERROR_INVALID, "item %.60s of the order is about service %.60s, too", json_text(other, "id", ""), id);
    }
    *ret = service;
    return 0;
}

static int check_identity(struct item_check *check, const json_t *service)
{
    const char *domain = service_domain(service), *asked = service_domain(check->service);
    const json_t *specification = json_object_get(service, "serviceSpecification");
    const char *version = json_text(specification, "id", NULL);
    const char *other = json_text(json_object_get(check->service, "serviceSpecification"), "id", version);
    if (!domain || !json_object_get(check->checking->world->domains, domain))
        return item_fail(check, ERROR_CONFLICT, "its service is on the domain %.60s, which this core does not have any more",
            domain ? domain : "(none)");
    if (asked && !text_equal(asked, domain))
        return item_fail(check, ERROR_CONFLICT, "its service is on the domain %.60s, not on %.60s", domain, asked);
    if (text_equal(other, version)) return 0;
    item_fail(check, ERROR_CONFLICT, "its service is of the specification %.60s, not of %.60s", version ? version : "(none)", other);
    return error_hint(check->err, "a service stays what it is: `add` the other one beside it");
}

/* What modify and delete have in common: item.before, kind, domain, family, sibling. */
static int take_service(struct item_check *check, const json_t **ret)
{
    const json_t *service = NULL;
    int failed = find_service(check, &service);
    if (failed || (failed = check_identity(check, service))) return failed;
    const char *family = service_family(service), *domain = service_domain(service);
    json_put(check->item, "before", json_deep_copy(service));
    json_put_text(check->item, "kind", service_kind(service));
    json_put_text(check->item, "domain", domain);
    json_put_text(check->item, "family", family);
    json_put_text(check->item, "component", characteristic_text(json_object_get(service, "serviceCharacteristic"), "component", NULL));
    json_put(check->item, "specification", json_deep_copy(json_object_get(service, "serviceSpecification")));
    if ((failed = item_check_peace(check))) return failed;
    if (!text_equal(json_text(service, "state", NULL), "active"))
        return item_fail(
            check, ERROR_CONFLICT, "service %.60s is %s, not active", json_text(service, "id", ""), json_text(service, "state", "nothing"));
    if (family) {
        AUTO(free_json) json_t *members = family_members(check->checking->world, domain, family, json_text(service, "id", NULL));
        void *first = json_object_iter(members);
        if (first) json_put(check->item, "sibling", json_deep_copy(json_object_iter_value(first)));
    }
    *ret = service;
    return 0;
}

/* Is the service to be ended by an item of this order, an earlier or a later one? */
static bool is_deleted(const json_t *posted, const char *id)
{
    const json_t *item;
    size_t index;
    json_array_foreach(posted, index, item)
    {
        if (text_equal(json_text(item, "action", NULL), "delete") &&
            text_equal(json_text(json_object_get(item, "service"), "id", NULL), id))
            return true;
    }
    return false;
}

/* A share in between is lent to a canary while it is judged. What is beside it must keep its own: the canary would have all requests, and
   whoever lent the share could not take it back. */
static int check_lent(const struct item_check *check)
{
    const json_t *sibling = json_object_get(check->item, "sibling"), *list = json_object_get(sibling, "serviceCharacteristic");
    const char *id = json_text(sibling, "id", "");
    double share = characteristic_number(list, "traffic.share", 0);
    if (!characteristic_find(list, "traffic.lease") || share <= 0 || share >= 100 || is_deleted(check->checking->posted, id)) return 0;
    item_fail(check, ERROR_CONFLICT, "%.60s (service %.60s) is a canary with a lent share",
        json_text(json_object_get(sibling, "serviceSpecification"), "version", "?"), id);
    return error_hint(check->err, "end or promote that first (crescendo cancel RUN)");
}

/* --- modify ------------------------------------------------------------------------------------------------------------------- */

static int check_share(struct item_check *check, json_t *asked)
{
    const json_t *share = json_object_get(asked, "share");
    if (json_object_get(asked, "lease") && !share)
        return item_fail(check, ERROR_INVALID, "`traffic.lease` lends a share: it goes with `traffic.share`");
    if (!share) return 0;
    int failed = check_lent(check);
    if (failed) return failed;
    double percent = json_number_value(share);
    if (percent <= 0 || percent >= 100) json_object_del(asked, "lease"); /* all or nothing is not lent */
    if (json_object_get(check->item, "sibling") || percent >= 100) return 0;
    item_fail(check, ERROR_CONFLICT, "%.60s is alone on %.60s, so it has all requests", json_text(check->item, "family", "it"),
        json_text(check->item, "domain", ""));
    return error_hint(check->err, "order another version beside it, or its `delete`");
}

/* Room for what it takes more than before; item.use is the most that it takes while it changes. */
static int check_room(struct item_check *check, const json_t *service)
{
    AUTO(free_json) json_t *before = service_use(service);
    AUTO(free_json) json_t *more = json_object();
    const json_t *replicas = json_object_get(json_object_get(check->item, "asked"), "replicas");
    double had = characteristic_number(json_object_get(service, "serviceCharacteristic"), "replicas", 1);
    double factor = replicas && had > 0 ? (json_number_value(replicas) - had) / had : 0;
    if (replicas && had <= 0) { /* nothing to scale from: one instance's share of the document's limits */
        AUTO(free_json) json_t *copy = json_deep_copy(service);
        characteristic_set(json_object_get(copy, "serviceCharacteristic"), "replicas", json_incref((json_t *)replicas));
        AUTO(free_json) json_t *all = service_use(copy);
        measures_add(more, all, 1);
    } else if (factor > 0) {
        measures_add(more, before, factor);
    }
    measures_add(before, more, 1);
    json_put(check->item, "use", json_incref(before));
    return item_take_room(check, more);
}

int item_check_modify(struct item_check *check)
{
    const json_t *service = NULL;
    int failed = take_service(check, &service);
    if (failed || (failed = item_check_asked(check, json_object_get(service, "serviceCharacteristic")))) return failed;
    json_t *asked = json_object_get(check->item, "asked");
    if (!text_equal(service_kind(service), "compute"))
        return item_fail(check, ERROR_INVALID, "a %s has nothing that an order could change", service_kind(service));
    if (!json_object_size(asked) && !json_object_get(check->item, "kept")) {
        item_fail(check, ERROR_INVALID, "it changes nothing");
        return error_hint(check->err, "ask for replicas, traffic.share or traffic.lease as serviceCharacteristic");
    }
    if ((failed = item_check_kept(check, service)) || (failed = check_share(check, asked))) return failed;
    return check_room(check, service);
}

/* --- delete --------------------------------------------------------------------------------------------------------------------- */

static bool relies_on(const json_t *service, const char *id)
{
    const json_t *relation;
    size_t index;
    json_array_foreach(json_object_get(service, "serviceRelationship"), index, relation)
    {
        if (text_equal(json_text(relation, "relationshipType", NULL), "reliesOn") &&
            text_equal(json_text(json_object_get(relation, "service"), "id", NULL), id))
            return true;
    }
    return false;
}

/* The service that needs this one and stays; NULL = none. */
static const char *staying_user(const struct item_check *check, const char *id)
{
    const char *user;
    json_t *service;
    json_object_foreach((json_t *)check->checking->world->services, user, service)
    {
        if (text_equal(json_text(service, "state", NULL), "terminated") || !relies_on(service, id)) continue;
        if (!is_deleted(check->checking->posted, user)) return user;
    }
    return NULL;
}

/* Networks and users that nobody else needs go with the service that relies on them. */
static json_t *released_with(const struct item_check *check, const json_t *service)
{
    json_t *released = json_array(), *other;
    const char *id;
    json_object_foreach((json_t *)check->checking->world->services, id, other)
    {
        if (!relies_on(service, id) || text_equal(json_text(other, "state", NULL), "terminated")) continue;
        if (is_deleted(check->checking->posted, id) || staying_user(check, id)) continue;
        json_array_append_new(released, json_deep_copy(other));
    }
    return released;
}

int item_check_delete(struct item_check *check)
{
    const json_t *service = NULL;
    int failed = take_service(check, &service);
    if (failed || (failed = check_lent(check))) return failed;
    const char *id = json_text(service, "id", ""), *user = staying_user(check, id);
    if (user) {
        item_fail(check, ERROR_CONFLICT, "service %.60s relies on %.60s", user, id);
        return error_hint(check->err, "delete that one first, or in the same order");
    }
    json_put(check->item, "asked", json_object());
    json_put(check->item, "released", released_with(check, service));
    json_put(check->item, "use", service_use(service));
    return 0;
}

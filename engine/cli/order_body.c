/* order_body.c: the bodies of service orders. */
#include "cli/order_body.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/documents.h"

#include <string.h>

static json_t *body_new(const struct order_wish *wish, char *description)
{
    json_t *body = json_object(), *parties = json_array(), *party = json_object();
    json_put_text(body, "externalId", wish->key);
    json_put_text(body, "description", wish->description ? wish->description : description);
    json_put_text(party, "id", wish->requester);
    json_put_text(party, "name", wish->requester);
    json_put_text(party, "role", "requester");
    json_put_text(party, "@referredType", "Individual");
    json_array_append_new(parties, party);
    json_put(body, "relatedParty", parties);
    json_put(body, "serviceOrderItem", json_array());
    free_text(&description);
    return body;
}

/* Adds an item with the next id; both are borrowed from the body. */
static json_t *item_new(json_t *body, const char *action, json_t **ret_service)
{
    json_t *items = json_object_get(body, "serviceOrderItem"), *item = json_object(), *service = json_object();
    AUTO(free_text) char *id = mem_format("%zu", json_array_size(items) + 1);
    json_put_text(item, "id", id);
    json_put_text(item, "action", action);
    json_put(item, "service", service);
    json_array_append_new(items, item);
    *ret_service = service;
    return item;
}

static void add_characteristic(json_t *service, const char *name, const char *type, json_t *value)
{
    json_t *all = json_object_get(service, "serviceCharacteristic"), *one = json_object();
    if (!all) json_put(service, "serviceCharacteristic", all = json_array());
    json_put_text(one, "name", name);
    json_put_text(one, "valueType", type);
    json_put(one, "value", value);
    json_array_append_new(all, one);
}

/* A whole share is written as a whole number. */
static json_t *percent(double share)
{
    int64_t whole = (int64_t)share;
    return (double)whole < share ? json_real(share) : json_integer(whole);
}

static void add_wish(json_t *service, const struct order_wish *wish)
{
    if (wish->replicas) add_characteristic(service, "replicas", "integer", json_integer(wish->replicas));
    if (wish->share >= 0) add_characteristic(service, "traffic.share", "number", percent(wish->share));
    if (wish->lease_ms) add_characteristic(service, "traffic.lease", "integer", json_integer(wish->lease_ms));
}

static void add_place(json_t *service, const char *domain)
{
    json_t *places = json_array(), *place = json_object();
    json_put_text(place, "role", "domain");
    json_put_text(place, "id", domain);
    json_put_text(place, "name", domain);
    json_put_text(place, "@type", "Place");
    json_array_append_new(places, place);
    json_put(service, "place", places);
}

static void add_specification(json_t *service, const json_t *specification)
{
    json_t *reference = json_object();
    json_put_text(reference, "id", json_text(specification, "id", NULL));
    json_put_text(reference, "name", json_text(specification, "name", NULL));
    json_put_text(reference, "version", json_text(specification, "version", NULL));
    json_put(service, "serviceSpecification", reference);
}

static void add_item(json_t *body, const json_t *specification, const char *component, bool is_main, const struct order_wish *wish)
{
    json_t *service;
    item_new(body, "add", &service);
    add_specification(service, specification);
    if (component) add_characteristic(service, "component", "string", json_string(component));
    if (is_main) add_wish(service, wish);
    if (wish->domain) add_place(service, wish->domain);
}

/* component: {"compute": {...}}; the kind is its only member. */
static const json_t *component_body(const json_t *component, const char **ret_kind)
{
    void *member = json_object_iter((json_t *)component);
    *ret_kind = member ? json_object_iter_key(member) : "";
    return member ? json_object_iter_value(member) : NULL;
}

static void depend_on(json_t *item, const char *other)
{
    json_t *all = json_object_get(item, "serviceOrderItemRelationship"), *one = json_object(), *reference = json_object();
    if (!all) json_put(item, "serviceOrderItemRelationship", all = json_array());
    json_put_text(one, "relationshipType", "dependency");
    json_put_text(reference, "itemId", other);
    json_put(one, "orderItem", reference);
    json_array_append_new(all, one);
}

static bool is_compute(const json_t *components, size_t index)
{
    const char *kind;
    component_body(json_array_get(components, index), &kind);
    return text_equal(kind, "compute");
}

/* Items stand in the components' order. */
static void add_dependencies(json_t *items, const json_t *components)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        for (size_t other = 0; is_compute(components, i) && other < json_array_size(items); other++)
            if (!is_compute(components, other)) depend_on(json_array_get(items, i), json_text(json_array_get(items, other), "id", NULL));
    }
}

json_t *order_body_add(const json_t *specification, const struct order_wish *wish)
{
    const json_t *components = json_object_get(document_value(specification, "descriptor"), "components");
    json_t *body =
        body_new(wish, mem_format("add %s %s%s%s", json_text(specification, "name", "?"), json_text(specification, "version", ""),
                           wish->domain ? " on " : "", wish->domain ? wish->domain : ""));
    bool has_main = false;
    size_t i;
    json_t *component;
    json_array_foreach(components, i, component)
    {
        const char *kind, *name = json_text(component_body(component, &kind), "name", NULL);
        bool is_main = text_equal(kind, "compute") && !has_main;
        add_item(body, specification, name, is_main, wish);
        has_main = has_main || is_main;
    }
    if (!json_array_size(components)) add_item(body, specification, NULL, true, wish);
    add_dependencies(json_object_get(body, "serviceOrderItem"), components);
    return body;
}

json_t *order_body_modify(const char *service, const struct order_wish *wish)
{
    AUTO(text_release) struct text what = {0};
    json_t *part;
    if (wish->replicas) text_add_format(&what, " to %lld", (long long)wish->replicas);
    if (wish->share >= 0) text_add_format(&what, " to a share of %g %%", wish->share);
    json_t *body = body_new(wish, mem_format("%s %s%s", wish->replicas ? "scale" : "move", service, text_view(&what)));
    item_new(body, "modify", &part);
    json_put_text(part, "id", service);
    add_wish(part, wish);
    return body;
}

json_t *order_body_delete(const char *const *services, size_t count, const struct order_wish *wish)
{
    AUTO(text_release) struct text what = {0};
    text_add(&what, "end");
    for (size_t i = 0; i < count; i++)
        text_add_format(&what, "%s %s", i ? "," : "", services[i]);
    json_t *body = body_new(wish, text_take(&what));
    for (size_t i = 0; i < count; i++) {
        json_t *part;
        item_new(body, "delete", &part);
        json_put_text(part, "id", services[i]);
    }
    return body;
}

static int no_share(const char *text, struct error *err)
{
    error_set(err, ERROR_INVALID, NOWHERE, "'%.40s' is no share", text);
    return error_hint(err, "a share is from 0%% to 100%%, with at most two digits behind the point: 25%%, 2.5%%");
}

/* Digits at *at as a number, at most `most` of them. */
static bool read_digits(const char **at, size_t most, int64_t *ret)
{
    size_t size = strspn(*at, "0123456789");
    *ret = 0;
    if (size == 0 || size > most) return false;
    for (const char *end = *at + size; *at < end; (*at)++)
        *ret = *ret * 10 + (**at - '0');
    return true;
}

int share_read(const char *text, double *ret, struct error *err)
{
    const char *at = text;
    int64_t whole = 0, hundredths = 0;
    if (!read_digits(&at, 3, &whole)) return no_share(text, err);
    if (*at == '.') {
        const char *from = ++at;
        if (!read_digits(&at, 2, &hundredths)) return no_share(text, err);
        if (at - from == 1) hundredths *= 10;
    }
    at += strspn(at, " ");
    at += *at == '%';
    if (*at || whole * 100 + hundredths > 100 * 100) return no_share(text, err);
    *ret = (double)(whole * 100 + hundredths) / 100;
    return 0;
}

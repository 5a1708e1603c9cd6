/* order_body.c: the bodies of service orders. */
#include "net/tmf/order_body.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>

/* --- parts -------------------------------------------------------------------------------------------------------------------- */

static json_t *copy(const json_t *value)
{
    return value ? json_deep_copy(value) : NULL;
}

static json_t *party(const char *role, const char *id)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s}", "role", role, "id", id, "name", id, "@referredType", "Individual", "@type", "RelatedParty");
}

static json_t *parties(const struct order_facts *facts)
{
    const char *author = json_text(facts->origin, "author", NULL);
    json_t *list = json_array();
    json_array_append_new(list, party("requester", facts->requester ? facts->requester : "crescendo"));
    if (author) json_array_append_new(list, party("submitter", author));
    return list;
}

static json_t *place(const json_t *domain)
{
    if (!domain) return NULL;
    json_t *one = json_pack("{s:s, s:s}", "role", "domain", "@type", "Place");
    json_put(one, "id", copy(domain));
    json_put(one, "name", copy(domain));
    return json_pack("[o]", one);
}

/* A whole number where it is one: 25, not 25.0. */
static json_t *tidy_number(const json_t *value)
{
    double real = json_real_value(value);
    if (json_is_real(value) && real == floor(real) && fabs(real) < 1e9) return json_integer((json_int_t)real);
    return copy(value);
}

/* Steals value; NULL adds nothing. */
static void add_characteristic(json_t *list, const char *name, const char *type, json_t *value)
{
    if (!value) return;
    json_t *one = json_pack("{s:s, s:s}", "name", name, "valueType", type);
    json_put(one, "value", value);
    json_array_append_new(list, one);
}

/* Steals list; an empty one is left out. */
static void put_list(json_t *object, const char *name, json_t *list)
{
    if (json_array_size(list))
        json_put(object, name, list);
    else
        json_decref(list);
}

static void add_settings(json_t *list, const struct order_facts *facts)
{
    add_characteristic(list, "replicas", "integer", copy(facts->replicas));
    add_characteristic(list, "traffic.share", "number", tidy_number(facts->share));
    add_characteristic(list, "traffic.lease", "integer", copy(facts->lease));
}

/* --- items -------------------------------------------------------------------------------------------------------------------- */

/* The component of one of a descriptor's entries, and its kind ("compute", "network", "user"). NULL: not such an entry. */
static const json_t *component_of(const json_t *entry, const char **ret_kind)
{
    static const char *const kinds[] = {"compute", "network", "user", NULL};
    for (const char *const *kind = kinds; *kind; kind++) {
        const json_t *component = json_object_get(entry, *kind);
        if (!json_is_object(component)) continue;
        *ret_kind = *kind;
        return component;
    }
    return NULL;
}

static bool is_compute(const json_t *entry)
{
    return json_is_object(json_object_get(entry, "compute"));
}

/* Steals service. */
static json_t *item_new(size_t number, const char *action, json_t *service)
{
    AUTO(free_text) char *id = mem_format("%zu", number);
    json_put_text(service, "@type", "Service");
    return json_pack("{s:s, s:s, s:s, s:o}", "id", id, "action", action, "@type", "ServiceOrderItem", "service", service);
}

/* A compute begins when the networks and users that it relies on are there. */
static json_t *dependencies(const json_t *components)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(components); i++) {
        if (is_compute(json_array_get(components, i))) continue;
        AUTO(free_text) char *id = mem_format("%zu", i + 1);
        json_array_append_new(list, json_pack("{s:s, s:{s:s}}", "relationshipType", "dependency", "orderItem", "itemId", id));
    }
    return list;
}

/* name NULL: the core takes the first compute. */
static json_t *service_to_add(const struct order_facts *facts, const char *name, bool with_settings)
{
    json_t *service = json_object(), *characteristics = json_array();
    json_put(service, "serviceSpecification", copy(facts->specification));
    json_put(service, "place", place(facts->domain));
    add_characteristic(characteristics, "component", "string", name ? json_string(name) : NULL);
    if (with_settings) add_settings(characteristics, facts);
    put_list(service, "serviceCharacteristic", characteristics);
    return service;
}

/* Replicas and share are the first compute's: it is the service that the pipeline goes on with. */
static json_t *items_to_add(const struct order_facts *facts)
{
    const json_t *components = json_object_get(facts->descriptor, "components");
    json_t *items = json_array();
    bool first = true;
    for (size_t i = 0; i < json_array_size(components); i++) {
        const json_t *entry = json_array_get(components, i);
        const char *kind = "";
        const json_t *component = component_of(entry, &kind);
        bool compute = is_compute(entry);
        json_t *item = item_new(i + 1, "add", service_to_add(facts, json_text(component, "name", kind), compute && first));
        if (compute) put_list(item, "serviceOrderItemRelationship", dependencies(components));
        json_array_append_new(items, item);
        first = first && !compute;
    }
    if (!json_array_size(items)) json_array_append_new(items, item_new(1, "add", service_to_add(facts, NULL, true)));
    return items;
}

static json_t *service_to_change(const struct order_facts *facts, const json_t *id)
{
    json_t *service = json_object(), *characteristics = json_array();
    json_put(service, "id", copy(id));
    json_put(service, "place", place(facts->domain));
    add_settings(characteristics, facts);
    put_list(service, "serviceCharacteristic", characteristics);
    return service;
}

static json_t *items_to_change(const struct order_facts *facts)
{
    json_t *items = json_array();
    size_t count = json_is_array(facts->service) ? json_array_size(facts->service) : 1;
    for (size_t i = 0; i < count; i++) {
        const json_t *id = json_is_array(facts->service) ? json_array_get(facts->service, i) : facts->service;
        json_array_append_new(items, item_new(i + 1, facts->action, service_to_change(facts, id)));
    }
    return items;
}

/* For whoever looks at the domain's orders: "lab/release/order of run 7, hello"; "undo " before it. */
static json_t *description_of(const struct order_facts *facts)
{
    const json_t *origin = facts->origin;
    const char *step = json_text(origin, "step", NULL), *repository = json_text(origin, "repository", NULL);
    if (!step) return NULL;
    AUTO(free_text) char *run = mem_format("%s%s of run %lld", facts->undoes ? "undo " : "", step, (long long)json_whole(origin, "run", 0));
    AUTO(free_text) char *text = mem_format("%s%s%s", run, repository ? ", " : "", repository ? repository : "");
    return json_string(text);
}

json_t *order_body(const struct order_facts *facts)
{
    bool adds = text_equal(facts->action, "add");
    json_t *body = json_pack("{s:s}", "@type", "ServiceOrder");
    json_put_text(body, "externalId", facts->key);
    json_put(body, "description", facts->description ? json_string(facts->description) : description_of(facts));
    json_put(body, "relatedParty", parties(facts));
    json_put(body, "serviceOrderItem", adds ? items_to_add(facts) : items_to_change(facts));
    return body;
}

json_t *specification_reference(const json_t *specification)
{
    json_t *reference = json_pack("{s:s}", "@type", "ServiceSpecificationRef");
    json_put_text(reference, "id", json_text(specification, "id", NULL));
    json_put_text(reference, "name", json_text(specification, "name", NULL));
    json_put_text(reference, "version", json_text(specification, "version", NULL));
    return reference;
}

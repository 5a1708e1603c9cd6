/* order_body.c: the bodies of service orders, and what the descriptions of ordering steps share. */
#include "order_body.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

enum { LEASE_DEFAULT_MS = 60 * 1000 };

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

static json_t *parties(const json_t *origin)
{
    const char *author = json_text(origin, "author", NULL);
    json_t *list = json_array();
    json_array_append_new(list, party("requester", "crescendo"));
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

static void add_settings(json_t *list, const struct order_facts *facts)
{
    add_characteristic(list, "replicas", "integer", copy(facts->replicas));
    add_characteristic(list, "traffic.share", "number", tidy_number(facts->share));
    add_characteristic(list, "traffic.lease", "integer", copy(facts->lease));
}

/* --- items -------------------------------------------------------------------------------------------------------------------- */

const json_t *component_of(const json_t *entry, const char **ret_kind)
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
    if (json_array_size(list)) return list;
    json_decref(list);
    return NULL;
}

/* name NULL: the core takes the first compute. */
static json_t *service_to_add(const struct order_facts *facts, const char *name, bool with_settings)
{
    json_t *service = json_object(), *characteristics = json_array();
    json_put(service, "serviceSpecification", copy(facts->specification));
    json_put(service, "place", place(facts->domain));
    add_characteristic(characteristics, "component", "string", name ? json_string(name) : NULL);
    if (with_settings) add_settings(characteristics, facts);
    json_put(service, "serviceCharacteristic", characteristics);
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
        if (compute) json_put(item, "serviceOrderItemRelationship", dependencies(components));
        json_array_append_new(items, item);
        first = first && !compute;
    }
    if (!json_array_size(items)) json_array_append_new(items, item_new(1, "add", service_to_add(facts, NULL, true)));
    return items;
}

static json_t *items_to_change(const struct order_facts *facts)
{
    json_t *service = json_object(), *characteristics = json_array();
    json_put(service, "id", copy(facts->service));
    json_put(service, "place", place(facts->domain));
    add_settings(characteristics, facts);
    if (json_array_size(characteristics))
        json_put(service, "serviceCharacteristic", characteristics);
    else
        json_decref(characteristics);
    return json_pack("[o]", item_new(1, facts->action, service));
}

/* For whoever looks at the domain's orders: "lab/release/order of run 7, hello". */
static json_t *description_of(const json_t *origin)
{
    const char *step = json_text(origin, "step", NULL), *repository = json_text(origin, "repository", NULL);
    if (!step) return NULL;
    return json_sprintf(
        "%s of run %lld%s%s", step, (long long)json_whole(origin, "run", 0), repository ? ", " : "", repository ? repository : "");
}

json_t *order_body(const struct order_facts *facts)
{
    bool adds = text_equal(facts->action, "add");
    json_t *body = json_pack("{s:s}", "@type", "ServiceOrder");
    json_put(body, "description", description_of(facts->origin));
    json_put(body, "relatedParty", parties(facts->origin));
    json_put(body, "serviceOrderItem", adds ? items_to_add(facts) : items_to_change(facts));
    return body;
}

/* --- what the plan says -------------------------------------------------------------------------------------------------------- */

char *planned_text(const json_t *value, const char *fallback)
{
    const char *unknown = json_text(value, "$unknown", NULL);
    if (unknown) return mem_format("\xe2\x80\xb9%s\xe2\x80\xba", unknown);
    if (json_is_string(value)) return mem_copy_text(json_string_value(value));
    if (json_is_integer(value)) return mem_format("%lld", (long long)json_integer_value(value));
    if (json_is_real(value)) return mem_format("%.10g", json_real_value(value));
    return mem_copy_text(fallback);
}

void effect_add(json_t *effects, const char *name, const json_t *target, char *summary, json_t *body, const char *compensation)
{
    AUTO(free_text) char *to = planned_text(target, "");
    json_t *effect = json_object();
    json_put_text(effect, "name", name);
    json_put_text(effect, "target", to);
    json_put_text(effect, "summary", summary);
    json_put(effect, "body", body);
    json_put_text(effect, "compensation", compensation);
    json_array_append_new(effects, effect);
    free(summary);
}

int64_t lease_of(const json_t *with, const json_t *domain)
{
    int64_t policy = json_whole(json_object_get(domain, "policy"), "lease", LEASE_DEFAULT_MS);
    return json_whole(with, "lease", policy);
}

bool share_is_lent(const json_t *share)
{
    double percent = json_number_value(share);
    return !json_is_number(share) || (percent > 0 && percent < 100);
}

/* --- what the tables cannot say -------------------------------------------------------------------------------------------------- */

int check_keys(const json_t *with, const char *what, const char *const *wanted, const char *const *unwanted, struct location at,
    struct diagnostics *list)
{
    int failed = 0;
    for (; *wanted; wanted++) {
        if (json_object_get(with, *wanted)) continue;
        diagnostics_add(list, "missing-key", at, 0, NULL, "%s needs the key \"%s\"", what, *wanted);
        failed = -ERROR_INVALID;
    }
    for (; *unwanted; unwanted++) {
        if (!json_object_get(with, *unwanted)) continue;
        diagnostics_add(list, "misplaced-key", at, 0, "remove it", "%s has no use for \"%s\"", what, *unwanted);
        failed = -ERROR_INVALID;
    }
    return failed;
}

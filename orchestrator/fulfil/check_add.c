/* check_add.c: an item that asks for a new service. */
#include "orchestrator/fulfil/check_parts.h"

#include "net/tmf/characteristic.h"
#include "orchestrator/fulfil/part.h"
#include "orchestrator/fulfil/site.h"

#include <string.h>

/* --- the specification -------------------------------------------------------------------------------------------------------- */

static int find_specification(struct item_check *check, const json_t **ret)
{
    const json_t *reference = json_object_get(check->service, "serviceSpecification");
    const char *id = json_text(reference, "id", NULL);
    if (!id) return item_fail(check, ERROR_INVALID, "its service has no `serviceSpecification` with an `id`");
    const json_t *specification = json_object_get(check->checking->world->specifications, id);
    if (!specification) {
        item_fail(check, ERROR_INVALID, "there is no service specification %.60s", id);
        return error_hint(check->err, "`crescendo catalogue` lists what is published");
    }
    const char *status = json_text(specification, "lifecycleStatus", "Active");
    if (text_equal(status, "Retired") || text_equal(status, "Obsolete") || text_equal(status, "Rejected"))
        return item_fail(check, ERROR_CONFLICT, "service specification %.60s is %s", id, status);
    json_t *copy = json_object();
    json_put_text(copy, "id", id);
    json_put_text(copy, "name", json_text(specification, "name", NULL));
    json_put_text(copy, "version", json_text(specification, "version", NULL));
    json_put_text(copy, "@type", "ServiceSpecificationRef");
    json_put(check->item, "specification", copy);
    *ret = specification;
    return 0;
}

static bool is_digest(const char *text)
{
    static const char prefix[] = "sha256:";
    if (!text || !text_starts(text, prefix)) return false;
    const char *hex = text + sizeof prefix - 1;
    return strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64;
}

static const char *artifact_of(const json_t *specification)
{
    const json_t *attachment;
    size_t index;
    json_array_foreach(json_object_get(specification, "attachment"), index, attachment)
    {
        const char *digest = json_text(attachment, "digest", NULL);
        if (is_digest(digest)) return digest;
    }
    return NULL;
}

/* It was not published by us, and says nothing that could be started: the order is taken, as the standard's own samples expect, and its
   item fails with this. */
static bool is_impossible(struct item_check *check, const json_t *specification)
{
    if (artifact_of(specification) || specification_value(specification, "descriptor")) return false;
    AUTO(free_text)
    char *why = mem_format("nothing here can start %.80s: its specification %.60s has no package; publish it with one, and order that",
        json_text(specification, "name", "it"), json_text(specification, "id", ""));
    json_put_text(check->item, "impossible", why);
    return true;
}

static int find_artifact(struct item_check *check, const json_t *specification)
{
    const char *digest = artifact_of(specification);
    if (digest) {
        json_put_text(check->item, "artifact", digest);
        return 0;
    }
    item_fail(check, ERROR_CONFLICT, "its specification has no package: no attachment has a `digest`");
    return error_hint(check->err, "publish the service with its package");
}

static int find_part(struct item_check *check, const json_t *specification, struct part *ret)
{
    if (!json_text(specification, "name", NULL) || !json_text(specification, "version", NULL))
        return item_fail(
            check, ERROR_CONFLICT, "service specification %.60s has no name, or no version", json_text(specification, "id", ""));
    const json_t *descriptor = specification_value(specification, "descriptor");
    if (!json_is_object(descriptor)) {
        item_fail(check, ERROR_CONFLICT, "its specification has no characteristic `descriptor`");
        return error_hint(check->err, "publish the service with its descriptor");
    }
    int failed = part_find(descriptor, json_text(check->item, "component", NULL), ret, check->err);
    if (failed) return error_wrap(check->err, "item %.60s", check->id);
    json_put_text(check->item, "component", ret->name);
    json_put_text(check->item, "kind", ret->kind);
    json_put(check->item, "part", part_copy(ret));
    return 0;
}

/* --- the family ---------------------------------------------------------------------------------------------------------------- */

/* One that gets no requests is the first to go. */
static int advise_retirement(const struct item_check *check, const json_t *members)
{
    const char *id;
    json_t *member;
    json_object_foreach((json_t *)members, id, member)
    {
        if (characteristic_number(json_object_get(member, "serviceCharacteristic"), "traffic.share", 0) > 0) continue;
        return error_hint(check->err, "retire one first: service %.60s (%.40s) gets no requests: crescendo order delete %.60s", id,
            json_text(json_object_get(member, "serviceSpecification"), "version", "?"), id);
    }
    return error_hint(check->err, "retire one first: order `delete` of one of them");
}

static int check_members(struct item_check *check, const json_t *members, const char *family, const char *domain)
{
    const char *version = json_text(json_object_get(check->item, "specification"), "version", ""), *id;
    json_t *member;
    json_object_foreach((json_t *)members, id, member)
    {
        if (!text_equal(json_text(json_object_get(member, "serviceSpecification"), "version", NULL), version)) continue;
        item_fail(check, ERROR_CONFLICT, "%.60s %.40s is on %.60s already: service %.60s", family, version, domain, id);
        return error_hint(check->err, "change that one by an item `modify`, or publish another version");
    }
    if (json_object_size(members) < FAMILY_MAX) return 0;
    item_fail(check, ERROR_CONFLICT, "%.60s has %d versions on %.60s, the most that there may be", family, FAMILY_MAX, domain);
    return advise_retirement(check, members);
}

/* Names go to keepers, into lines, paths and addresses. */
static bool is_word(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@+-";
    size_t size = strlen(text);
    return size > 0 && size < 64 && strspn(text, safe) == size;
}

static int bad_word(const struct item_check *check, const char *what, const char *is)
{
    item_fail(check, ERROR_CONFLICT, "a service cannot have the %s '%.70s'", what, is);
    return error_hint(check->err, "publish it under one of letters, digits and . _ : @ + -, at most 63");
}

/* The descriptor's first compute is the family; others of it have an address of their own. */
static int join_family(struct item_check *check, const struct part *part)
{
    const json_t *specification = json_object_get(check->item, "specification");
    const char *name = json_text(specification, "name", ""), *domain = json_text(check->item, "domain", "");
    AUTO(free_text) char *family = part->is_first_compute ? mem_copy_text(name) : mem_format("%s.%s", name, part->name);
    if (!is_word(family)) return bad_word(check, "name", family);
    if (!is_word(json_text(specification, "version", ""))) return bad_word(check, "version", json_text(specification, "version", ""));
    json_put_text(check->item, "family", family);
    int failed = item_check_peace(check);
    if (failed) return failed;
    AUTO(free_json) json_t *members = family_members(check->checking->world, domain, family, NULL);
    if ((failed = check_members(check, members, family, domain))) return failed;
    json_t *asked = json_object_get(check->item, "asked");
    void *first = json_object_iter(members);
    if (first) json_put(check->item, "sibling", json_deep_copy(json_object_iter_value(first)));
    if (!first) {
        json_put(asked, "share", json_real(100)); /* alone, it has all */
        json_object_del(asked, "lease");
    } else if (!json_object_get(asked, "share")) {
        json_put(asked, "share", json_real(0));
    }
    return 0;
}

/* --- what it takes --------------------------------------------------------------------------------------------------------------- */

static int64_t replicas_of(const struct item_check *check, const json_t *specification, const struct part *part)
{
    double number;
    int64_t asked = json_whole(json_object_get(check->item, "asked"), "replicas", -1);
    if (asked >= 0) return asked;
    if (value_to_number(specification_value(specification, "replicas"), &number) && number >= 0 && number <= 100) return (int64_t)number;
    asked = json_whole(part->json, "replicas", 1);
    return asked < 0 || asked > 100 ? 1 : asked;
}

/* What it may use: what it asks for, else what its flavour has. */
static json_t *limits_of(const json_t *needs, const json_t *flavour)
{
    json_t *limits = json_object();
    for (const struct measure *measure = site_measures; measure->name; measure++) {
        json_t *own = json_object_get(needs, measure->name), *given = json_object_get(flavour, measure->name);
        json_put(limits, measure->name, json_incref(own ? own : given));
    }
    return limits;
}

static int fit_on_site(struct item_check *check, const struct part *part, int64_t replicas)
{
    const json_t *site = item_site(check);
    AUTO(free_json) json_t *needs = part_needs(part);
    AUTO(free_json) json_t *use = json_object();
    const struct flavour_wish wish = {.domain = json_text(check->item, "domain", ""),
        .component = part->name,
        .kind = part->kind,
        .named = json_text(part->json, "flavour", NULL),
        .needs = needs};
    const char *flavour = NULL;
    int failed = site_find_flavour(site, &wish, &flavour, check->err);
    if (failed) return error_wrap(check->err, "item %.60s", check->id);
    json_put_text(check->item, "flavour", flavour);
    json_t *limits = limits_of(needs, flavour ? json_object_get(json_object_get(site, "flavours"), flavour) : NULL);
    json_put(check->item, "limits", limits);
    measures_add(use, limits, (double)replicas);
    if (text_equal(part->kind, "compute")) json_put(use, "instances", json_real((double)replicas));
    json_put(use, "latency", json_incref(json_object_get(needs, "latency")));
    json_put(check->item, "use", json_incref(use));
    return item_take_room(check, use);
}

static int check_compute(struct item_check *check, const json_t *specification, const struct part *part)
{
    int failed = find_artifact(check, specification);
    if (failed || (failed = join_family(check, part))) return failed;
    int64_t replicas = replicas_of(check, specification, part);
    json_put_whole(json_object_get(check->item, "asked"), "replicas", replicas);
    return fit_on_site(check, part, replicas);
}

int item_check_add(struct item_check *check)
{
    const json_t *specification = NULL;
    struct part part = {0};
    int failed = find_specification(check, &specification);
    if (failed || (failed = item_check_asked(check, json_object_get(specification, "specCharacteristic")))) return failed;
    if (is_impossible(check, specification)) return 0;
    if ((failed = find_part(check, specification, &part)) || (failed = item_pick_domain(check))) return failed;
    if (text_equal(part.kind, "compute")) return check_compute(check, specification, &part);
    json_object_clear(json_object_get(check->item, "asked"));
    return fit_on_site(check, &part, 1);
}

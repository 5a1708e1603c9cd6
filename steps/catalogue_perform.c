/* catalogue_perform.c: what a catalogue already has of a publication: found by name and version, and compared. */
#include "publish.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* What one part is compared with while the catalogue is looked through. */
struct look {
    enum publish_part part;
    const char *name, *version;
    const char *specification, *product; /* ids of parts before it; NULL = any */
};

enum tmf_collection publish_collection(enum publish_part part)
{
    switch (part) {
    case PUBLISH_SPECIFICATION: return TMF_SERVICE_SPECIFICATION;
    case PUBLISH_CANDIDATE: return TMF_SERVICE_CANDIDATE;
    case PUBLISH_PRODUCT: return TMF_PRODUCT_SPECIFICATION;
    case PUBLISH_OFFERING:
    case PUBLISH_PART_COUNT: break;
    }
    return TMF_PRODUCT_OFFERING;
}

bool offering_is_active(const json_t *offering)
{
    const char *status = json_text(offering, "lifecycleStatus", "Active");
    return text_equal(status, "Active") || text_equal(status, "Launched");
}

static bool refers_to(const json_t *document, const char *key, const char *id)
{
    const json_t *reference = json_object_get(document, key);
    if (json_is_array(reference)) reference = json_array_get(reference, 0);
    return !id || text_equal(json_text(reference, "id", NULL), id);
}

static bool matches(void *context, const json_t *one)
{
    const struct look *look = context;
    if (!text_equal(json_text(one, "name", NULL), look->name) || !text_equal(json_text(one, "version", NULL), look->version)) return false;
    switch (look->part) {
    case PUBLISH_CANDIDATE:
    case PUBLISH_PRODUCT: return refers_to(one, "serviceSpecification", look->specification);
    case PUBLISH_OFFERING: return refers_to(one, "productSpecification", look->product);
    case PUBLISH_SPECIFICATION:
    case PUBLISH_PART_COUNT: break;
    }
    return true;
}

static bool has_digest(const json_t *specification, const char *digest)
{
    size_t index;
    json_t *one;
    json_array_foreach(json_object_get(specification, "attachment"), index, one)
    {
        if (text_equal(json_text(one, "digest", NULL), digest) || text_ends(json_text(one, "url", ""), digest)) return true;
    }
    return false;
}

static int check_content(
    const struct tmf_client *client, const struct publication *publication, const json_t *specification, struct error *err)
{
    size_t index;
    json_t *package;
    json_array_foreach((json_t *)publication->packages, index, package)
    {
        if (has_digest(specification, json_text(package, "digest", ""))) continue;
        error_set(err, ERROR_CONFLICT, NOWHERE, "%.40s: %.60s %.40s is there already, with another content: a file in its package differs",
            client->name, json_string_value(publication->name), json_string_value(publication->version));
        return error_hint(err,
            "raise the version: in service.yaml, or in the step `package`; where nothing was changed, the build does not give "
            "the same bytes twice");
    }
    return 0;
}

static json_t *choose(const json_t *found)
{
    size_t index;
    json_t *one;
    json_array_foreach((json_t *)found, index, one) if (offering_is_active(one)) return one;
    return json_array_get(found, 0);
}

int catalogue_find(const struct tmf_client *client, enum publish_part part, const struct publication *publication,
    const json_t *const ids[PUBLISH_PART_COUNT], json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *found = NULL;
    struct look look = {.part = part,
        .name = json_string_value(publication->name),
        .version = json_string_value(publication->version),
        .specification = json_string_value(ids[PUBLISH_SPECIFICATION]),
        .product = json_string_value(ids[PUBLISH_PRODUCT])};
    const struct tmf_filter filter = {"name", look.name};
    int failed = tmf_list(client, publish_collection(part), &filter, matches, &look, &found, err);
    if (failed) return failed;
    json_t *one = choose(found);
    if (one && part == PUBLISH_SPECIFICATION) failed = check_content(client, publication, one, err);
    if (!failed) *ret = one ? json_incref(one) : NULL;
    return failed;
}

/* publish_body.c: the catalogue's documents that a published package becomes. */
#include "net/tmf/publish_body.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

const struct publish_part_name publish_parts[PUBLISH_PART_COUNT] = {
    [PUBLISH_SPECIFICATION] = {"specification", "service specification", NULL},
    [PUBLISH_CANDIDATE] = {"candidate", "service candidate", NULL},
    [PUBLISH_PRODUCT] = {"product", "product specification", NULL},
    [PUBLISH_OFFERING] = {"offering", "product offering", "retires the offering, where this run made it"},
};

static json_t *copy(const json_t *value)
{
    return value ? json_deep_copy(value) : NULL;
}

/* {name, version, lifecycleStatus}. */
static json_t *document_new(const struct publication *publication)
{
    json_t *body = json_object();
    json_put(body, "name", copy(publication->name));
    json_put(body, "version", copy(publication->version));
    json_put_text(body, "lifecycleStatus", "Active");
    return body;
}

/* Where the catalogue's server has the bytes. */
static json_t *url_of(const json_t *digest)
{
    const char *text = json_string_value(digest);
    if (!text) return copy(digest);
    AUTO(free_text) char *url = mem_format("/artifacts/v1/%s", text);
    return json_string(url);
}

static json_t *attachments(const json_t *packages)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(packages); i++) {
        const json_t *package = json_array_get(packages, i), *size = json_object_get(package, "size");
        json_t *one = json_pack("{s:s, s:s}", "attachmentType", "package", "mimeType", "application/gzip");
        json_put(one, "name", copy(json_object_get(package, "name")));
        json_put(one, "url", url_of(json_object_get(package, "digest")));
        json_put(one, "digest", copy(json_object_get(package, "digest")));
        if (size) json_put(one, "size", json_pack("{s:o, s:s}", "amount", copy(size), "units", "byte"));
        json_array_append_new(list, one);
    }
    return list;
}

/* Steals value; NULL: any. */
static json_t *characteristic(const char *name, const char *type, bool configurable, json_t *value)
{
    json_t *one = json_pack("{s:s, s:s, s:b}", "name", name, "valueType", type, "configurable", configurable);
    if (value)
        json_put(
            one, "characteristicValueSpecification", json_pack("[{s:s, s:b, s:o}]", "valueType", type, "isDefault", 1, "value", value));
    return one;
}

static json_t *characteristics(const json_t *descriptor)
{
    json_t *list = json_array();
    if (descriptor) json_array_append_new(list, characteristic("descriptor", "object", false, copy(descriptor)));
    json_array_append_new(list, characteristic("replicas", "integer", true, NULL));
    json_array_append_new(list, characteristic("traffic.share", "number", true, NULL));
    return list;
}

/* {id, name, version} of a part that was made before. */
static json_t *reference(const struct publication *publication, const json_t *id, const char *type)
{
    json_t *one = json_object();
    json_put(one, "id", copy(id));
    json_put(one, "name", copy(publication->name));
    json_put(one, "version", copy(publication->version));
    json_put_text(one, "@type", type);
    return one;
}

static void put_category(json_t *offering, const json_t *category)
{
    if (!category) return;
    json_t *one = json_object();
    json_put(one, "id", copy(category));
    json_put(one, "name", copy(category));
    json_put(offering, "category", json_pack("[o]", one));
}

json_t *publish_body(enum publish_part part, const struct publication *publication, const json_t *const ids[PUBLISH_PART_COUNT])
{
    json_t *body = document_new(publication);
    json_t *specification =
        part == PUBLISH_SPECIFICATION ? NULL : reference(publication, ids[PUBLISH_SPECIFICATION], "ServiceSpecificationRef");
    switch (part) {
    case PUBLISH_SPECIFICATION:
        json_put_text(body, "description", publication->description);
        json_put(body, "attachment", attachments(publication->packages));
        json_put(body, "specCharacteristic", characteristics(publication->descriptor));
        break;
    case PUBLISH_CANDIDATE: json_put(body, "serviceSpecification", specification); break;
    case PUBLISH_PRODUCT: json_put(body, "serviceSpecification", json_pack("[o]", specification)); break;
    case PUBLISH_OFFERING:
        json_decref(specification);
        json_put(body, "productSpecification", reference(publication, ids[PUBLISH_PRODUCT], "ProductSpecificationRef"));
        json_put(body, "serviceCandidate", reference(publication, ids[PUBLISH_CANDIDATE], "ServiceCandidateRef"));
        put_category(body, publication->category);
        break;
    case PUBLISH_PART_COUNT: break;
    }
    return body;
}

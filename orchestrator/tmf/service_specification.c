/* service_specification.c: a package's version as TMF633 has it. A name and a version mean one content for ever: who publishes the same
   again gets what is there, who publishes another under the same version is told to raise it. */
#include "orchestrator/tmf/catalogue.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/tmf/fields.h"

#include <string.h>

static const struct tmf_field characteristic_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "configurable", .type = TMF_BOOLEAN},
    {.name = "extensible", .type = TMF_BOOLEAN},
    {.name = "isUnique", .type = TMF_BOOLEAN},
    {.name = "minCardinality", .type = TMF_INTEGER},
    {.name = "maxCardinality", .type = TMF_INTEGER},
    {.name = "regex", .type = TMF_TEXT},
    {.name = "valueType", .type = TMF_TEXT},
    {.name = "charSpecRelationship", .type = TMF_LIST},
    {.name = "characteristicValueSpecification", .type = TMF_LIST, .fields = tmf_char_value_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

static const struct tmf_field feature_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "version", .type = TMF_TEXT},
    {.name = "isBundle", .type = TMF_BOOLEAN},
    {.name = "isEnabled", .type = TMF_BOOLEAN},
    {.name = "constraint", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "featureSpecCharacteristic", .type = TMF_LIST, .fields = characteristic_fields},
    {.name = "featureSpecRelationship", .type = TMF_LIST},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

static const struct tmf_field schema_fields[] = {
    {.name = "@type", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "@schemaLocation", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    TMF_END,
};

static const struct tmf_field specification_fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED | TMF_FIXED},
    {.name = "version", .type = TMF_TEXT, .flags = TMF_FIXED},
    {.name = "description", .type = TMF_TEXT},
    {.name = "isBundle", .type = TMF_BOOLEAN},
    {.name = "lastUpdate", .type = TMF_TIME},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "attachment", .type = TMF_LIST, .fields = tmf_attachment_fields},
    {.name = "constraint", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "entitySpecRelationship", .type = TMF_LIST, .fields = tmf_relationship_fields},
    {.name = "featureSpecification", .type = TMF_LIST, .fields = feature_fields},
    {.name = "relatedParty", .type = TMF_LIST, .fields = tmf_party_fields},
    {.name = "resourceSpecification", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "serviceLevelSpecification", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "serviceSpecRelationship", .type = TMF_LIST, .fields = tmf_relationship_fields},
    {.name = "specCharacteristic", .type = TMF_LIST, .fields = characteristic_fields},
    {.name = "targetEntitySchema", .type = TMF_OBJECT, .fields = schema_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

char *service_specification_key(const char *name, const char *version)
{
    AUTO(free_json) json_t *both = json_pack("[s, s]", name, version ? version : "");
    return json_canonical(both);
}

const char *service_specification_digest(const json_t *specification)
{
    size_t i;
    json_t *attachment;
    json_array_foreach(json_object_get(specification, "attachment"), i, attachment)
    {
        const char *digest = json_text(attachment, "digest", NULL);
        if (digest && text_equal(json_text(attachment, "attachmentType", "package"), "package")) return digest;
    }
    return NULL;
}

/* The package decides where there is one; else all that was said must be the same. */
static bool is_same_content(const json_t *stored, const json_t *document)
{
    const char *before = service_specification_digest(stored), *after = service_specification_digest(document);
    if (before || after) return text_equal(before, after);
    return catalogue_is_same(stored, document);
}

static int answer_existing(struct tmf_change *change, const char *id, struct error *err)
{
    AUTO(free_json) json_t *stored = NULL;
    int failed = tmf_read(tmf_journal(change->call), service_specification_resource.name, id, &stored, err);
    if (failed) return failed;
    if (is_same_content(stored, change->document)) {
        tmf_answer(change->call, 201, take(&stored));
        return 0;
    }
    error_set(err, ERROR_CONFLICT, NOWHERE, "%.80s %.40s is in the catalogue with another content", json_text(stored, "name", ""),
        json_text(stored, "version", "(without a version)"));
    return error_hint(err, "raise the version: what was published stays as it is");
}

static enum tmf_verdict on_create(struct tmf_change *change, struct error *err)
{
    AUTO(free_text)
    char *key = service_specification_key(json_text(change->document, "name", ""), json_text(change->document, "version", NULL));
    AUTO(free_text) char *id = NULL;
    int failed = journal_find_document(tmf_journal(change->call), service_specification_resource.name, key, &id, err);
    if (failed == -ERROR_NOT_FOUND) {
        change->key = take(&key);
        return TMF_GO_ON;
    }
    if (!failed) failed = answer_existing(change, id, err);
    return failed ? TMF_REFUSED : TMF_TAKEN;
}

/* The package of a version stays, too: an order may have been made of it. */
static enum tmf_verdict on_patch(struct tmf_change *change, struct error *err)
{
    if (text_equal(service_specification_digest(change->stored), service_specification_digest(change->document))) return TMF_GO_ON;
    error_set(err, ERROR_CONFLICT, NOWHERE, "the package of a published version cannot be changed");
    error_hint(err, "publish it under another version");
    return TMF_REFUSED;
}

const struct tmf_resource service_specification_resource = {
    .base = TMF_SERVICE_CATALOGUE,
    .name = "serviceSpecification",
    .type = "ServiceSpecification",
    .verbs = TMF_EVERY_VERB,
    .fields = specification_fields,
    .state = "lifecycleStatus",
    .first = "In study",
    .updated = "lastUpdate",
    .on_create = on_create,
    .on_patch = on_patch,
};

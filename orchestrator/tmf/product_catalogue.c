/* product_catalogue.c: TMF620: specifications, offerings, categories and catalogues of products. */
#include "orchestrator/tmf/catalogue.h"

#include "orchestrator/tmf/fields.h"

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
    {.name = "productSpecCharRelationship", .type = TMF_LIST},
    {.name = "productSpecCharacteristicValue", .type = TMF_LIST, .fields = tmf_char_value_fields},
    {.name = "productSpecification", .type = TMF_OBJECT, .fields = tmf_ref_fields}, /* where it is a use */
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

/* Of a bundle: the standard asks for none of them. */
static const struct tmf_field part_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "href", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "relationshipType", .type = TMF_TEXT},
    {.name = "role", .type = TMF_TEXT},
    {.name = "bundledProductOfferingOption", .type = TMF_OBJECT},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

static const struct tmf_field product_ref_fields[] = {
    {.name = "id", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "href", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "version", .type = TMF_TEXT},
    {.name = "targetProductSchema", .type = TMF_OBJECT},
    TMF_END,
};

static const struct tmf_field specification_fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "version", .type = TMF_TEXT},
    {.name = "brand", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "productNumber", .type = TMF_TEXT},
    {.name = "isBundle", .type = TMF_BOOLEAN},
    {.name = "lastUpdate", .type = TMF_TIME},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "attachment", .type = TMF_LIST, .fields = tmf_attachment_fields},
    {.name = "bundledProductSpecification", .type = TMF_LIST, .fields = part_fields},
    {.name = "productSpecCharacteristic", .type = TMF_LIST, .fields = characteristic_fields},
    {.name = "productSpecificationRelationship", .type = TMF_LIST, .fields = part_fields},
    {.name = "relatedParty", .type = TMF_LIST, .fields = tmf_party_fields},
    {.name = "resourceSpecification", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "serviceSpecification", .type = TMF_LIST, .fields = tmf_ref_fields, .refers = "serviceSpecification"},
    {.name = "targetProductSchema", .type = TMF_OBJECT},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

static const struct tmf_field term_fields[] = {
    {.name = "name", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "duration", .type = TMF_OBJECT},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

/* A price or a reference to one; the amounts within are not ours to judge. */
static const struct tmf_field price_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "href", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "version", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "lastUpdate", .type = TMF_TIME},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "priceType", .type = TMF_TEXT},
    {.name = "recurringChargePeriod", .type = TMF_TEXT},
    {.name = "recurringChargePeriodLength", .type = TMF_INTEGER},
    {.name = "constraint", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "price", .type = TMF_OBJECT},
    {.name = "priceAlteration", .type = TMF_LIST},
    {.name = "unitOfMeasure", .type = TMF_OBJECT, .fields = tmf_quantity_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

static const struct tmf_field offering_fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "version", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "isBundle", .type = TMF_BOOLEAN},
    {.name = "isSellable", .type = TMF_BOOLEAN},
    {.name = "lastUpdate", .type = TMF_TIME},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "statusReason", .type = TMF_TEXT},
    {.name = "agreement", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "attachment", .type = TMF_LIST, .fields = tmf_attachment_fields},
    {.name = "bundledProductOffering", .type = TMF_LIST, .fields = part_fields},
    {.name = "category", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "channel", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "marketSegment", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "place", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "prodSpecCharValueUse", .type = TMF_LIST, .fields = characteristic_fields},
    {.name = "productOfferingPrice", .type = TMF_LIST, .fields = price_fields},
    {.name = "productOfferingRelationship", .type = TMF_LIST, .fields = part_fields},
    {.name = "productOfferingTerm", .type = TMF_LIST, .fields = term_fields},
    {.name = "productSpecification", .type = TMF_OBJECT, .fields = product_ref_fields, .refers = "productSpecification"},
    {.name = "resourceCandidate", .type = TMF_OBJECT, .fields = tmf_ref_fields},
    {.name = "serviceCandidate", .type = TMF_OBJECT, .fields = tmf_ref_fields, .refers = "serviceCandidate"},
    {.name = "serviceLevelAgreement", .type = TMF_OBJECT, .fields = tmf_ref_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

static const struct tmf_field category_fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "version", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "isRoot", .type = TMF_BOOLEAN},
    {.name = "parentId", .type = TMF_TEXT},
    {.name = "lastUpdate", .type = TMF_TIME},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "productOffering", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "subCategory", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

static const struct tmf_field catalog_fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "version", .type = TMF_TEXT},
    {.name = "catalogType", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "lastUpdate", .type = TMF_TIME},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "category", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "relatedParty", .type = TMF_LIST, .fields = tmf_party_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

#define PRODUCT_CATALOGUE_RESOURCE(path, its_type, table, hook) \
    { \
        .base = TMF_PRODUCT_CATALOGUE, .name = path, .type = its_type, .verbs = TMF_EVERY_VERB, .fields = table, \
        .state = "lifecycleStatus", .first = "In study", .updated = "lastUpdate", .on_create = hook \
    }

const struct tmf_resource product_specification_resource =
    PRODUCT_CATALOGUE_RESOURCE("productSpecification", "ProductSpecification", specification_fields, catalogue_once);
const struct tmf_resource product_offering_resource =
    PRODUCT_CATALOGUE_RESOURCE("productOffering", "ProductOffering", offering_fields, catalogue_once);
const struct tmf_resource product_category_resource = PRODUCT_CATALOGUE_RESOURCE("category", "Category", category_fields, NULL);
const struct tmf_resource product_catalog_resource = PRODUCT_CATALOGUE_RESOURCE("catalog", "Catalog", catalog_fields, NULL);

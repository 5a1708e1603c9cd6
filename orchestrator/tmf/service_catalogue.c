/* service_catalogue.c: TMF633: candidates, categories and catalogues of services. */
#include "orchestrator/tmf/catalogue.h"

#include "orchestrator/tmf/fields.h"

static const struct tmf_field candidate_fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "version", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "lastUpdate", .type = TMF_TIME},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "category", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "serviceSpecification", .type = TMF_OBJECT, .flags = TMF_REQUIRED, .fields = tmf_ref_fields, .refers = "serviceSpecification"},
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
    {.name = "category", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "serviceCandidate", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

static const struct tmf_field catalog_fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "version", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "lastUpdate", .type = TMF_TIME},
    {.name = "lifecycleStatus", .type = TMF_TEXT},
    {.name = "category", .type = TMF_LIST, .fields = tmf_ref_fields},
    {.name = "relatedParty", .type = TMF_LIST, .fields = tmf_party_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

#define SERVICE_CATALOGUE_RESOURCE(path, its_type, table, hook) \
    { \
        .base = TMF_SERVICE_CATALOGUE, .name = path, .type = its_type, .verbs = TMF_EVERY_VERB, .fields = table, \
        .state = "lifecycleStatus", .first = "In study", .updated = "lastUpdate", .on_create = hook \
    }

const struct tmf_resource service_candidate_resource =
    SERVICE_CATALOGUE_RESOURCE("serviceCandidate", "ServiceCandidate", candidate_fields, catalogue_once);
const struct tmf_resource service_category_resource =
    SERVICE_CATALOGUE_RESOURCE("serviceCategory", "ServiceCategory", category_fields, NULL);
const struct tmf_resource service_catalog_resource = SERVICE_CATALOGUE_RESOURCE("serviceCatalog", "ServiceCatalog", catalog_fields, NULL);

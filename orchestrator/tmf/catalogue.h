/* catalogue.h: what can be ordered: the resources of the service catalogue (TMF633) and the product catalogue (TMF620). */
#ifndef CRESCENDO_TMF_CATALOGUE_H
#define CRESCENDO_TMF_CATALOGUE_H

#include "orchestrator/tmf/resource.h"

#define TMF_SERVICE_CATALOGUE "/tmf-api/serviceCatalogManagement/v4"
#define TMF_PRODUCT_CATALOGUE "/tmf-api/productCatalogManagement/v4"

extern const struct tmf_resource service_specification_resource, service_candidate_resource, service_catalog_resource,
    service_category_resource;
extern const struct tmf_resource product_specification_resource, product_offering_resource, product_category_resource,
    product_catalog_resource;

/* The key of a service specification's document; caller frees. version may be NULL. */
char *service_specification_key(const char *name, const char *version);
/* The digest of its package ("sha256:..."), borrowed; NULL = it has none. */
const char *service_specification_digest(const json_t *specification);
/* Does the document say the same as the stored one, but for what the server says? */
bool catalogue_is_same(const json_t *stored, const json_t *document);
/* An on_create: the same name and version with the same content is answered with the one that is there. */
tmf_hook catalogue_once;

#endif

/* documents.h: reading what the core says over TM Forum's APIs: lists page by page, and where documents keep what tables show. */
#ifndef CRESCENDO_CLI_DOCUMENTS_H
#define CRESCENDO_CLI_DOCUMENTS_H

#include "cli/client.h"

#define CORE_SPECIFICATIONS "/tmf-api/serviceCatalogManagement/v4/serviceSpecification"
#define CORE_CANDIDATES "/tmf-api/serviceCatalogManagement/v4/serviceCandidate"
#define CORE_PRODUCTS "/tmf-api/productCatalogManagement/v4/productSpecification"
#define CORE_OFFERINGS "/tmf-api/productCatalogManagement/v4/productOffering"
#define CORE_ORDERS "/tmf-api/serviceOrdering/v4/serviceOrder"
#define CORE_CANCELS "/tmf-api/serviceOrdering/v4/cancelServiceOrder"
#define CORE_SETTLE "/settle/v1/orders"
#define CORE_SERVICES "/tmf-api/serviceInventory/v4/service"

/* All that a list has, at most limit (0 = 10,000). query: "name=x&version=1", encoded; NULL = none. Caller frees *ret, an array. A peer
   that ignores filters gives more: look again at what came. */
int core_list(struct client *client, const char *path, const char *query, size_t limit, json_t **ret, struct error *err) MUST_CHECK;
/* The newest ones of a list that is in the order of creation, newest first, without reading all of it. */
int core_newest(struct client *client, const char *path, const char *query, size_t limit, json_t **ret, struct error *err) MUST_CHECK;
/* One resource by its id. */
int core_get(struct client *client, const char *path, const char *id, json_t **ret, struct error *err) MUST_CHECK;

/* Changes members of one resource. */
int core_patch(struct client *client, const char *path, const char *id, const json_t *change, json_t **ret, struct error *err) MUST_CHECK;

/* The rest is borrowed from the documents and pure. */
/* A characteristic's value by name, of `serviceCharacteristic` or `specCharacteristic`; what peers wrap in {value} is unwrapped; NULL =
   there is none. */
const json_t *document_value(const json_t *document, const char *name);
/* The same as text: "" = there is none; numbers and booleans as JSON writes them. Caller frees. */
char *document_value_text(const json_t *document, const char *name);
int64_t document_time(const json_t *document, const char *key); /* 0: absent */

#endif

/* offer_perform.c: offering → service candidate → service specification, as the catalogue has them. */
#include "offer.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tmf/characteristic.h"
#include "net/tmf/order_body.h"

/* The id that a reference holds; of a list of references its first's. */
static const char *reference_id(const json_t *document, const char *key)
{
    const json_t *reference = json_object_get(document, key);
    if (json_is_array(reference)) reference = json_array_get(reference, 0);
    return json_text(reference, "id", NULL);
}

/* Follows one reference. *ret is NULL where there is none. */
static int follow(const struct tmf_client *client, const json_t *document, const char *key, enum tmf_collection collection, json_t **ret,
    struct error *err)
{
    const char *id = reference_id(document, key);
    *ret = NULL;
    return id ? tmf_get(client, collection, id, ret, err) : 0;
}

/* By way of the candidate, else of the product's specification. */
static int find_specification(const struct tmf_client *client, const json_t *offering, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *candidate = NULL, *product = NULL;
    int failed = follow(client, offering, "serviceCandidate", TMF_SERVICE_CANDIDATE, &candidate, err);
    if (!failed) failed = follow(client, candidate, "serviceSpecification", TMF_SERVICE_SPECIFICATION, ret, err);
    if (failed || *ret) return failed;
    failed = follow(client, offering, "productSpecification", TMF_PRODUCT_SPECIFICATION, &product, err);
    if (!failed) failed = follow(client, product, "serviceSpecification", TMF_SERVICE_SPECIFICATION, ret, err);
    if (failed || *ret) return failed;
    return error_set(err, ERROR_CONFLICT, NOWHERE, "%.40s: offering %.60s leads to no service specification", client->name,
        json_text(offering, "id", "?"));
}

static int check_offered(const struct tmf_client *client, const json_t *offering, struct error *err)
{
    const char *status = json_text(offering, "lifecycleStatus", "Active");
    if (!text_equal(status, "Retired") && !text_equal(status, "Obsolete") && !text_equal(status, "Rejected")) return 0;
    error_set(err, ERROR_CONFLICT, NOWHERE, "%.40s: offering %.60s (%.60s %.40s) is %.20s", client->name, json_text(offering, "id", "?"),
        json_text(offering, "name", "?"), json_text(offering, "version", ""), status);
    return error_hint(err, "publish it anew, or order another version");
}

int offer_resolve(
    const struct tmf_client *client, const char *offering, json_t **ret_specification, json_t **ret_descriptor, struct error *err)
{
    AUTO(free_json) json_t *document = NULL, *specification = NULL;
    int failed = tmf_get(client, TMF_PRODUCT_OFFERING, offering, &document, err);
    if (failed == -ERROR_NOT_FOUND)
        return error_hint(err, "was it published in this domain's catalogue? `crescendo catalogue` lists what is offered");
    if (!failed) failed = check_offered(client, document, err);
    if (!failed) failed = find_specification(client, document, &specification, err);
    if (failed) return failed;
    const json_t *descriptor = specification_value(specification, "descriptor");
    *ret_specification = specification_reference(specification);
    *ret_descriptor = descriptor ? json_deep_copy(descriptor) : NULL;
    return 0;
}

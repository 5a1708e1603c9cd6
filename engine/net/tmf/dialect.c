/* dialect.c: the table of dialects, and reading documents with one. What is said of OpenSlice was seen on a real one; of Maestro it is what
   its public clients send. */
#include "net/tmf/dialect.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

/* --- the table ----------------------------------------------------------------------------------------------------------------- */

/* The paths of TM Forum's version 4, which all of them have. */
#define PATHS \
    { \
        [TMF_SERVICE_SPECIFICATION] = "/tmf-api/serviceCatalogManagement/v4/serviceSpecification", \
        [TMF_SERVICE_CANDIDATE] = "/tmf-api/serviceCatalogManagement/v4/serviceCandidate", \
        [TMF_PRODUCT_SPECIFICATION] = "/tmf-api/productCatalogManagement/v4/productSpecification", \
        [TMF_PRODUCT_OFFERING] = "/tmf-api/productCatalogManagement/v4/productOffering", \
        [TMF_SERVICE_ORDER] = "/tmf-api/serviceOrdering/v4/serviceOrder", \
        [TMF_CANCEL_SERVICE_ORDER] = "/tmf-api/serviceOrdering/v4/cancelServiceOrder", \
        [TMF_SERVICE] = "/tmf-api/serviceInventory/v4/service", \
    }
#define SERVICE_STATES \
    { \
        [TMF_SERVICE_FEASIBILITY_CHECKED] = "feasibilityChecked", [TMF_SERVICE_DESIGNED] = "designed", \
        [TMF_SERVICE_RESERVED] = "reserved", [TMF_SERVICE_INACTIVE] = "inactive", [TMF_SERVICE_ACTIVE] = "active", \
        [TMF_SERVICE_TERMINATED] = "terminated", \
    }

/* A request that its sender gave up is held by what lies between for as long as that waits for the peer: 60 s is what the widespread
   proxies wait by default to connect and to hand on (nginx: proxy_connect_timeout, proxy_send_timeout; the idle timeout of common load
   balancers). Half of that again, for a peer behind two of them and for a peer that is busy. */
#define REQUEST_LIFE_MS (90 * 1000)

enum { SOCKET_LIFE_MS = 3 * 1000 }; /* it is at the peer; that may be busy */

static const struct tmf_dialect standard = {
    .name = "standard",
    .is_spoken = true,
    .paths = PATHS,
    .items_key = "serviceOrderItem",
    .order_states = {[TMF_ORDER_ACKNOWLEDGED] = "acknowledged",
        [TMF_ORDER_REJECTED] = "rejected",
        [TMF_ORDER_PENDING] = "pending",
        [TMF_ORDER_HELD] = "held",
        [TMF_ORDER_IN_PROGRESS] = "inProgress",
        [TMF_ORDER_CANCELLED] = "cancelled",
        [TMF_ORDER_COMPLETED] = "completed",
        [TMF_ORDER_FAILED] = "failed",
        [TMF_ORDER_PARTIAL] = "partial",
        [TMF_ORDER_ASSESSING_CANCELLATION] = "assessingCancellation",
        [TMF_ORDER_PENDING_CANCELLATION] = "pendingCancellation"},
    .service_states = SERVICE_STATES,
    .created = 201,
    .values = TMF_VALUE_PLAIN,
    .item_service = "service.id",
    .missing = TMF_MISSING_404,
    .change = TMF_CHANGE_BY_ORDER,
    .end = TMF_END_BY_ORDER,
    .filters = true,
    .repeat_is_safe = true,
    .request_life_ms = REQUEST_LIFE_MS,
    .hub = true,
};

/* With the standard's items key it answers 200, stores no items and later says COMPLETED: hence the check of the echo (orders.c). */
static const struct tmf_dialect openslice = {
    .name = "openslice",
    .paths = PATHS,
    .items_key = "orderItem",
    .order_states = {[TMF_ORDER_ACKNOWLEDGED] = "ACKNOWLEDGED",
        [TMF_ORDER_REJECTED] = "REJECTED",
        [TMF_ORDER_PENDING] = "PENDING",
        [TMF_ORDER_HELD] = "HELD",
        [TMF_ORDER_IN_PROGRESS] = "INPROGRESS",
        [TMF_ORDER_CANCELLED] = "CANCELLED",
        [TMF_ORDER_COMPLETED] = "COMPLETED",
        [TMF_ORDER_FAILED] = "FAILED",
        [TMF_ORDER_PARTIAL] = "PARTIAL",
        [TMF_ORDER_ASSESSING_CANCELLATION] = "ASSESSINGCANCELLATION",
        [TMF_ORDER_PENDING_CANCELLATION] = "PENDINGCANCELLATION"},
    .service_states = SERVICE_STATES,
    .first_item_state = "ACKNOWLEDGED",
    .created = 200,
    .values = TMF_VALUE_WRAPPED,
    .item_service = "service.supportingService.id",
    .missing = TMF_MISSING_EMPTY,
    .change = TMF_CHANGE_BY_PATCH,
    .end = TMF_END_BY_PATCHED_ORDER,
    .request_life_ms = REQUEST_LIFE_MS,
    .login = "Keycloak password grant, realm openslice, client osapiWebClientId; a token lives 300 s",
};

static const struct tmf_dialect maestro = {
    .name = "maestro",
    .paths = PATHS,
    .items_key = "serviceOrderItem",
    .order_states = {[TMF_ORDER_ACKNOWLEDGED] = "ACKNOWLEDGED",
        [TMF_ORDER_REJECTED] = "REJECTED",
        [TMF_ORDER_PENDING] = "PENDING",
        [TMF_ORDER_HELD] = "HELD",
        [TMF_ORDER_IN_PROGRESS] = "IN_PROGRESS",
        [TMF_ORDER_CANCELLED] = "CANCELLED",
        [TMF_ORDER_COMPLETED] = "COMPLETED",
        [TMF_ORDER_FAILED] = "FAILED",
        [TMF_ORDER_PARTIAL] = "PARTIAL",
        [TMF_ORDER_ASSESSING_CANCELLATION] = "ASSESSING_CANCELLATION",
        [TMF_ORDER_PENDING_CANCELLATION] = "PENDING_CANCELLATION"},
    .service_states = {[TMF_SERVICE_FEASIBILITY_CHECKED] = "FEASIBILITY_CHECKED",
        [TMF_SERVICE_DESIGNED] = "DESIGNED",
        [TMF_SERVICE_RESERVED] = "RESERVED",
        [TMF_SERVICE_INACTIVE] = "INACTIVE",
        [TMF_SERVICE_ACTIVE] = "ACTIVE",
        [TMF_SERVICE_TERMINATED] = "TERMINATED"},
    .first_order_state = "INITIAL",
    .first_item_state = "ACKNOWLEDGED",
    .created = 201,
    .values = TMF_VALUE_WRAPPED,
    .item_service = "service.id",
    .missing = TMF_MISSING_ERROR,
    .change = TMF_CHANGE_BY_WHOLE_PATCH,
    .end = TMF_END_BY_PATCH_THEN_DELETION,
    .request_life_ms = REQUEST_LIFE_MS,
    .login = "Keycloak password grant, realm tmf, client tmf-api with its secret",
};

static const struct tmf_dialect *const dialects[] = {&standard, &openslice, &maestro};

const struct tmf_dialect *tmf_dialect_at(unsigned index)
{
    return index < COUNT_OF(dialects) ? dialects[index] : NULL;
}

int tmf_dialect_find(const char *name, const struct tmf_dialect **ret, struct error *err)
{
    const char *names[COUNT_OF(dialects) + 1] = {0};
    for (size_t i = 0; i < COUNT_OF(dialects); i++) {
        names[i] = dialects[i]->name;
        if (strcmp(names[i], name ? name : standard.name) != 0) continue;
        if (!dialects[i]->is_spoken) {
            error_set(err, ERROR_UNSUPPORTED, NOWHERE, "the dialect %s is known, but not spoken in this version", names[i]);
            return error_hint(err, "use a domain with `dialect: standard`");
        }
        *ret = dialects[i];
        return 0;
    }
    const char *near = text_nearest(name, names);
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no dialect \"%.40s\"", name);
    return near ? error_hint(err, "did you mean \"%s\"?", near) : error_hint(err, "there are standard, openslice and maestro");
}

int64_t tmf_request_life(const struct tmf_dialect *dialect, const char *url)
{
    bool is_near = text_starts(url, "unix:") && dialect->request_life_ms > SOCKET_LIFE_MS;
    return is_near ? SOCKET_LIFE_MS : dialect->request_life_ms;
}

/* --- reading documents ----------------------------------------------------------------------------------------------------------- */

json_t *tmf_order_items(const struct tmf_dialect *dialect, const json_t *order)
{
    json_t *items = json_object_get(order, dialect->items_key);
    if (!items) items = json_object_get(order, standard.items_key);
    return json_is_array(items) ? items : NULL;
}

/* The member at a path like "service.id"; of a list on the way its first. */
static const json_t *member_at(const json_t *json, const char *path)
{
    while (json && *path) {
        size_t size = strcspn(path, ".");
        AUTO(free_text) char *key = mem_copy_bytes(path, size);
        if (json_is_array(json)) json = json_array_get(json, 0);
        json = json_object_get(json, key);
        path += size + (path[size] == '.');
    }
    return json;
}

const char *tmf_item_service(const struct tmf_dialect *dialect, const json_t *item)
{
    return json_string_value(member_at(item, dialect->item_service));
}

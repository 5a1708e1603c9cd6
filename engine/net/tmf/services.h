/* services.h: services of the inventory (TMF638) as one who ordered them looks at them. Blocking. Errors as in client.h. */
#ifndef CRESCENDO_NET_TMF_SERVICES_H
#define CRESCENDO_NET_TMF_SERVICES_H

#include "net/tmf/client.h"

/* -ERROR_NOT_FOUND: the peer does not know it. */
int tmf_service_get(const struct tmf_client *client, const char *id, json_t **ret, struct error *err) MUST_CHECK;
enum tmf_service_state tmf_service_state_of(const json_t *service);

/* Waits until it is active, as an order says it is: an order that reads completed may have a service that is not. -ERROR_CONFLICT: it is
   terminated; -ERROR_TIMEOUT. */
int tmf_service_await_active(const struct tmf_client *client, const char *id, int64_t wait_ms, json_t **ret, struct error *err) MUST_CHECK;

/* The other active service of its family: of the same specification name and component, at the same place. *ret NULL: it is alone. */
int tmf_service_other(const struct tmf_client *client, const json_t *service, json_t **ret, struct error *err) MUST_CHECK;

/* The active service of this specification (its id) and component that is on the domain, the one with the most requests. *ret NULL: none.
 */
struct tmf_wanted {
    const char *domain, *component, *name, *specification;
};
int tmf_service_of(const struct tmf_client *client, const struct tmf_wanted *wanted, json_t **ret, struct error *err) MUST_CHECK;

double tmf_service_share(const json_t *service);              /* percent; one that does not say has all */
int64_t tmf_service_replicas(const json_t *service);          /* one that does not say has 1 */
const char *tmf_service_address(const json_t *service);       /* borrowed; NULL = it has none */
const char *tmf_service_specification(const json_t *service); /* its specification's name; borrowed; "" = unknown */
const char *tmf_service_version(const json_t *service);       /* its specification's version; borrowed; NULL = unknown */

#endif

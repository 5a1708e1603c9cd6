/* ordering.h: the resources of service ordering (TMF641) and of the service inventory (TMF638). */
#ifndef CRESCENDO_TMF_ORDERING_H
#define CRESCENDO_TMF_ORDERING_H

#include "orchestrator/tmf/resource.h"

extern const struct tmf_resource service_order_resource, cancel_service_order_resource, inventory_service_resource;

/* An order at rest: nothing changes it any more. */
bool order_state_is_final(const char *state);

#endif

/* part.h: one component of a service's descriptor (docs/reference/service.md) as an order item needs it. A specification may come from
   anybody, so nothing in a descriptor is trusted. Pure. */
#ifndef CRESCENDO_FULFIL_PART_H
#define CRESCENDO_FULFIL_PART_H

#include "crescendo/error.h"

#include <jansson.h>

struct part {
    const char *kind, *name; /* "compute", "network", "user"; borrowed from the descriptor, as json is */
    const json_t *json;
    bool is_first_compute;
};

/* component NULL: the first compute. -ERROR_INVALID: no such component, or it is written wrongly. */
int part_find(const json_t *descriptor, const char *component, struct part *ret, struct error *err) MUST_CHECK;

/* What the part asks for by the site's measures, for one instance. New reference. */
json_t *part_needs(const struct part *part);
/* What an order keeps of it; new reference. */
json_t *part_copy(const struct part *part);

#endif

/* observe.h: what a domain's keeper did by itself becomes part of the inventory: an instance that died, a lease that was lost. Pure. */
#ifndef CRESCENDO_FULFIL_OBSERVE_H
#define CRESCENDO_FULFIL_OBSERVE_H

#include <jansson.h>

/* service: a document. lines: what the keeper's `status` said. The document as it should be, new reference; NULL: it is so already, or
   nothing can be told. Not to be asked of a service that an order is changing. */
json_t *inventory_observe(const json_t *service, const json_t *lines);

#endif

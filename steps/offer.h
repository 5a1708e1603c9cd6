/* offer.h: from an offering's id to what is ordered. */
#ifndef CRESCENDO_STEPS_OFFER_H
#define CRESCENDO_STEPS_OFFER_H

#include "net/tmf/client.h"

/* The service specification behind an offering: {id, name, version}, and the descriptor in it (NULL: it has none). New. Blocks.
   -ERROR_NOT_FOUND: no such offering there; -ERROR_CONFLICT: it is not offered any more, or leads to no specification. */
int offer_resolve(const struct tmf_client *client, const char *offering, json_t **ret_specification, json_t **ret_descriptor,
    struct error *err) MUST_CHECK;

#endif

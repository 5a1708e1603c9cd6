/* order_body.h: the bodies of service orders (TMF641) as docs/explanation/ordering.md says. Pure. */
#ifndef CRESCENDO_CLI_ORDER_BODY_H
#define CRESCENDO_CLI_ORDER_BODY_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARE_UNSAID = -1 };

struct order_wish {
    const char *requester;   /* who asks */
    const char *key;         /* the same order again: externalId; NULL = none */
    const char *description; /* NULL = one is made */
    const char *domain;      /* NULL = the core's only one */
    int64_t replicas;        /* of the first compute; 0 = the descriptor's */
    double share;            /* percent, of the first compute; SHARE_UNSAID */
    int64_t lease_ms;        /* with a share; 0 = none */
};

/* An item for each component of the specification's descriptor; compute depends on the networks and users. */
json_t *order_body_add(const json_t *specification, const struct order_wish *wish);
/* Changes what the wish says of one service: replicas, share, lease. */
json_t *order_body_modify(const char *service, const struct order_wish *wish);
json_t *order_body_delete(const char *const *services, size_t count, const struct order_wish *wish);

/* "25%", "2.5 %": percent from 0 to 100 with at most two digits behind the point. -ERROR_INVALID; also without the sign, because 0.25 may
   be meant as 25 %. */
int share_read(const char *text, double *ret, struct error *err) MUST_CHECK;

#endif

/* check.h: an order from outside, and all that it may refer to, become a checked order: complete, possible, and with everything in it that
   decompose and project need. Pure: the same order in the same world is answered the same.

   A checked order is JSON and stands in run_accepted's data as `order`:
     order      as it will be shown, but for what its run decides (id, href, states, dates)
     requester  who asked
     starts_ms  when it is to begin, after the world's now; absent = at once
     items[]    id, action (add, modify, delete), kind (compute, network, user), domain, family, version, needs[] (ids of items),
                asked {replicas, share (percent), lease (ms)}: those that were asked for;
                kept: characteristics as they were posted, new to the service, which are shown and drive nothing; absent = none
                use {cpu, memory, instances, ...}: what it takes of the site when it is done
                impossible: why nothing can start it, of a specification that was not published by us; then there is nothing of the rest
                add: component, specification {id, name, version}, part (the descriptor's component), artifact ("sha256:..."), limits
                modify, delete: before (the service's document), released[] (documents of what goes with it)
                sibling: the document of the family's other service, where there is one */
#ifndef CRESCENDO_FULFIL_CHECK_H
#define CRESCENDO_FULFIL_CHECK_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stdint.h>

enum { ORDER_ITEMS_MAX = 100, FAMILY_MAX = 2 };

/* What an order may refer to. All borrowed. */
struct order_world {
    const json_t *domains;        /* object: name → a domain's typed JSON, those with a `site` */
    const json_t *specifications; /* object: id → document, those that the order names and that are there */
    const json_t *services;       /* object: id → document: all that are not terminated, and those that the order names */
    const json_t *orders;         /* object: id → checked order: those that are not at rest */
    int64_t now_ms;
};

/* order: a ServiceOrder as posted. requester: who asked, when the order's relatedParty does not say. -ERROR_INVALID: it is wrong or names
   what is not there; -ERROR_CONFLICT: it cannot be done now, or there. */
int order_check(
    const json_t *order, const char *requester, const struct order_world *world, json_t **ret_checked, struct error *err) MUST_CHECK;

/* Who asks: relatedParty with role `requester` (its id, else its name), else the fallback. Borrowed. */
const char *order_requester(const json_t *order, const char *fallback);

/* Of a service's document: its domain's name, its family (NULL: not a compute), its kind ("compute"). Borrowed. */
const char *service_domain(const json_t *service);
const char *service_family(const json_t *service);
const char *service_kind(const json_t *service);
/* What a service's document takes of its site, by measure; new reference. */
json_t *service_use(const json_t *service);

#endif

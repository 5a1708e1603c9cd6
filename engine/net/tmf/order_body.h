/* order_body.h: the bodies of service orders (TMF641) that our steps and commands send, in the standard's words. Pure: `plan` shows what a
   step will send. docs/reference/steps-and-tmf.md has them in full. */
#ifndef CRESCENDO_NET_TMF_ORDER_BODY_H
#define CRESCENDO_NET_TMF_ORDER_BODY_H

#include <jansson.h>
#include <stdbool.h>

/* What is known. All borrowed; members that are NULL are left out. Any JSON may be {"$unknown": ...}. */
struct order_facts {
    const char *action;                     /* "add", "modify", "delete" */
    const char *requester;                  /* NULL = crescendo itself */
    const json_t *origin;                   /* the facts of the step that orders; NULL in a plan, and for commands */
    const char *key;                        /* externalId; NULL where it is known only when the order is sent */
    const char *description;                /* for people; NULL = what the origin says */
    bool undoes;                            /* it takes back what an earlier order of the origin did, and says so */
    const json_t *domain;                   /* its name */
    const json_t *service;                  /* modify, delete: the service's id; a list of them: an item each */
    const json_t *specification;            /* add: {id, name, version} */
    const json_t *descriptor;               /* add: the service's, typed; NULL = one item, the core takes the first compute */
    const json_t *replicas, *share, *lease; /* number; percent; milliseconds; of the first compute */
};

/* An order: of an add an item for each component, compute after the networks and users that it relies on. New. */
json_t *order_body(const struct order_facts *facts);

/* {id, name, version} of a service specification, as an order refers to it. New. */
json_t *specification_reference(const json_t *specification);

#endif

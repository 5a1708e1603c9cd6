/* order_body.h: the bodies of service orders (TMF641) that our steps send, in the standard's words. Pure: `plan` shows what a step will
   send. docs/reference/steps-and-tmf.md has them in full. */
#ifndef CRESCENDO_STEPS_ORDER_BODY_H
#define CRESCENDO_STEPS_ORDER_BODY_H

#include "crescendo/step.h"

/* What is known. All borrowed; members that are NULL are left out. Any JSON may be {"$unknown": ...}. */
struct order_facts {
    const char *action;                     /* "add", "modify", "delete" */
    const json_t *origin;                   /* the facts of the step that orders; NULL in a plan */
    const json_t *domain;                   /* its name */
    const json_t *service;                  /* modify, delete: the service's id */
    const json_t *specification;            /* add: {id, name, version} */
    const json_t *descriptor;               /* add: the service's, typed; NULL = one item, the core takes the first compute */
    const json_t *replicas, *share, *lease; /* number; percent; milliseconds */
};

/* An order without externalId, which is the effect's key and known when it is sent. New. */
json_t *order_body(const struct order_facts *facts);

/* The component of one of a descriptor's entries, and its kind ("compute", "network", "user"). NULL: not such an entry. Borrowed. */
const json_t *component_of(const json_t *entry, const char **ret_kind);

/* A value as a person reads it in a summary: text, number, ‹expression› for what is not known. Caller frees. */
char *planned_text(const json_t *value, const char *fallback);

/* Adds one effect of describe: steals body. compensation NULL: it is not undone. */
void effect_add(json_t *effects, const char *name, const json_t *target, char *summary, json_t *body, const char *compensation);

/* The milliseconds that a share is lent for: with.lease, else the domain's policy's, else a minute. */
int64_t lease_of(const json_t *with, const json_t *domain);

/* Is a share neither none nor all, so that the domain only lends it? What is not known yet counts. */
bool share_is_lent(const json_t *share);

/* Complains about each key of `unwanted` (NULL-ended) that is there, and each of `wanted` that is not. */
int check_keys(const json_t *with, const char *what, const char *const *wanted, const char *const *unwanted, struct location at,
    struct diagnostics *list);

#endif

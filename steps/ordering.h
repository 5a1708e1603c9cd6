/* ordering.h: what the steps that order have in common: a domain's client, the order that is sent once, found again and waited for, and
   what is put on record of it. Only performers use it. */
#ifndef CRESCENDO_STEPS_ORDERING_H
#define CRESCENDO_STEPS_ORDERING_H

#include "crescendo/step.h"
#include "net/tmf/orders.h"
#include "net/tmf/services.h"

struct ordering {
    struct step *step;
    struct tmf_client client;
    const char *domain;        /* borrowed from the facts */
    int64_t wait_ms;           /* the longest that an order is waited for */
    bool ends_service;         /* a refusal is as good as done where the service is gone already */
    bool undoes;               /* what is ordered takes back what was: the order's description says so */
    bool quiet;                /* what an order does is told only where it waits for a person */
    enum tmf_order_state told; /* the last state that people were told */
};

/* The client of the domain that the plan pinned (facts.domain). Nothing is sent. */
int ordering_open(struct step *step, struct ordering *ret, struct error *err) MUST_CHECK;
void ordering_release(struct ordering *ordering);

/* The effect's body as it was first made: an earlier process's checkpoint holds it, else make does, with what shall be known later
   ({body, previous, ...}), and it is kept before anything is sent. Looking at a peer twice could give two bodies, and a key has one.
   *ret_kept: borrowed from the step. */
int ordering_keep(struct ordering *ordering, int (*make)(struct ordering *ordering, json_t **ret_kept, struct error *err),
    const json_t **ret_kept, struct error *err) MUST_CHECK;

/* For step_effect, with a struct ordering as context: sends the order (and waits until it is done). Their outcome is {order, service?,
   previous?, lease?}; docs/reference/steps-and-tmf.md says what these are. */
int ordering_send(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err);
int ordering_send_and_wait(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err);

/* After ordering_send: waits for the order that the outcome names, if it names one, and fails with its words where it failed. */
int ordering_finish(struct ordering *ordering, const json_t *outcome, struct error *err) MUST_CHECK;

/* The order as it came to rest, before it is undone. One that still goes on is cancelled; where that comes too late, it is completed. */
int ordering_bring_to_rest(struct ordering *ordering, const char *id, json_t **ret_order, struct error *err) MUST_CHECK;

/* Finds an order by its key. waits: it counts only when it is done; one that failed was undone by the domain and is absent. */
int ordering_find(
    struct step *step, const json_t *intent, bool waits, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err) MUST_CHECK;

/* --- extras_perform.c --- */
/* The end of a service, or of several. New. */
json_t *ordering_delete_body(const struct ordering *ordering, const json_t *service);
/* One item for each service that the order added, that nothing relies on, and that is not one of kept's, too (kept may be NULL). New; NULL:
   there is none. */
json_t *ordering_end_body(const struct ordering *ordering, const json_t *asked, const json_t *order, const json_t *kept);
/* Of several orders with one key the one to adopt: the one that got furthest, of these the first. Borrowed; NULL: there are none. */
json_t *ordering_best(const json_t *orders);
/* Ends every other one that did something or still may, each by an effect of its own, and tells people. -ERROR_UNAVAILABLE and the like:
   the peer is away; whom it refuses to end is told as an error. */
int ordering_end_extras(
    struct ordering *ordering, const json_t *asked, const json_t *kept, const json_t *orders, struct error *err) MUST_CHECK;
bool ordering_is_extra(const char *effect); /* is it an effect that ends one? */
int ordering_find_ended(struct ordering *ordering, const json_t *body, enum effect_seen *ret_seen, struct error *err) MUST_CHECK;

/* Waits until an order is at rest, telling people what it does. */
int ordering_wait(struct ordering *ordering, const char *id, json_t **ret_order, struct error *err) MUST_CHECK;

/* One changed service: reads it, and makes {body, previous} with the member that `before` reads. NULL members as in struct order_facts. */
struct ordering_change {
    const json_t *share, *replicas, *lease;
};
json_t *ordering_change_body(const struct ordering *ordering, const char *service, const struct ordering_change *change);
/* Of a share, lent for lease_ms where it is neither none nor all. */
json_t *ordering_share_body(const struct ordering *ordering, const char *service, const json_t *share, int64_t lease_ms);
int ordering_service(const struct ordering *ordering, json_t **ret_service, struct error *err) MUST_CHECK; /* with.service */

/* -ERROR_DENIED on a domain that has every version judged, where the service is the one in service and its end, or a smaller share of its
   own, would give what it takes to another version. A canary's own share is lent, which tells the two apart. */
int ordering_check_serving(const struct ordering *ordering, const json_t *service, struct error *err) MUST_CHECK;

/* Hands over the text as an output, where there is one. */
void ordering_output(struct ordering *ordering, const char *name, const char *text);

#endif

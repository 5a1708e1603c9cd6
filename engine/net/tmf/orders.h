/* orders.h: service orders (TMF641) as one who orders uses them: sent with a key, found again by it, waited for, judged, cancelled.
   send, then wait, then judge; after a lost answer find in place of send. Blocking. Errors as in client.h. */
#ifndef CRESCENDO_NET_TMF_ORDERS_H
#define CRESCENDO_NET_TMF_ORDERS_H

#include "net/tmf/client.h"

/* POSTs body with externalId = key and checks that the answer holds the items that were sent. -ERROR_UNSUPPORTED: the peer took an
   order but none of its items, so it will do nothing. */
int tmf_order_send(const struct tmf_client *client, const json_t *body, const char *key, json_t **ret_order, struct error *err) MUST_CHECK;

/* The orders with this externalId: none, one, or several where the peer lost what makes a key unique. Peers are not trusted to filter. */
int tmf_order_find(const struct tmf_client *client, const char *key, json_t **ret_orders, struct error *err) MUST_CHECK;

/* Does the order hold as many items as were asked for, with their ids? -ERROR_UNSUPPORTED, -ERROR_PROTOCOL. */
int tmf_order_check_echo(const struct tmf_client *client, const json_t *asked, const json_t *order, struct error *err) MUST_CHECK;

/* Told now and then while one waits. */
struct tmf_watch {
    void (*tell)(void *context, const json_t *order);
    void *context;
};
/* Asks, with growing pauses, until the order is at rest. -ERROR_TIMEOUT after wait_ms. watch may be NULL. */
int tmf_order_wait(const struct tmf_client *client, const char *id, int64_t wait_ms, const struct tmf_watch *watch, json_t **ret_order,
    struct error *err) MUST_CHECK;

/* 0: the order at rest is completed; else -ERROR_CONFLICT with what the order and its items say went wrong. */
int tmf_order_judge(const struct tmf_client *client, const json_t *order, struct error *err) MUST_CHECK;

/* Asks the peer to cancel it. That it came too late is no error: look at the order. */
int tmf_order_cancel(const struct tmf_client *client, const char *id, const char *reason, struct error *err) MUST_CHECK;

enum tmf_order_state tmf_order_state_of(const json_t *order);

#endif

/* orders.h: what is ordered of a core and what there is of it: the services that are not terminated and the orders that are not at rest,
   in memory beside their documents, so that an order is checked without reading everything. The projection of the core's engine. */
#ifndef CRESCENDO_ORCHESTRATOR_ORDERS_H
#define CRESCENDO_ORCHESTRATOR_ORDERS_H

#include "run/engine.h"

#define ORDER_COLLECTION "serviceOrder"
#define SERVICE_COLLECTION "service"
#define CANCEL_COLLECTION "cancelServiceOrder"
#define ORDER_DIGESTS "serviceOrderDigest" /* what was posted, by its digest; not served */

struct orders;
struct orders *orders_new(void);
void orders_free(struct orders **orders);

/* The engine's `project`; context is a struct orders. */
void orders_project(void *context, const struct run_view *run, struct document_list *list);
/* Reads the services that are there and the cancels that are under way, once the engine is open. */
int orders_load(struct orders *orders, struct engine *engine, struct error *err) MUST_CHECK;

const json_t *orders_services(const struct orders *orders); /* id → document: those not terminated */
const json_t *orders_open(const struct orders *orders);     /* id → checked order: those not at rest */
/* How many orders have come to rest since the core was opened. */
uint64_t orders_rested(const struct orders *orders);
/* Is an open order changing this family of this domain (not one that is to begin later), or did one that came to rest when orders_rested()
   was `since` already, or later? What was seen then of the family may be older than what the order made of it. */
bool orders_touched(const struct orders *orders, uint64_t since, const char *domain, const char *family);
/* A service's document that somebody else writes: a name, an observation. */
void orders_keep_service(struct orders *orders, const json_t *service);
/* A cancel task that ends when its order does. */
void orders_keep_cancel(struct orders *orders, const char *order, const json_t *task);

#endif

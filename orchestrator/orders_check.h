/* orders_check.h: are the documents of orders and services those that follow from the events? For `crescendo fsck`. */
#ifndef CRESCENDO_ORCHESTRATOR_ORDERS_CHECK_H
#define CRESCENDO_ORCHESTRATOR_ORDERS_CHECK_H

#include "run/engine.h"
#include "store/inspect.h"

/* Computes the documents of an order from its run and compares them with those in the journal, but for what follows from no event: what
   people said by a patch or a cancel, and of services what a domain's keeper observed. A service is compared with the order that wrote it
   last. */
void orders_check(const struct run_view *run, journal_complaint *complain, void *context);

#endif

/* settle.h: POST /settle/v1/orders/{order}: a person settles what the core cannot tell of an order that is held. */
#ifndef CRESCENDO_ORCHESTRATOR_SETTLE_H
#define CRESCENDO_ORCHESTRATOR_SETTLE_H

#include "http/server.h"

struct core;

/* Asks the core's engine, and is answered once what was said is on disk. */
struct http_mount settle_mount(struct core *core);

#endif

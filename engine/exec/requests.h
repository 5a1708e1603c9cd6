/* requests.h: what supervisor.c lends to requests.c. Inside engine/exec only. */
#ifndef CRESCENDO_EXEC_REQUESTS_H
#define CRESCENDO_EXEC_REQUESTS_H

#include "exec/supervisor.h"
#include "exec/wire.h"

/* Where a request is written, with wire_begin: it is sent now, or once the shim is attached. Borrowed until request_queued. */
struct wire *request_wire(struct supervisor *supervisor);
/* Finishes what wire_begin started there. It is sent when the loop comes round. */
void request_queued(struct supervisor *supervisor, struct wire *wire, size_t start);

/* RUN/, as the run names it; borrowed. */
const char *supervisor_folder(const struct supervisor *supervisor);

#endif

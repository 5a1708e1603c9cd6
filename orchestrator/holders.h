/* holders.h: the engines that renew leases here, and the highest epoch that each of them said. One that says a lower was replaced, and
   renews nothing. On the loop's thread; nothing blocks. */
#ifndef CRESCENDO_ORCHESTRATOR_HOLDERS_H
#define CRESCENDO_ORCHESTRATOR_HOLDERS_H

#include "store/journal.h"

struct holders;

/* What the journal remembers. It is borrowed. */
int holders_open(struct journal *journal, struct holders **ret, struct error *err) MUST_CHECK;
void holders_close(struct holders **holders);
/* -ERROR_STALE: a server of this engine was here that was started later. A higher epoch is remembered, and queued for the journal.
   -ERROR_INVALID: no name; -ERROR_LIMIT: there are too many engines to remember another. */
int holders_pass(struct holders *holders, const char *engine, uint64_t epoch, struct error *err) MUST_CHECK;

#endif

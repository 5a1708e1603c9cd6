/* standby.h: the lease on a domain that cannot hold one (no capability `lease`): nobody there would go back by itself, so the server stands
   by. As long as it is there, nothing is lost; it writes down that it is, and after a restart knows for how long it was not. */
#ifndef CRESCENDO_RUN_STANDBY_H
#define CRESCENDO_RUN_STANDBY_H

#include "run/live.h"

void standby_note(const struct live_run *run);       /* the server is there now; queued for the journal */
int64_t standby_seen_ms(const struct live_run *run); /* when it last was, by the wall clock; 0 = not noted */
void standby_forget(const struct live_run *run);     /* the run lends nothing any more */

#endif

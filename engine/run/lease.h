/* lease.h: renews the leases that a run holds (docs/explanation/ordering.md), while it is not at rest. The requests are made in
   libuv's workers, so the loop never waits for a domain; a lease that is lost cancels its run. On the loop's thread. */
#ifndef CRESCENDO_RUN_LEASE_H
#define CRESCENDO_RUN_LEASE_H

#include "run/live.h"

/* After a restart: nobody knows whether the leases are still held, so they are asked for at once, and lease_is_unsure until they are. */
void lease_recover(struct live_run *run);
/* Takes up what the state says is held, asks for what is due, and cancels the run for what is lost. Folds; the caller decides next. */
void lease_tend(struct live_run *run);
/* Renews those of a run that sleeps (sleep.h). True: one is lost, for which the run has to be woken. */
bool lease_tend_asleep(struct live_run *run);
/* Is there a lease of which nobody knows whether it is held? Then the run begins nothing new. */
bool lease_is_unsure(const struct live_run *run);
/* Is it unsure, or was the last answer none, or a refusal? */
bool lease_is_troubled(const struct live_run *run);
int64_t lease_wait_ms(const struct live_run *run); /* until lease_tend has something to do; INT64_MAX = never */
void lease_release(struct live_run *run);

#endif

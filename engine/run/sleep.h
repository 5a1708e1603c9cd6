/* sleep.h: a run that only waits for a time leaves its plan and state to the journal: it sleeps, and is folded anew when somebody wants it.
   docs/adr/0028-runs-that-wait-sleep.md. On the loop's thread; waking blocks for the disk.

   A run that sleeps has no plan, no state, nothing accepted and no lists of steps; all else of it stays (its number, its timer, its leases,
   what it counted), and nothing of it is on its way to the disk or to a supervisor. Who looks at the plan or state of a run that it did not
   just advance asks live_wake first, or passes over it where run_sleeps. A run falls asleep only in its own timer's turn, so that what was
   borrowed of it holds until the loop comes round. */
#ifndef CRESCENDO_RUN_SLEEP_H
#define CRESCENDO_RUN_SLEEP_H

#include "run/live.h"

static inline bool run_sleeps(const struct live_run *run)
{
    return !run->state;
}

/* What a run has only while it is awake. Steals all. */
void live_equip(struct live_run *run, struct plan *plan, struct run_state *state, json_t *accepted);
void live_strip(struct live_run *run);

/* Sees to it that the run has its plan and state. False: the journal cannot be read; then the engine has failed. */
bool live_wake(struct live_run *run);
/* The same of a run that somebody only looks at: it sleeps again soon. NULL where it cannot be woken. */
const struct run_state *live_look(struct live_run *run);
/* Time has come, or a lease was answered: advances the run, where that may change something; a run that sleeps only renews its leases. */
void live_stir(struct live_run *run);

bool sleep_is_due(const struct live_run *run); /* may it, and is it worth folding it anew? */
void sleep_begin(struct live_run *run);
/* Of a run that a restart has folded: the state is given back at once where nothing comes of it now, before the others are read. */
void sleep_at_once(struct live_run *run);
/* May a run that sleeps stand in the way of this one's turn? */
bool sleep_shares_group(const struct live_run *sleeper, const struct plan *plan);

#endif

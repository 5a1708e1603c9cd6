/* simulate.h: one run of a user's plan in the simulated world, and what became of it. Pure: a seed and a plan are a story again, to the
 * byte. */
#ifndef CRESCENDO_SIM_SIMULATE_H
#define CRESCENDO_SIM_SIMULATE_H

#include "crescendo/step.h"
#include "sim/odds.h"
#include "state/state.h"

/* Who hears the story while it happens; either may be NULL. */
struct listener {
    void *context;
    /* An event that is on disk, so that nothing is told twice after a crash. time is the run's: event->time_ms less SIMULATED_START_MS. */
    void (*event)(void *context, const struct event *event);
    /* A fault, at the moment that it happens. NO_STEP: it meets the whole run. of_undo: it meets the undoing of the step. */
    void (*fault)(void *context, int64_t time_ms, enum fault fault, uint32_t step, bool of_undo);
    /* A step's process sends what the effect asks for, or asks for it by its key; the peer does it. */
    void (*act)(void *context, int64_t time_ms, enum act act, uint32_t step, uint32_t effect, bool of_undo);
};
enum { SIMULATED_START_MS = 1000 * 1000 * 1000 }; /* what the machine's clock says when a run begins */

struct simulation {
    const struct plan *plan; /* borrowed, like all of it */
    step_types *types;       /* says which outputs steps have */
    const struct odds *odds;
    uint64_t seed;
    struct listener listener;
};

/* docs/formats/simulation.md; the caller's:
   {scenario, seed, end, reason, message, took_ms, held, broken, meant, faults: [{fault, what, times}], orders: [{step, effect, target,
   undoing, sent, asked, made, state}], asked: [{step, state, ...}], settled, left}. held: the promise was kept; broken says what was not.
   meant: the scenario means such an end. */
json_t *simulate(const struct simulation *simulation);

#endif

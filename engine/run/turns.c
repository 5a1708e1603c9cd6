/* turns.c: which run is let into a group, told from the states of all runs that are not at rest. There is no table beside them, so after a
   restart there is nothing to rebuild. docs/explanation/concurrency.md */
#include "run/sleep.h"

#include "base/mem.h"

#include <stdlib.h>

struct turn *turns_look(const struct live_run *run)
{
    uint32_t count = run->plan->claim_count;
    if (!count) return NULL;
    struct turn *turns = mem_alloc_array(count, sizeof *turns);
    for (uint32_t i = 0; i < count; i++) {
        turn_begin(run->state, i, &turns[i]);
        if (turns[i].status == CLAIM_HELD || turns[i].status == CLAIM_DONE) continue; /* nobody stands in its way */
        for (struct live_run *other = run->engine->runs; other; other = other->next) {
            if (run_sleeps(other) && !sleep_shares_group(other, run->plan)) continue;
            const struct run_state *state = live_look(other);
            if (state && state->plan->claim_count) turn_meet(&turns[i], state);
        }
    }
    return turns;
}

void turns_notice(struct live_run *run)
{
    if (!run->plan->claim_count) return;
    uint64_t mark = turn_mark(run->state);
    if (mark != run->turn_mark) run->engine->turns_changed = true;
    run->turn_mark = mark;
}

bool turns_wait(const struct live_run *run)
{
    const struct run_state *state = run->state;
    return run->plan->claim_count && (state->parked_count[WAIT_group] || state->gave_back) && !run_status_at_rest(state->status);
}

/* sleep.c: runs that only wait for a time are not held in memory. */
#include "run/sleep.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/lease.h"
#include "run/past.h"

#include <stdlib.h>

enum {
    SHORTEST_MS = 3000, /* a pause that is not worth it */
    MS_OF_AN_EVENT = 2, /* folding one costs tens of microseconds: about a hundredth of the pause goes into it */
};

void live_equip(struct live_run *run, struct plan *plan, struct run_state *state, json_t *accepted)
{
    size_t steps = plan->step_count, stages = plan->stage_count;
    run->plan = plan;
    run->state = state;
    run->accepted = accepted;
    run->touched = mem_alloc_array(steps, sizeof *run->touched);
    run->is_touched = mem_alloc_array(steps, sizeof *run->is_touched);
    run->acting = mem_alloc_array(steps, sizeof *run->acting);
    run->acting_now = mem_alloc_array(steps, sizeof *run->acting_now);
    run->is_acting = mem_alloc_array(steps, sizeof *run->is_acting);
    run->handed = mem_alloc_array(steps, sizeof *run->handed);
    run->has_sandbox = mem_alloc_array(steps, sizeof *run->has_sandbox);
    run->stage_live = mem_alloc_array(stages, sizeof *run->stage_live);
    run->plan_reads_workspaces = workspaces_are_read(plan);
}

void live_strip(struct live_run *run)
{
    run_state_free(&run->state);
    plan_free(&run->plan);
    json_decref(take(&run->accepted));
    free(take(&run->touched));
    free(take(&run->is_touched));
    free(take(&run->acting));
    free(take(&run->acting_now));
    free(take(&run->is_acting));
    free(take(&run->handed));
    free(take(&run->has_sandbox));
    free(take(&run->stage_live));
    run->touched_count = run->acting_count = 0;
}

/* --- the groups of a run that sleeps: their digests, since a false meeting only wakes it --- */

static void keep_groups(struct live_run *run)
{
    const struct plan *plan = run->plan;
    size_t count = 0;
    for (uint32_t i = 0; i < plan->claim_count; i++)
        count += plan->claims[i].group_count;
    if (!count) return;
    run->groups = mem_alloc_array(count, sizeof *run->groups);
    for (uint32_t i = 0; i < plan->claim_count; i++)
        for (uint32_t k = 0; k < plan->claims[i].group_count; k++)
            run->groups[run->group_count++] = text_hash(TEXT_HASH_SEED, plan->claims[i].groups[k].name);
}

static bool has_group(const struct live_run *sleeper, const char *name)
{
    uint64_t digest = text_hash(TEXT_HASH_SEED, name);
    for (uint32_t i = 0; i < sleeper->group_count; i++)
        if (sleeper->groups[i] == digest) return true;
    return false;
}

bool sleep_shares_group(const struct live_run *sleeper, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->claim_count && sleeper->group_count; i++)
        for (uint32_t k = 0; k < plan->claims[i].group_count; k++)
            if (has_group(sleeper, plan->claims[i].groups[k].name)) return true;
    return false;
}

/* --- waking --- */

static void wake_failed(const struct live_run *run, struct error *err)
{
    struct engine *engine = run->engine;
    error_wrap(err, "run %llu cannot be read again", (unsigned long long)run->number);
    engine->failed = true;
    if (engine->options.failed) engine->options.failed(engine->options.context, err);
}

/* What was folded then and what is folded now are the same events, all of them on disk before the run fell asleep. */
static int read_again(struct live_run *run, struct past **ret_past, struct error *err)
{
    struct past *past = NULL;
    int failed = past_read(run->engine->journal, run->number, NULL, &past, err);
    if (failed) return failed;
    if (past && past->event_count == run->event_count) {
        *ret_past = past;
        return 0;
    }
    error_set(err, ERROR_STATE, NOWHERE, "the journal holds %llu events of %llu", past ? (unsigned long long)past->event_count : 0,
        (unsigned long long)run->event_count);
    past_free(&past);
    return error_hint(err, "look what else writes to the data folder, then start the server again");
}

bool live_wake(struct live_run *run)
{
    struct error err;
    struct past *past = NULL;
    if (!run_sleeps(run)) return true;
    if (run->engine->failed || run->closing) return false;
    if (read_again(run, &past, &err) < 0) {
        wake_failed(run, &err);
        return false;
    }
    live_equip(run, take(&past->plan), take(&past->state), take(&past->accepted));
    past_free(&past);
    free(take(&run->groups));
    run->group_count = 0;
    return true;
}

const struct run_state *live_look(struct live_run *run)
{
    bool slept = run_sleeps(run);
    if (!live_wake(run)) return NULL;
    if (slept) live_arm_timer(run);
    return run->state;
}

void live_stir(struct live_run *run)
{
    const struct engine *engine = run->engine;
    if (run->closing || engine->closing || engine->failed) return;
    if (!run_sleeps(run) || clock_now_ms() >= run->wake_ms || lease_tend_asleep(run))
        live_advance(run);
    else
        live_arm_timer(run);
}

/* --- falling asleep --- */

/* Approvals are listed with what their runs know of them, so those stay awake: a list must not fold thousands. */
static bool only_waits(const struct live_run *run)
{
    const struct run_state *state = run->state;
    return state->status == RUN_waiting && !state->live_count && !state->ready_count && !state->parked_count[WAIT_approval] &&
           !state->parked_count[WAIT_retry] && !turns_wait(run);
}

static bool has_nothing_under_way(const struct live_run *run)
{
    return !run->supervisor && !run->appends_pending && !run->outbox.count && !run->waiters && !run->sayings && !run->loss_pending &&
           !run->idle_since_ms && !run->plan_text && !run->touched_count && !run->closing;
}

static bool pays(const struct live_run *run)
{
    int64_t next = decide_next_time(run->state), shortest = (int64_t)run->event_count * MS_OF_AN_EVENT;
    if (next == INT64_MAX) return true;
    return next - clock_now_ms() >= (shortest > SHORTEST_MS ? shortest : SHORTEST_MS);
}

static bool may_sleep(const struct live_run *run)
{
    return !run_sleeps(run) && only_waits(run) && has_nothing_under_way(run) && pays(run);
}

/* A domain that refuses is asked every second, and what it says is judged by the state. */
bool sleep_is_due(const struct live_run *run)
{
    return may_sleep(run) && !lease_is_troubled(run);
}

void sleep_begin(struct live_run *run)
{
    run->wake_ms = decide_next_time(run->state);
    keep_groups(run);
    live_strip(run);
    live_arm_timer(run);
}

/* Is there anything to decide, were all slots taken and all leases sure? The answer is thrown away: it is asked again of all runs together.
 */
static bool decides_something(struct live_run *run)
{
    struct event_list events = {0};
    decide(run->state, &(struct decide_input){.now_ms = clock_now_ms()}, &events);
    bool something = events.count > 0 || run->state->ready_count;
    event_list_release(&events);
    return something;
}

void sleep_at_once(struct live_run *run)
{
    if (!may_sleep(run)) return;
    bool awaited = decides_something(run);
    sleep_begin(run);
    if (awaited) run->wake_ms = 0; /* what decide has marked goes with the state */
}

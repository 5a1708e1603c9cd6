/* check.c: what must be true after every event, at every crash, and at the end. */
#include "tests/sim/sim.h"

#include <string.h>

static bool is_live(enum step_status status)
{
    return status == STEP_starting || status == STEP_running || status == STEP_cancelling;
}

/* The counters that make decide cheap equal what a scan finds. */
static void check_stage(struct world *world, uint32_t index, uint32_t *open, uint32_t *live_stages)
{
    const struct run_state *state = world->engine.state;
    const struct plan_stage *plan = &world->plan->stages[index];
    const struct stage_state *stage = &state->stages[index];
    uint32_t stage_open = 0, live = 0, needs = 0, cursor = plan->step_count;
    for (uint32_t i = plan->step_count; i-- > 0;) {
        enum step_status status = state->steps[plan->first_step + i].status;
        if (!step_status_at_rest(status)) {
            stage_open++;
            cursor = i;
        }
        live += is_live(status);
    }
    for (uint32_t i = 0; i < plan->need_count; i++)
        needs += state->stages[plan->needs[i]].steps_open > 0;
    *open += stage_open;
    *live_stages += live > 0;
    if (stage->steps_open != stage_open || stage->live != live || stage->needs_open != needs || stage->cursor != cursor)
        world_fault(world, "the counters of stage %s are wrong", plan->path);
}

void check_state(struct world *world)
{
    const struct run_state *state = world->engine.state;
    uint32_t open = 0, live_stages = 0, ready = 0, unknown = 0, parked = 0, counted = 0;
    for (uint32_t i = 0; i < world->plan->stage_count; i++)
        check_stage(world, i, &open, &live_stages);
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        ready += state->steps[i].status == STEP_ready;
        unknown += state->steps[i].status == STEP_unknown;
        parked += state->steps[i].status == STEP_parked;
    }
    for (int i = 0; i < WAIT_COUNT; i++)
        counted += state->parked_count[i];
    if (open != state->open_count || live_stages != state->live_stage_count || ready != state->ready_count ||
        unknown != state->unknown_count || parked != counted)
        world_fault(world, "the run's counters are wrong");
}

void check_journal(struct world *world)
{
    struct run_state *fold = run_state_new(world->plan);
    struct error err = {0};
    int result = 0;
    for (size_t i = 0; i < world->journal.count && !result; i++)
        for (size_t j = 0; j < world->journal.batches[i].events.count && !result; j++)
            result = reduce(fold, &world->journal.batches[i].events.items[j], &err);
    for (size_t i = 0; i < world->engine.outbox.count && !result; i++)
        result = reduce(fold, &world->engine.outbox.items[i], &err);
    if (result) world_fault(world, "the journal does not fold: %s", err.message);
    AUTO(free_json) json_t *folded = run_state_to_json(fold);
    AUTO(free_json) json_t *present = run_state_to_json(world->engine.state);
    if (!json_equal(folded, present)) world_fault(world, "the fold of the journal is not the state");
    run_state_free(&fold);
}

/* Nobody who was answered may find the decision gone. */
static void check_decisions(struct world *world)
{
    const struct run_state *state = world->engine.state;
    uint32_t votes = 0;
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        for (const struct vote *vote = state->steps[i].votes; vote; vote = vote->next)
            votes++;
    if (votes < world->acknowledged_votes) world_fault(world, "a decision that was acknowledged is lost");
    if (state->cancel_count < world->acknowledged_cancels) world_fault(world, "a cancel that was acknowledged is lost");
}

static void check_verdict(struct world *world)
{
    const struct run_state *state = world->engine.state;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const struct plan_step *plan = &world->plan->steps[i];
        bool is_bad = state->steps[i].status == STEP_cancelled || (state->steps[i].status == STEP_failed && !plan->allow_failure);
        bad += is_bad && !world->plan->stages[plan->stage].allow_failure;
        if (!step_status_at_rest(state->steps[i].status)) world_fault(world, "the run is over and %s is not", plan->path);
    }
    if (state->status == RUN_succeeded && bad) world_fault(world, "the run succeeded though steps failed");
    if (state->status == RUN_succeeded && state->cancel_count) world_fault(world, "the run succeeded though it was cancelled");
    if (state->status == RUN_failed && !bad && !state->cancel_count) world_fault(world, "the run failed though no step did");
    if (state->status == RUN_failed && !reason_exit_code(state->reason)) world_fault(world, "the run failed without a reason");
    if (state->status == RUN_cancelled && !state->cancel_count) world_fault(world, "the run is cancelled though nobody asked");
}

/* A step that succeeded and has an effect has it exactly once. */
static void check_effects(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        bool has_effect = json_array_size(world->plan->steps[i].effects) > 0;
        if (has_effect && world->engine.state->steps[i].status == STEP_succeeded && world->ordered[i] != 1)
            world_fault(world, "%s succeeded and its order was placed %u times", world->plan->steps[i].path, world->ordered[i]);
    }
}

void check_end(struct world *world)
{
    check_journal(world);
    check_decisions(world);
    check_verdict(world);
    check_effects(world);
    for (size_t i = 0; i < world->shim.count; i++)
        if (world->shim.processes[i].state == PROCESS_LIVES)
            world_fault(world, "the run is over and %s still runs", world->plan->steps[world->shim.processes[i].step].path);
}

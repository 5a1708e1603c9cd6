/* people.c: what persons do: they vote, cancel, and settle what the engine cannot tell. */
#include "tests/sim/sim.h"

bool engine_vote(struct world *world)
{
    static const char *const people[] = {"p0", "p1", "p2", "stranger"};
    struct engine *engine = &world->engine;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        if (engine->state->steps[i].wait != WAIT_approval) continue;
        const char *const groups[] = {people[chance_below(&world->chance, COUNT_OF(people))], NULL};
        struct event_list events = {0};
        struct error err = {0};
        bool approves = chance_percent(&world->chance, 85);
        if (settle_vote(engine->state, i, groups[0], groups, approves, "so be it", world->now_ms, &events, &err) == 0) engine->votes++;
        engine_fold(world, &events);
        return true;
    }
    return false;
}

bool engine_cancel(struct world *world)
{
    struct engine *engine = &world->engine;
    if (run_move(engine->state->status, EVENT_cancel_requested) < 0) return false;
    struct event_list events = {0};
    event_list_add(&events, EVENT_cancel_requested, NO_STEP, world->now_ms, json_pack("{s:s}", "by", "p0"));
    engine->cancels++;
    engine_fold(world, &events);
    return true;
}

/* Somebody looks at the peer: what a step could not tell, and what is left that could not be undone. */
bool engine_settle(struct world *world)
{
    struct engine *engine = &world->engine;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        enum step_status status = engine->state->steps[i].status;
        struct resolution says = {.as = world->ordered[i] ? RESOLVED_done : RESOLVED_not_done, .by = "p0", .id = "1"};
        struct event_list events = {0};
        struct error err = {0};
        if (status != STEP_unknown && status != STEP_compensation_failed) continue;
        if (status == STEP_compensation_failed) {
            says.as = RESOLVED_undone;
            if (world->ordered[i] && !world->undone[i]) world_undo(world, i);
            world->by_hand[i] = true;
        }
        if (settle_resolve(engine->state, i, &says, world->now_ms, &events, &err))
            world_fault(world, "it could not be settled: %s", err.message);
        engine->settled++;
        engine_fold(world, &events);
        return true;
    }
    return false;
}

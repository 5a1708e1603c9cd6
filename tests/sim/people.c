/* people.c: who decides and who cancels, from outside of the run: people, and the domain that has taken back what it lent. */
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
        if (settle_vote(engine->state, i, groups[0], groups, approves, "so be it", world_clock(world), &events, &err) == 0) engine->votes++;
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
    event_list_add(&events, EVENT_cancel_requested, NO_STEP, world_clock(world), json_pack("{s:s}", "by", "p0"));
    engine->cancels++;
    engine_fold(world, &events);
    return true;
}

/* As engine/run/lease.c: only of a run that goes on. */
bool engine_lose_lease(struct world *world)
{
    enum run_status status = world->engine.state->status;
    if (status != RUN_running && status != RUN_waiting) return false;
    struct event_list events = {0};
    event_list_add(&events, EVENT_cancel_requested, NO_STEP, world_clock(world), json_pack("{s:s}", "reason", "lease_lost"));
    engine_fold(world, &events);
    return true;
}

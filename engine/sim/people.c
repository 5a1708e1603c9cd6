/* people.c: who votes, cancels, and settles what the engine cannot tell, from outside of the run: people, and the domain that has taken
   back what it lent. */
#include "sim/sim.h"

#include <string.h>

static bool has_voted(const struct step_state *step, const char *by)
{
    for (const struct vote *vote = step->votes; vote; vote = vote->next)
        if (!strcmp(vote->by, by)) return true;
    return false;
}

static bool approve_as(struct world *world, uint32_t step, const char *name, uint32_t member)
{
    AUTO(free_text) char *by = member ? mem_format("%s-%u", name, member + 1) : mem_copy_text(name);
    const char *const groups[] = {by, name, NULL};
    struct event_list events = {0};
    struct error err = {0};
    if (has_voted(&world->engine.state->steps[step], by)) return false;
    if (settle_vote(world->engine.state, step, by, groups, true, NULL, world_clock(world), &events, &err)) return false;
    world->engine.votes++;
    engine_fold(world, &events);
    return true;
}

/* One of those whom the pipeline names, or of the groups that it names. */
static bool approve_as_named(struct world *world, uint32_t step)
{
    enum { MEMBERS_MAX = 20 };
    const json_t *by = json_object_get(world->plan->steps[step].with, "by");
    for (uint32_t member = 0; member < MEMBERS_MAX; member++)
        for (size_t i = 0; i < json_array_size(by); i++) {
            const char *name = json_string_value(json_array_get(by, i));
            if (name && approve_as(world, step, name, member)) return true;
        }
    return false;
}

bool is_voters_turn(const struct world *world)
{
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        if (world->engine.state->steps[i].status == STEP_parked && world->engine.state->steps[i].wait == WAIT_approval) return true;
    return false;
}

bool engine_vote(struct world *world)
{
    static const char *const people[] = {"p0", "p1", "p2", "stranger"};
    struct engine *engine = &world->engine;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        if (engine->state->steps[i].wait != WAIT_approval) continue;
        if (world->odds) return approve_as_named(world, i);
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

static bool is_unsettled(const struct effect_state *effect)
{
    enum effect_status is = effect->status;
    return is == EFFECT_intended || is == EFFECT_sent || is == EFFECT_acknowledged || is == EFFECT_unknown;
}

static const char *someone(const struct world *world)
{
    return world->odds ? "an operator" : "p0";
}

/* Of the first effect that the step could not tell: is it there? */
static struct resolution look_at_peer(const struct world *world, uint32_t step)
{
    const struct effect_state *effect = world->engine.state->steps[step].effects;
    while (effect && !is_unsettled(effect))
        effect = effect->next;
    bool is_there = effect && peer_order(world, effect->key);
    return (struct resolution){
        .as = is_there ? RESOLVED_done : RESOLVED_not_done, .by = someone(world), .id = "1", .effect = effect ? effect->name : NULL};
}

static struct resolution take_back_by_hand(struct world *world, uint32_t step)
{
    peer_take_back(world, step);
    return (struct resolution){.as = RESOLVED_undone, .by = someone(world)};
}

static bool settle_step(struct world *world, uint32_t step)
{
    struct engine *engine = &world->engine;
    struct event_list events = {0};
    struct error err = {0};
    bool is_unknown = engine->state->steps[step].status == STEP_unknown;
    const struct resolution says = is_unknown ? look_at_peer(world, step) : take_back_by_hand(world, step);
    if (settle_resolve(engine->state, step, &says, world_clock(world), &events, &err))
        world_fault(world, "it could not be settled: %s", err.message);
    engine->settled++;
    engine_fold(world, &events);
    return true;
}

bool is_persons_turn(const struct world *world)
{
    enum run_status status = world->engine.state->status;
    if (world->odds && world->odds->is_absent) return false;
    if (status == RUN_rollback_failed) return world->is_settled_by_hand;
    return status == RUN_needs_person;
}

/* Somebody looks at the peer when no request can be under way any more. */
bool engine_settle(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        enum step_status status = world->engine.state->steps[i].status;
        if (status != STEP_unknown && status != STEP_compensation_failed) continue;
        return peer_is_at_rest(world, i) && settle_step(world, i);
    }
    return false;
}

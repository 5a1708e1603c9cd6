/* others.c: the other runs of the server, as far as they are in this run's groups: they hold a claim of it, or wait before it, and let go
   at random moments; they come in as soon as it is given back. */
#include "sim/sim.h"

#include <string.h>

static bool all_is_on_disk(const struct world *world)
{
    return world->journal.committed == world->journal.count && !world->engine.outbox.count;
}

/* Is a step of ours that had to be let in alive, whatever the engine knows? */
static void check_alone(struct world *world, uint32_t claim)
{
    for (size_t i = 0; i < world->shim.count; i++) {
        const struct process *process = &world->shim.processes[i];
        const struct plan_stage *stage = &world->plan->stages[world->plan->steps[process->step].stage];
        if (process->state == PROCESS_LIVES && stage->group_count && stage->claim == claim)
            world_fault(world, "another run is let in while %s is alive", world->plan->steps[process->step].path);
    }
}

static void come(struct world *world, uint32_t claim)
{
    struct other *other = &world->others[claim];
    enum claim_status status = claim_status(world->engine.state, claim);
    if (status == CLAIM_HELD || !all_is_on_disk(world)) return;
    check_alone(world, claim);
    other->is_in = true;
    other->before = chance_below(&world->chance, 3);
    other->is_newer = status == CLAIM_WAITS && chance_percent(&world->chance, 10);
    bool may_come_back = world->engine.state->gave_back; /* it takes its groups again before it goes on */
    if (status == CLAIM_DONE && !may_come_back) other->had_it_after_us = true;
}

void others_move(struct world *world)
{
    if (!world->plan->claim_count || !world_lot(world, 5, 0)) return;
    uint32_t claim = chance_below(&world->chance, world->plan->claim_count);
    if (world->others[claim].is_in)
        world->others[claim].is_in = false;
    else if (!world->is_calm)
        come(world, claim);
    world->engine.must_advance = true;
}

bool others_let_go(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->claim_count; i++) {
        if (!world->others[i].is_in || claim_status(world->engine.state, i) != CLAIM_WAITS) continue;
        world->others[i].is_in = false;
        world->engine.must_advance = true;
        return true;
    }
    return false;
}

void others_look(const struct world *world, struct turn *turns)
{
    for (uint32_t i = 0; i < world->plan->claim_count; i++) {
        const struct other *other = &world->others[i];
        const struct plan_group *group = &world->plan->claims[i].groups[0];
        turn_begin(world->engine.state, i, &turns[i]);
        if (!other->is_in || turns[i].status == CLAIM_HELD || turns[i].status == CLAIM_DONE) continue;
        turns[i].group = group->name;
        turns[i].queue = group->queue;
        turns[i].holder = 2;
        turns[i].holder_status = RUN_running;
        turns[i].before = other->before;
        turns[i].newer = other->is_newer && group->queue == GROUP_SUPERSEDE ? 3 : 0;
    }
}

/* Did we ever have the claim? Before that, what is in no group itself concerns nobody. */
static bool was_let_in(const struct world *world, uint32_t number)
{
    const struct plan_claim *claim = &world->plan->claims[number];
    for (uint32_t i = 0; i < claim->stage_count; i++)
        if (world->engine.state->stages[claim->stages[i]].granted) return true;
    return false;
}

void others_check_start(struct world *world, uint32_t step)
{
    const struct plan_stage *stage = &world->plan->stages[world->plan->steps[step].stage];
    const char *path = world->plan->steps[step].path;
    if (stage->claim == NO_CLAIM) return;
    if (stage->group_count && !world->engine.state->stages[stage->index].granted) world_fault(world, "%s starts out of turn", path);
    bool undoes = world->engine.state->steps[step].status == STEP_compensating;
    bool concerns = stage->group_count || (undoes && was_let_in(world, stage->claim));
    if (concerns && world->others[stage->claim].is_in) world_fault(world, "%s goes on while another run is in its group", path);
    if (concerns && world->others[stage->claim].had_it_after_us) world_fault(world, "%s goes on though its group was given back", path);
}

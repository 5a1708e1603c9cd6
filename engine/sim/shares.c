/* shares.c: the domain's keeper: an order may lend a version its share of the requests until nobody renews it; then the keeper takes it
   back by itself. All requests belong to the baseline, or to both while the share is lent: a version that the run gave up has none. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool may_be_undone(const struct world *world, uint32_t step)
{
    return json_text(json_array_get(world->plan->steps[step].effects, 0), "compensation", NULL) != NULL;
}

static bool lends_by_type(const struct world *world, uint32_t step)
{
    const char *type = world->plan->steps[step].type;
    return is_canary(world, step) || (!strcmp(type, "shift") && may_be_undone(world, step));
}

void share_begin(struct world *world)
{
    world->peer.shares = mem_alloc_array((size_t)world->plan->step_count + 1, sizeof *world->peer.shares);
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        bool drawn = may_be_undone(world, i) && chance_percent(&world->chance, 30);
        world->peer.shares[i].lends = world->odds ? lends_by_type(world, i) : drawn;
    }
}

/* A later share of a service takes the place of an earlier one. */
void share_lend(struct world *world, uint32_t step, const char *service)
{
    struct share *share = &world->peer.shares[step];
    if (!share->lends) return;
    share_end(world, service);
    share->is_lent = true;
    share->until_ms = world->now_ms + LEASE_MS * world->pace;
    snprintf(share->service, sizeof share->service, "%s", service);
}

void share_end(struct world *world, const char *service)
{
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        if (!strcmp(world->peer.shares[i].service, service)) world->peer.shares[i].is_lent = false;
}

void share_give_back(struct world *world, uint32_t step)
{
    world->peer.shares[step].is_lent = false;
}

/* --- the server's side, as engine/run/lease.c --------------------------------------------------------------------------------------------
 */

static bool renew(struct world *world, uint32_t step)
{
    struct share *share = &world->peer.shares[step];
    bool is_due = share->until_ms - world->now_ms <= LEASE_MS * world->pace * 2 / 3;
    if (share->is_lent && is_due) share->until_ms = world->now_ms + LEASE_MS * world->pace;
    return share->is_lent && is_due;
}

/* What the run holds by its record and the domain has taken back is lost: that is the end of the run. */
static bool note_loss(struct world *world, uint32_t step)
{
    struct share *share = &world->peer.shares[step];
    if (share->is_lent || !share->has_lapsed) return false;
    return engine_lose_lease(world);
}

/* The step that has lent it, or did last. */
static uint32_t step_of_service(const struct world *world, const char *service)
{
    uint32_t last = NO_STEP;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const struct share *share = &world->peer.shares[i];
        if (!*share->service || strcmp(share->service, service) != 0) continue;
        if (share->is_lent) return i;
        last = i;
    }
    return last;
}

static bool renew_all(struct world *world)
{
    AUTO(free_json) json_t *list = run_state_leases(world->engine.state);
    size_t index;
    json_t *lease;
    json_array_foreach(list, index, lease)
    {
        uint32_t step = step_of_service(world, json_text(lease, "service", ""));
        if (step != NO_STEP && (renew(world, step) || note_loss(world, step))) return true;
    }
    return false;
}

/* --- the keeper's side -------------------------------------------------------------------------------------------------------------------
 */

/* Whatever its outcome says of a lease: a person's word has it, too. */
static bool is_done(const struct effect_state *effect)
{
    return effect && effect->status == EFFECT_done && !strcmp(effect->name, "order");
}

static bool is_on_record(const struct world *world, uint32_t step)
{
    if (!world->odds) return is_done(world->engine.state->steps[step].effects);
    AUTO(free_json) json_t *list = run_state_leases(world->engine.state);
    size_t index;
    json_t *lease;
    json_array_foreach(list, index, lease) if (!strcmp(json_text(lease, "service", ""), world->peer.shares[step].service)) return true;
    return false;
}

/* The server lives all the time, so what its record holds is renewed. */
static bool take_back(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        struct share *share = &world->peer.shares[i];
        if (!share->is_lent || share->until_ms > world->now_ms) continue;
        if (is_on_record(world, i) && !run_status_at_rest(world->engine.state->status) && !world->undone[i])
            world_fault(world, "%s: its share was taken back though the server lives and has it on record", world->plan->steps[i].path);
        share->is_lent = false;
        share->has_lapsed = true;
        return true;
    }
    return false;
}

bool share_step(struct world *world)
{
    bool is_held = !run_status_at_rest(world->engine.state->status);
    return (is_held && renew_all(world)) || take_back(world);
}

int64_t share_next_ms(const struct world *world)
{
    int64_t soonest = INT64_MAX;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const struct share *share = &world->peer.shares[i];
        int64_t renew_ms = share->until_ms - LEASE_MS * world->pace * 2 / 3, next = renew_ms > world->now_ms ? renew_ms : share->until_ms;
        if (share->is_lent && next < soonest) soonest = next;
    }
    return soonest;
}

/* Once the time of every lease is over, nobody has a share but who has it for good. */
void share_check_end(struct world *world)
{
    world->now_ms += LEASE_MS * world->pace;
    while (share_step(world)) {
    }
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        if (world->peer.shares[i].is_lent && run_status_at_rest(world->engine.state->status))
            world_fault(world, "the run is over and %s still has its share", world->plan->steps[i].path);
}

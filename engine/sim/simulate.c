/* simulate.c: lives one run of a user's plan, and tells what became of it. */
#include "sim/simulate.h"

#include "base/json.h"
#include "sim/sim.h"

#include <string.h>

enum { PACE = 1000, FAULTS_DEFAULT = 12 }; /* what takes a millisecond in the proof takes a second here */

/* --- what happened --- */

static json_t *faults_of(const struct world *world)
{
    json_t *list = json_array();
    for (int i = 0; i < FAULT_COUNT; i++)
        if (world->met[i])
            json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "fault", fault_name((enum fault)i), "what", fault_help((enum fault)i),
                                            "times", (json_int_t)world->met[i]));
    return list;
}

/* What the record says of it in the end. */
static const char *state_on_record(const struct world *world, const struct placed *placed)
{
    for (const struct effect_state *effect = world->engine.state->steps[placed->step].effects; effect; effect = effect->next)
        if (!strcmp(effect->key, placed->key)) return effect_status_name(effect->status);
    return "planned";
}

static json_t *order_of(const struct world *world, const struct placed *placed)
{
    const struct plan_step *step = &world->plan->steps[placed->step];
    const json_t *effect = json_array_get(step->effects, placed->effect);
    json_t *order = json_object();
    json_put_text(order, "step", step->path);
    json_put_text(order, "effect", effect_name(world, placed->step, placed->effect));
    json_put_text(order, "target", json_text(effect, "target", NULL));
    if (placed->of_undo) json_put_flag(order, "undoing", true);
    json_put_whole(order, "sent", placed->sent);
    json_put_whole(order, "asked", placed->asked);
    json_put_whole(order, "made", placed->made);
    json_put_text(order, "state", state_on_record(world, placed));
    return order;
}

static json_t *orders_of(const struct world *world)
{
    json_t *list = json_array();
    for (size_t i = 0; i < world->peer.placed_count; i++)
        json_array_append_new(list, order_of(world, &world->peer.placed[i]));
    return list;
}

/* Who was asked to decide: approvals with the votes that came. */
static json_t *asked_of(const struct world *world)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const struct step_state *step = &world->engine.state->steps[i];
        const struct plan_step *plan = &world->plan->steps[i];
        bool was_asked = !strcmp(plan->type, "approve") && step->status != STEP_skipped && step->status != STEP_pending;
        bool is_asked = step->status == STEP_unknown || step->status == STEP_compensation_failed;
        if (!was_asked && !is_asked) continue;
        json_t *votes = json_array();
        for (const struct vote *vote = step->votes; vote; vote = vote->next)
            json_array_append_new(votes, json_string(vote->by));
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o}", "step", plan->path, "state", step_status_name(step->status), "votes", votes));
    }
    return list;
}

static json_t *report_of(const struct world *world, uint64_t seed)
{
    const struct run_state *state = world->engine.state;
    json_t *report = json_object();
    bool means = !scenario_touches_any(world->odds, world->plan) || (world->odds->ends & 1u << state->status);
    json_put_text(report, "scenario", world->odds->name);
    json_put_whole(report, "seed", (int64_t)seed);
    json_put_text(report, "end", run_status_name(state->status));
    json_put_text(report, "reason", state->reason ? reason_name(state->reason) : NULL);
    json_put_text(report, "message", state->message);
    json_put_whole(report, "took_ms", world->end_ms);
    json_put_flag(report, "held", !world->fault);
    json_put_text(report, "broken", world->fault);
    json_put_flag(report, "meant", !world->fault && means);
    json_put(report, "faults", faults_of(world));
    json_put(report, "orders", orders_of(world));
    json_put(report, "asked", asked_of(world));
    json_put(report, "settled", run_state_settled(state));
    json_put(report, "left", run_state_left(state));
    return report;
}

/* --- a run --- */

json_t *simulate(const struct simulation *simulation)
{
    const struct listener *listener = &simulation->listener;
    struct world world = {.chance = {simulation->seed},
        .odds = simulation->odds,
        .types = simulation->types,
        .pace = PACE,
        .witness = {.context = listener->context, .event = listener->event, .fault = listener->fault, .act = listener->act},
        .fault_limit = simulation->odds->fault_limit ? simulation->odds->fault_limit : FAULTS_DEFAULT,
        .clock_ms = SIMULATED_START_MS,
        .plan = simulation->plan};
    world_begin(&world);
    world_live(&world);
    json_t *report = report_of(&world, simulation->seed);
    world_release(&world);
    return report;
}

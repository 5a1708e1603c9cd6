/* life.c: a run's life in the simulated world: what happens next is drawn by lot, and time passes when nothing else can happen. */
#include "sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACTIONS_WILD = 1500, ACTIONS_MAX = 200 * 1000, PROMPT_S = 900, BUSY_ACTIONS = 60 };

/* --- what is told --- */

void world_fault(struct world *world, const char *format, ...)
{
    if (world->fault) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->fault_text, sizeof world->fault_text, format, arguments);
    va_end(arguments);
    world->fault = world->fault_text;
}

void world_say(const struct world *world, const char *format, ...)
{
    if (!world->witness.says) return;
    struct text line = {0};
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&line, format, arguments);
    va_end(arguments);
    world->witness.says(world->witness.context, world->now_ms, text_view(&line));
    text_release(&line);
}

/* --- what goes wrong by itself --- */

static bool may_strike(const struct world *world)
{
    return world->crash_budget && world->fault_count < world->fault_limit;
}

static void crash_server(struct world *world)
{
    fault_note(world, FAULT_server_dies, NO_STEP, false);
    engine_crash(world);
}

static void kill_shim(struct world *world)
{
    fault_note(world, FAULT_shim_dies, NO_STEP, false);
    shim_die(world);
}

static void lose_power(struct world *world)
{
    fault_note(world, FAULT_power_fails, NO_STEP, false);
    engine_crash(world);
    shim_lose_power(world);
}

static void crash_something(struct world *world)
{
    uint32_t lot = chance_below(&world->chance, 5);
    world->crash_budget--;
    if (lot == 4) return lose_power(world);
    if (lot != 0 && world->shim.lives) kill_shim(world);
    if (lot != 1) crash_server(world);
}

static void move_clock(struct world *world)
{
    enum { FURTHEST_MS = 5000 };
    int64_t by_ms = (int64_t)chance_below(&world->chance, 2 * FURTHEST_MS) - FURTHEST_MS;
    world->clock_ms += by_ms;
    if (by_ms > 0) world->leapt_ms = world->now_ms;
    world->engine.must_advance = true; /* the server arms its timers anew when the clock is set */
    fault_note(world, FAULT_clock_jumps, NO_STEP, false);
}

static bool is_due(struct world *world, enum fault fault)
{
    return world->odds->percent[fault] && chance_below(&world->chance, 1000) < world->odds->percent[fault];
}

/* By the scenario's odds, which are in a thousand things that happen. */
static bool disturb_by_odds(struct world *world)
{
    if (world->fault_count >= world->fault_limit) return false;
    if (is_due(world, FAULT_server_dies)) return crash_server(world), true;
    if (world->shim.lives && is_due(world, FAULT_shim_dies)) return kill_shim(world), true;
    if (is_due(world, FAULT_power_fails)) return lose_power(world), true;
    if (is_due(world, FAULT_server_replaced)) return stale_begin(world), true;
    if (world->stale.is_there && chance_below(&world->chance, 50) == 0) return stale_wake(world), true;
    if (is_due(world, FAULT_report_again) && engine_hear_again(world)) return true;
    if (!world->cancel_budget || !is_due(world, FAULT_person_cancels) || !engine_cancel(world)) return false;
    world->cancel_budget--;
    fault_note(world, FAULT_person_cancels, NO_STEP, false);
    return true;
}

static bool disturb(struct world *world)
{
    if (world->is_calm) return false;
    if (world->odds) return disturb_by_odds(world);
    if (may_strike(world) && chance_percent(&world->chance, 2)) return crash_something(world), true;
    if (may_strike(world) && chance_below(&world->chance, 400) == 0) return move_clock(world), true;
    if (may_strike(world) && chance_below(&world->chance, 400) == 0) return stale_begin(world), true;
    if (world->stale.is_there && chance_below(&world->chance, 50) == 0) return stale_wake(world), true;
    if (may_strike(world) && chance_below(&world->chance, 200) == 0 && engine_hear_again(world)) return true;
    if (world->cancel_budget && world->fault_count < world->fault_limit && chance_below(&world->chance, 300) == 0) {
        world->cancel_budget--;
        return engine_cancel(world) ? fault_note(world, FAULT_person_cancels, NO_STEP, false), true : false;
    }
    return false;
}

/* --- what happens --- */

/* One of the things that can happen now, drawn by lot; false when nothing can. */
static bool happen(struct world *world)
{
    static bool (*const actions[])(struct world *) = {
        engine_hear, engine_advance, engine_act, engine_commit, shim_step, engine_learn, peer_step, share_step};
    uint32_t first = chance_below(&world->chance, COUNT_OF(actions));
    for (uint32_t i = 0; i < COUNT_OF(actions); i++)
        if (actions[(first + i) % COUNT_OF(actions)](world)) return true;
    return false;
}

static int64_t next_ms(const struct world *world)
{
    const int64_t all[] = {engine_next_ms(world), shim_next_ms(world), peer_next_ms(world), share_next_ms(world)};
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (all[i] < next) next = all[i];
    return next;
}

static void move_on(struct world *world, int64_t next)
{
    if (next == INT64_MAX)
        world_fault(world, "nothing can happen any more and the run is %s", run_status_name(world->engine.state->status));
    else if (next > world->now_ms)
        world->now_ms = next;
    else
        world->now_ms++;
}

/* A user's people take some minutes, and are there before the next day. */
static void pass_time_of_people(struct world *world, int64_t next)
{
    int64_t prompt_ms = world->now_ms + 1000 * (1 + (int64_t)chance_below(&world->chance, PROMPT_S));
    bool acts = !world->odds->is_absent && (is_persons_turn(world) || is_voters_turn(world)) && prompt_ms < next;
    int64_t before_ms = world->now_ms;
    if (!acts) return move_on(world, next);
    world->now_ms = prompt_ms;
    if (engine_vote(world) || (is_persons_turn(world) && engine_settle(world))) return;
    world->now_ms = before_ms;
    move_on(world, next);
}

/* Nothing can happen now: time passes, or a person does something. */
static void pass_time(struct world *world)
{
    int64_t next = next_ms(world);
    if ((next == INT64_MAX || chance_percent(&world->chance, 20)) && others_let_go(world)) return;
    if (world->odds) return pass_time_of_people(world, next);
    bool is_late = next == INT64_MAX || chance_percent(&world->chance, 20);
    if (is_late && engine_vote(world)) return;
    if (is_persons_turn(world) && is_late && (chance_percent(&world->chance, 60) ? engine_settle(world) : engine_cancel(world))) return;
    move_on(world, next);
}

/* A person is asked, nobody comes, and nothing else is under way but leases that are renewed. */
static bool is_left_alone(const struct world *world)
{
    enum run_status status = world->engine.state->status;
    bool asks = status == RUN_needs_person || status == RUN_rollback_failed || is_voters_turn(world);
    bool is_quiet = engine_next_ms(world) == INT64_MAX && shim_next_ms(world) == INT64_MAX && peer_next_ms(world) == INT64_MAX;
    return world->odds && world->odds->is_absent && asks && is_quiet && !world->engine.must_advance;
}

static bool is_over(const struct world *world)
{
    bool is_committed = world->journal.committed == world->journal.count && !world->engine.outbox.count;
    enum run_status status = world->engine.state->status;
    bool is_given_up = status == RUN_rollback_failed && !is_persons_turn(world);
    return (run_status_at_rest(status) || is_given_up || is_left_alone(world)) && is_committed;
}

/* The run is over; what its shim still has to say is heard, and nothing of it may matter. */
static void drain(struct world *world)
{
    for (uint32_t i = 0; i < 1000 && !world->fault; i++) {
        if (engine_hear(world) || shim_step(world) || peer_step(world)) continue;
        int64_t next = shim_next_ms(world), peer = peer_next_ms(world);
        if (peer < next) next = peer;
        if (next == INT64_MAX) return;
        if (next > world->now_ms)
            world->now_ms = next;
        else
            return;
    }
}

/* After so many things nothing goes wrong any more, so that the run must come to its end. */
static uint32_t wild_actions(const struct world *world)
{
    return world->odds ? ACTIONS_WILD + BUSY_ACTIONS * world->plan->step_count : ACTIONS_WILD;
}

void world_live(struct world *world)
{
    uint32_t wild = wild_actions(world);
    engine_begin(world);
    for (uint32_t i = 0; !world->fault && !is_over(world); i++) {
        if (i == wild) world->is_calm = true;
        if (i == ACTIONS_MAX + wild - ACTIONS_WILD) world_fault(world, "the run does not come to an end");
        if (chance_percent(&world->chance, 10)) world->now_ms++;
        others_move(world);
        if (disturb(world) || happen(world)) continue;
        pass_time(world);
    }
    stale_wake(world);
    world->end_ms = world->now_ms;
    if (!world->fault) drain(world);
    if (!world->fault) check_end(world);
}

/* --- beginning and end --- */

void world_begin(struct world *world)
{
    size_t steps = world->plan->step_count;
    if (!world->pace) world->pace = 1;
    world->ordered = mem_alloc_array(steps, sizeof *world->ordered);
    world->undone = mem_alloc_array(steps, sizeof *world->undone);
    world->undone_at = mem_alloc_array(steps, sizeof *world->undone_at);
    world->by_hand = mem_alloc_array(steps, sizeof *world->by_hand);
    world->is_settled_by_hand = chance_percent(&world->chance, 60) || world->odds;
    world->kept_ticks = mem_alloc_array(steps, sizeof *world->kept_ticks);
    world->others = mem_alloc_array((size_t)world->plan->claim_count + 1, sizeof *world->others);
    world->turns = mem_alloc_array((size_t)world->plan->claim_count + 1, sizeof *world->turns);
    world->crash_budget = chance_percent(&world->chance, 70) ? chance_below(&world->chance, 12) : 0;
    world->cancel_budget = chance_percent(&world->chance, 40) ? 1 + chance_below(&world->chance, 2) : 0;
    if (world->odds) world->cancel_budget = 1;
    peer_begin(world);
}

void world_release(struct world *world)
{
    stale_release(world);
    engine_release(world);
    shim_release(world);
    peer_release(world);
    for (size_t i = 0; i < world->journal.count; i++)
        event_list_release(&world->journal.batches[i].events);
    free(world->journal.batches);
    free(world->ordered);
    free(world->undone);
    free(world->undone_at);
    free(world->kept_ticks);
    free(world->by_hand);
    free(world->others);
    free(world->turns);
}

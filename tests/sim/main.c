/* main.c: sim [--seed S] [--verbose] [N]: simulates N runs (default 2000), each from a seed of its own, with crashes of server and
   shim between any two events, and checks what must always be true. A failing seed is printed and can be run again alone. */
#include "tests/sim/sim.h"

#include "base/clock.h"
#include "tests/support/make_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_DEFAULT = 2000, ACTIONS_WILD = 1500, ACTIONS_MAX = 200 * 1000 };

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
    if (!world->is_verbose) return;
    va_list arguments;
    va_start(arguments, format);
    printf("%6lld ", (long long)world->now_ms);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

static void crash_something(struct world *world)
{
    uint32_t lot = chance_below(&world->chance, 4);
    world->crash_budget--;
    if (lot != 0 && world->shim.lives) shim_die(world);
    if (lot != 1) engine_crash(world);
}

static bool disturb(struct world *world)
{
    if (world->is_calm) return false;
    if (world->crash_budget && chance_percent(&world->chance, 2)) return crash_something(world), true;
    if (world->cancel_budget && chance_below(&world->chance, 300) == 0) {
        world->cancel_budget--;
        return engine_cancel(world);
    }
    return false;
}

/* One of the things that can happen now, drawn by lot; false when nothing can. */
static bool happen(struct world *world)
{
    static bool (*const actions[])(struct world *) = {engine_hear, engine_advance, engine_act, engine_commit, shim_step, engine_learn};
    uint32_t first = chance_below(&world->chance, COUNT_OF(actions));
    for (uint32_t i = 0; i < COUNT_OF(actions); i++)
        if (actions[(first + i) % COUNT_OF(actions)](world)) return true;
    return false;
}

/* Nothing can happen now: time passes, or a person does something. */
static void pass_time(struct world *world)
{
    int64_t next = engine_next_ms(world), shim = shim_next_ms(world);
    if (shim < next) next = shim;
    if ((next == INT64_MAX || chance_percent(&world->chance, 20)) && others_let_go(world)) return;
    bool is_late = next == INT64_MAX || chance_percent(&world->chance, 20);
    if (is_late && engine_vote(world)) return;
    enum run_status status = world->engine.state->status;
    bool is_asked = status == RUN_needs_person || (status == RUN_rollback_failed && world->is_settled_by_hand);
    if (is_asked && is_late && (chance_percent(&world->chance, 60) ? engine_settle(world) : engine_cancel(world))) return;
    if (next == INT64_MAX)
        world_fault(world, "nothing can happen any more and the run is %s", run_status_name(world->engine.state->status));
    else if (next > world->now_ms)
        world->now_ms = next;
    else
        world->now_ms++;
}

static bool is_over(const struct world *world)
{
    bool is_committed = world->journal.committed == world->journal.count && !world->engine.outbox.count;
    enum run_status status = world->engine.state->status;
    return (run_status_at_rest(status) || (status == RUN_rollback_failed && !world->is_settled_by_hand)) && is_committed;
}

/* The run is over; what its shim still has to say is heard, and nothing of it may matter. */
static void drain(struct world *world)
{
    for (uint32_t i = 0; i < 1000 && !world->fault; i++) {
        if (engine_hear(world) || shim_step(world)) continue;
        int64_t next = shim_next_ms(world);
        if (next == INT64_MAX) return;
        if (next > world->now_ms)
            world->now_ms = next;
        else
            return;
    }
}

static void live(struct world *world)
{
    engine_begin(world);
    for (uint32_t i = 0; !world->fault && !is_over(world); i++) {
        if (i == ACTIONS_WILD) world->is_calm = true;
        if (i == ACTIONS_MAX) world_fault(world, "the run does not come to an end");
        if (chance_percent(&world->chance, 10)) world->now_ms++;
        others_move(world);
        if (disturb(world) || happen(world)) continue;
        pass_time(world);
    }
    if (!world->fault) drain(world);
    if (!world->fault) check_end(world);
}

static void release(struct world *world)
{
    engine_release(world);
    shim_release(world);
    for (size_t i = 0; i < world->journal.count; i++)
        event_list_release(&world->journal.batches[i].events);
    free(world->journal.batches);
    free(world->ordered);
    free(world->undone);
    free(world->undone_at);
    free(world->by_hand);
    free(world->others);
    free_made_plan(&world->plan);
}

struct totals {
    uint64_t passed, failed, events, crashes;
    uint32_t ends[RUN_STATUS_COUNT];
};

static void simulate(uint64_t seed, bool is_verbose, struct totals *totals)
{
    struct world world = {.chance = {seed}, .seed = seed, .is_verbose = is_verbose, .now_ms = 1000};
    struct text plan = {0};
    random_plan(&world.chance, &plan);
    if (is_verbose) printf("%s", text_view(&plan));
    world.plan = make_plan(text_view(&plan));
    world.ordered = mem_alloc_array(world.plan->step_count, sizeof *world.ordered);
    world.undone = mem_alloc_array(world.plan->step_count, sizeof *world.undone);
    world.undone_at = mem_alloc_array(world.plan->step_count, sizeof *world.undone_at);
    world.by_hand = mem_alloc_array(world.plan->step_count, sizeof *world.by_hand);
    world.is_settled_by_hand = chance_percent(&world.chance, 60);
    world.others = mem_alloc_array((size_t)world.plan->claim_count + 1, sizeof *world.others);
    world.crash_budget = chance_percent(&world.chance, 70) ? chance_below(&world.chance, 12) : 0;
    world.cancel_budget = chance_percent(&world.chance, 40) ? 1 + chance_below(&world.chance, 2) : 0;
    live(&world);
    totals->events += world.event_count;
    totals->crashes += world.crash_count;
    totals->ends[world.engine.state->status]++;
    unsigned long long number = seed;
    if (world.fault) printf("sim: seed %llu: %s\n     see it: sim --verbose --seed %llu 1\n", number, world.fault, number);
    *(world.fault ? &totals->failed : &totals->passed) += 1;
    release(&world);
    text_release(&plan);
}

static int usage(void)
{
    fprintf(stderr, "usage: sim [--seed S] [--verbose] [N]\n");
    return 64;
}

int main(int argc, char **argv)
{
    int64_t seed = 1, runs = RUNS_DEFAULT;
    bool is_verbose = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--verbose"))
            is_verbose = true;
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc && text_to_integer(argv[i + 1], &seed))
            i++;
        else if (!text_to_integer(argv[i], &runs))
            return usage();
    }
    struct totals totals = {0};
    int64_t start_us = clock_monotonic_us();
    for (int64_t i = 0; i < runs; i++)
        simulate((uint64_t)(seed + i), is_verbose, &totals);
    double seconds = (double)(clock_monotonic_us() - start_us) / 1e6;
    printf("sim: ends:");
    for (int i = 0; i < RUN_STATUS_COUNT; i++)
        if (totals.ends[i]) printf(" %s %u", run_status_name((enum run_status)i), totals.ends[i]);
    printf("\nsim: %llu events, %llu crashes, %.0f runs a second\n", (unsigned long long)totals.events, (unsigned long long)totals.crashes,
        (double)runs / (seconds > 0 ? seconds : 1));
    printf("sim: %llu passed, %llu failed\n", (unsigned long long)totals.passed, (unsigned long long)totals.failed);
    return totals.failed ? 1 : 0;
}

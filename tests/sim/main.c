/* main.c: sim [--seed S] [--verbose] [--stop] [N]: simulates N runs (default 20000), each from a seed of its own, with crashes of server
   and shim between any two events, and checks what must always be true. A failing seed is printed, made small, and can be run again alone.
 */
#include "tests/sim/sim.h"

#include "base/clock.h"
#include "tests/support/make_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUNS_DEFAULT = 20 * 1000,
    ACTIONS_WILD = 1500,
    ACTIONS_MAX = 200 * 1000,
    COVERED_RUNS = 200 * 1000,
    CELL_LEAST = 100,
    SHRUNK_MAX = 5
};

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

static bool may_strike(const struct world *world)
{
    return world->crash_budget && world->fault_count < world->fault_limit;
}

static void crash_server(struct world *world)
{
    fault_note(world, FAULT_server_dies, NO_STEP, false);
    engine_crash(world);
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
    if (lot != 0 && world->shim.lives) {
        fault_note(world, FAULT_shim_dies, NO_STEP, false);
        shim_die(world);
    }
    if (lot != 1) crash_server(world);
}

static void move_clock(struct world *world)
{
    enum { FURTHEST_MS = 5000 };
    int64_t by_ms = (int64_t)chance_below(&world->chance, 2 * FURTHEST_MS) - FURTHEST_MS;
    world->clock_ms += by_ms;
    world->was_set_back |= by_ms < 0;
    if (by_ms > 0) world->leapt_ms = world->now_ms;
    world->engine.must_advance = true; /* the server arms its timers anew when the clock is set */
    fault_note(world, FAULT_clock_jumps, NO_STEP, false);
}

static bool disturb(struct world *world)
{
    if (world->is_calm) return false;
    if (may_strike(world) && chance_percent(&world->chance, 2)) return crash_something(world), true;
    if (may_strike(world) && chance_below(&world->chance, 400) == 0) return move_clock(world), true;
    if (may_strike(world) && chance_below(&world->chance, 200) == 0 && engine_hear_again(world)) return true;
    if (world->cancel_budget && world->fault_count < world->fault_limit && chance_below(&world->chance, 300) == 0) {
        world->cancel_budget--;
        return engine_cancel(world) ? fault_note(world, FAULT_person_cancels, NO_STEP, false), true : false;
    }
    return false;
}

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

/* Nothing can happen now: time passes, or a person does something. */
static void pass_time(struct world *world)
{
    int64_t next = engine_next_ms(world), shim = shim_next_ms(world);
    if (shim < next) next = shim;
    if (peer_next_ms(world) < next) next = peer_next_ms(world);
    if (share_next_ms(world) < next) next = share_next_ms(world);
    if ((next == INT64_MAX || chance_percent(&world->chance, 20)) && others_let_go(world)) return;
    bool is_late = next == INT64_MAX || chance_percent(&world->chance, 20);
    if (is_late && engine_vote(world)) return;
    if (is_persons_turn(world) && is_late && (chance_percent(&world->chance, 60) ? engine_settle(world) : engine_cancel(world))) return;
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
    return (run_status_at_rest(status) || (status == RUN_rollback_failed && !is_persons_turn(world))) && is_committed;
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
    free_made_plan(&world->plan);
}

static void make_world(const struct scenario *scenario, struct world *world)
{
    struct text plan = {0};
    scenario_plan(scenario, &plan);
    if (world->is_verbose) printf("%s", text_view(&plan));
    world->plan = make_plan(text_view(&plan));
    text_release(&plan);
    world->ordered = mem_alloc_array(world->plan->step_count, sizeof *world->ordered);
    world->undone = mem_alloc_array(world->plan->step_count, sizeof *world->undone);
    world->undone_at = mem_alloc_array(world->plan->step_count, sizeof *world->undone_at);
    world->by_hand = mem_alloc_array(world->plan->step_count, sizeof *world->by_hand);
    world->is_settled_by_hand = chance_percent(&world->chance, 60);
    world->kept_ticks = mem_alloc_array(world->plan->step_count, sizeof *world->kept_ticks);
    world->others = mem_alloc_array((size_t)world->plan->claim_count + 1, sizeof *world->others);
    world->crash_budget = chance_percent(&world->chance, 70) ? chance_below(&world->chance, 12) : 0;
    world->cancel_budget = chance_percent(&world->chance, 40) ? 1 + chance_below(&world->chance, 2) : 0;
    peer_begin(world);
}

struct result scenario_run(const struct scenario *scenario, bool is_verbose, struct coverage *coverage)
{
    static const uint64_t OTHER_STREAM = 0x5deece66dull; /* the plan is drawn from the seed itself */
    struct world world = {.chance = {scenario->seed ^ OTHER_STREAM},
        .is_verbose = is_verbose,
        .coverage = coverage,
        .fault_limit = scenario->fault_limit,
        .now_ms = 1000,
        .clock_ms = 1000 * 1000};
    make_world(scenario, &world);
    live(&world);
    struct result result = {.end = world.engine.state->status,
        .fault_count = world.fault_count,
        .events = world.event_count,
        .crashes = world.crash_count,
        .orphans = world.orphan_count};
    if (world.fault) snprintf(result.fault, sizeof result.fault, "%s", world.fault);
    release(&world);
    return result;
}

/* --- all of them -----------------------------------------------------------------------------------------------------------------------
 */

struct totals {
    uint64_t passed, failed, events, crashes, orphans;
    struct coverage coverage;
    uint32_t ends[RUN_STATUS_COUNT];
};

struct options {
    struct scenario scenario;
    int64_t runs;
    bool is_verbose, stops; /* stops: at the first failing seed */
};

static void tell_failure(const struct scenario *scenario, const struct result *result, bool is_small)
{
    struct scenario small = *scenario;
    printf("sim: seed %llu: %s\n     see it: ", (unsigned long long)scenario->seed, result->fault);
    if (is_small) return scenario_print(&small);
    scenario_shrink(&small);
    scenario_print(&small);
}

static void simulate(const struct options *options, uint64_t seed, struct totals *totals)
{
    struct scenario scenario = options->scenario;
    scenario.seed = seed;
    const struct result result = scenario_run(&scenario, options->is_verbose, &totals->coverage);
    totals->events += result.events;
    totals->crashes += result.crashes;
    totals->orphans += result.orphans;
    totals->ends[result.end]++;
    if (result.fault[0]) tell_failure(&scenario, &result, options->is_verbose || totals->failed >= SHRUNK_MAX);
    *(result.fault[0] ? &totals->failed : &totals->passed) += 1;
}

static int usage(void)
{
    fprintf(stderr, "usage: sim [--seed S] [--verbose] [--stop] [--stages N] [--faults N] [--without STEP,...] [N]\n");
    return 64;
}

static bool read_number(const char *text, uint32_t *ret)
{
    int64_t number;
    if (!text || !text_to_integer(text, &number) || number < 0 || number > UINT32_MAX) return false;
    *ret = (uint32_t)number;
    return true;
}

/* An option with a value; *taken: it was one. */
static bool read_value(struct options *options, const char *name, const char *value, bool *taken)
{
    int64_t seed = 0;
    *taken = true;
    if (!strcmp(name, "--stages")) return read_number(value, &options->scenario.stage_limit);
    if (!strcmp(name, "--faults")) return read_number(value, &options->scenario.fault_limit);
    if (!strcmp(name, "--without")) return value && scenario_read_steps(&options->scenario, value);
    *taken = !strcmp(name, "--seed");
    if (!*taken) return true;
    bool is_number = value && text_to_integer(value, &seed);
    options->scenario.seed = (uint64_t)seed;
    return is_number;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        bool taken = false;
        if (!read_value(options, argv[i], argv[i + 1], &taken)) return false;
        if (taken)
            i++;
        else if (!strcmp(argv[i], "--verbose"))
            options->is_verbose = true;
        else if (!strcmp(argv[i], "--stop"))
            options->stops = true;
        else if (!text_to_integer(argv[i], &options->runs))
            return false;
    }
    return true;
}

static bool report(const struct totals *totals, int64_t runs, double seconds)
{
    bool is_enough = coverage_print(&totals->coverage, runs >= COVERED_RUNS ? CELL_LEAST : 0);
    if (!is_enough) printf("sim: a cell marked ! was met too seldom: less than %d times\n", CELL_LEAST);
    printf("sim: ends:");
    for (int i = 0; i < RUN_STATUS_COUNT; i++)
        if (totals->ends[i]) printf(" %s %u", run_status_name((enum run_status)i), totals->ends[i]);
    printf("\nsim: %llu events, %llu crashes, %.0f runs a second\n", (unsigned long long)totals->events,
        (unsigned long long)totals->crashes, (double)(totals->passed + totals->failed) / (seconds > 0 ? seconds : 1));
    printf("sim: %llu orders arrived after their run had given them up, or twice, since the clock had leapt\n",
        (unsigned long long)totals->orphans);
    printf("sim: %llu passed, %llu failed\n", (unsigned long long)totals->passed, (unsigned long long)totals->failed);
    return is_enough;
}

int main(int argc, char **argv)
{
    static struct totals totals;
    struct options options = {.scenario = {.seed = 1, .fault_limit = UINT32_MAX, .stage_limit = UINT32_MAX}, .runs = RUNS_DEFAULT};
    if (!read_options(argc, argv, &options)) return usage();
    int64_t start_us = clock_monotonic_us();
    for (int64_t i = 0; i < options.runs && !(options.stops && totals.failed); i++)
        simulate(&options, options.scenario.seed + (uint64_t)i, &totals);
    bool is_enough = report(&totals, options.runs, (double)(clock_monotonic_us() - start_us) / 1e6);
    return totals.failed || !is_enough ? 1 : 0;
}

/* main.c: sim [--seed S] [--verbose] [--stop] [N]: simulates N runs (default 20000), each from a seed of its own, with crashes of server
   and shim between any two events, and checks what must always be true. A failing seed is printed, made small, and can be run again alone.
 */
#include "tests/sim/scenario.h"

#include "base/clock.h"
#include "tests/support/make_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_DEFAULT = 20 * 1000, COVERED_RUNS = 200 * 1000, CELL_LEAST = 100, SHRUNK_MAX = 5, TAMPERED_EACH = 4 };

static void print_saying(void *context, int64_t now_ms, const char *line)
{
    (void)context;
    printf("%6lld %s\n", (long long)now_ms, line);
}

/* The plan is the caller's. */
static struct plan *make_world(const struct scenario *scenario, bool is_verbose, struct world *world)
{
    struct text plan = {0};
    scenario_plan(scenario, &plan);
    if (is_verbose) printf("%s", text_view(&plan));
    if (is_verbose) world->witness.says = print_saying;
    struct plan *made = make_plan(text_view(&plan));
    world->plan = made;
    text_release(&plan);
    world_begin(world);
    return made;
}

struct result scenario_run(const struct scenario *scenario, bool is_verbose, struct coverage *coverage)
{
    static const uint64_t OTHER_STREAM = 0x5deece66dull; /* the plan is drawn from the seed itself */
    struct world world = {.chance = {scenario->seed ^ OTHER_STREAM},
        .coverage = coverage,
        .fault_limit = scenario->fault_limit,
        .now_ms = 1000,
        .clock_ms = 1000 * 1000};
    struct plan *plan = make_world(scenario, is_verbose, &world);
    world_live(&world);
    if (!world.fault && scenario->seed % TAMPERED_EACH == 0) tamper_check(&world, scenario->seed);
    struct result result = {.end = world.engine.state->status,
        .fault_count = world.fault_count,
        .events = world.event_count,
        .crashes = world.crash_count,
        .orphans = world.orphan_count};
    if (world.fault) snprintf(result.fault, sizeof result.fault, "%s", world.fault);
    world_release(&world);
    free_made_plan(&plan);
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

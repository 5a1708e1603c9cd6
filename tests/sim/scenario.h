/* scenario.h: a run of the proof: a seed, its random plan, and what is left out of it to see a failure better. */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include "sim/sim.h"

/* A run of the simulator: a seed, and what is left out of it to see a fault better. */
enum { SCENARIO_STEPS_MAX = 1024 };
struct scenario {
    uint64_t seed;
    uint32_t fault_limit, stage_limit;
    bool without[SCENARIO_STEPS_MAX]; /* by step of the whole plan */
};
struct result {
    enum run_status end;
    uint32_t fault_count;
    uint64_t events, crashes, orphans;
    char fault[512]; /* "" = none */
};
struct result scenario_run(const struct scenario *scenario, bool is_verbose, struct coverage *coverage); /* main.c */

/* scenario.c */
void scenario_plan(const struct scenario *scenario, struct text *text);
void scenario_shrink(struct scenario *scenario); /* one that fails: to fewer stages, steps and faults, as long as it fails */
void scenario_print(const struct scenario *scenario);
bool scenario_read_steps(struct scenario *scenario, const char *list); /* "3,4" */

/* coverage.c: prints the table; false: a cell that can be was met less often than `least`. */
bool coverage_print(const struct coverage *coverage, uint64_t least);

/* tamper.c: changes one event of what this run has done to one that nobody can have decided; it is a fault where replay takes it. */
void tamper_check(struct world *world, uint64_t seed);

/* plans.c */
void random_plan(struct chance *chance, struct text *text);

#endif

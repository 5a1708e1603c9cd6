/* scenario.c: a seed's plan, and how a failing seed is made small: without stages, steps and faults that it does not need to fail. */
#include "tests/sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the plan --------------------------------------------------------------------------------------------------------------------------
 */

struct lines {
    uint32_t stages, steps; /* seen so far */
};

static bool is_kept(const struct scenario *scenario, const char *line, struct lines *seen)
{
    if (text_starts(line, "stage ")) seen->stages++;
    bool is_step = text_starts(line, "step "), is_within = seen->stages <= scenario->stage_limit;
    if (!is_step) return is_within;
    uint32_t step = seen->steps++;
    return is_within && (step >= SCENARIO_STEPS_MAX || !scenario->without[step]);
}

void scenario_plan(const struct scenario *scenario, struct text *text)
{
    struct chance chance = {scenario->seed};
    struct text whole = {0};
    struct lines seen = {0};
    random_plan(&chance, &whole);
    AUTO(free_text) char *copy = mem_copy_text(text_view(&whole));
    char *rest = copy;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line && is_kept(scenario, line, &seen)) text_add_format(text, "%s\n", line);
    text_release(&whole);
}

/* --- making it small -------------------------------------------------------------------------------------------------------------------
 */

static bool fails(const struct scenario *scenario, uint32_t *ret_faults)
{
    struct coverage ignored = {0};
    struct result result = scenario_run(scenario, false, &ignored);
    *ret_faults = result.fault_count;
    return result.fault[0] != '\0';
}

static void shrink_stages(struct scenario *scenario)
{
    enum { STAGES_MAX = 8 };
    uint32_t ignored;
    for (uint32_t stages = 1; stages < STAGES_MAX; stages++) {
        struct scenario smaller = *scenario;
        smaller.stage_limit = stages;
        if (!fails(&smaller, &ignored)) continue;
        *scenario = smaller;
        return;
    }
}

/* Each stage of the whole plan with how many steps are left of it. */
static uint32_t list_steps(const struct scenario *scenario, uint32_t *stage_of)
{
    const struct scenario whole = {.seed = scenario->seed, .stage_limit = scenario->stage_limit, .fault_limit = UINT32_MAX};
    struct text text = {0};
    uint32_t steps = 0, stage = 0;
    scenario_plan(&whole, &text);
    AUTO(free_text) char *copy = mem_copy_text(text_view(&text));
    char *rest = copy;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (text_starts(line, "stage ")) stage++;
        if (text_starts(line, "step ") && steps < SCENARIO_STEPS_MAX) stage_of[steps++] = stage;
    }
    text_release(&text);
    return steps;
}

static bool is_last_of_stage(const struct scenario *scenario, const uint32_t *stage_of, uint32_t steps, uint32_t step)
{
    for (uint32_t i = 0; i < steps; i++)
        if (i != step && stage_of[i] == stage_of[step] && !scenario->without[i]) return false;
    return true;
}

static void shrink_steps(struct scenario *scenario)
{
    uint32_t stage_of[SCENARIO_STEPS_MAX], ignored;
    uint32_t steps = list_steps(scenario, stage_of);
    for (uint32_t step = 0; step < steps; step++) {
        struct scenario smaller = *scenario;
        smaller.without[step] = true;
        if (!is_last_of_stage(scenario, stage_of, steps, step) && fails(&smaller, &ignored)) *scenario = smaller;
    }
}

static void shrink_faults(struct scenario *scenario)
{
    uint32_t all, ignored;
    if (!fails(scenario, &all)) return;
    for (uint32_t faults = 0; faults < all; faults++) {
        struct scenario smaller = *scenario;
        smaller.fault_limit = faults;
        if (!fails(&smaller, &ignored)) continue;
        *scenario = smaller;
        return;
    }
}

void scenario_shrink(struct scenario *scenario)
{
    shrink_stages(scenario);
    shrink_steps(scenario);
    shrink_faults(scenario);
}

/* --- as words --------------------------------------------------------------------------------------------------------------------------
 */

void scenario_print(const struct scenario *scenario)
{
    printf("sim --verbose --seed %llu", (unsigned long long)scenario->seed);
    if (scenario->stage_limit != UINT32_MAX) printf(" --stages %u", scenario->stage_limit);
    if (scenario->fault_limit != UINT32_MAX) printf(" --faults %u", scenario->fault_limit);
    bool some = false;
    for (uint32_t i = 0; i < SCENARIO_STEPS_MAX; i++)
        if (scenario->without[i]) {
            printf("%s%u", some ? "," : " --without ", i);
            some = true;
        }
    printf(" 1\n");
}

bool scenario_read_steps(struct scenario *scenario, const char *list)
{
    AUTO(free_text) char *copy = mem_copy_text(list);
    char *rest = copy;
    for (char *word; (word = strsep(&rest, ","));) {
        int64_t step = 0;
        if (!text_to_integer(word, &step) || step < 0 || step >= SCENARIO_STEPS_MAX) return false;
        scenario->without[step] = true;
    }
    return true;
}

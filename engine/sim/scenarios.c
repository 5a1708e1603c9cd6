/* scenarios.c: the scenarios that a user names, and which stages of a plan each can touch. */
#include "sim/odds.h"

#include "state/state.h"

#include <string.h>

#define ENDS(status) (1u << RUN_##status)
#define ENDS_ANY (ENDS(succeeded) | ENDS(failed) | ENDS(cancelled) | ENDS(rolled_back) | ENDS(rollback_failed) | ENDS(needs_person))

const struct odds scenarios[] = {
#define SCENARIO(scenario_name, scenario_help, scenario_seen, ...) \
    {.name = scenario_name, .help = scenario_help, .seen = scenario_seen, __VA_ARGS__},
#include "sim/scenarios.def"
#undef SCENARIO
    {.name = NULL},
};

const struct odds *scenario_find(const char *name)
{
    for (const struct odds *each = scenarios; each->name; each++)
        if (!strcmp(each->name, name)) return each;
    return NULL;
}

static bool touches_step(enum target target, const struct plan_step *step)
{
    switch (target) {
    case TARGET_ANY: return true;
    case TARGET_EFFECT: return json_array_size(step->effects) > 0;
    case TARGET_CANARY: return !strcmp(step->type, "kpi") && json_array_size(step->effects) > 0;
    case TARGET_APPROVAL: return !strcmp(step->type, "approve");
    }
    return false;
}

bool scenario_touches(const struct odds *odds, const struct plan *plan, const struct plan_stage *stage)
{
    for (uint32_t i = 0; i < stage->step_count; i++)
        if (touches_step(odds->target, &plan->steps[stage->first_step + i])) return true;
    return false;
}

bool scenario_touches_any(const struct odds *odds, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->stage_count; i++)
        if (scenario_touches(odds, plan, &plan->stages[i])) return true;
    return false;
}

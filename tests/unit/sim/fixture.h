/* fixture.h: a plan from a few lines, lived in a scenario, and what the report says of it. */
#ifndef TESTS_UNIT_SIM_FIXTURE_H
#define TESTS_UNIT_SIM_FIXTURE_H

#include "sim/simulate.h"
#include "tests/support/make_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Caller's: json_decref. */
static inline json_t *live(const struct plan *plan, const char *scenario, uint64_t seed)
{
    const struct simulation simulation = {.plan = plan, .odds = scenario_find(scenario), .seed = seed};
    assert_non_null(simulation.odds);
    return simulate(&simulation);
}

static inline json_t *live_text(const char *text, const char *scenario, uint64_t seed)
{
    struct plan *plan = make_plan(text);
    json_t *report = live(plan, scenario, seed);
    free_made_plan(&plan);
    return report;
}

/* Of the order of that effect; NULL: nothing was sent. */
static inline const json_t *order_named(const json_t *report, const char *effect, bool undoing)
{
    size_t i;
    json_t *order;
    json_array_foreach(json_object_get(report, "orders"), i,
        order) if (!strcmp(json_text(order, "effect", ""), effect) && json_flag(order, "undoing", false) == undoing) return order;
    return NULL;
}

static inline int64_t times_of(const json_t *report, const char *fault)
{
    size_t i;
    json_t *met;
    json_array_foreach(json_object_get(report, "faults"), i, met) if (!strcmp(json_text(met, "fault", ""), fault)) return json_whole(
        met, "times", 0);
    return 0;
}

#endif

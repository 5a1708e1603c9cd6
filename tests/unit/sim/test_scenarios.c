/* test_scenarios.c: the table of scenarios, as a user sees it. */
#include "tests/unit/sim/fixture.h"

enum { HELP_COLUMNS = 62 }; /* beside the longest name, in a terminal of 80 columns */

static void each_is_found_and_explained(void **state)
{
    (void)state;
    assert_string_equal(scenarios[0].name, "calm");
    for (const struct odds *each = scenarios; each->name; each++) {
        assert_ptr_equal(scenario_find(each->name), each);
        assert_true(text_is_name(each->name));
        assert_true(strlen(each->help) > 0 && text_columns(each->help, strlen(each->help)) <= HELP_COLUMNS);
        assert_true(strlen(each->seen) > 0);
        assert_true(each->ends != 0);
    }
    assert_null(scenario_find("lossy"));
}

static void each_fault_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (int fault = 0; fault < FAULT_COUNT; fault++)
        assert_true(*fault_name((enum fault)fault) && *fault_help((enum fault)fault));
}

static void a_scenario_touches_what_it_is_about(void **state)
{
    (void)state;
    struct plan *plan = make_plan("stage build\nstep compile run\nstage release\nstep order order undo=order\n"
                                  "stage sign\nstep approve approve by=ops\n");
    const struct odds *lossy = scenario_find("lossy-order"), *absent = scenario_find("absent-approver");
    assert_false(scenario_touches(lossy, plan, &plan->stages[0]));
    assert_true(scenario_touches(lossy, plan, &plan->stages[1]));
    assert_false(scenario_touches(absent, plan, &plan->stages[1]));
    assert_true(scenario_touches(absent, plan, &plan->stages[2]));
    assert_true(scenario_touches(scenario_find("dying-server"), plan, &plan->stages[0]));
    assert_false(scenario_touches_any(scenario_find("bad-canary"), plan));
    free_made_plan(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_found_and_explained),
        cmocka_unit_test(each_fault_has_a_name_and_a_sentence),
        cmocka_unit_test(a_scenario_touches_what_it_is_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

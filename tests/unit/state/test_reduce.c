/* test_reduce.c: what reduce refuses whole, and that a fold of the same events is the same state. */
#include "tests/unit/state/fixture.h"

static void refused(struct fixture *fixture, enum event_type type, uint32_t step, json_t *data)
{
    struct event event = {.type = type, .step = step, .time_ms = 5, .data = data};
    struct error err = {0};
    AUTO(free_json) json_t *before = run_state_to_json(fixture->state);
    assert_int_equal(reduce(fixture->state, &event, &err), -ERROR_STATE);
    AUTO(free_json) json_t *after = run_state_to_json(fixture->state);
    assert_true(json_equal(before, after));
    event_release(&event);
}

static void wrong_payloads(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a effects outputs=o\n");
    refused(&fixture, EVENT_step_running, 99, NULL);
    refused(&fixture, EVENT_step_running, NO_STEP, NULL);
    refused(&fixture, (enum event_type)EVENT_TYPE_COUNT, 0, NULL);
    refused(&fixture, EVENT_run_accepted, NO_STEP, NULL);
    refused(&fixture, EVENT_run_failed, NO_STEP, json_pack("{s:s}", "reason", "because"));
    refused(&fixture, EVENT_run_waiting, NO_STEP, json_object());
    refused(&fixture, EVENT_run_succeeded, 0, NULL);
    refused(&fixture, EVENT_step_running, 0, json_pack("{s:i}", "attempt", 2));
    refused(&fixture, EVENT_step_failed, 0, json_pack("{s:i}", "exit", 2));
    refused(&fixture, EVENT_step_parked, 0, json_pack("{s:s}", "for", "godot"));
    refused(&fixture, EVENT_step_running, 0, json_array());
    refused(&fixture, EVENT_effect_intended, 0, json_pack("{s:s}", "name", "order"));
    refused(&fixture, EVENT_effect_intended, 0, json_pack("{s:s, s:s}", "key", "k", "digest", "d"));
    fixture_started(&fixture, "s/a");
    refused(&fixture, EVENT_step_output, 0, json_pack("{s:i}", "value", 2));
    refused(&fixture, EVENT_step_starting, 0, json_pack("{s:i}", "attempt", 5));
    fixture_free(&fixture);
}

static void accepted_comes_first(void **unused)
{
    (void)unused;
    struct plan *plan = make_plan("stage s\nstep a\n");
    struct run_state *state = run_state_new(plan);
    struct error err = {0};
    assert_int_equal(reduce(state, &(struct event){.type = EVENT_run_started, .step = NO_STEP}, &err), -ERROR_STATE);
    assert_int_equal(reduce(state, &(struct event){.type = EVENT_step_starting, .step = 0}, &err), -ERROR_STATE);
    struct event_list events = {0};
    decide(state, &(struct decide_input){1, 1}, &events);
    assert_int_equal(events.count, 0);
    run_state_free(&state);
    free_made_plan(&plan);
}

static void nothing_after_the_end(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\n");
    fixture_exited(&fixture, "s/a", 0);
    fixture_decide(&fixture);
    expect_run(&fixture, succeeded);
    refused(&fixture, EVENT_cancel_requested, NO_STEP, NULL);
    refused(&fixture, EVENT_step_compensating, 0, NULL);
    fixture_forget(&fixture);
    fixture_exited(&fixture, "s/a", 1);
    fixture_decide(&fixture);
    fixture_expect(&fixture, "");
    assert_int_equal(decide_next_time(fixture.state), INT64_MAX);
    fixture_free(&fixture);
}

/* A wrong pipeline file makes a run without a plan, which fails at once. */
static void run_without_a_plan(void **unused)
{
    (void)unused;
    struct run_state *state = run_state_new(NULL);
    struct error err = {0};
    AUTO(free_json) json_t *accepted = json_pack("{s:i}", "number", 3);
    AUTO(free_json) json_t *failed = json_pack("{s:s, s:s}", "reason", "invalid", "message", "crescendo.yaml:1:1: no");
    assert_int_equal(reduce(state, &(struct event){.type = EVENT_run_accepted, .step = NO_STEP, .data = accepted}, &err), 0);
    assert_int_equal(reduce(state, &(struct event){.type = EVENT_run_failed, .step = NO_STEP, .time_ms = 9, .data = failed}, &err), 0);
    assert_int_equal(state->status, RUN_failed);
    assert_int_equal(reason_exit_code(state->reason), 64);
    assert_int_equal(state->ended_ms, 9);
    run_state_free(&state);
}

/* A step that parks with a checkpoint and goes on has taken since it began; one that is tried anew since it was. */
static void what_goes_on_began_with_its_first_attempt(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\n");
    struct step_state *step = fixture_step(&fixture, "s/a");
    fixture_started(&fixture, "s/a");
    assert_int_equal(step->began_ms, 1000);
    fixture_event(
        &fixture, EVENT_step_parked, 0, json_pack("{s:s, s:i, s:{s:i}}", "for", "timer", "until", 2000, "checkpoint", "evidence", 1));
    fixture.now_ms = 2500;
    fixture_decide(&fixture);
    fixture_started(&fixture, "s/a");
    assert_int_equal(step->attempt, 2);
    assert_int_equal(step->started_ms, 2500);
    assert_int_equal(step->began_ms, 1000);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_on_began_with_its_first_attempt),
        cmocka_unit_test(wrong_payloads),
        cmocka_unit_test(accepted_comes_first),
        cmocka_unit_test(nothing_after_the_end),
        cmocka_unit_test(run_without_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

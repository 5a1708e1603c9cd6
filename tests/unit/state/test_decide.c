/* test_decide.c: what shall happen next: order, slots, handing ahead, rule 9, cancelling, times. */
#include "tests/unit/state/fixture.h"

static void chain_is_handed_ahead(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\nstep b\nstep c unknown\nstep d\n");
    expect_status(&fixture, "s/a", starting);
    expect_status(&fixture, "s/b", starting);
    expect_status(&fixture, "s/c", pending);
    fixture_exited(&fixture, "s/a", 0);
    fixture_exited(&fixture, "s/b", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "s/c", starting);
    expect_status(&fixture, "s/d", starting);
    fixture_free(&fixture);
}

static void nothing_follows_what_only_we_can_judge(void **unused)
{
    (void)unused;
    static const char *const plans[] = {"stage s\nstep a retry=1:0:failed\nstep b\n", "stage s\nstep a allow-failure\nstep b\n",
        "stage s\nstep a outputs=o\nstep b\n", "stage s\nstep a effects\nstep b\n", "stage s\nstep a\nstep b if=true\n"};
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct fixture fixture = fixture_new(plans[i]);
        expect_status(&fixture, "s/a", starting);
        expect_status(&fixture, "s/b", pending);
        fixture_free(&fixture);
    }
}

static char *long_chain(uint32_t steps)
{
    struct text plan = {0};
    text_add(&plan, "stage s\n");
    for (uint32_t i = 0; i < steps; i++)
        text_add_format(&plan, "step t%u\n", i);
    return text_take(&plan);
}

/* In batches: nothing is handed over until half of the queue is used up. */
static void refilled_by_halves(void **unused)
{
    (void)unused;
    AUTO(free_text) char *plan = long_chain(200);
    struct fixture fixture = fixture_new(plan);
    assert_int_equal(fixture.state->live_count, 1 + LIMIT_HANDED_AHEAD);
    for (uint32_t i = 0; i < LIMIT_HANDED_AHEAD / 2; i++) {
        char path[32];
        snprintf(path, sizeof path, "s/t%u", i);
        uint32_t live = fixture.state->live_count;
        fixture_exited(&fixture, path, 0);
        fixture_decide(&fixture);
        assert_int_equal(fixture.state->live_count, i + 1 < LIMIT_HANDED_AHEAD / 2 ? live - 1 : 1 + LIMIT_HANDED_AHEAD);
    }
    fixture_free(&fixture);
}

static void slots_are_kept(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x\nstage b needs=-\nstep x\nstage c needs=-\nstep x\nstage d needs=-\nstep x\n"
                                         "stage e needs=-\nstep x\nstage f needs=-\nstep x\n");
    assert_int_equal(fixture.state->live_stage_count, 4);
    expect_status(&fixture, "e/x", ready);
    assert_true(decide_wants_slot(fixture.state));
    fixture_forget(&fixture);
    fixture_exited(&fixture, "b/x", 0);
    fixture_forget(&fixture);
    fixture_decide(&fixture);
    fixture_expect(&fixture, "step_starting e/x {\"attempt\":1}\n");
    expect_status(&fixture, "f/x", ready);
    fixture_free(&fixture);
}

static void failure_skips_and_propagates(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x\nstep y\nstep z if=failed()\nstage b\nstep x\nstage c\nstep x if=always()\n"
                                         "stage d if=always()\nstep x\nstage e needs=d\nstep x\n");
    fixture_exited(&fixture, "a/x", 2);
    fixture_report(&fixture, "a/y", (struct report){.type = REPORT_DROPPED});
    fixture_decide(&fixture);
    expect_status(&fixture, "a/y", skipped);
    expect_status(&fixture, "a/z", starting);
    expect_status(&fixture, "b/x", pending);
    fixture_exited(&fixture, "a/z", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "b/x", skipped);
    expect_status(&fixture, "c/x", skipped); /* its stage is not run, so its own condition is not asked */
    assert_int_equal(stage_status(fixture.state, 0), STEP_failed);
    assert_int_equal(stage_status(fixture.state, 1), STEP_skipped);
    expect_status(&fixture, "d/x", starting);
    fixture_exited(&fixture, "d/x", 0);
    fixture_decide(&fixture);
    fixture_exited(&fixture, "e/x", 0);
    fixture_decide(&fixture);
    expect_run(&fixture, failed);
    assert_string_equal(fixture.state->message, "a/x failed: exit 2");
    assert_int_equal(fixture.state->reason, REASON_failed);
    fixture_free(&fixture);
}

static void false_condition_counts_as_success(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a if=false\nstep x\nstep y\nstage b\nstep x if=false\nstep y\nstage c needs=a,b\nstep x\n");
    expect_status(&fixture, "a/y", skipped);
    expect_status(&fixture, "b/x", skipped);
    expect_status(&fixture, "b/y", starting);
    fixture_exited(&fixture, "b/y", 0);
    fixture_decide(&fixture);
    fixture_exited(&fixture, "c/x", 0);
    fixture_decide(&fixture);
    expect_run(&fixture, succeeded);
    fixture_free(&fixture);
}

static void allowed_failure_counts_as_success(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x allow-failure\nstep y\nstage b allow-failure\nstep x\nstage c\nstep x\n");
    fixture_exited(&fixture, "a/x", 1);
    fixture_decide(&fixture);
    fixture_exited(&fixture, "a/y", 0);
    fixture_decide(&fixture);
    fixture_exited(&fixture, "b/x", 1);
    fixture_decide(&fixture);
    fixture_exited(&fixture, "c/x", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", failed);
    expect_run(&fixture, succeeded);
    fixture_free(&fixture);
}

static void conditions_see_outputs(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x outputs=o\nstep y if=stages.a.x.o=='yes'\nstep z if=stages.a.x.o=='no'\n"
                                         "step w if=stages.a.nobody.o=='no'\n");
    AUTO(free_json) json_t *outputs = json_pack("{s:s}", "o", "yes");
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_EXITED, .outputs = outputs});
    fixture_decide(&fixture);
    expect_status(&fixture, "a/y", starting);
    fixture_exited(&fixture, "a/y", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/z", skipped);
    expect_status(&fixture, "a/w", failed);
    assert_int_equal(fixture_step(&fixture, "a/w")->reason, REASON_invalid);
    expect_run(&fixture, failed);
    assert_int_equal(reason_exit_code(fixture.state->reason), 64);
    fixture_free(&fixture);
}

static void cancel(struct fixture *fixture)
{
    fixture_event(fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "bob"));
    fixture_decide(fixture);
}

static const char cleaning_plan[] =
    "stage a\nstep x\nstep y\nstep tidy if=always()\nstage b\nstep x\nstage c if=cancelled()\nstep x\nstep y\n";

static void cancel_runs_clean_up_steps(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new(cleaning_plan);
    fixture_started(&fixture, "a/x");
    cancel(&fixture);
    expect_status(&fixture, "a/x", cancelling);
    expect_status(&fixture, "a/y", cancelling);
    expect_status(&fixture, "b/x", pending);
    fixture_report(&fixture, "a/y", (struct report){.type = REPORT_DROPPED});
    fixture_exited(&fixture, "a/x", 0); /* ends well: it is cancelled all the same */
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", cancelled);
    expect_status(&fixture, "a/tidy", starting);
    fixture_exited(&fixture, "a/tidy", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "b/x", cancelled);
    expect_status(&fixture, "c/x", starting);
    fixture_exited(&fixture, "c/x", 0);
    fixture_decide(&fixture);
    fixture_exited(&fixture, "c/y", 0);
    fixture_decide(&fixture);
    expect_run(&fixture, cancelled);
    assert_int_equal(fixture.state->reason, REASON_operator);
    assert_string_equal(fixture.state->cancelled_by, "bob");
    fixture_free(&fixture);
}

static void second_cancel_ends_those_too(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new(cleaning_plan);
    cancel(&fixture);
    fixture_report(&fixture, "a/y", (struct report){.type = REPORT_DROPPED});
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_DROPPED});
    fixture_decide(&fixture);
    expect_status(&fixture, "a/tidy", starting);
    cancel(&fixture);
    expect_status(&fixture, "a/tidy", cancelling);
    fixture_report(&fixture, "a/tidy", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    expect_status(&fixture, "c/x", cancelled);
    expect_run(&fixture, cancelled);
    fixture_free(&fixture);
}

static void run_timeout_fails_the_run(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("timeout 5000\nstage a\nstep x\nstage b\nstep x\n");
    assert_int_equal(decide_next_time(fixture.state), 6000);
    fixture.now_ms = 6000;
    fixture_decide(&fixture);
    expect_run(&fixture, cancelling);
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    expect_run(&fixture, failed);
    assert_int_equal(fixture.state->reason, REASON_timeout);
    assert_int_equal(fixture_step(&fixture, "a/x")->reason, REASON_timeout);
    fixture_free(&fixture);
}

static void stage_timeout_fails_its_step(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a timeout=500\nstep x\nstep y\nstep z if=always()\n");
    fixture_started(&fixture, "a/x");
    assert_int_equal(decide_next_time(fixture.state), 1500);
    fixture.now_ms = 1500;
    fixture_decide(&fixture);
    assert_int_equal(decide_next_time(fixture.state), INT64_MAX);
    expect_status(&fixture, "a/x", cancelling);
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_report(&fixture, "a/y", (struct report){.type = REPORT_DROPPED});
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", failed);
    expect_status(&fixture, "a/y", skipped);
    assert_string_equal(fixture_step(&fixture, "a/x")->message, "its stage took longer than 500 ms");
    fixture_exited(&fixture, "a/z", 0);
    fixture_decide(&fixture);
    expect_run(&fixture, failed);
    assert_int_equal(fixture.state->reason, REASON_timeout);
    fixture_free(&fixture);
}

static void retries_wait_and_end(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x retry=1:200:failed\n");
    fixture_exited(&fixture, "a/x", 3);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", parked);
    expect_run(&fixture, waiting);
    assert_int_equal(fixture.state->wait, WAIT_retry);
    assert_int_equal(decide_next_time(fixture.state), 1200);
    fixture.now_ms = 1200;
    fixture_forget(&fixture);
    fixture_decide(&fixture);
    fixture_expect(&fixture, "step_woken a/x {\"by\":\"retry\"}\nrun_resumed\nstep_starting a/x {\"attempt\":2}\n");
    fixture_exited(&fixture, "a/x", 3);
    fixture_decide(&fixture);
    expect_run(&fixture, failed);
    fixture_free(&fixture);
}

/* The wall clock is set back by hours while a step waits: it does not sleep through them, and a person is not asked for less long. */
static void a_clock_set_back_wakes_what_waits(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x retry=1:10000:failed\nstage b needs=-\nstep ok approve expires=200000\n");
    fixture.now_ms = 100 * 1000;
    fixture_exited(&fixture, "a/x", 3);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", parked);
    fixture.now_ms = 100 * 1000 - 900; /* put right by a little */
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", parked);
    fixture.now_ms = 20 * 1000;
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", starting);
    fixture.now_ms = 500;
    fixture_decide(&fixture);
    expect_status(&fixture, "b/ok", parked);
    fixture_free(&fixture);
}

/* Whatever else is due before it, and does not come due by that: an approval that expires, a stage that may take only so long. */
static void a_clock_set_back_wakes_what_waits_behind_others(void **unused)
{
    (void)unused;
    static const char *const plans[] = {"stage a\nstep x retry=1:500000:failed\nstage b needs=-\nstep ok approve expires=200000\n",
        "stage a timeout=200000\nstep x retry=1:500000:failed\n"};
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct fixture fixture = fixture_new(plans[i]);
        fixture.now_ms = 100 * 1000;
        fixture_exited(&fixture, "a/x", 3);
        fixture_decide(&fixture);
        expect_status(&fixture, "a/x", parked);
        fixture.now_ms = 20 * 1000;
        fixture_decide(&fixture);
        expect_status(&fixture, "a/x", starting);
        fixture_free(&fixture);
    }
}

/* A report comes before anybody looks at the clock, so what begins to wait now is due before what has waited all along. */
static void a_clock_set_back_wakes_what_waits_behind_later_waits(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x retry=1:500000:failed\nstage b needs=-\nstep y retry=1:1000:failed\n");
    fixture.now_ms = 100 * 1000;
    fixture_exited(&fixture, "a/x", 3);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", parked);
    fixture.now_ms = 20 * 1000;
    fixture_exited(&fixture, "b/y", 3);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", starting);
    expect_status(&fixture, "b/y", parked);
    fixture_free(&fixture);
}

static void approval_parks_and_expires(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep ok approve expires=100\nstage b\nstep x\n");
    expect_run(&fixture, waiting);
    assert_int_equal(fixture.state->wait, WAIT_approval);
    assert_int_equal(fixture.state->live_stage_count, 0);
    fixture.now_ms = decide_next_time(fixture.state);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/ok", failed);
    expect_run(&fixture, failed);
    assert_int_equal(fixture.state->reason, REASON_expired);
    fixture_free(&fixture);
}

static void asked_twice_it_says_the_same(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x\nstage b needs=-\nstep y\n");
    fixture_exited(&fixture, "a/x", 0);
    struct event_list first = {0}, second = {0};
    struct decide_input input = {fixture.now_ms, 4};
    fixture_exited(&fixture, "b/y", 1);
    decide(fixture.state, &input, &first);
    decide(fixture.state, &input, &second);
    assert_int_equal(first.count, 1);
    assert_int_equal(second.count, 1);
    assert_int_equal(first.items[0].type, EVENT_run_failed);
    assert_int_equal(second.items[0].type, EVENT_run_failed);
    event_list_release(&first);
    event_list_release(&second);
    fixture_free(&fixture);
}

/* Deciding after one event looks at the stages that the event concerns, not at all: the work list says how many those are. */
static void big_fan_out_stays_cheap(void **unused)
{
    (void)unused;
    enum { STAGES = 2000 };
    struct text text = {0};
    for (int i = 0; i < STAGES; i++)
        text_add_format(&text, "stage s%d needs=-\nstep x\n", i);
    AUTO(free_text) char *plan = text_take(&text);
    struct fixture fixture = fixture_new(plan);
    assert_int_equal(fixture.state->ready_count, STAGES - 4);
    for (uint32_t done = 0; fixture.state->live_count; done++) {
        uint32_t step = 0;
        assert_int_equal(fixture.state->dirty_count, 0);
        while (fixture.state->steps[step].status != STEP_starting)
            step++;
        fixture_exited(&fixture, fixture.plan->steps[step].path, 0);
        assert_in_range(fixture.state->dirty_count, 1, 2);
        fixture_decide(&fixture);
    }
    expect_run(&fixture, succeeded);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_is_handed_ahead),
        cmocka_unit_test(nothing_follows_what_only_we_can_judge),
        cmocka_unit_test(refilled_by_halves),
        cmocka_unit_test(slots_are_kept),
        cmocka_unit_test(failure_skips_and_propagates),
        cmocka_unit_test(false_condition_counts_as_success),
        cmocka_unit_test(allowed_failure_counts_as_success),
        cmocka_unit_test(conditions_see_outputs),
        cmocka_unit_test(cancel_runs_clean_up_steps),
        cmocka_unit_test(second_cancel_ends_those_too),
        cmocka_unit_test(run_timeout_fails_the_run),
        cmocka_unit_test(stage_timeout_fails_its_step),
        cmocka_unit_test(retries_wait_and_end),
        cmocka_unit_test(a_clock_set_back_wakes_what_waits),
        cmocka_unit_test(a_clock_set_back_wakes_what_waits_behind_others),
        cmocka_unit_test(a_clock_set_back_wakes_what_waits_behind_later_waits),
        cmocka_unit_test(approval_parks_and_expires),
        cmocka_unit_test(asked_twice_it_says_the_same),
        cmocka_unit_test(big_fan_out_stays_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

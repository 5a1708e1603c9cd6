/* test_settle.c: what the supervisor's reports mean. */
#include "tests/unit/state/fixture.h"

static void message_of(struct report report, const char *plan, const char *expected, enum reason reason)
{
    struct fixture fixture = fixture_new(plan);
    report.type = REPORT_EXITED;
    fixture_started(&fixture, "s/a");
    fixture_report(&fixture, "s/a", report);
    expect_status(&fixture, "s/a", failed);
    assert_string_equal(fixture_step(&fixture, "s/a")->message, expected);
    assert_int_equal(fixture_step(&fixture, "s/a")->reason, reason);
    fixture_free(&fixture);
}

static void ends_have_words(void **unused)
{
    (void)unused;
    const char *plan = "stage s\nstep a timeout=90000\n";
    message_of((struct report){.exit_code = 2}, plan, "exit 2", REASON_failed);
    message_of((struct report){.exit_code = 75}, plan, "exit 75 (to park, a step says `park` first)", REASON_failed);
    message_of((struct report){.cause = CAUSE_SIGNAL, .signal = 11}, plan, "ended by signal 11, SIGSEGV", REASON_failed);
    message_of((struct report){.cause = CAUSE_TIMEOUT}, plan, "took longer than 1 m 30 s", REASON_timeout);
    message_of((struct report){.cause = CAUSE_MEMORY}, plan, "ended by its memory limit (256.0 MiB)", REASON_failed);
    message_of((struct report){.cause = CAUSE_DISK}, plan, "ended by its disk limit", REASON_failed);
    message_of((struct report){.cause = CAUSE_PROCESSES, .message = "fork"}, plan, "ended by its process limit: fork", REASON_failed);
    message_of(
        (struct report){.exit_code = 0}, "stage s\nstep a outputs=o\n", "it ended well but did not give its output o", REASON_failed);
}

static void success_gathers_outputs(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a outputs=o,p\n");
    fixture_started(&fixture, "s/a");
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"output\",\"name\":\"p\",\"value\":[1]}", NULL), 0);
    AUTO(free_json) json_t *outputs = json_pack("{s:s, s:s}", "o", "x", "undeclared", "y");
    AUTO(free_json) json_t *usage = json_pack("{s:i}", "cpu_ms", 12);
    fixture_forget(&fixture);
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_EXITED, .outputs = outputs, .usage = usage});
    fixture_expect(&fixture, "step_succeeded s/a {\"exit\":0,\"outputs\":{\"o\":\"x\",\"p\":[1]},\"usage\":{\"cpu_ms\":12}}\n");
    fixture_free(&fixture);
}

/* Anything that a typed step says proves that it speaks; a run step need not. */
static void typed_step_must_speak(void **unused)
{
    (void)unused;
    static const char *const lines[] = {"{\"type\":\"hello\",\"protocol\":1}", "{\"type\":\"progress\",\"fraction\":1}",
        "{\"type\":\"annotate\",\"message\":\"m\"}", "{\"type\":\"output\",\"name\":\"o\",\"value\":1}"};
    message_of((struct report){.exit_code = 0}, "stage s\nstep a greet\n",
        "it ended with 0 but never said hello: the program of a step type speaks the step protocol on descriptor 3", REASON_failed);
    message_of((struct report){.exit_code = 2}, "stage s\nstep a greet\n", "exit 2", REASON_failed);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct fixture fixture = fixture_new("stage s\nstep a greet outputs=o\n");
        fixture_started(&fixture, "s/a");
        assert_int_equal(fixture_line(&fixture, "s/a", lines[i], NULL), 0);
        fixture_exited(&fixture, "s/a", 0);
        expect_status(&fixture, "s/a", succeeded);
        fixture_free(&fixture);
    }
}

/* Each process says it anew; what the one before said proves nothing. */
static void each_process_must_speak(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a greet retry=1:0:failed\n");
    fixture_started(&fixture, "s/a");
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"hello\"}", NULL), 0);
    fixture_exited(&fixture, "s/a", 1);
    fixture_decide(&fixture);
    fixture_started(&fixture, "s/a");
    fixture_exited(&fixture, "s/a", 0);
    expect_status(&fixture, "s/a", failed);
    fixture_free(&fixture);
}

static void exit_without_start_tells_both(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\n");
    fixture_forget(&fixture);
    fixture_exited(&fixture, "s/a", 0);
    fixture_expect(&fixture, "step_running s/a {\"attempt\":1}\nstep_succeeded s/a {\"exit\":0}\n");
    fixture_free(&fixture);
}

static void old_news_mean_nothing(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a retry=3:0:failed\n");
    fixture_exited(&fixture, "s/a", 1);
    fixture_decide(&fixture);
    fixture_forget(&fixture);
    assert_int_equal(fixture_step(&fixture, "s/a")->attempt, 2);
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_EXITED, .attempt = 1});
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_LOST, .attempt = 1, .started = true});
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_STARTED, .attempt = 3});
    fixture_expect(&fixture, "");
    struct event_list events = {0};
    settle(fixture.state, &(struct report){.type = REPORT_EXITED, .step = 99, .attempt = 1}, &events);
    assert_int_equal(events.count, 0);
    fixture_free(&fixture);
}

/* The start was forgotten in a crash; the supervisor's report brings it back. */
static void forgotten_start_is_caught_up_with(void **unused)
{
    (void)unused;
    struct fixture fixture = {.plan = make_plan("stage s\nstep a\n"), .now_ms = 1000}; /* no slots: nothing starts */
    fixture.state = run_state_new(fixture.plan);
    fixture_event(&fixture, EVENT_run_accepted, NO_STEP, json_pack("{s:i}", "number", 7));
    fixture_decide(&fixture);
    fixture_forget(&fixture);
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_STARTED, .attempt = 1, .pid = 9});
    fixture_expect(&fixture, "step_starting s/a {\"attempt\":1}\nstep_running s/a {\"attempt\":1,\"pid\":9}\n");
    fixture_free(&fixture);
}

static void losses(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\nstep b\n");
    fixture_started(&fixture, "s/a");
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_LOST, .started = true});
    fixture_report(&fixture, "s/b", (struct report){.type = REPORT_LOST});
    expect_status(&fixture, "s/a", failed);
    assert_int_equal(fixture_step(&fixture, "s/a")->reason, REASON_worker_lost);
    expect_status(&fixture, "s/b", pending);
    fixture_decide(&fixture);
    expect_status(&fixture, "s/b", skipped);
    fixture_free(&fixture);

    fixture = fixture_new("stage s\nstep a retry=1:0:worker_lost\n");
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_LOST, .started = true});
    fixture_decide(&fixture);
    assert_int_equal(fixture_step(&fixture, "s/a")->attempt, 2);
    fixture_free(&fixture);
}

/* A supervisor that dies before every start is not tried for ever. */
static void losses_before_the_start_are_counted(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\n");
    for (int i = 0; i < 3; i++) {
        expect_status(&fixture, "s/a", starting);
        fixture_report(&fixture, "s/a", (struct report){.type = REPORT_LOST});
        fixture_decide(&fixture);
    }
    expect_status(&fixture, "s/a", failed);
    assert_int_equal(fixture.state->reason, REASON_worker_lost);
    fixture_free(&fixture);
}

static void refusals(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\nstep b\n");
    fixture_report(&fixture, "s/b", (struct report){.type = REPORT_REFUSED, .message = "no sandbox"});
    expect_status(&fixture, "s/b", pending); /* ahead of its turn: tried again */
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_REFUSED, .message = "no sandbox"});
    expect_status(&fixture, "s/a", failed);
    assert_string_equal(fixture_step(&fixture, "s/a")->message, "no sandbox");
    fixture_free(&fixture);
}

/* The engine forgot in a crash that it was ending the step; the supervisor did not. */
static void forgotten_cancelling(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\n");
    fixture_started(&fixture, "s/a");
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "bob"));
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    expect_status(&fixture, "s/a", cancelled);
    fixture_decide(&fixture);
    expect_run(&fixture, cancelled);
    fixture_free(&fixture);
}

static void faults_end_the_step(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\n");
    struct event_list events = {0};
    fixture_started(&fixture, "s/a");
    settle_fault(fixture.state, 0, "it broke the protocol", 1000, &events);
    fixture_fold(&fixture, &events);
    expect_status(&fixture, "s/a", cancelling);
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    expect_status(&fixture, "s/a", failed);
    assert_string_equal(fixture_step(&fixture, "s/a")->message, "it broke the protocol");
    settle_fault(fixture.state, 0, "again", 1000, &events);
    settle_fault(fixture.state, 77, "again", 1000, &events);
    assert_int_equal(events.count, 0);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_have_words),
        cmocka_unit_test(success_gathers_outputs),
        cmocka_unit_test(typed_step_must_speak),
        cmocka_unit_test(each_process_must_speak),
        cmocka_unit_test(exit_without_start_tells_both),
        cmocka_unit_test(old_news_mean_nothing),
        cmocka_unit_test(forgotten_start_is_caught_up_with),
        cmocka_unit_test(losses),
        cmocka_unit_test(losses_before_the_start_are_counted),
        cmocka_unit_test(refusals),
        cmocka_unit_test(forgotten_cancelling),
        cmocka_unit_test(faults_end_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

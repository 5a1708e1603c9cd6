/* test_needs.c: a crash loses how the steps at a stage's end came to rest, and that the next stage began, whose process goes on. Decided
   anew, the first stage may turn out not to be over: of the next one nothing more begins before it is. */
#include "tests/unit/state/fixture.h"

/* The first step of stage b, which the journal does not know of, says that it lives. */
static struct fixture fixture_early(const char *plan)
{
    struct fixture fixture = fixture_new(plan);
    fixture_started(&fixture, "a/x");
    fixture_report(&fixture, "b/z", (struct report){.type = REPORT_STARTED, .attempt = 1});
    return fixture;
}

/* The run was cancelled before it was decided anew, so that the step that had been skipped is to run. */
static void cleaning_up_does_not_overtake_it(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_early("stage a\nstep x\nstep y if=cancelled()\nstage b\nstep z\nstep w if=cancelled()\n");
    fixture_exited(&fixture, "a/x", 0);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, NULL);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/y", starting);
    fixture_report(&fixture, "b/z", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    expect_status(&fixture, "b/w", pending);
    fixture_exited(&fixture, "a/y", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "b/w", starting);
    fixture_exited(&fixture, "b/w", 0);
    fixture_decide(&fixture);
    expect_run(&fixture, cancelled);
    fixture_free(&fixture);
}

/* Nor is what cleans up ended before it can be told whether it is wanted. */
static void cleaning_up_is_decided_behind_it(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_early("stage a\nstep x\nstep y if=cancelled() outputs=o\n"
                                           "stage b\nstep z\nstep w if=cancelled()&&stages.a.y.o=='yes'\n");
    AUTO(free_json) json_t *outputs = json_pack("{s:s}", "o", "yes");
    fixture_exited(&fixture, "a/x", 0);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, NULL);
    fixture_decide(&fixture);
    fixture_report(&fixture, "b/z", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    expect_status(&fixture, "b/w", pending);
    fixture_report(&fixture, "a/y", (struct report){.type = REPORT_EXITED, .outputs = outputs});
    fixture_decide(&fixture);
    expect_status(&fixture, "b/w", starting);
    fixture_free(&fixture);
}

static void a_retry_waits(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_early("stage a\nstep x\nstage b\nstep z retry=1:500:failed\n");
    fixture_exited(&fixture, "b/z", 3);
    fixture.now_ms = 2000;
    fixture_decide(&fixture);
    expect_status(&fixture, "b/z", pending);
    fixture_exited(&fixture, "a/x", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "b/z", starting);
    fixture_free(&fixture);
}

static void nothing_is_handed_ahead(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_early("stage a\nstep x\nstage b\nstep z\nstep w\n");
    fixture_decide(&fixture);
    expect_status(&fixture, "b/w", pending);
    fixture_exited(&fixture, "b/z", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "b/w", pending);
    fixture_exited(&fixture, "a/x", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "b/w", starting);
    fixture_free(&fixture);
}

/* Whatever it waits for, its time goes on. */
static void its_time_goes_on(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_early("stage a\nstep x\nstage b timeout=3000\nstep z\nstep w\n");
    fixture_exited(&fixture, "b/z", 0);
    fixture.now_ms = 9000;
    fixture_decide(&fixture);
    expect_status(&fixture, "b/w", failed);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleaning_up_does_not_overtake_it),
        cmocka_unit_test(cleaning_up_is_decided_behind_it),
        cmocka_unit_test(a_retry_waits),
        cmocka_unit_test(nothing_is_handed_ahead),
        cmocka_unit_test(its_time_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_open_effect.c: a step that ends while nobody knows what became of its effect is no mere failure: a person is asked. Each was found
   by tests/sim. */
#include "tests/unit/state/fixture.h"

static void intend(struct fixture *fixture)
{
    fixture_event(fixture, EVENT_effect_intended, 0, json_pack("{s:s, s:s, s:s}", "name", "order", "key", "k", "digest", "d"));
    fixture_event(fixture, EVENT_effect_sent, 0, json_pack("{s:s}", "name", "order"));
}

/* It said that nobody can tell what became of its effect, and then its supervisor died: that is no mere failure. */
static void nobody_can_tell_after_a_loss(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a effects\n");
    fixture_started(&fixture, "s/a");
    intend(&fixture);
    fixture_event(&fixture, EVENT_effect_unknown, 0, json_pack("{s:s}", "name", "order"));
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_LOST, .started = true});
    expect_status(&fixture, "s/a", unknown);
    fixture_decide(&fixture);
    expect_run(&fixture, needs_person);
    fixture_free(&fixture);
}

static void nobody_can_tell_when_it_is_ended(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a effects\n");
    struct event_list events = {0};
    fixture_started(&fixture, "s/a");
    intend(&fixture);
    fixture_event(&fixture, EVENT_effect_unknown, 0, json_pack("{s:s}", "name", "order"));
    settle_fault(fixture.state, 0, "it broke the protocol", 1000, &events);
    fixture_fold(&fixture, &events);
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    expect_status(&fixture, "s/a", unknown);
    fixture_free(&fixture);
}

static struct fixture parked_with_open_effect(const char *plan)
{
    struct fixture fixture = fixture_new(plan);
    fixture_started(&fixture, "a/x");
    intend(&fixture);
    fixture_exited(&fixture, "a/x", 1);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", parked);
    return fixture;
}

/* What it sent may have happened, so a stage's timeout, or a person, does not make it a mere failure. */
static void nobody_can_tell_when_it_waited_too_long(void **unused)
{
    (void)unused;
    struct fixture fixture = parked_with_open_effect("stage a timeout=500\nstep x effects retry=1:9000:failed\n");
    fixture.now_ms = 1600;
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", unknown);
    expect_run(&fixture, needs_person);
    fixture_free(&fixture);
    fixture = parked_with_open_effect("stage a\nstep x effects retry=1:9000:failed\n");
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, NULL);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", unknown);
    expect_run(&fixture, needs_person);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, NULL);
    fixture_decide(&fixture);
    expect_run(&fixture, cancelled);
    fixture_free(&fixture);
}

static struct fixture not_yet_asked(const char *plan)
{
    struct fixture fixture = fixture_new(plan);
    fixture_started(&fixture, "a/x");
    intend(&fixture);
    fixture_event(&fixture, EVENT_effect_unknown, 0, json_pack("{s:s}", "name", "order"));
    fixture_exited(&fixture, "a/x", 1);
    expect_status(&fixture, "a/x", unknown);
    return fixture;
}

/* Neither the clock nor who cancelled before they were asked says that nobody will look. */
static void nobody_was_asked_yet(void **unused)
{
    (void)unused;
    struct fixture fixture = not_yet_asked("timeout 500\nstage a\nstep x effects\n");
    fixture.now_ms = 1600;
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", unknown);
    expect_run(&fixture, needs_person);
    fixture_free(&fixture);
    fixture = not_yet_asked("stage a\nstep x effects\n");
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    fixture_decide(&fixture);
    expect_run(&fixture, needs_person);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    fixture_decide(&fixture);
    expect_run(&fixture, cancelled);
    fixture_free(&fixture);
}

/* It was handed ahead and began; then its shim was lost, and the step before it is on record as failed. */
static void nobody_can_tell_when_it_is_not_begun_again(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a effects\nstage t\nstep b\n");
    fixture_started(&fixture, "s/a");
    intend(&fixture);
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_LOST, .started = true});
    expect_status(&fixture, "s/a", parked);
    fixture.state->stages[0].failed = true;
    fixture.now_ms += 60 * 1000;
    fixture_decide(&fixture);
    expect_status(&fixture, "s/a", unknown);
    expect_run(&fixture, needs_person);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_can_tell_after_a_loss),
        cmocka_unit_test(nobody_can_tell_when_it_is_ended),
        cmocka_unit_test(nobody_can_tell_when_it_waited_too_long),
        cmocka_unit_test(nobody_was_asked_yet),
        cmocka_unit_test(nobody_can_tell_when_it_is_not_begun_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

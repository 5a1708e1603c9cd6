/* test_settle_vote.c: who may decide on an approval, and what a decision leads to. */
#include "tests/unit/state/fixture.h"

static const char plan[] = "stage ok\nstep approve approve by=ops,bob quorum=2 not-author\nstage b\nstep x\n";

static int vote(struct fixture *fixture, const char *by, const char *group, bool approve)
{
    const char *const groups[] = {by, group, NULL};
    struct event_list events = {0};
    struct error err = {0};
    int result = settle_vote(fixture->state, 0, by, groups, approve, "looks fine", fixture->now_ms, &events, &err);
    assert_true(!result || (events.count == 0 && err.message[0]));
    fixture_fold(fixture, &events);
    fixture_decide(fixture);
    return result;
}

static void quorum_is_counted(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new(plan);
    assert_int_equal(vote(&fixture, "eve", "devs", true), -ERROR_DENIED);
    assert_int_equal(vote(&fixture, "ann", "ops", true), -ERROR_DENIED); /* the author */
    assert_int_equal(vote(&fixture, "bob", NULL, true), 0);
    expect_status(&fixture, "ok/approve", parked);
    assert_int_equal(vote(&fixture, "bob", NULL, true), -ERROR_DENIED); /* before */
    assert_int_equal(vote(&fixture, "cid", "ops", true), 0);
    expect_status(&fixture, "ok/approve", succeeded);
    expect_status(&fixture, "b/x", starting);
    expect_run(&fixture, running);
    assert_int_equal(vote(&fixture, "dan", "ops", true), -ERROR_CONFLICT);
    fixture_free(&fixture);
}

static void one_no_is_a_no(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new(plan);
    assert_int_equal(vote(&fixture, "bob", NULL, false), 0);
    expect_status(&fixture, "ok/approve", failed);
    expect_run(&fixture, failed);
    assert_int_equal(fixture.state->reason, REASON_rejected);
    assert_string_equal(fixture.state->message, "ok/approve failed: rejected by bob: looks fine");
    fixture_free(&fixture);
}

static void anybody_where_nobody_is_named(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage ok\nstep approve approve\n");
    assert_int_equal(vote(&fixture, "ann", NULL, true), 0);
    expect_run(&fixture, succeeded);
    fixture_free(&fixture);
}

static void only_where_an_approval_waits(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x\n");
    struct event_list events = {0};
    struct error err = {0};
    assert_int_equal(settle_vote(fixture.state, 0, "bob", NULL, true, NULL, 1, &events, &err), -ERROR_CONFLICT);
    assert_int_equal(settle_vote(fixture.state, 99, "bob", NULL, true, NULL, 1, &events, &err), -ERROR_CONFLICT);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quorum_is_counted),
        cmocka_unit_test(one_no_is_a_no),
        cmocka_unit_test(anybody_where_nobody_is_named),
        cmocka_unit_test(only_where_an_approval_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_turn_undo.c: a group and the runs that went wrong: those that go back, that need a person, that failed before their turn. */
#include "tests/unit/state/runs.h"

/* --- going back --- */

static void fail_behind_a_share(struct runs *runs, struct fixture *run)
{
    fixture_started(run, "a/x");
    lent(run, "a/x", "{}");
    fixture_exited(run, "a/x", 0);
    decide_all(runs);
    fixture_exited(run, "a/y", 1);
    decide_all(runs);
}

static void until_it_is_rolled_back(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage a groups=lab\nstep x undo=order\nstep y\n"), *second = add(&runs, plain);
    fail_behind_a_share(&runs, first);
    expect_run(first, rolling_back);
    expect_status(second, "s/a", parked);
    fixture_event(first, EVENT_step_compensation_failed, fixture_index(first, "a/x"), json_pack("{s:s}", "message", "the domain said no"));
    decide_all(&runs);
    expect_run(first, rollback_failed);
    expect_message(second, "s/a",
        "waits for its turn: run 1 holds lab; it could not be rolled back: crescendo show 1 says what is to be undone by hand, "
        "then crescendo resolve 1 --undone");
    fixture_event(first, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann")); /* it is tried anew */
    decide_all(&runs);
    expect_run(first, rolling_back);
    expect_status(second, "s/a", parked);
    fixture_event(first, EVENT_step_compensation_failed, fixture_index(first, "a/x"), json_pack("{s:s}", "message", "still no"));
    decide_all(&runs);
    expect_run(first, rollback_failed);
    expect_status(second, "s/a", starting);
    release(&runs);
}

static void undone_by_hand_it_lets_go(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage a groups=lab\nstep x undo=order\nstep y\n"), *second = add(&runs, plain);
    fail_behind_a_share(&runs, first);
    fixture_event(first, EVENT_step_compensation_failed, fixture_index(first, "a/x"), json_pack("{s:s}", "message", "the domain said no"));
    decide_all(&runs);
    expect_run(first, rollback_failed);
    expect_status(second, "s/a", parked);
    const struct resolution undone = {.as = RESOLVED_undone, .by = "ann"};
    struct event_list events = {0};
    assert_int_equal(settle_resolve(first->state, fixture_index(first, "a/x"), &undone, runs.now_ms, &events, NULL), 0);
    fixture_fold(first, &events);
    decide_all(&runs);
    expect_run(first, rolled_back);
    expect_status(second, "s/a", starting);
    release(&runs);
}

/* --- a run that goes on undoing after it let others in --- */

static void give_up_for_good(struct runs *runs, struct fixture *first)
{
    fail_behind_a_share(runs, first);
    fixture_event(first, EVENT_step_compensation_failed, fixture_index(first, "a/x"), json_pack("{s:s}", "message", "the domain said no"));
    decide_all(runs);
    fixture_event(first, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    decide_all(runs);
    fixture_event(first, EVENT_step_compensation_failed, fixture_index(first, "a/x"), json_pack("{s:s}", "message", "still no"));
    decide_all(runs);
    expect_run(first, rollback_failed);
    fixture_forget(first);
}

static void undo_by_hand(struct runs *runs, struct fixture *first)
{
    const struct resolution undone = {.as = RESOLVED_undone, .by = "ann"};
    struct event_list events = {0};
    assert_int_equal(settle_resolve(first->state, fixture_index(first, "a/x"), &undone, runs->now_ms, &events, NULL), 0);
    fixture_fold(first, &events);
    decide_all(runs);
}

static const char two_to_undo[] = "stage a groups=lab\nstep w undo=order\nstep x undo=order\nstep y\n";

static void do_first(struct fixture *first)
{
    fixture_started(first, "a/w");
    lent(first, "a/w", "{}");
    fixture_exited(first, "a/w", 0);
}

/* Whoever came in is not undone beside: it takes its groups again, before anybody who waits for them. */
static void it_takes_its_groups_again_before_it_goes_on_undoing(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, two_to_undo);
    do_first(first);
    decide_all(&runs);
    struct fixture *second = add(&runs, plain), *third = add(&runs, plain);
    give_up_for_good(&runs, first);
    expect_status(second, "s/a", starting);
    undo_by_hand(&runs, first);
    expect_run(first, rolling_back);
    assert_int_equal(first->state->wait, WAIT_group);
    assert_string_equal(first->state->turn_message, "waits for its turn to go on undoing: run 2 holds lab");
    expect_status(first, "a/w", succeeded);
    expect_message(third, "s/a", "waits for its turn: run 2 holds lab, 1 before it");
    fixture_exited(second, "s/a", 0);
    decide_all(&runs);
    expect_run(second, succeeded);
    expect_status(first, "a/w", compensating);
    assert_int_equal(first->state->wait, WAIT_none);
    assert_null(first->state->turn_message);
    expect_message(third, "s/a", "waits for its turn: run 1 holds lab");
    fixture_event(first, EVENT_step_compensated, fixture_index(first, "a/w"), NULL);
    decide_all(&runs);
    expect_run(first, rolled_back);
    expect_status(third, "s/a", starting);
    release(&runs);
}

static void a_cancel_waits_for_the_groups_too(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage a groups=lab\nstep x undo=order\nstep y\n"), *second = add(&runs, plain);
    give_up_for_good(&runs, first);
    expect_status(second, "s/a", starting);
    fixture_event(first, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    decide_all(&runs);
    expect_run(first, rolling_back);
    expect_status(first, "a/x", compensation_failed);
    fixture_event(first, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann")); /* changes nothing */
    assert_int_equal(first->state->wait, WAIT_group);
    fixture_exited(second, "s/a", 0);
    decide_all(&runs);
    expect_status(first, "a/x", compensating);
    release(&runs);
}

static void nobody_there_it_goes_on_at_once(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage a groups=lab\nstep x undo=order\nstep y\n");
    give_up_for_good(&runs, first);
    fixture_event(first, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    decide_all(&runs);
    expect_status(first, "a/x", compensating);
    assert_int_equal(claim_status(first->state, 0), CLAIM_HELD);
    release(&runs);
}

/* A rollback is no newer release. */
static void who_undoes_takes_nobodys_place(void **unused)
{
    (void)unused;
    static const char supersedes[] = "stage s groups=lab:supersede\nstep a\n";
    struct runs runs = {.now_ms = 1000};
    struct fixture *waiting = add(&runs, "stage z\nstep z\nstage s groups=lab:supersede\nstep a\n");
    struct fixture *first = add(&runs, "stage a groups=lab:supersede\nstep x undo=order\nstep y\n");
    give_up_for_good(&runs, first);
    struct fixture *holder = add(&runs, supersedes);
    fixture_started(waiting, "z/z");
    fixture_exited(waiting, "z/z", 0);
    decide_all(&runs);
    expect_status(waiting, "s/a", parked);
    fixture_event(first, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    decide_all(&runs);
    expect_run(first, rolling_back);
    expect_status(waiting, "s/a", parked);
    expect_run(waiting, waiting);
    fixture_exited(holder, "s/a", 0);
    decide_all(&runs);
    expect_status(first, "a/x", compensating);
    release(&runs);
}

static void a_run_that_needs_a_person_holds_on(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage a groups=lab\nstep x effects\n"), *second = add(&runs, plain), *third = add(&runs, plain);
    fixture_started(first, "a/x");
    fixture_event(first, EVENT_step_unknown, fixture_index(first, "a/x"), json_pack("{s:s}", "message", "nobody knows"));
    decide_all(&runs);
    expect_run(first, needs_person);
    expect_message(second, "s/a", "waits for its turn: run 1 holds lab; it needs a person: crescendo explain 1 says why and what to do");
    fixture_event(second, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    decide_all(&runs);
    expect_run(second, cancelled); /* and has left the queue */
    expect_message(third, "s/a", "waits for its turn: run 1 holds lab; it needs a person: crescendo explain 1 says why and what to do");
    fixture_event(first, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    decide_all(&runs);
    expect_run(first, cancelled);
    expect_status(third, "s/a", starting);
    release(&runs);
}

/* While it waits, it stands in nobody's way. */
static void who_needs_a_person_is_passed_over(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, plain);
    struct fixture *second = add(&runs, "stage a groups=lab\nstep x\nstage b needs=-\nstep y effects\n"), *third = add(&runs, plain);
    fixture_started(second, "b/y");
    fixture_event(second, EVENT_step_unknown, fixture_index(second, "b/y"), json_pack("{s:s}", "message", "nobody knows"));
    decide_all(&runs);
    expect_run(second, needs_person);
    fixture_exited(first, "s/a", 0);
    decide_all(&runs);
    expect_status(third, "s/a", starting);
    expect_status(second, "a/x", parked);
    release(&runs);
}

/* It would hold what it has until it is at rest, and others with it. */
static void a_failed_run_does_not_wait(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    add(&runs, plain);
    struct fixture *second = add(&runs, "stage a groups=lab\nstep x\nstep y\nstage b needs=-\nstep x\n");
    fixture_exited(second, "b/x", 1);
    decide_all(&runs);
    expect_status(second, "a/x", skipped);
    expect_status(second, "a/y", skipped);
    expect_run(second, failed);
    struct fixture *third = add(&runs, "stage b\nstep x\nstage a if=always() groups=lab\nstep x\n");
    fixture_exited(third, "b/x", 1);
    decide_all(&runs);
    expect_status(third, "a/x", skipped);
    expect_run(third, failed);
    release(&runs);
}

static void cleaning_up_does_not_wait(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    add(&runs, plain);
    struct fixture *second = add(&runs, "stage b\nstep x\nstage a if=always() groups=lab\nstep x\n");
    fixture_event(second, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    decide_all(&runs);
    fixture_exited(second, "b/x", 143);
    decide_all(&runs);
    expect_status(second, "a/x", cancelled);
    expect_run(second, cancelled);
    release(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(until_it_is_rolled_back),
        cmocka_unit_test(undone_by_hand_it_lets_go),
        cmocka_unit_test(it_takes_its_groups_again_before_it_goes_on_undoing),
        cmocka_unit_test(a_cancel_waits_for_the_groups_too),
        cmocka_unit_test(nobody_there_it_goes_on_at_once),
        cmocka_unit_test(who_undoes_takes_nobodys_place),
        cmocka_unit_test(a_run_that_needs_a_person_holds_on),
        cmocka_unit_test(who_needs_a_person_is_passed_over),
        cmocka_unit_test(a_failed_run_does_not_wait),
        cmocka_unit_test(cleaning_up_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

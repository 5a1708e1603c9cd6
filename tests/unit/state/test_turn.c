/* test_turn.c: several runs that are in one group: who is let in, who waits, in which order, and when a group is given back. */
#include "tests/unit/state/runs.h"

/* --- begin and end --- */

static void alone_it_begins_at_once(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new(plain);
    assert_true(strstr(text_view(&fixture.log), "step_granted s/a {\"groups\":[\"lab\"]}\nstep_starting s/a"));
    assert_int_equal(claim_status(fixture.state, 0), CLAIM_HELD);
    fixture_exited(&fixture, "s/a", 0);
    assert_int_equal(claim_status(fixture.state, 0), CLAIM_DONE);
    fixture_free(&fixture);
}

static void first_in_first_out(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, plain);
    runs.now_ms = 2000;
    struct fixture *second = add(&runs, plain);
    runs.now_ms = 3000;
    struct fixture *third = add(&runs, plain);
    expect_status(first, "s/a", starting);
    expect_run(second, waiting);
    assert_int_equal(second->state->wait, WAIT_group);
    expect_message(second, "s/a", "waits for its turn: run 1 holds lab");
    expect_message(third, "s/a", "waits for its turn: run 1 holds lab, 1 before it");
    fixture_exited(first, "s/a", 0);
    decide_all(&runs);
    expect_run(first, succeeded);
    expect_status(second, "s/a", starting);
    expect_run(third, waiting);
    expect_message(third, "s/a", "waits for its turn: run 2 holds lab");
    fixture_exited(second, "s/a", 1); /* a failed run lets go as soon as it is at rest */
    decide_all(&runs);
    expect_run(second, failed);
    expect_status(third, "s/a", starting);
    release(&runs);
}

/* Not the number counts but who asked first; of equal times the smaller number. */
static void who_asked_first(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *holder = add(&runs, plain), *late = add(&runs, "stage b\nstep a\nstage s groups=lab\nstep a\n");
    runs.now_ms = 2000;
    struct fixture *early = add(&runs, plain), *same = add(&runs, plain);
    runs.now_ms = 3000;
    fixture_exited(late, "b/a", 0);
    decide_all(&runs);
    expect_message(late, "s/a", "waits for its turn: run 1 holds lab, 2 before it");
    fixture_exited(holder, "s/a", 0);
    decide_all(&runs);
    expect_status(early, "s/a", starting);
    expect_status(same, "s/a", parked);
    expect_status(late, "s/a", parked);
    release(&runs);
}

static void other_groups_are_not_in_the_way(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    add(&runs, plain);
    struct fixture *other = add(&runs, "stage s groups=edge\nstep a\n");
    expect_status(other, "s/a", starting);
    release(&runs);
}

/* --- what belongs together --- */

/* From the first stage in the group to the last, and what stands between them. */
static void held_from_the_first_stage_to_the_last(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage a groups=lab\nstep x\nstage ask\nstep x approve by=ann\nstage b groups=lab\nstep x\n");
    struct fixture *second = add(&runs, plain);
    fixture_exited(first, "a/x", 0);
    decide_all(&runs);
    expect_run(first, waiting);
    expect_message(second, "s/a", "waits for its turn: run 1 holds lab and waits for approval");
    fixture_event(first, EVENT_step_succeeded, fixture_index(first, "ask/x"), NULL);
    decide_all(&runs);
    expect_status(first, "b/x", starting);
    fixture_exited(first, "b/x", 0);
    decide_all(&runs);
    expect_status(second, "s/a", starting);
    release(&runs);
}

static void the_whole_scope_is_held(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage a scope=u groups=lab\nstep x\nstage b scope=u\nstep x\nstage c\nstep x\n");
    struct fixture *second = add(&runs, plain);
    fixture_exited(first, "a/x", 0);
    decide_all(&runs);
    expect_status(second, "s/a", parked);
    fixture_exited(first, "b/x", 0);
    decide_all(&runs);
    expect_status(second, "s/a", starting);
    expect_run(first, running);
    release(&runs);
}

/* Both groups or none: otherwise two runs could each hold what the other waits for. */
static void groups_of_a_claim_are_got_at_once(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage s groups=b\nstep a\n");
    struct fixture *both = add(&runs, "stage x groups=a\nstep a\nstage y groups=a,b\nstep a\n");
    expect_message(both, "x/a", "waits for its turn: run 1 holds b");
    struct fixture *third = add(&runs, "stage s groups=a\nstep a\n");
    expect_message(third, "s/a", "waits for its turn: a: 1 before it");
    fixture_exited(first, "s/a", 0);
    decide_all(&runs);
    expect_status(both, "x/a", starting);
    expect_message(third, "s/a", "waits for its turn: run 2 holds a");
    release(&runs);
}

/* Each returns to its first group late: whoever came first has both by then. */
static void no_two_wait_for_each_other(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage x groups=a\nstep s\nstage y groups=b\nstep s\nstage z groups=a\nstep s\n");
    struct fixture *second = add(&runs, "stage x groups=b\nstep s\nstage y groups=a\nstep s\nstage z groups=b\nstep s\n");
    static const char *const steps[] = {"x/s", "y/s", "z/s"};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        expect_status(first, steps[i], starting);
        expect_run(second, waiting);
        fixture_exited(first, steps[i], 0);
        decide_all(&runs);
    }
    expect_run(first, succeeded);
    expect_status(second, "x/s", starting);
    release(&runs);
}

/* A stage that lends a share is over, but not done with. */
static void a_lease_holds_the_group(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage a groups=lab\nstep x undo=order\nstage b\nstep x undo=order\n"), *second = add(&runs, plain);
    fixture_started(first, "a/x");
    lent(first, "a/x", "{\"lease\":{\"service\":\"4.1\",\"ttl_ms\":60000,\"url\":\"unix:/x\"}}");
    fixture_exited(first, "a/x", 0);
    decide_all(&runs);
    expect_status(first, "b/x", starting);
    expect_status(second, "s/a", parked);
    fixture_started(first, "b/x");
    lent(first, "b/x", "{\"lease\":null,\"service\":\"4.1\"}");
    decide_all(&runs);
    expect_status(second, "s/a", starting);
    release(&runs);
}

/* --- queues --- */

static void a_newer_run_takes_the_place(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    static const char supersede[] = "stage s groups=lab:supersede\nstep a\n";
    struct fixture *first = add(&runs, supersede), *second = add(&runs, supersede), *third = add(&runs, supersede);
    expect_run(first, running); /* who is in stays in */
    expect_run(second, cancelled);
    assert_int_equal(second->state->reason, REASON_superseded);
    assert_string_equal(second->state->message, "run 3 is newer and takes its place in lab");
    expect_run(third, waiting);
    struct fixture *patient = add(&runs, plain);
    expect_run(patient, waiting);
    expect_run(third, waiting); /* the other one only waits: nobody takes a place from, or for, who did not say so */
    expect_message(patient, "s/a", "waits for its turn: run 1 holds lab, 1 before it");
    release(&runs);
}

static void rejected_by_name(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, plain), *second = add(&runs, "stage s groups=lab:reject\nstep a\nstep b\n");
    expect_run(second, failed);
    assert_int_equal(second->state->reason, REASON_denied);
    expect_message(second, "s/a", "run 1 holds lab; one run at a time, and who comes meanwhile is rejected");
    expect_status(second, "s/b", skipped);
    fixture_exited(first, "s/a", 0);
    decide_all(&runs);
    struct fixture *third = add(&runs, "stage s groups=lab:reject\nstep a\n");
    expect_status(third, "s/a", starting);
    release(&runs);
}

/* --- waiting --- */

/* The stage's own time begins with its turn, the run's goes on. */
static void waiting_takes_no_time_of_the_stage(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, plain), *second = add(&runs, "timeout 100000\nstage s groups=lab timeout=5000\nstep a\n");
    runs.now_ms = 90000;
    decide_all(&runs);
    expect_status(second, "s/a", parked);
    fixture_exited(first, "s/a", 0);
    decide_all(&runs);
    expect_status(second, "s/a", starting);
    add(&runs, "timeout 1000\nstage s groups=lab\nstep a\n");
    runs.now_ms = 92000;
    decide_all(&runs);
    expect_run(&runs.items[2], failed);
    assert_int_equal(runs.items[2].state->reason, REASON_timeout);
    release(&runs);
}

/* What is waited for is said anew where it changed, and the run does not seem to go on by that. */
static void said_anew(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, plain);
    add(&runs, plain);
    struct fixture *third = add(&runs, plain);
    fixture_exited(first, "s/a", 0);
    decide_all(&runs);
    fixture_expect(third, "step_waits s/a {\"message\":\"waits for its turn: run 2 holds lab\"}\n");
    release(&runs);
}

static void marks_change_with_what_others_see(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, "stage s groups=lab\nstep a\nstage t\nstep a\n"), *none = add(&runs, "stage s\nstep a\n");
    uint64_t held = turn_mark(first->state);
    assert_int_equal(turn_mark(none->state), turn_mark(none->state));
    fixture_exited(first, "s/a", 0);
    assert_true(turn_mark(first->state) != held);
    release(&runs);
}

/* A canary parks until its next tick, wakes and parks again, for minutes: who waits behind it is told nothing, and nothing goes on record.
 */
static void a_holders_timer_is_not_told(void **unused)
{
    (void)unused;
    struct runs runs = {.now_ms = 1000};
    struct fixture *first = add(&runs, plain), *second = add(&runs, plain);
    fixture_started(first, "s/a");
    decide_all(&runs);
    uint64_t mark = turn_mark(first->state);
    fixture_forget(second);
    for (int tick = 0; tick < 3; tick++) {
        fixture_event(first, EVENT_step_parked, 0, json_pack("{s:s, s:i}", "for", "timer", "until", 5000));
        decide_all(&runs);
        expect_run(first, waiting);
        assert_true(turn_mark(first->state) == mark);
        fixture_event(first, EVENT_step_woken, 0, NULL);
        decide_all(&runs);
        fixture_started(first, "s/a");
        decide_all(&runs);
        expect_run(first, running);
    }
    expect_message(second, "s/a", "waits for its turn: run 1 holds lab");
    fixture_expect(second, "");
    release(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_holders_timer_is_not_told),
        cmocka_unit_test(alone_it_begins_at_once),
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(who_asked_first),
        cmocka_unit_test(other_groups_are_not_in_the_way),
        cmocka_unit_test(held_from_the_first_stage_to_the_last),
        cmocka_unit_test(the_whole_scope_is_held),
        cmocka_unit_test(groups_of_a_claim_are_got_at_once),
        cmocka_unit_test(no_two_wait_for_each_other),
        cmocka_unit_test(a_lease_holds_the_group),
        cmocka_unit_test(a_newer_run_takes_the_place),
        cmocka_unit_test(rejected_by_name),
        cmocka_unit_test(waiting_takes_no_time_of_the_stage),
        cmocka_unit_test(said_anew),
        cmocka_unit_test(marks_change_with_what_others_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

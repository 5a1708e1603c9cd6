/* test_turn.c: several runs that are in one group: who is let in, who waits, in which order, and when a group is given back. */
#include "tests/unit/state/fixture.h"

enum { RUNS_MAX = 4 };

struct runs { /* beside each other, numbered from 1 */
    struct fixture items[RUNS_MAX];
    size_t count;
    int64_t now_ms;
};

static struct turn *look(const struct runs *runs, const struct fixture *self)
{
    uint32_t count = self->plan->claim_count;
    struct turn *turns = mem_alloc_array(count + 1, sizeof *turns);
    for (uint32_t i = 0; i < count; i++) {
        turn_begin(self->state, i, &turns[i]);
        for (size_t k = runs->count; k-- > 0;) /* the order in which they are met does not matter */
            turn_meet(&turns[i], runs->items[k].state);
    }
    return turns;
}

static bool decide_one(const struct runs *runs, struct fixture *self)
{
    struct turn *turns = look(runs, self);
    struct event_list events = {0};
    decide(self->state, &(struct decide_input){runs->now_ms, self->slots, false, turns}, &events);
    bool some = events.count > 0;
    fixture_fold(self, &events);
    free(turns);
    return some;
}

/* Until no run has anything to decide. */
static void decide_all(struct runs *runs)
{
    bool some = true;
    for (int rounds = 0; some; rounds++) {
        some = false;
        for (size_t i = 0; i < runs->count; i++)
            some |= decide_one(runs, &runs->items[i]);
        if (rounds > 1000) fail_msg("deciding does not come to an end");
    }
}

static struct fixture *add(struct runs *runs, const char *plan)
{
    struct fixture *self = &runs->items[runs->count++];
    *self = (struct fixture){.plan = make_plan(plan), .now_ms = runs->now_ms, .slots = 4};
    self->state = run_state_new(self->plan);
    fixture_event(self, EVENT_run_accepted, NO_STEP, json_pack("{s:I, s:s}", "number", (json_int_t)runs->count, "author", "ann"));
    decide_all(runs);
    fixture_forget(self);
    return self;
}

static void release(struct runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        fixture_free(&runs->items[i]);
}

static void expect_message(const struct fixture *self, const char *path, const char *message)
{
    assert_string_equal(fixture_step(self, path)->message ? fixture_step(self, path)->message : "", message);
}

static const char plain[] = "stage s groups=lab\nstep a\n";

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

static void lent(struct fixture *self, const char *path, const char *outcome)
{
    struct error err;
    json_t *json;
    assert_int_equal(json_parse(outcome, strlen(outcome), "outcome", &json, &err), 0);
    uint32_t step = fixture_index(self, path);
    fixture_event(self, EVENT_effect_intended, step, json_pack("{s:s, s:s, s:s}", "name", "order", "key", path, "digest", "d"));
    fixture_event(self, EVENT_effect_sent, step, json_pack("{s:s}", "name", "order"));
    fixture_event(self, EVENT_effect_done, step, json_pack("{s:s, s:o}", "name", "order", "outcome", json));
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
        cmocka_unit_test(a_newer_run_takes_the_place),
        cmocka_unit_test(rejected_by_name),
        cmocka_unit_test(waiting_takes_no_time_of_the_stage),
        cmocka_unit_test(said_anew),
        cmocka_unit_test(marks_change_with_what_others_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

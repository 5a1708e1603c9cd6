/* test_settle_resolve.c: what a person says of an effect that nobody can tell of, and what follows. */
#include "tests/unit/state/fixture.h"

#define INTEND "{\"type\":\"intend\",\"name\":\"e\",\"target\":\"t\",\"body\":1}"
#define UNSURE "{\"type\":\"outcome\",\"name\":\"e\",\"seen\":\"unsure\"}"
#define KEPT "{\"name\":\"e\",\"type\":\"kept\"}"

static int resolve(struct fixture *fixture, const char *path, struct resolution resolution)
{
    struct event_list events = {0};
    struct error err = {0};
    resolution.by = "ann";
    int result = settle_resolve(fixture->state, fixture_index(fixture, path), &resolution, fixture->now_ms, &events, &err);
    assert_true(!result || (events.count == 0 && err.message[0]));
    fixture_fold(fixture, &events);
    fixture_decide(fixture);
    return result;
}

static int says_done(struct fixture *fixture, const char *id)
{
    return resolve(fixture, "a/x", (struct resolution){.as = RESOLVED_done, .id = id});
}

/* What the engine answers to the intent; its type and its adopt are compared. */
static void intend(struct fixture *fixture, const char *type, const char *adopt)
{
    struct event_list events = {0};
    AUTO(free_text) char *reply = NULL;
    AUTO(free_json) json_t *said = NULL;
    struct error err = {0};
    fixture_started(fixture, "a/x");
    assert_int_equal(settle_line(fixture->state, fixture_index(fixture, "a/x"), INTEND, fixture->now_ms, &events, &reply, &err), 0);
    fixture_fold(fixture, &events);
    assert_int_equal(json_parse(reply, strlen(reply), "the reply", &said, &err), 0);
    assert_string_equal(json_text(said, "type", ""), type);
    assert_string_equal(json_text(said, "adopt", "-"), adopt);
}

static struct fixture in_doubt(const char *plan)
{
    struct fixture fixture = fixture_new(plan);
    intend(&fixture, "go", "-");
    assert_int_equal(fixture_line(&fixture, "a/x", UNSURE, KEPT), 0);
    fixture_exited(&fixture, "a/x", 1);
    fixture_decide(&fixture);
    expect_run(&fixture, needs_person);
    fixture_forget(&fixture);
    return fixture;
}

static void what_was_done_is_asked_for_at_the_peer(void **unused)
{
    (void)unused;
    struct fixture fixture = in_doubt("stage a\nstep x effects\n");
    char long_id[300];
    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    assert_int_equal(says_done(&fixture, long_id), -ERROR_INVALID);
    assert_int_equal(says_done(&fixture, "1\n7"), -ERROR_INVALID);
    assert_int_equal(says_done(&fixture, NULL), -ERROR_INVALID);
    assert_int_equal(says_done(&fixture, "17"), 0);
    expect_run(&fixture, running);
    intend(&fixture, "find", "17");
    fixture_line(&fixture, "a/x", "{\"type\":\"outcome\",\"name\":\"e\",\"seen\":\"done\",\"outcome\":{\"order\":\"17\"}}", KEPT);
    assert_null(fixture_step(&fixture, "a/x")->effects->adopt);
    fixture_exited(&fixture, "a/x", 0);
    fixture_decide(&fixture);
    expect_run(&fixture, succeeded);
    fixture_free(&fixture);
}

static void where_the_step_cannot_tell_the_word_counts(void **unused)
{
    (void)unused;
    struct fixture fixture = in_doubt("stage a\nstep x effects\n");
    assert_int_equal(says_done(&fixture, "17"), 0);
    intend(&fixture, "find", "17");
    fixture_forget(&fixture);
    assert_int_equal(fixture_line(&fixture, "a/x", UNSURE, KEPT), 0);
    fixture_expect(&fixture, "effect_done a/x {\"name\":\"e\",\"outcome\":{\"order\":\"17\"},\"word\":true}\n");
    fixture_exited(&fixture, "a/x", 1); /* it does not know that it was told what to adopt */
    fixture_decide(&fixture);
    intend(&fixture, "known", "-");
    fixture_exited(&fixture, "a/x", 1); /* and now it fails for another reason */
    fixture_decide(&fixture);
    expect_run(&fixture, failed);
    fixture_free(&fixture);
}

/* --- what the intent said that the outcome will hold --- */

#define LENDS \
    "{\"type\":\"intend\",\"name\":\"e\",\"target\":\"t\",\"body\":1,\"expects\":{\"lease\":{\"service\":\"4\",\"ttl_ms\":9,\"url\":" \
    "\"u\"},\"previous\":5}}"
#define OUTCOME "{\"lease\":{\"service\":\"4\",\"ttl_ms\":9,\"url\":\"u\"},\"order\":\"17\",\"previous\":5}"

static void expect_lent(const struct fixture *fixture)
{
    AUTO(free_json) json_t *leases = run_state_leases(fixture->state);
    AUTO(free_text) char *outcome = json_canonical(fixture_step(fixture, "a/x")->effects->outcome);
    assert_string_equal(outcome, OUTCOME);
    assert_int_equal(json_array_size(leases), 1);
    assert_string_equal(json_text(json_array_get(leases, 0), "service", ""), "4");
}

static void ask_with(struct fixture *fixture, const char *line, const char *type)
{
    struct event_list events = {0};
    AUTO(free_text) char *reply = NULL;
    struct error err = {0};
    fixture_started(fixture, "a/x");
    assert_int_equal(settle_line(fixture->state, fixture_index(fixture, "a/x"), line, fixture->now_ms, &events, &reply, &err), 0);
    fixture_fold(fixture, &events);
    assert_non_null(strstr(reply, type));
}

/* Else nobody would renew what the order lent. */
static void the_word_holds_the_lease_that_was_intended(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x effects\n");
    ask_with(&fixture, LENDS, "\"go\"");
    fixture_line(&fixture, "a/x", UNSURE, KEPT);
    fixture_exited(&fixture, "a/x", 1);
    fixture_decide(&fixture);
    assert_int_equal(says_done(&fixture, "17"), 0);
    intend(&fixture, "find", "17"); /* an older program does not say it again */
    assert_int_equal(fixture_line(&fixture, "a/x", UNSURE, KEPT), 0);
    expect_lent(&fixture);
    fixture_free(&fixture);
}

static void so_it_does_where_no_step_will_ask_any_more(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x effects\nstage b needs=-\nstep y if=always()\n");
    ask_with(&fixture, LENDS, "\"go\"");
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "bob"));
    fixture_decide(&fixture);
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    expect_run(&fixture, needs_person);
    assert_int_equal(says_done(&fixture, "17"), 0);
    expect_lent(&fixture);
    fixture_free(&fixture);
}

static void what_is_expected_is_an_object(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x effects\n");
    fixture_started(&fixture, "a/x");
    const char *line = "{\"type\":\"intend\",\"name\":\"e\",\"target\":\"t\",\"body\":1,\"expects\":7}";
    assert_int_equal(fixture_line(&fixture, "a/x", line, NULL), -ERROR_PROTOCOL);
    fixture_free(&fixture);
}

static void a_word_that_the_peer_does_not_know_leads_back_to_the_person(void **unused)
{
    (void)unused;
    struct fixture fixture = in_doubt("stage a\nstep x effects\n");
    assert_int_equal(says_done(&fixture, "71"), 0);
    for (int i = 0; i < 2; i++) { /* once more by itself: it may have been the network */
        intend(&fixture, "find", "71");
        fixture_exited(&fixture, "a/x", 1);
        fixture_decide(&fixture);
    }
    expect_run(&fixture, needs_person);
    assert_int_equal(says_done(&fixture, "17"), 0);
    intend(&fixture, "find", "17");
    fixture_free(&fixture);
}

static void what_was_not_done_may_be_sent_again(void **unused)
{
    (void)unused;
    struct fixture fixture = in_doubt("stage a\nstep x effects\n");
    assert_int_equal(resolve(&fixture, "a/x", (struct resolution){.as = RESOLVED_not_done, .comment = "looked"}), 0);
    fixture_expect(&fixture, "step_resolved a/x {\"as\":\"not_done\",\"by\":\"ann\",\"comment\":\"looked\",\"effect\":\"e\"}\n"
                             "effect_abandoned a/x {\"name\":\"e\"}\nstep_woken a/x {\"by\":\"person\"}\nrun_resumed\n"
                             "step_starting a/x {\"attempt\":2}\n");
    intend(&fixture, "go", "-");
    fixture_free(&fixture);
}

/* The run is being cancelled, and the effect is not one that going back finds out: no step asks any more. */
static void a_run_that_is_being_cancelled_goes_on_ending(void **unused)
{
    (void)unused;
    for (int done = 0; done < 2; done++) {
        struct fixture fixture = fixture_new("stage a\nstep x effects\n");
        intend(&fixture, "go", "-");
        fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "bob"));
        fixture_decide(&fixture);
        fixture_report(&fixture, "a/x", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
        fixture_decide(&fixture);
        expect_run(&fixture, needs_person);
        if (done)
            assert_int_equal(says_done(&fixture, "17"), 0);
        else
            assert_int_equal(resolve(&fixture, "a/x", (struct resolution){.as = RESOLVED_not_done}), 0);
        const struct effect_state *effect = fixture_step(&fixture, "a/x")->effects;
        assert_int_equal(effect->status, done ? EFFECT_done : EFFECT_abandoned);
        if (done) assert_string_equal(json_text(effect->outcome, "order", ""), "17");
        expect_run(&fixture, cancelled);
        fixture_free(&fixture);
    }
}

static void an_adopted_effect_is_undone_like_any_other(void **unused)
{
    (void)unused;
    struct fixture fixture = in_doubt("stage a\nstep x undo=e\n");
    assert_int_equal(says_done(&fixture, "17"), 0);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "bob")); /* before the step could ask */
    fixture_decide(&fixture);
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    expect_run(&fixture, rolling_back);
    AUTO(free_json) json_t *list = run_state_undo(fixture.state, fixture_index(&fixture, "a/x"));
    assert_true(json_flag(json_array_get(list, 0), "find", false));
    assert_string_equal(json_text(json_array_get(list, 0), "adopt", ""), "17");
    fixture_free(&fixture);
}

/* The stage's time is over by then: the step fails, and what the person said was done is undone with the rest. */
static void a_timeout_does_not_wait_for_the_person(void **unused)
{
    (void)unused;
    struct fixture fixture = in_doubt("stage a timeout=5000\nstep x undo=e\n");
    fixture.now_ms += 60 * 1000;
    fixture_decide(&fixture);
    expect_run(&fixture, needs_person);
    assert_int_equal(says_done(&fixture, "17"), 0);
    expect_run(&fixture, rolling_back);
    AUTO(free_json) json_t *list = run_state_undo(fixture.state, fixture_index(&fixture, "a/x"));
    assert_string_equal(json_text(json_array_get(list, 0), "adopt", ""), "17");
    fixture_free(&fixture);
}

static void of_several_one_is_named(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x effects\n");
    intend(&fixture, "go", "-");
    fixture_event(&fixture, EVENT_effect_intended, 0, json_pack("{s:s, s:s, s:s}", "name", "f", "key", "k", "digest", "d"));
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_LOST, .started = true});
    fixture_decide(&fixture);
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_LOST, .started = true});
    fixture_decide(&fixture);
    expect_run(&fixture, needs_person);
    assert_int_equal(resolve(&fixture, "a/x", (struct resolution){.as = RESOLVED_not_done}), -ERROR_CONFLICT);
    assert_int_equal(resolve(&fixture, "a/x", (struct resolution){.as = RESOLVED_not_done, .effect = "g"}), -ERROR_CONFLICT);
    assert_int_equal(resolve(&fixture, "a/x", (struct resolution){.as = RESOLVED_not_done, .effect = "e"}), 0);
    expect_run(&fixture, needs_person); /* the other one is still open */
    assert_int_equal(resolve(&fixture, "a/x", (struct resolution){.as = RESOLVED_not_done}), 0);
    expect_run(&fixture, running);
    fixture_free(&fixture);
}

static void only_what_is_open_is_settled(void **unused)
{
    (void)unused;
    struct fixture fixture = in_doubt("stage a\nstep x effects\nstep y\n");
    assert_int_equal(resolve(&fixture, "a/x", (struct resolution){.as = RESOLVED_undone}), -ERROR_CONFLICT);
    assert_int_equal(resolve(&fixture, "a/y", (struct resolution){.as = RESOLVED_not_done}), -ERROR_CONFLICT);
    struct event_list events = {0};
    assert_int_equal(settle_resolve(fixture.state, 9, &(struct resolution){.by = "ann"}, 0, &events, NULL), -ERROR_CONFLICT);
    struct event nameless = {.type = EVENT_step_resolved, .step = 0, .data = json_pack("{s:s}", "as", "done")};
    assert_int_equal(reduce(fixture.state, &nameless, NULL), -ERROR_STATE);
    event_release(&nameless);
    fixture_free(&fixture);
}

/* What is in doubt of a step that could not be undone is settled by the same word. */
static void undone_by_hand_settles_all_of_the_step(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\n");
    intend(&fixture, "go", "-");
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "bob"));
    fixture_decide(&fixture);
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    for (int i = 0; i < 6; i++) {
        expect_run(&fixture, rolling_back);
        fixture_exited(&fixture, "a/x", 1);
        fixture.now_ms += 60 * 1000;
        fixture_decide(&fixture);
    }
    expect_run(&fixture, rollback_failed);
    assert_int_equal(resolve(&fixture, "a/x", (struct resolution){.as = RESOLVED_undone}), 0);
    expect_status(&fixture, "a/x", compensated);
    expect_run(&fixture, rolled_back);
    assert_int_equal(fixture.state->reason, REASON_operator);
    AUTO(free_json) json_t *left = run_state_left(fixture.state);
    assert_int_equal(json_array_size(left), 0);
    AUTO(free_json) json_t *settled = run_state_settled(fixture.state);
    assert_string_equal(json_text(json_array_get(settled, 0), "words", ""), "ann says that it was undone by hand");
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_done_is_asked_for_at_the_peer),
        cmocka_unit_test(where_the_step_cannot_tell_the_word_counts),
        cmocka_unit_test(the_word_holds_the_lease_that_was_intended),
        cmocka_unit_test(so_it_does_where_no_step_will_ask_any_more),
        cmocka_unit_test(what_is_expected_is_an_object),
        cmocka_unit_test(a_word_that_the_peer_does_not_know_leads_back_to_the_person),
        cmocka_unit_test(what_was_not_done_may_be_sent_again),
        cmocka_unit_test(a_run_that_is_being_cancelled_goes_on_ending),
        cmocka_unit_test(an_adopted_effect_is_undone_like_any_other),
        cmocka_unit_test(a_timeout_does_not_wait_for_the_person),
        cmocka_unit_test(of_several_one_is_named),
        cmocka_unit_test(only_what_is_open_is_settled),
        cmocka_unit_test(undone_by_hand_settles_all_of_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

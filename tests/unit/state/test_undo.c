/* test_undo.c: what a run that ends badly takes back: scopes, pivots, order, tries, leases. */
#include "tests/unit/state/fixture.h"

/* The step starts, has its effect, and ends. */
static void perform(struct fixture *fixture, const char *path, const char *name, const char *outcome, int code)
{
    AUTO(free_text)
    char *intend = mem_format("{\"type\":\"intend\",\"name\":\"%s\",\"target\":\"t\",\"body\":{\"of\":\"%s\"}}", name, path);
    AUTO(free_text) char *done = mem_format("{\"type\":\"outcome\",\"name\":\"%s\",\"seen\":\"done\",\"outcome\":%s}", name, outcome);
    struct event_list events = {0};
    fixture_started(fixture, path);
    const char *const lines[] = {intend, done};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        AUTO(free_text) char *reply = NULL;
        assert_int_equal(settle_line(fixture->state, fixture_index(fixture, path), lines[i], fixture->now_ms, &events, &reply, NULL), 0);
        fixture_fold(fixture, &events);
    }
    fixture_exited(fixture, path, code);
    fixture_decide(fixture);
}

#define EXPECT_STATUS(path, wanted) assert_int_equal(fixture_step(&fixture, path)->status, STEP_##wanted)

static void the_failed_scope_is_undone_newest_first(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage out\nstep x undo=e\nstage a scope=use\nstep x undo=e\nstep y undo=e\n"
                                         "stage b scope=use/inner\nstep x undo=e\nstage c scope=use\nstep x\n");
    perform(&fixture, "out/x", "e", "1", 0);
    perform(&fixture, "a/x", "e", "1", 0);
    perform(&fixture, "a/y", "e", "1", 0);
    perform(&fixture, "b/x", "e", "1", 0);
    fixture_forget(&fixture);
    fixture_exited(&fixture, "c/x", 3);
    fixture_forget(&fixture);
    fixture_decide(&fixture);
    fixture_expect(&fixture, "run_rolling_back {\"message\":\"c/x failed: exit 3\",\"reason\":\"failed\"}\n"
                             "step_compensating b/x {\"attempt\":2}\n");
    fixture_undone(&fixture, "b/x", "e");
    fixture_expect(&fixture, "effect_compensated b/x {\"name\":\"e\"}\nstep_compensated b/x\nstep_compensating a/y {\"attempt\":2}\n");
    fixture_undone(&fixture, "a/y", "e");
    fixture_undone(&fixture, "a/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    assert_int_equal(fixture.state->reason, REASON_failed);
    assert_string_equal(fixture.state->message, "c/x failed: exit 3");
    EXPECT_STATUS("out/x", succeeded);
    EXPECT_STATUS("c/x", failed);
    assert_int_equal(stage_status(fixture.state, 1), STEP_compensated);
    fixture_free(&fixture);
}

/* What stands outside of what was undone, and could have been. */
static void what_is_left_is_told(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\nstep y pivot=p\nstep z undo=e\nstage b\nstep x undo=e\nstep y\n");
    perform(&fixture, "a/x", "e", "1", 0);
    perform(&fixture, "a/y", "p", "1", 0);
    perform(&fixture, "a/z", "e", "{\"order\":\"7\",\"service\":\"4.1\"}", 0);
    perform(&fixture, "b/x", "e", "1", 0);
    AUTO(free_json) json_t *early = run_state_left(fixture.state);
    assert_int_equal(json_array_size(early), 0);
    fixture_exited(&fixture, "b/y", 1);
    fixture_decide(&fixture);
    fixture_undone(&fixture, "b/x", "e");
    AUTO(free_json) json_t *left = run_state_left(fixture.state);
    AUTO(free_text) char *text = json_canonical(left);
    assert_string_equal(text, "[{\"effect\":\"e\",\"order\":\"7\",\"service\":\"4.1\",\"step\":\"a/z\",\"target\":\"t\"}]");
    fixture_free(&fixture);
}

/* A promotion has no way back: what it left in service is told, and the version before, unless that was ended. */
static void what_was_promoted_is_told(void **unused)
{
    (void)unused;
    for (int is_ended = 0; is_ended < 2; is_ended++) {
        struct fixture fixture = fixture_new("stage a\nstep o undo=e\nstep p pivot=p\nstep r retire undo=r\nstage b\nstep y\n");
        perform(&fixture, "a/o", "e", "{\"order\":\"4\",\"service\":\"4.1\"}", 0);
        perform(&fixture, "a/p", "p", "{\"order\":\"8\",\"service\":\"4.1\"}", 0);
        ((struct step_state *)(uintptr_t)fixture_step(&fixture, "a/o"))->outputs =
            json_pack("{s:s, s:s}", "service", "4.1", "version", "2.0.0");
        ((struct step_state *)(uintptr_t)fixture_step(&fixture, "a/p"))->outputs = json_pack("{s:s}", "previous", "1.1");
        perform(&fixture, "a/r", "r", is_ended ? "{\"service\":\"1.1\"}" : "{\"service\":\"9.9\"}", 0);
        fixture_exited(&fixture, "b/y", 1);
        fixture_decide(&fixture);
        AUTO(free_json) json_t *left = run_state_left(fixture.state), *first = json_incref(json_array_get(left, 0));
        AUTO(free_text) char *text = json_canonical(first);
        assert_string_equal(text, "{\"effect\":\"p\",\"order\":\"8\",\"service\":\"4.1\",\"stays\":\"in-service\",\"step\":\"a/p\","
                                  "\"target\":\"t\",\"version\":\"2.0.0\"}");
        assert_string_equal(json_text(json_array_get(left, 1), "stays", ""), is_ended ? "" : "unused");
        if (!is_ended) assert_string_equal(json_text(json_array_get(left, 1), "service", ""), "1.1");
        fixture_free(&fixture);
    }
}

static void without_a_use_the_stage_is_its_scope(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\nstage b\nstep x undo=e\nstep y\n");
    perform(&fixture, "a/x", "e", "1", 0);
    perform(&fixture, "b/x", "e", "1", 0);
    fixture_exited(&fixture, "b/y", 1);
    fixture_decide(&fixture);
    fixture_undone(&fixture, "b/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    EXPECT_STATUS("a/x", succeeded);
    fixture_free(&fixture);
}

static void rollback_run_undoes_all(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("rollback run\nstage a\nstep x undo=e\nstage b\nstep y\n");
    perform(&fixture, "a/x", "e", "1", 0);
    fixture_exited(&fixture, "b/y", 1);
    fixture_decide(&fixture);
    fixture_undone(&fixture, "a/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    fixture_free(&fixture);
}

static void nothing_goes_back_behind_a_pivot(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a scope=u\nstep x undo=e\nstep p pivot=e\nstep y undo=e\nstep z\n");
    perform(&fixture, "a/x", "e", "1", 0);
    perform(&fixture, "a/p", "e", "1", 0);
    perform(&fixture, "a/y", "e", "1", 0);
    fixture_exited(&fixture, "a/z", 1);
    fixture_decide(&fixture);
    fixture_undone(&fixture, "a/y", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    EXPECT_STATUS("a/x", succeeded);
    fixture_free(&fixture);
}

static void with_nothing_to_undo_it_just_failed(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x effects\nstep y\n");
    perform(&fixture, "a/x", "unforeseen", "1", 0);
    fixture_exited(&fixture, "a/y", 1);
    fixture_decide(&fixture);
    assert_int_equal(fixture.state->status, RUN_failed);
    fixture_free(&fixture);
}

static void cancelled_undoes_what_is_not_finished(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\nstage b\nstep x undo=e\nstep y\n");
    perform(&fixture, "a/x", "e", "1", 0);
    perform(&fixture, "b/x", "e", "1", 0);
    fixture_started(&fixture, "b/y");
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    fixture_decide(&fixture);
    fixture_report(&fixture, "b/y", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    assert_int_equal(fixture.state->status, RUN_rolling_back);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "bob")); /* changes nothing */
    fixture_decide(&fixture);
    fixture_undone(&fixture, "b/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    assert_int_equal(fixture.state->reason, REASON_operator);
    assert_string_equal(fixture.state->cancelled_by, "ann");
    EXPECT_STATUS("a/x", succeeded);
    fixture_free(&fixture);
}

static void a_rollback_step_fails_on_purpose(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\nstage b\nstep r rollback because=no scope=run\n");
    perform(&fixture, "a/x", "e", "1", 0);
    EXPECT_STATUS("b/r", failed);
    assert_string_equal(fixture.state->message, "b/r failed: no");
    fixture_undone(&fixture, "a/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    fixture_free(&fixture);
}

/* --- it does not go well --- */

static struct fixture failed_fixture(void)
{
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\nstep y\n");
    perform(&fixture, "a/x", "e", "{\"id\":5}", 0);
    fixture_exited(&fixture, "a/y", 1);
    fixture_decide(&fixture);
    fixture_forget(&fixture);
    return fixture;
}

static void a_failure_is_tried_again_with_pauses(void **unused)
{
    (void)unused;
    static const int64_t pauses_ms[] = {1000, 2000, 4000, 8000, 16000};
    struct fixture fixture = failed_fixture();
    for (size_t i = 0; i < COUNT_OF(pauses_ms); i++) {
        fixture_exited(&fixture, "a/x", 1);
        fixture_decide(&fixture);
        assert_int_equal(decide_next_time(fixture.state), fixture.now_ms + pauses_ms[i]);
        fixture.now_ms += pauses_ms[i] - 1;
        fixture_decide(&fixture);
        assert_false(fixture_step(&fixture, "a/x")->undoing);
        fixture.now_ms++;
        fixture_decide(&fixture);
        assert_true(fixture_step(&fixture, "a/x")->undoing);
    }
    fixture_exited(&fixture, "a/x", 1);
    fixture_decide(&fixture);
    EXPECT_STATUS("a/x", compensation_failed);
    assert_int_equal(fixture.state->status, RUN_rollback_failed);
    assert_string_equal(fixture.state->message,
        "a/x could not be undone: exit 1; undo it by hand (`crescendo show 7` says what is left), then `crescendo resolve 7 --undone`");
    fixture_free(&fixture);
}

static void a_cancel_has_what_was_given_up_tried_anew(void **unused)
{
    (void)unused;
    struct fixture fixture = failed_fixture();
    for (int i = 0; i < 6; i++) {
        fixture.now_ms += 60 * 1000;
        fixture_decide(&fixture);
        fixture_exited(&fixture, "a/x", 1);
    }
    fixture_decide(&fixture);
    assert_int_equal(fixture.state->status, RUN_rollback_failed);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    assert_int_equal(fixture.state->status, RUN_rolling_back);
    fixture_decide(&fixture);
    EXPECT_STATUS("a/x", compensating);
    fixture_undone(&fixture, "a/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    fixture_free(&fixture);
}

static void what_the_peer_refused_is_not_tried_again(void **unused)
{
    (void)unused;
    struct fixture fixture = failed_fixture();
    AUTO(free_text) char *reply = NULL;
    struct event_list events = {0};
    uint32_t step = fixture_index(&fixture, "a/x");
    static const char intend[] = "{\"type\":\"intend\",\"name\":\"undo e\",\"target\":\"t\",\"body\":1}";
    assert_int_equal(settle_line(fixture.state, step, intend, 1, &events, &reply, NULL), 0);
    fixture_fold(&fixture, &events);
    fixture_line(
        &fixture, "a/x", "{\"type\":\"outcome\",\"name\":\"undo e\",\"seen\":\"failed\"}", "{\"name\":\"undo e\",\"type\":\"kept\"}");
    fixture_exited(&fixture, "a/x", 1);
    EXPECT_STATUS("a/x", compensation_failed);
    fixture_free(&fixture);
}

static void success_without_a_word_is_a_failure(void **unused)
{
    (void)unused;
    struct fixture fixture = failed_fixture();
    fixture_exited(&fixture, "a/x", 0);
    fixture_expect(&fixture, "step_compensation_paused a/x {\"attempt\":2,\"message\":\"it ended well without saying that e is undone\","
                             "\"until\":2000}\n");
    fixture_free(&fixture);
}

static void a_lost_supervisor_costs_no_try(void **unused)
{
    (void)unused;
    struct fixture fixture = failed_fixture();
    for (int i = 0; i < 10; i++) {
        fixture_report(&fixture, "a/x", (struct report){.type = REPORT_LOST, .started = true});
        fixture_decide(&fixture);
    }
    assert_true(fixture_step(&fixture, "a/x")->undoing);
    assert_int_equal(fixture_step(&fixture, "a/x")->undo_tries, 0);
    fixture_undone(&fixture, "a/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    fixture_free(&fixture);
}

static void lines_that_break_the_protocol_end_the_process(void **unused)
{
    (void)unused;
    struct fixture fixture = failed_fixture();
    static const char *const lines[] = {"{\"type\":\"compensated\",\"name\":\"f\"}", "{\"type\":\"park\",\"for\":\"group\",\"until\":5}",
        "{\"type\":\"output\",\"name\":\"o\",\"value\":1}"};
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_int_equal(fixture_line(&fixture, "a/x", lines[i], NULL), -ERROR_PROTOCOL);
    struct event_list events = {0};
    settle_fault(fixture.state, fixture_index(&fixture, "a/x"), "it broke the protocol", fixture.now_ms, &events);
    fixture_fold(&fixture, &events);
    assert_true(fixture_step(&fixture, "a/x")->ending);
    fixture_forget(&fixture);
    fixture_report(&fixture, "a/x", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_expect(&fixture, "step_compensation_paused a/x {\"attempt\":2,\"message\":\"it broke the protocol\",\"until\":2000}\n");
    fixture_free(&fixture);
}

static void a_step_is_told_what_it_did(void **unused)
{
    (void)unused;
    struct fixture fixture = failed_fixture();
    AUTO(free_json) json_t *list = run_state_undo(fixture.state, fixture_index(&fixture, "a/x"));
    assert_int_equal(json_array_size(list), 1);
    const json_t *effect = json_array_get(list, 0);
    assert_string_equal(json_text(effect, "name", ""), "e");
    assert_string_equal(json_text(effect, "target", ""), "t");
    assert_int_equal(strlen(json_text(effect, "key", "")), 64);
    assert_int_equal(strlen(json_text(effect, "digest", "")), 64);
    assert_string_equal(json_text(json_object_get(effect, "body"), "of", ""), "a/x");
    assert_int_equal(json_whole(json_object_get(effect, "outcome"), "id", 0), 5);
    fixture_free(&fixture);
}

/* --- leases --- */

#define LENT(service) "{\"lease\":{\"service\":\"" service "\",\"ttl_ms\":900,\"url\":\"unix:/x\"}}"

static void expect_leases(const struct fixture *fixture, const char *services)
{
    AUTO(free_json) json_t *list = run_state_leases(fixture->state);
    struct text text = {0};
    size_t index;
    json_t *lease;
    json_array_foreach(list, index, lease) text_add_format(&text, "%s ", json_text(lease, "service", "?"));
    assert_string_equal(text_view(&text), services);
    text_release(&text);
}

static void the_latest_word_on_a_service_counts(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\nstep y undo=e\nstep z undo=e\nstep w\n");
    perform(&fixture, "a/x", "e", LENT("s1"), 0);
    expect_leases(&fixture, "s1 ");
    perform(&fixture, "a/y", "e", LENT("s2"), 0);
    expect_leases(&fixture, "s1 s2 ");
    perform(&fixture, "a/z", "e", "{\"lease\":null,\"service\":\"s1\"}", 0);
    expect_leases(&fixture, "s2 ");
    fixture_exited(&fixture, "a/w", 1);
    fixture_decide(&fixture);
    fixture_undone(&fixture, "a/z", "e"); /* what let go of s1 is undone, so it is lent again */
    expect_leases(&fixture, "s1 s2 ");
    fixture_undone(&fixture, "a/y", "e");
    expect_leases(&fixture, "s1 ");
    fixture_free(&fixture);
}

/* What a cancelled run takes back is more than what failed, also after a person undid something by hand. */
static void by_hand_or_not_as_much_is_undone(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\nstage b\nstep y undo=e\nstep z\n");
    struct event_list events = {0};
    perform(&fixture, "a/x", "e", LENT("s1"), 0);
    perform(&fixture, "b/y", "e", "1", 0);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    fixture_decide(&fixture);
    fixture_report(&fixture, "b/z", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    fixture_event(&fixture, EVENT_step_compensation_failed, fixture_index(&fixture, "b/y"), json_pack("{s:s}", "message", "no"));
    fixture_decide(&fixture);
    assert_int_equal(fixture.state->status, RUN_rollback_failed);
    const struct resolution undone = {.as = RESOLVED_undone, .by = "ann"};
    assert_int_equal(settle_resolve(fixture.state, fixture_index(&fixture, "b/y"), &undone, 2000, &events, NULL), 0);
    fixture_fold(&fixture, &events);
    fixture_decide(&fixture);
    EXPECT_STATUS("a/x", compensating);
    fixture_undone(&fixture, "a/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    fixture_free(&fixture);
}

static void a_lent_share_is_not_finished(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\nstage b\nstep x undo=e\nstage c\nstep y\n");
    perform(&fixture, "a/x", "e", "1", 0);
    perform(&fixture, "b/x", "e", LENT("s"), 0);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s, s:s}", "reason", "lease_lost", "comment", "it is gone"));
    fixture_decide(&fixture);
    fixture_report(&fixture, "c/y", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    fixture_undone(&fixture, "b/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    assert_int_equal(fixture.state->reason, REASON_lease_lost);
    assert_string_equal(fixture.state->message, "it is gone");
    EXPECT_STATUS("a/x", succeeded);
    fixture_free(&fixture);
}

static void on_hold_nothing_new_begins(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x\nstep y unknown\n");
    struct event_list events = {0};
    fixture_exited(&fixture, "a/x", 0);
    decide(fixture.state, &(struct decide_input){fixture.now_ms, 4, .hold = true}, &events);
    assert_int_equal(events.count, 0);
    fixture_decide(&fixture);
    EXPECT_STATUS("a/y", starting);
    fixture_exited(&fixture, "a/y", 0);
    decide(fixture.state, &(struct decide_input){fixture.now_ms, 4, .hold = true}, &events);
    assert_int_equal(events.count, 0);
    fixture_decide(&fixture);
    assert_int_equal(fixture.state->status, RUN_succeeded);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_failed_scope_is_undone_newest_first),
        cmocka_unit_test(what_is_left_is_told),
        cmocka_unit_test(what_was_promoted_is_told),
        cmocka_unit_test(without_a_use_the_stage_is_its_scope),
        cmocka_unit_test(rollback_run_undoes_all),
        cmocka_unit_test(nothing_goes_back_behind_a_pivot),
        cmocka_unit_test(with_nothing_to_undo_it_just_failed),
        cmocka_unit_test(cancelled_undoes_what_is_not_finished),
        cmocka_unit_test(a_rollback_step_fails_on_purpose),
        cmocka_unit_test(a_failure_is_tried_again_with_pauses),
        cmocka_unit_test(a_cancel_has_what_was_given_up_tried_anew),
        cmocka_unit_test(what_the_peer_refused_is_not_tried_again),
        cmocka_unit_test(success_without_a_word_is_a_failure),
        cmocka_unit_test(a_lost_supervisor_costs_no_try),
        cmocka_unit_test(lines_that_break_the_protocol_end_the_process),
        cmocka_unit_test(a_step_is_told_what_it_did),
        cmocka_unit_test(the_latest_word_on_a_service_counts),
        cmocka_unit_test(by_hand_or_not_as_much_is_undone),
        cmocka_unit_test(a_lent_share_is_not_finished),
        cmocka_unit_test(on_hold_nothing_new_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

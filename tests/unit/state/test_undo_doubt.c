/* test_undo_doubt.c: what a run that goes back does about effects of which nobody knows what became: finds out, waits, and in which order.
 */
#include "tests/unit/state/fixture.h"

#define INTEND(name) "{\"type\":\"intend\",\"name\":\"" name "\",\"target\":\"t\",\"body\":1}"
#define OUTCOME(name, seen) "{\"type\":\"outcome\",\"name\":\"" name "\",\"seen\":\"" seen "\",\"outcome\":1}"
#define KEPT(name) "{\"name\":\"" name "\",\"type\":\"kept\"}"

static void intend(struct fixture *fixture, const char *path, const char *line)
{
    AUTO(free_text) char *reply = NULL;
    struct event_list events = {0};
    assert_int_equal(settle_line(fixture->state, fixture_index(fixture, path), line, fixture->now_ms, &events, &reply, NULL), 0);
    fixture_fold(fixture, &events);
}

static void ended_by_cancel(struct fixture *fixture, const char *path)
{
    fixture_report(fixture, path, (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
}

static void cancel(struct fixture *fixture)
{
    fixture_event(fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    fixture_decide(fixture);
}

/* x begins, then y, then z is done; nobody knows of x and y when the run goes back. */
static struct fixture two_in_doubt(void)
{
    struct fixture fixture = fixture_new("stage a needs=-\nstep x undo=e\nstage b needs=-\nstep y undo=e\n"
                                         "stage c needs=-\nstep z undo=e\nstep w\n");
    static const char *const paths[] = {"a/x", "b/y", "c/z"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        fixture_started(&fixture, paths[i]);
        intend(&fixture, paths[i], INTEND("e"));
    }
    assert_int_equal(fixture_line(&fixture, "c/z", OUTCOME("e", "done"), KEPT("e")), 0);
    fixture_exited(&fixture, "c/z", 0);
    fixture_decide(&fixture);
    fixture_started(&fixture, "c/w");
    cancel(&fixture);
    ended_by_cancel(&fixture, "a/x");
    ended_by_cancel(&fixture, "b/y");
    ended_by_cancel(&fixture, "c/w");
    fixture_decide(&fixture);
    expect_run(&fixture, rolling_back);
    return fixture;
}

static void find_and_undo(struct fixture *fixture, const char *path)
{
    expect_status(fixture, path, compensating);
    assert_int_equal(fixture_line(fixture, path, OUTCOME("e", "done"), KEPT("e")), 0);
    fixture_undone(fixture, path, "e");
}

static void what_is_in_doubt_comes_first_and_of_that_what_was_begun_last(void **unused)
{
    (void)unused;
    struct fixture fixture = two_in_doubt();
    find_and_undo(&fixture, "b/y");
    find_and_undo(&fixture, "a/x");
    find_and_undo(&fixture, "c/z");
    expect_run(&fixture, rolled_back);
    fixture_free(&fixture);
}

static void after_a_persons_word_it_goes_on_in_the_same_order(void **unused)
{
    (void)unused;
    struct fixture fixture = two_in_doubt();
    struct event_list events = {0};
    uint32_t step = fixture_index(&fixture, "b/y");
    fixture_event(&fixture, EVENT_step_compensation_failed, step, json_pack("{s:s}", "message", "no"));
    fixture_decide(&fixture);
    expect_run(&fixture, rollback_failed);
    const struct resolution undone = {.as = RESOLVED_undone, .by = "ann"};
    assert_int_equal(settle_resolve(fixture.state, step, &undone, fixture.now_ms, &events, NULL), 0);
    fixture_fold(&fixture, &events);
    fixture_decide(&fixture);
    find_and_undo(&fixture, "a/x");
    find_and_undo(&fixture, "c/z");
    expect_run(&fixture, rolled_back);
    fixture_free(&fixture);
}

/* A step that is told of one of them only ends well, and nobody ever asks for the other. */
static void a_step_is_told_all_that_is_in_doubt_of_it(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=d undo=e undo=f\n");
    fixture_started(&fixture, "a/x");
    intend(&fixture, "a/x", INTEND("d"));
    assert_int_equal(fixture_line(&fixture, "a/x", OUTCOME("d", "done"), KEPT("d")), 0);
    intend(&fixture, "a/x", INTEND("e"));
    intend(&fixture, "a/x", INTEND("f"));
    assert_int_equal(fixture_line(&fixture, "a/x", OUTCOME("e", "unsure"), KEPT("e")), 0);
    assert_int_equal(fixture_line(&fixture, "a/x", OUTCOME("f", "unsure"), KEPT("f")), 0);
    cancel(&fixture);
    ended_by_cancel(&fixture, "a/x");
    fixture_decide(&fixture);
    AUTO(free_json) json_t *list = run_state_undo(fixture.state, fixture_index(&fixture, "a/x"));
    static const char *const names[] = {"f", "e", "d"};
    assert_int_equal(json_array_size(list), COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(json_text(json_array_get(list, i), "name", ""), names[i]);
        assert_int_equal(json_flag(json_array_get(list, i), "find", false), i < 2);
    }
    fixture_free(&fixture);
}

/* The step is told to go, and then the run is cancelled: it ends without a word of what became of its effect. */
static struct fixture cancelled_in_doubt(const char *plan)
{
    struct fixture fixture = fixture_new(plan);
    fixture_started(&fixture, "a/x");
    intend(&fixture, "a/x", INTEND("e"));
    cancel(&fixture);
    ended_by_cancel(&fixture, "a/x");
    fixture_decide(&fixture);
    return fixture;
}

/* And what the step that goes back is told, and says of it. */
static void find_out(struct fixture *fixture, const char *seen, bool keep)
{
    AUTO(free_text)
    char *line = mem_format("{\"type\":\"outcome\",\"name\":\"e\",\"seen\":\"%s\",\"outcome\":{\"previous\":1}}", seen);
    AUTO(free_json) json_t *list = run_state_undo(fixture->state, fixture_index(fixture, "a/x"));
    assert_int_equal(fixture->state->status, RUN_rolling_back);
    assert_int_equal(json_array_size(list), 1);
    assert_true(json_flag(json_array_get(list, 0), "find", false));
    assert_int_equal(json_flag(json_array_get(list, 0), "keep", false), keep);
    assert_int_equal(fixture_line(fixture, "a/x", line, "{\"name\":\"e\",\"type\":\"kept\"}"), 0);
}

static void what_a_cancel_leaves_in_doubt_is_found_out_and_undone(void **unused)
{
    (void)unused;
    struct fixture fixture = cancelled_in_doubt("stage a\nstep x undo=e\n");
    expect_status(&fixture, "a/x", compensating);
    find_out(&fixture, "done", false);
    fixture_undone(&fixture, "a/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    expect_status(&fixture, "a/x", compensated);
    fixture_free(&fixture);
}

static void what_is_found_absent_or_not_at_all_needs_no_undoing(void **unused)
{
    (void)unused;
    static const char *const seen[] = {"absent", "unsure"};
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        struct fixture fixture = cancelled_in_doubt("stage a\nstep x undo=e\n");
        assert_true(fixture_line(&fixture, "a/x", "{\"type\":\"compensated\",\"name\":\"e\"}", "") < 0); /* not unseen */
        find_out(&fixture, seen[i], false);
        fixture_exited(&fixture, "a/x", 0);
        fixture_decide(&fixture);
        assert_int_equal(fixture.state->status, RUN_rolled_back);
        fixture_free(&fixture);
    }
}

static void a_cancel_is_an_answer_to_what_a_person_was_asked(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage a\nstep x undo=e\n");
    fixture_started(&fixture, "a/x");
    intend(&fixture, "a/x", INTEND("e"));
    assert_int_equal(
        fixture_line(&fixture, "a/x", "{\"type\":\"outcome\",\"name\":\"e\",\"seen\":\"unsure\"}", "{\"name\":\"e\",\"type\":\"kept\"}"),
        0);
    fixture_exited(&fixture, "a/x", 1);
    fixture_decide(&fixture);
    assert_int_equal(fixture.state->status, RUN_needs_person);
    cancel(&fixture);
    find_out(&fixture, "done", false);
    fixture_undone(&fixture, "a/x", "e");
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    fixture_free(&fixture);
}

/* What may still be under way is waited for without a process, and that costs no try. */
static void what_is_in_doubt_may_be_waited_for(void **unused)
{
    (void)unused;
    struct fixture fixture = cancelled_in_doubt("stage a\nstep x undo=e\n");
    AUTO(free_json) json_t *list = run_state_undo(fixture.state, fixture_index(&fixture, "a/x"));
    assert_int_equal(json_whole(json_array_get(list, 0), "sent", 0), fixture.now_ms);
    assert_int_equal(json_whole(json_array_get(list, 0), "sends", 0), 1);
    for (int i = 0; i < 10; i++) {
        AUTO(free_text) char *line = mem_format("{\"type\":\"park\",\"for\":\"peer\",\"until\":%lld}", (long long)fixture.now_ms + 500);
        assert_int_equal(fixture_line(&fixture, "a/x", line, NULL), 0);
        fixture_forget(&fixture);
        fixture_exited(&fixture, "a/x", 75);
        fixture_decide(&fixture);
        assert_int_equal(decide_next_time(fixture.state), fixture.now_ms + 500);
        assert_int_equal(fixture_step(&fixture, "a/x")->undo_tries, 0);
        assert_string_equal(fixture_step(&fixture, "a/x")->message, "it waits for another system");
        fixture.now_ms += 500;
        fixture_decide(&fixture);
        assert_true(fixture_step(&fixture, "a/x")->undoing);
    }
    fixture_exited(&fixture, "a/x", 75); /* it did not say park */
    assert_int_equal(fixture_step(&fixture, "a/x")->undo_tries, 1);
    fixture.now_ms += 1000;
    fixture_decide(&fixture);
    find_out(&fixture, "absent", false);
    fixture_exited(&fixture, "a/x", 0);
    fixture_decide(&fixture);
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    fixture_free(&fixture);
}

static void a_pivot_in_doubt_is_only_found_out(void **unused)
{
    (void)unused;
    struct fixture fixture = cancelled_in_doubt("stage a\nstep x pivot=e\n");
    find_out(&fixture, "done", true);
    fixture_exited(&fixture, "a/x", 0);
    fixture_decide(&fixture);
    assert_int_equal(fixture.state->status, RUN_rolled_back);
    assert_int_equal(fixture_step(&fixture, "a/x")->effects->status, EFFECT_done);
    fixture_free(&fixture);
}

static void whoever_does_not_find_out_has_not_ended_well(void **unused)
{
    (void)unused;
    struct fixture fixture = cancelled_in_doubt("stage a\nstep x undo=e\n");
    fixture_exited(&fixture, "a/x", 0);
    fixture_decide(&fixture);
    expect_status(&fixture, "a/x", compensating);
    assert_string_equal(fixture_step(&fixture, "a/x")->message, "it ended well without saying that e is undone");
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_cancel_leaves_in_doubt_is_found_out_and_undone),
        cmocka_unit_test(what_is_found_absent_or_not_at_all_needs_no_undoing),
        cmocka_unit_test(a_cancel_is_an_answer_to_what_a_person_was_asked),
        cmocka_unit_test(what_is_in_doubt_may_be_waited_for),
        cmocka_unit_test(a_pivot_in_doubt_is_only_found_out),
        cmocka_unit_test(whoever_does_not_find_out_has_not_ended_well),
        cmocka_unit_test(what_is_in_doubt_comes_first_and_of_that_what_was_begun_last),
        cmocka_unit_test(after_a_persons_word_it_goes_on_in_the_same_order),
        cmocka_unit_test(a_step_is_told_all_that_is_in_doubt_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

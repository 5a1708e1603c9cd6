/* test_undo_doubt.c: in which order a run that goes back comes to what is in doubt, and to what was done. */
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
    assert_int_equal(fixture_line(fixture, path, "{\"type\":\"compensated\",\"name\":\"e\"}", KEPT("e")), 0);
    fixture_exited(fixture, path, 0);
    fixture_decide(fixture);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_doubt_comes_first_and_of_that_what_was_begun_last),
        cmocka_unit_test(after_a_persons_word_it_goes_on_in_the_same_order),
        cmocka_unit_test(a_step_is_told_all_that_is_in_doubt_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_simulate.c: how a simulated run is told in a terminal, and how many are summed up. */
#include "cli/simulate.h"

#include "cli/display.h"
#include "tests/unit/sim/fixture.h"

static const struct terminal NARROW = {.columns = 80};

static void assert_fits(const char *text, size_t columns)
{
    AUTO(free_text) char *copy = mem_copy_text(text);
    char *rest = copy;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (display_width(line) > columns) fail_msg("too wide: %s", line);
}

static const char *const RELEASE = "stage a-stage-with-a-name-that-is-rather-long\nstep order-it order undo=order\n"
                                   "stage sign\nstep approve approve by=ops expires=172800000\n";

/* A story, its report, and the plan that both are about. */
struct told {
    struct plan *plan;
    struct story story;
    json_t *report;
};

static struct told *tell(const char *scenario, uint64_t seed, bool as_json)
{
    struct told *told = mem_alloc(sizeof *told);
    told->plan = make_plan(RELEASE);
    story_begin(&told->story, told->plan, &NARROW, as_json);
    told->report = simulate(
        &(struct simulation){.plan = told->plan, .odds = scenario_find(scenario), .seed = seed, .listener = story_listener(&told->story)});
    return told;
}

static void free_told(struct told **told)
{
    story_release(&(*told)->story);
    json_decref((*told)->report);
    free_made_plan(&(*told)->plan);
    free(*told);
}

static void a_story_fits_a_terminal(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        AUTO(free_told) struct told *told = tell("forgetful-peer", seed, false);
        struct text end = {0};
        simulated_add_end(&end, &NARROW, told->report);
        assert_fits(text_view(&told->story.out), 80);
        assert_fits(text_view(&end), 80);
        assert_non_null(strstr(text_view(&end), "promise     held"));
        text_release(&end);
    }
}

/* Who is asked, and what they may type, is there in full. */
static void what_is_waited_for_is_told(void **state)
{
    (void)state;
    size_t waited = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        AUTO(free_told) struct told *told = tell("absent-person", seed, false);
        json_put(told->report, "now", story_now(&told->story));
        struct text end = {0};
        simulated_add_end(&end, &NARROW, told->report);
        bool waits = !strcmp(json_text(told->report, "end", ""), "needs_person");
        bool says = strstr(text_view(&end), "/order-it --not-done\n") && strstr(text_view(&end), "\nwaits ");
        assert_int_equal(waits, says);
        waited += waits;
        text_release(&end);
    }
    assert_true(waited > 3);
}

static void days_are_told(void **state)
{
    (void)state;
    AUTO(free_told) struct told *told = tell("absent-approver", 1, false);
    assert_non_null(strstr(text_view(&told->story.out), "\n2 d 00:0"));
    assert_non_null(strstr(text_view(&told->story.out), "nobody decided in time"));
}

static void a_story_is_a_list_as_well(void **state)
{
    (void)state;
    AUTO(free_told) struct told *told = tell("calm", 1, true);
    assert_int_equal(told->story.out.size, 0);
    assert_true(json_array_size(told->story.lines) > 5);
    assert_string_equal(json_text(json_array_get(told->story.lines, 0), "kind", ""), "event");
    assert_string_equal(json_text(json_array_get(told->story.lines, 0), "words", ""), "run 1 of test");
}

static void a_broken_promise_is_said(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *report =
        json_pack("{s:s, s:i, s:b, s:s}", "end", "running", "took_ms", 5, "held", 0, "broken", "release/order was ordered twice");
    struct text end = {0};
    simulated_add_end(&end, &NARROW, report);
    assert_non_null(strstr(text_view(&end), "promise     BROKEN\n"));
    assert_non_null(strstr(text_view(&end), "release/order was ordered twice. Please report it"));
    text_release(&end);
}

/* The kinds' runs are all runs, and the first seed of a kind is a run of that kind. */
static void many_are_counted_by_kind(void **state)
{
    (void)state;
    enum { RUNS = 60 };
    struct plan *plan = make_plan(RELEASE);
    const struct simulation first = {.plan = plan, .odds = scenario_find("storm"), .seed = 7};
    AUTO(free_json) json_t *kinds = simulate_many(&first, RUNS);
    int64_t runs = 0, last = RUNS;
    size_t i;
    json_t *kind;
    json_array_foreach(kinds, i, kind)
    {
        struct simulation again = first;
        again.seed = (uint64_t)json_whole(kind, "first_seed", 0);
        AUTO(free_json) json_t *report = simulate(&again);
        assert_string_equal(json_text(report, "end", ""), json_text(kind, "end", "?"));
        assert_true(json_whole(kind, "runs", 0) <= last);
        runs += last = json_whole(kind, "runs", 0);
    }
    assert_true(json_array_size(kinds) > 1);
    assert_int_equal(runs, RUNS);
    struct text table = {0};
    simulated_add_kinds(&table, &NARROW, kinds);
    assert_fits(text_view(&table), 80);
    text_release(&table);
    free_made_plan(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_story_fits_a_terminal),
        cmocka_unit_test(what_is_waited_for_is_told),
        cmocka_unit_test(days_are_told),
        cmocka_unit_test(a_story_is_a_list_as_well),
        cmocka_unit_test(a_broken_promise_is_said),
        cmocka_unit_test(many_are_counted_by_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

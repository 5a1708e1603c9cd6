/* test_replay.c: a real run is decided again to the byte; where one decision was another one, it is found, and what is decided instead. */
#include "tests/unit/run/engine_home.h"

#include "run/past.h"
#include "state/replay.h"

struct fixture {
    struct engine_home home;
    bool answered;
    struct past *past;
    struct event_list events;
};

static void on_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    struct fixture *fixture = context;
    fixture->answered = true;
    assert_null(err);
    assert_int_equal(accepted->run, 1);
}

static int keep_event(void *context, struct past *past, const struct event *event, struct error *err)
{
    struct fixture *fixture = context;
    (void)past, (void)err;
    event_list_add(&fixture->events, event->type, event->step, event->time_ms, event->data ? json_deep_copy(event->data) : NULL);
    return 0;
}

static void read_past(struct fixture *fixture)
{
    AUTO(journal_close) struct journal *journal = NULL;
    const struct past_walk walk = {.after = keep_event, .context = fixture};
    struct error err = {0};
    if (journal_open_to_read(fixture->home.folder, &journal, &err) < 0) fail_msg("%s", err.message);
    if (past_read(journal, 1, &walk, &fixture->past, &err) < 0) fail_msg("%s", err.message);
}

/* Three stages, two of them at once; a step that is tried twice and fails, one that is skipped, one that runs all the same. */
static int begin(void **state)
{
    static const char text[] = "sandbox: none\n"
                               "stages:\n"
                               "  - stage: a\n    checkout: none\n    steps: [{ run: echo one }, { run: echo two }, { run: echo three }]\n"
                               "  - stage: b\n    checkout: none\n    needs: []\n    steps:\n"
                               "      - { run: exit 3, retry: { times: 1, wait: 10ms } }\n"
                               "      - { run: echo never }\n"
                               "      - { run: echo always, if: always() }\n"
                               "  - stage: c\n    checkout: none\n    needs: [a, b]\n    steps: [{ run: echo last }]\n";
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    struct source source = {"crescendo.yaml", text, sizeof text - 1};
    *state = fixture;
    if (home_begin(&fixture->home)) return -1;
    engine_submit(
        fixture->home.engine, &(struct submission){.trigger = "manual", .author = "ada", .files = {&source, 1}}, on_accepted, fixture);
    while (!fixture->answered || !home_run_is_over(&fixture->home, 1) || !engine_is_idle(fixture->home.engine))
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    home_close(&fixture->home);
    read_past(fixture);
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    int failed = home_end(&fixture->home);
    event_list_release(&fixture->events);
    past_free(&fixture->past);
    free(fixture);
    return failed;
}

static struct replay_result replay(struct fixture *fixture)
{
    const struct replay replay = {fixture->past->plan, fixture->events.items, fixture->events.count};
    struct replay_result result;
    struct error err = {0};
    if (replay_decisions(&replay, &result, &err) < 0) fail_msg("%s", err.message);
    return result;
}

static size_t find(const struct fixture *fixture, enum event_type type)
{
    size_t i = 0;
    while (i < fixture->events.count && fixture->events.items[i].type != type)
        i++;
    assert_true(i < fixture->events.count);
    return i;
}

static size_t count(const struct fixture *fixture, enum event_type type)
{
    size_t found = 0;
    for (size_t i = 0; i < fixture->events.count; i++)
        found += fixture->events.items[i].type == type;
    return found;
}

static void expect_difference(struct fixture *fixture, size_t at, enum event_type instead)
{
    struct replay_result result = replay(fixture);
    AUTO(free_json) json_t *decisions = result.decisions;
    assert_false(result.same);
    assert_int_equal(result.at, at);
    size_t index;
    json_t *one;
    json_array_foreach(decisions, index, one)
    {
        if (text_equal(json_text(one, "type", NULL), event_type_name(instead))) return;
    }
    if (instead != EVENT_TYPE_COUNT) fail_msg("%s was not decided instead", event_type_name(instead));
}

static void what_was_decided_is_decided_again(void **state)
{
    struct fixture *fixture = *state;
    struct replay_result result = replay(fixture);
    if (!result.same) fail_msg("event %zu differs", result.at + 1);
    assert_int_equal(result.decided + result.settled + result.taken, fixture->events.count);
    assert_int_equal(result.taken, 1 + count(fixture, EVENT_run_isolation)); /* and that it was accepted */
    assert_true(result.decided > 5);
    assert_true(result.settled > 5);
}

static void another_reason_is_found(void **state)
{
    struct fixture *fixture = *state;
    size_t at = find(fixture, EVENT_step_skipped);
    json_put_text(fixture->events.items[at].data, "because", "condition");
    expect_difference(fixture, at, EVENT_step_skipped);
}

static void another_pause_before_a_retry_is_found(void **state)
{
    struct fixture *fixture = *state;
    size_t at = find(fixture, EVENT_step_parked);
    json_t *data = fixture->events.items[at].data;
    json_put_whole(data, "until", json_whole(data, "until", 0) + 1);
    expect_difference(fixture, at, EVENT_TYPE_COUNT);
}

static void a_retry_that_was_not_due_is_found(void **state)
{
    struct fixture *fixture = *state;
    size_t at = find(fixture, EVENT_step_failed);
    struct event *event = &fixture->events.items[at];
    event->type = EVENT_step_parked;
    json_put_text(event->data, "for", "retry");
    json_put_whole(event->data, "until", event->time_ms + 10);
    json_put_whole(event->data, "attempt", 2);
    expect_difference(fixture, at, EVENT_TYPE_COUNT);
}

static void another_end_of_the_run_is_found(void **state)
{
    struct fixture *fixture = *state;
    size_t at = find(fixture, EVENT_run_failed);
    fixture->events.items[at].type = EVENT_run_succeeded;
    json_decref(take(&fixture->events.items[at].data));
    expect_difference(fixture, at, EVENT_run_failed);
}

static void a_decision_too_early_is_found(void **state)
{
    struct fixture *fixture = *state;
    size_t at = find(fixture, EVENT_step_woken);
    struct event woken = fixture->events.items[at];
    int64_t until_ms = json_whole(fixture->events.items[find(fixture, EVENT_step_parked)].data, "until", 0);
    fixture->events.items[at].time_ms = until_ms - 1;
    expect_difference(fixture, at, EVENT_TYPE_COUNT);
    fixture->events.items[at] = woken;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_decided_is_decided_again, begin, end),
        cmocka_unit_test_setup_teardown(another_reason_is_found, begin, end),
        cmocka_unit_test_setup_teardown(another_pause_before_a_retry_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_retry_that_was_not_due_is_found, begin, end),
        cmocka_unit_test_setup_teardown(another_end_of_the_run_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_decision_too_early_is_found, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sleep.c: a run that only waits for a time is not held in memory, and is the same run when it is wanted again. */
#include "engine_home.h"

#include "base/clock.h"
#include "run/sleep.h"

#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct engine_home home;
    char program[64]; /* of the step that pauses */
    unsigned answers;
    struct error err; /* of the last answer */
};

static const struct field no_fields[] = {FIELD_END};
static const struct step_type pause_type = {.name = "pause", .summary = "parks once", .fields = no_fields};
static const struct step_type *const types_with_pause[] = {&run_type, &pause_type, NULL};

static int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    *state = fixture;
    snprintf(fixture->program, sizeof fixture->program, "/tmp/crescendo-pause-%d", getpid());
    fixture->home.step = fixture->program;
    fixture->home.types = types_with_pause;
    return home_begin(&fixture->home);
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    int failed = home_end(&fixture->home);
    unlink(fixture->program);
    free(fixture);
    return failed;
}

static void on_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    (void)context;
    if (err) fail_msg("%s", err->message);
    assert_false(accepted->invalid);
}

static void on_done(void *context, const struct error *err)
{
    struct fixture *fixture = context;
    fixture->answers++;
    fixture->err = err ? *err : (struct error){0};
}

static void write_program(const struct fixture *fixture, int64_t until_ms)
{
    AUTO(free_text)
    char *text = mem_format("#!/bin/sh\n"
                            "echo '{\"type\":\"hello\",\"protocol\":1}' >&3\n"
                            "mkdir %s/parked-$CRESCENDO_RUN || exit 0\n"
                            "echo '{\"type\":\"park\",\"until\":%lld,\"checkpoint\":{\"at\":1}}' >&3\n"
                            "exit 75\n",
        fixture->home.folder, (long long)until_ms);
    FILE *file = fopen(fixture->program, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(fixture->program, 0700), 0);
}

/* A stage that parks for this long the first time it is started, and one behind it. */
static void submit(struct fixture *fixture, int64_t pause_ms, const char *more)
{
    AUTO(free_text)
    char *text = mem_format("sandbox: none\n"
                            "stages:\n"
                            "  - { stage: a, checkout: none, %ssteps: [{ pause: {} }] }\n"
                            "  - { stage: b, needs: a, checkout: none, steps: [{ run: \"true\" }] }\n",
        more);
    struct source source = {"crescendo.yaml", text, strlen(text)};
    write_program(fixture, clock_now_ms() + pause_ms);
    engine_submit(
        fixture->home.engine, &(struct submission){.trigger = "manual", .author = "ada", .files = {&source, 1}}, on_accepted, NULL);
}

static bool sleeps(const struct fixture *fixture, uint64_t number)
{
    const struct live_run *run = live_find(fixture->home.engine, number);
    return run && run_sleeps(run);
}

static void until_asleep(struct fixture *fixture, uint64_t number)
{
    while (!sleeps(fixture, number)) {
        if (home_run_is_over(&fixture->home, number)) fail_msg("it ended instead of falling asleep");
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    }
}

static void until_over(struct fixture *fixture, uint64_t number, const char *expected)
{
    AUTO(free_json) json_t *row = NULL;
    struct error err;
    while (!home_run_is_over(&fixture->home, number))
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    assert_int_equal(journal_get_run(engine_journal(fixture->home.engine), number, &row, &err), 0);
    if (strcmp(json_text(row, "state", ""), expected) != 0) fail_msg("%s: %s", json_text(row, "state", ""), json_text(row, "message", ""));
}

/* A run whose time is near; the first number that no run has. A busy machine may not get to letting it sleep before that: then another one,
 * with more time. */
static uint64_t short_sleeper(struct fixture *fixture, uint64_t first)
{
    int64_t pause_ms = 4500;
    for (uint64_t number = first; number < first + 5; number++, pause_ms *= 2) {
        submit(fixture, pause_ms, "");
        while (!sleeps(fixture, number) && !home_run_is_over(&fixture->home, number))
            uv_run(&fixture->home.loop, UV_RUN_ONCE);
        if (sleeps(fixture, number)) return number;
    }
    fail_msg("none fell asleep");
    return 0;
}

static void it_is_the_same_when_looked_at_and_sleeps_again(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, 3600 * 1000, "");
    until_asleep(fixture, 1);
    assert_true(engine_run_goes_on(fixture->home.engine, 1));
    assert_false(engine_is_idle(fixture->home.engine));
    assert_true(run_sleeps(live_find(fixture->home.engine, 1)));
    const struct run_state *run = engine_run_state(fixture->home.engine, 1);
    assert_non_null(run);
    assert_int_equal(run->status, RUN_waiting);
    assert_int_equal(run->steps[0].status, STEP_parked);
    assert_int_equal(run->event_count, live_find(fixture->home.engine, 1)->event_count);
    until_asleep(fixture, 1);
}

static void a_cancel_wakes_it(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, 3600 * 1000, "");
    until_asleep(fixture, 1);
    engine_cancel(fixture->home.engine, 1, "ada", NULL, on_done, fixture);
    until_over(fixture, 1, "cancelled");
    assert_int_equal(fixture->answers, 1);
    assert_int_equal(fixture->err.code, 0);
}

static void a_vote_on_nothing_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *groups[] = {"ada", NULL};
    submit(fixture, 3600 * 1000, "");
    until_asleep(fixture, 1);
    engine_vote(fixture->home.engine, 1, "-", "ada", groups, true, NULL, on_done, fixture);
    assert_int_equal(fixture->err.code, ERROR_CONFLICT);
    until_asleep(fixture, 1);
}

static void a_restart_leaves_it_asleep_and_a_cancel_wakes_it_then(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, 3600 * 1000, "");
    until_asleep(fixture, 1);
    home_close(&fixture->home);
    home_open(&fixture->home);
    until_asleep(fixture, 1);
    engine_cancel(fixture->home.engine, 1, "ada", NULL, on_done, fixture);
    until_over(fixture, 1, "cancelled");
}

/* Two in one: the second's time has nearly come when the first's has. */
static void time_wakes_it_and_so_does_a_restart_behind_its_time(void **state)
{
    struct fixture *fixture = *state;
    uint64_t woken = short_sleeper(fixture, 1), late = short_sleeper(fixture, woken + 1);
    until_over(fixture, woken, "succeeded");
    if (!sleeps(fixture, late)) late = short_sleeper(fixture, late + 1); /* a busy machine */
    int64_t wake_ms = live_find(fixture->home.engine, late)->wake_ms;
    home_close(&fixture->home);
    while (clock_now_ms() < wake_ms)
        uv_sleep(50);
    home_open(&fixture->home);
    until_over(fixture, late, "succeeded");
}

/* The second may not begin while the first sleeps in the group, and does once that is cancelled. */
static void it_holds_its_group(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, 3600 * 1000, "concurrency: { group: lab }, ");
    until_asleep(fixture, 1);
    submit(fixture, 3600 * 1000, "concurrency: { group: lab }, ");
    const struct run_state *second;
    while (!(second = engine_run_state(fixture->home.engine, 2)) || second->status != RUN_waiting)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    assert_int_equal(second->wait, WAIT_group);
    assert_false(sleep_is_due(live_find(fixture->home.engine, 2)));
    until_asleep(fixture, 1); /* it was woken for a look */
    engine_cancel(fixture->home.engine, 1, "ada", NULL, on_done, fixture);
    until_over(fixture, 1, "cancelled");
    until_asleep(fixture, 2);
    assert_int_equal(engine_run_state(fixture->home.engine, 2)->parked_count[WAIT_group], 0);
}

static void on_failed(void *context, const struct error *err)
{
    on_done(context, err);
}

static void one_that_cannot_be_read_stops_the_engine(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, 3600 * 1000, "");
    until_asleep(fixture, 1);
    fixture->home.engine->options.failed = on_failed;
    fixture->home.engine->options.context = fixture;
    live_find(fixture->home.engine, 1)->event_count++;
    assert_null(engine_run_state(fixture->home.engine, 1));
    assert_int_equal(fixture->answers, 1);
    assert_non_null(strstr(fixture->err.message, "run 1"));
    engine_cancel(fixture->home.engine, 1, "ada", NULL, on_done, fixture);
    assert_int_equal(fixture->err.code, ERROR_UNAVAILABLE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(it_is_the_same_when_looked_at_and_sleeps_again),
        TEST(a_cancel_wakes_it),
        TEST(a_vote_on_nothing_changes_nothing),
        TEST(a_restart_leaves_it_asleep_and_a_cancel_wakes_it_then),
        TEST(time_wakes_it_and_so_does_a_restart_behind_its_time),
        TEST(it_holds_its_group),
        TEST(one_that_cannot_be_read_stops_the_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_step.c: a real shim without a sandbox: its steps' lives, their order, how they end, what they leave behind. */
#include "harness.h"

#include "state/state.h"

static void runs_a_step(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    harness_sh(harness, 1, 1, "echo out; echo err >&2; echo name=value >> $CRESCENDO_OUTPUT");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.type, SHIM_EXITED);
    assert_int_equal(end->report.cause, SHIM_CAUSE_EXIT);
    assert_int_equal(end->report.exit_code, 0);
    assert_string_equal(end->outputs, "name=value\n");
    assert_true(harness_find(harness, SHIM_STARTED, 1)->report.pid > 1);
    assert_int_equal(end->report.log_bytes, 8);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    AUTO(free_text) char *error = harness_log(harness, 1, LOG_STDERR);
    assert_string_equal(out, "out\n");
    assert_string_equal(error, "err\n");
    harness_free(harness);
}

static void tells_how_it_ended(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    harness_sh(harness, 1, 1, "exit 7");
    harness_sh(harness, 2, 1, "kill -SEGV $$");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.cause, SHIM_CAUSE_EXIT);
    assert_int_equal(end->report.exit_code, 7);
    end = harness_end_of(harness, 2);
    assert_int_equal(end->report.cause, SHIM_CAUSE_SIGNAL);
    assert_int_equal(end->report.signal, SIGSEGV);
    AUTO(free_text) char *line = harness_log(harness, 2, LOG_ENGINE);
    assert_string_equal(line, "ended: signal 11 (Segmentation fault)\n");
    harness_free(harness);
}

static void refuses_a_missing_program(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    const char *const argv[] = {"no-such-program", NULL};
    struct start_request request = harness_request(1, 1, argv);
    supervisor_start(harness->supervisor, &request);
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.type, SHIM_REFUSED);
    assert_string_equal(end->text, "no-such-program: cannot be run: No such file or directory");
    harness_free(harness);
}

/* A successor's start stands in the spool before its predecessor's end was heard by anybody. */
static void hands_over_in_order(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    for (uint32_t step = 1; step <= 20; step++) {
        const char *const argv[] = {"sh", "-c", "echo $$", NULL};
        struct start_request request = harness_request(step, 1, argv);
        if (step > 1) request.after = step - 1;
        supervisor_start(harness->supervisor, &request);
    }
    assert_int_equal(harness_end_of(harness, 20)->report.exit_code, 0);
    uint64_t before = 0;
    for (uint32_t step = 1; step <= 20; step++) {
        uint64_t started = harness_find(harness, SHIM_STARTED, step)->report.sequence;
        assert_true(started > before);
        before = harness_find(harness, SHIM_EXITED, step)->report.sequence;
        assert_true(before > started);
    }
    harness_free(harness);
}

static void drops_what_comes_after_a_failure(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    static const char *const scripts[] = {"sleep 0.1; exit 1", "true", "true", "true"};
    for (uint32_t step = 1; step <= 4; step++) {
        const char *const argv[] = {"sh", "-c", scripts[step - 1], NULL};
        struct start_request request = harness_request(step, 1, argv);
        if (step > 1) request.after = step == 4 ? 1 : step - 1;
        supervisor_start(harness->supervisor, &request);
    }
    for (uint32_t step = 2; step <= 4; step++)
        assert_int_equal(harness_end_of(harness, step)->report.type, SHIM_DROPPED);
    assert_null(harness_find(harness, SHIM_STARTED, 2));
    harness_free(harness);
}

static void withdraws_what_was_not_started(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    const char *const argv[] = {"sh", "-c", "sleep 0.3", NULL};
    struct start_request request = harness_request(1, 1, argv);
    supervisor_start(harness->supervisor, &request);
    request.step = 2, request.after = 1;
    supervisor_start(harness->supervisor, &request);
    supervisor_cancel(harness->supervisor, 2, 1);
    assert_int_equal(harness_end_of(harness, 2)->report.type, SHIM_DROPPED);
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 0);
    harness_free(harness);
}

static void ignores_a_known_attempt_and_takes_the_next(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    AUTO(free_text) char *script = mem_format("echo ran >> %s/count; exit 1", harness->workspace);
    harness_sh(harness, 1, 1, script);
    harness_end_of(harness, 1);
    harness_sh(harness, 1, 1, script);
    const char *const argv[] = {"sh", "-c", "echo second; exit 0", NULL};
    struct start_request request = harness_request(1, 1, argv);
    request.attempt = 2;
    supervisor_start(harness->supervisor, &request);
    harness_sh(harness, 2, 1, "true");
    harness_end_of(harness, 2);
    AUTO(free_text) char *path = mem_format("%s/count", harness->workspace);
    AUTO(free_text) char *count = NULL;
    assert_int_equal(file_read(path, 100, &count, NULL, NULL), 0);
    assert_string_equal(count, "ran\n");
    AUTO(free_text) char *out = NULL;
    for (; !out || !*out; free_text(&out), out = harness_log(harness, 1, LOG_STDOUT)) /* the other step may have ended first */
        uv_run(&harness->loop, UV_RUN_NOWAIT);
    assert_string_equal(out, "second\n");
    harness_free(harness);
}

static void cancels_with_sigterm(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    harness_sh(harness, 1, 1, "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
    harness_wait(harness, SHIM_STARTED, 1);
    for (AUTO(free_text) char *out = NULL; !out || !strstr(out, "ready"); free_text(&out), out = harness_log(harness, 1, LOG_STDOUT))
        uv_run(&harness->loop, UV_RUN_NOWAIT);
    supervisor_cancel(harness->supervisor, 1, 1);
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.cause, SHIM_CAUSE_CANCELLED);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    assert_non_null(strstr(out, "bye"));
    harness_free(harness);
}

static void kills_what_ignores_sigterm(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    const char *const argv[] = {"sh", "-c", "trap '' TERM; setsid sleep 986001 & while :; do sleep 0.05; done", NULL};
    struct start_request request = harness_request(1, 1, argv);
    request.timeout_ms = 200, request.grace_ms = 100;
    supervisor_start(harness->supervisor, &request);
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.cause, SHIM_CAUSE_TIMEOUT);
    assert_int_equal(end->report.signal, SIGKILL);
    assert_int_equal(harness_processes("986001"), 0);
    AUTO(free_text) char *line = harness_log(harness, 1, LOG_ENGINE);
    assert_string_equal(line, "ended: timeout of 200 ms\nit did not end within the grace of 100 ms after SIGTERM: killed\n");
    harness_free(harness);
}

/* Daemons with a session and an environment of their own, one of which holds standard output open. */
static void ends_although_daemons_hold_on(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    harness_sh(harness, 1, 1, "setsid sleep 986002 & (setsid env -i sleep 986002 >/dev/null 2>&1 </dev/null &) & sleep 0.1; echo done");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.exit_code, 0);
    assert_int_equal(harness_processes("986002"), 0);
    harness_free(harness);
}

static void neighbours_survive_a_daemon_hunt(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    AUTO(free_text) char *release = mem_format("%s/release", harness->workspace);
    AUTO(free_text) char *script = mem_format("setsid sh -c 'until test -e %s; do sleep 0.01; done; echo alive' & wait", release);
    harness_sh(harness, 1, 1, script);
    harness_wait(harness, SHIM_STARTED, 1);
    harness_sh(harness, 2, 1, "setsid sleep 986003 & exit 0");
    assert_int_equal(harness_end_of(harness, 2)->report.exit_code, 0);
    assert_int_equal(harness_processes("986003"), 0);
    close(open(release, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 0);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    assert_string_equal(out, "alive\n");
    harness_free(harness);
}

static void nothing_of_a_step_stays_with_the_shim(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
    harness_sh(harness, 1, 1, "true");
    harness_end_of(harness, 1);
    unsigned before = harness_descriptors(harness);
    for (uint32_t step = 2; step < 100; step++)
        harness_sh(harness, step, 1, step % 2 ? "true" : "sleep 986004 & exit 1");
    for (uint32_t step = 2; step < 100; step++)
        harness_end_of(harness, step);
    assert_int_equal(harness_descriptors(harness), before);
    assert_int_equal(harness_processes("986004"), 0);
    AUTO(free_text) char *outputs = mem_format("%s/outputs", harness->folder);
    supervisor_end(take(&harness->supervisor)); /* until then a file that no step touched may wait for the next one */
    assert_true(harness_turn(harness, harness_unlocked, NULL));
    assert_int_equal(rmdir(outputs), 0); /* empty */
    harness_free(harness);
}

static void causes_are_those_of_the_state(void **state)
{
    (void)state;
    assert_int_equal(SHIM_CAUSE_EXIT, CAUSE_EXIT);
    assert_int_equal(SHIM_CAUSE_SIGNAL, CAUSE_SIGNAL);
    assert_int_equal(SHIM_CAUSE_TIMEOUT, CAUSE_TIMEOUT);
    assert_int_equal(SHIM_CAUSE_CANCELLED, CAUSE_CANCELLED);
    assert_int_equal(SHIM_CAUSE_MEMORY, CAUSE_MEMORY);
    assert_int_equal(SHIM_CAUSE_DISK, CAUSE_DISK);
    assert_int_equal(SHIM_CAUSE_PROCESSES, CAUSE_PROCESSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_a_step),
        cmocka_unit_test(tells_how_it_ended),
        cmocka_unit_test(refuses_a_missing_program),
        cmocka_unit_test(hands_over_in_order),
        cmocka_unit_test(drops_what_comes_after_a_failure),
        cmocka_unit_test(withdraws_what_was_not_started),
        cmocka_unit_test(ignores_a_known_attempt_and_takes_the_next),
        cmocka_unit_test(cancels_with_sigterm),
        cmocka_unit_test(kills_what_ignores_sigterm),
        cmocka_unit_test(ends_although_daemons_hold_on),
        cmocka_unit_test(neighbours_survive_a_daemon_hunt),
        cmocka_unit_test(nothing_of_a_step_stays_with_the_shim),
        cmocka_unit_test(causes_are_those_of_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_shim.c: a real shim without a sandbox: its steps' lives, their order, what is reported, what is logged, what is left behind. */
#include "harness.h"

#include "crescendo/limits.h"
#include "state/state.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

static struct harness *open_stage(void)
{
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, SANDBOX_NONE);
    return harness;
}

static void runs_a_step(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
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
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "setsid sleep 986002 & (setsid env -i sleep 986002 >/dev/null 2>&1 </dev/null &) & sleep 0.1; echo done");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.exit_code, 0);
    assert_int_equal(harness_processes("986002"), 0);
    harness_free(harness);
}

static void neighbours_survive_a_daemon_hunt(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
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

static void closing_stdout_is_not_the_end(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "exec >&- 2>&-; sleep 0.2; exit 5");
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 5);
    harness_free(harness);
}

static long resident_kib(pid_t pid)
{
    AUTO(free_text) char *path = mem_format("/proc/%d/status", (int)pid);
    AUTO(free_text) char *text = NULL;
    if (file_read(path, 1 << 20, &text, NULL, NULL)) return 0;
    const char *line = strstr(text, "VmHWM:");
    return line ? strtol(line + 6, NULL, 10) : 0;
}

static void prints_a_hundred_megabytes(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "head -c 100000000 /dev/zero");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.exit_code, 0);
    assert_int_equal(end->report.log_bytes, 100000000);
    assert_true(resident_kib(harness_shim_pid(harness)) < 8 * 1024);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    harness_free(harness);
}

static void a_full_disk_ends_the_step_that_prints(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 9, 1, "true");
    harness_end_of(harness, 9);
    AUTO(free_text) char *path = mem_format("%s/log", harness->folder);
    struct rlimit limit = {1 << 20, 1 << 20}; /* the shim cannot write files beyond: as a full disk, with another name */
    assert_int_equal(prlimit(harness_shim_pid(harness), RLIMIT_FSIZE, &limit, NULL), 0);
    harness_sh(harness, 1, 1, "while :; do echo much more text than the disk will take; done");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.cause, SHIM_CAUSE_SIGNAL); /* its own disk limit has nothing to do with it */
    assert_non_null(strstr(end->text, "could not be stored"));
    assert_true(strstr(end->text, "No space left on device") || strstr(end->text, "File too large"));
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_true(facts.st_size <= 1 << 20);
    harness_free(harness);
}

static void outputs_must_be_a_small_regular_file(void **state)
{
    (void)state;
    static const char *const scripts[] = {"rm $CRESCENDO_OUTPUT; ln -s /etc/passwd $CRESCENDO_OUTPUT",
        "rm $CRESCENDO_OUTPUT; mkfifo $CRESCENDO_OUTPUT", "head -c 1048577 /dev/zero > $CRESCENDO_OUTPUT"};
    struct harness *harness = open_stage();
    for (uint32_t step = 1; step <= COUNT_OF(scripts); step++) {
        harness_sh(harness, step, 1, scripts[step - 1]);
        const struct seen *end = harness_end_of(harness, step);
        assert_int_equal(end->report.exit_code, 1);
        assert_int_equal(end->report.outputs_size, 0);
        assert_non_null(strstr(end->text, "$CRESCENDO_OUTPUT"));
    }
    harness_free(harness);
}

static bool said_hello(struct harness *harness, void *context)
{
    (void)context;
    return harness_find(harness, SHIM_LINE, 1) != NULL;
}

/* The file of a step that did not touch it serves the next one; one that somebody may still hold on to does not. */
static void an_unused_file_of_outputs_is_the_next_steps_alone(void **state)
{
    (void)state;
    static const char *const scripts[] = {"true", "test ! -s $CRESCENDO_OUTPUT; echo a=2 >$CRESCENDO_OUTPUT", "ln $CRESCENDO_OUTPUT linked",
        "echo a=4 >$CRESCENDO_OUTPUT; test ! -s linked", "chmod 400 $CRESCENDO_OUTPUT", "test $(stat -c %a $CRESCENDO_OUTPUT) = 600"};
    struct harness *harness = open_stage();
    for (uint32_t i = 0; i < COUNT_OF(scripts); i++) {
        harness_sh(harness, i + 1, 1, scripts[i]);
        const struct seen *end = harness_end_of(harness, i + 1);
        AUTO(free_text) char *wanted = i == 1 || i == 3 ? mem_format("a=%u\n", i + 1) : mem_copy_text("");
        assert_string_equal(end->outputs, wanted);
        assert_int_equal(end->report.exit_code, 0);
    }
    AUTO(free_text) char *folder = mem_format("%s/outputs", harness->folder);
    supervisor_end(take(&harness->supervisor));
    assert_true(harness_turn(harness, harness_unlocked, NULL));
    assert_int_equal(rmdir(folder), 0); /* nothing is left in it */
    harness_free(harness);
}

static void talks_on_descriptor_three(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    const char *const argv[] = {"sh", "-c",
        "test $CRESCENDO_STEP_FD = 3; echo hello >&3; read answer <&3; "
        "echo \"got $answer\"; cat",
        NULL};
    struct start_request request = harness_request(1, 1, argv);
    request.flags = START_TALKS;
    request.input = "from standard input\n";
    supervisor_start(harness->supervisor, &request);
    assert_true(harness_turn(harness, said_hello, NULL));
    assert_string_equal(harness_find(harness, SHIM_LINE, 1)->text, "hello");
    supervisor_say(harness->supervisor, 1, 1, "go");
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 0);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    assert_string_equal(out, "got go\nfrom standard input\n");
    harness_free(harness);
}

static void a_line_has_a_limit(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    const char *const argv[] = {"sh", "-c",
        "head -c 65536 /dev/zero | tr '\\0' a >&3; echo >&3; head -c 65537 /dev/zero >&3; "
        "sleep 60",
        NULL};
    struct start_request request = harness_request(1, 1, argv);
    request.flags = START_TALKS;
    supervisor_start(harness->supervisor, &request);
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.cause, SHIM_CAUSE_SIGNAL);
    assert_string_equal(end->text, "a line on descriptor 3 was longer than 65536 bytes");
    assert_int_equal(strlen(harness_find(harness, SHIM_LINE, 1)->text), LIMIT_STEP_LINE_BYTES);
    harness_free(harness);
}

static void environment_is_what_was_given(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "tr '\\0' '\\n' < /proc/self/environ; ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status; umask");
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 0);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    AUTO(free_text)
    char *wanted = mem_format("PATH=/usr/bin:/bin\nLANG=C\nCRESCENDO_OUTPUT=%s/outputs/1\nHOME=/tmp\n"
                              "CRESCENDO_RUN_FOLDER=%s\n0\n1\n2\n3\n"
                              "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n",
        harness->folder, harness->folder);
    assert_string_equal(out, wanted); /* 3 is ls's own look into the folder */
    harness_free(harness);
}

static void nothing_of_a_step_stays_with_the_shim(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
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

/* --- engine and shim --- */

static void reports_come_once_over_many_connections(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    for (uint32_t step = 1; step <= 30; step++)
        harness_sh(harness, step, 1, "sleep 0.02");
    for (unsigned round = 0; round < 10; round++) { /* harness_report checks that sequence numbers follow each other */
        harness_end_of(harness, round + 1);
        supervisor_acknowledge(harness->supervisor, round % 2 ? harness->sequence : 0);
        supervisor_detach(harness->supervisor);
        harness_open(harness, false);
    }
    for (uint32_t step = 1; step <= 30; step++)
        assert_int_equal(harness_end_of(harness, step)->report.exit_code, 0);
    assert_int_equal(harness->lost, 0);
    harness_free(harness);
}

static bool reports_are_empty(struct harness *harness, void *context)
{
    (void)context;
    AUTO(free_text) char *path = mem_format("%s/reports", harness->folder);
    struct stat facts;
    return stat(path, &facts) == 0 && facts.st_size == 0;
}

/* Of few reports the shim is told behind another request, of many without one. */
static void what_is_on_disk_is_forgotten(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "true");
    harness_end_of(harness, 1);
    supervisor_acknowledge(harness->supervisor, harness->sequence);
    assert_false(reports_are_empty(harness, NULL));
    supervisor_end_stage(harness->supervisor, 9);
    assert_true(harness_turn(harness, reports_are_empty, NULL));
    for (uint32_t step = 2; step <= 50; step++)
        harness_sh(harness, step, 1, "true");
    for (uint32_t step = 2; step <= 50; step++)
        harness_end_of(harness, step);
    supervisor_acknowledge(harness->supervisor, harness->sequence);
    assert_true(harness_turn(harness, reports_are_empty, NULL));
    harness_free(harness);
}

static void goes_on_without_an_engine(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "sleep 0.2986007; echo name=value > $CRESCENDO_OUTPUT");
    harness_wait(harness, SHIM_STARTED, 1);
    supervisor_detach(harness->supervisor);
    harness->supervisor = NULL;
    assert_true(harness_turn(harness, harness_gone, (void *)(uintptr_t) "0.2986007"));
    harness_open(harness, true);
    assert_string_equal(harness_end_of(harness, 1)->outputs, "name=value\n");
    harness_free(harness);
}

static bool is_lost(struct harness *harness, void *context)
{
    (void)context;
    return harness->lost > 0;
}

static bool has_ended(struct harness *harness, void *context)
{
    (void)harness;
    return kill(*(pid_t *)context, 0) < 0;
}

static void a_killed_shim_takes_its_steps_along(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "setsid sleep 986005 & exec sleep 986005");
    harness_wait(harness, SHIM_STARTED, 1);
    while (harness_processes("986005") < 2)
        uv_run(&harness->loop, UV_RUN_NOWAIT);
    kill(harness_shim_pid(harness), SIGKILL);
    assert_true(harness_turn(harness, is_lost, NULL));
    supervisor_sweep(harness->folder); /* the daemon is not the shim's child */
    assert_true(harness_turn(harness, harness_gone, (void *)(uintptr_t) "986005"));
    assert_null(harness_find(harness, SHIM_EXITED, 1));
    assert_int_equal(harness->lost, 1);
    harness_free(harness);
}

/* Nobody wants it any more, and nobody would ever end it. */
static void a_removed_folder_ends_the_shim_and_its_steps(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "setsid sleep 986006 & exec sleep 986006");
    harness_sh(harness, 2, 1, "trap '' TERM; sleep 986006; sleep 986006");
    harness_wait(harness, SHIM_STARTED, 1);
    harness_wait(harness, SHIM_STARTED, 2);
    while (harness_processes("986006") < 3)
        uv_run(&harness->loop, UV_RUN_NOWAIT);
    supervisor_detach(harness->supervisor);
    harness->supervisor = NULL;
    pid_t shim = harness_shim_pid(harness);
    assert_int_equal(file_remove_tree(harness->folder, NULL), 0);
    assert_true(harness_turn(harness, harness_gone, (void *)(uintptr_t) "986006"));
    assert_true(harness_turn(harness, has_ended, &shim));
    harness_free(harness);
}

static void a_removed_folder_ends_a_shim_that_waits(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    supervisor_detach(harness->supervisor);
    harness->supervisor = NULL;
    pid_t shim = harness_shim_pid(harness);
    assert_int_equal(file_remove_tree(harness->folder, NULL), 0);
    assert_true(harness_turn(harness, has_ended, &shim));
    harness_free(harness);
}

static void a_new_shim_goes_on_where_the_old_one_died(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "true");
    harness_end_of(harness, 1);
    supervisor_acknowledge(harness->supervisor, harness->sequence);
    harness_sh(harness, 2, 1, "sleep 60");
    harness_wait(harness, SHIM_STARTED, 2);
    kill(harness_shim_pid(harness), SIGKILL);
    assert_true(harness_turn(harness, is_lost, NULL));
    supervisor_detach(harness->supervisor);
    harness_open(harness, true);
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 3, 1, "true");
    assert_int_equal(harness_end_of(harness, 3)->report.exit_code, 0);
    harness_free(harness);
}

static void reads_what_a_dead_shim_left(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "sleep 0.1; exit 4");
    harness_wait(harness, SHIM_STARTED, 1);
    supervisor_detach(harness->supervisor);
    harness->supervisor = NULL;
    AUTO(free_text) char *path = mem_format("%s/reports", harness->folder);
    struct stat before, now;
    stat(path, &before);
    do
        stat(path, &now);
    while (now.st_size == before.st_size);
    kill(harness_shim_pid(harness), SIGKILL);
    assert_true(harness_turn(harness, harness_unlocked, NULL));
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "\x50\0\0\0\x43torn", 9), 9); /* a torn tail is no report */
    harness_open(harness, false);
    assert_true(harness_turn(harness, is_lost, NULL));
    assert_int_equal(harness_find(harness, SHIM_EXITED, 1)->report.exit_code, 4);
    harness_free(harness);
}

static void a_second_shim_finds_the_folder_taken(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    pid_t pid = fork();
    if (pid == 0) {
        execl(harness_shim_path(), "crescendo-shim", harness->folder, (char *)NULL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 75);
    harness_free(harness);
}

static int raw_connection(const struct harness *harness)
{
    AUTO(close_fd) int folder = open(harness->folder, O_PATH | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage room = {.ss_family = AF_UNIX};
    snprintf((char *)&room + sizeof room.ss_family, 100, "/proc/self/fd/%d/shim.sock", folder);
    assert_int_equal(connect(fd, (struct sockaddr *)&room, 110), 0);
    return fd;
}

static void says_nothing_before_the_engine_does(void **state)
{
    (void)state;
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "true");
    harness_end_of(harness, 1);
    AUTO(close_fd) int fd = raw_connection(harness);
    struct pollfd quiet = {fd, POLLIN, 0};
    assert_int_equal(poll(&quiet, 1, 50), 0);
    assert_int_equal(write(fd, "\x0c\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\0\0", 17), 17); /* ATTACH, version 1, nothing known */
    unsigned char bytes[4096];
    assert_true(read(fd, bytes, sizeof bytes) > 5);
    assert_int_equal(bytes[4], SHIM_HELLO);
    harness_free(harness);
}

static void a_wrong_frame_breaks_only_the_connection(void **state)
{
    (void)state;
    static const char *const wrongs[] = {"\x0c\0\0\0\x01\x09\0\0\0\0\0\0\0\0\0\0\0", "\x04\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0",
        "\xff\xff\xff\xff\x01\0\0\0\0\0\0\0\0\0\0\0\0"};
    struct harness *harness = open_stage();
    harness_sh(harness, 1, 1, "sleep 0.3; exit 3");
    harness_wait(harness, SHIM_STARTED, 1);
    supervisor_detach(harness->supervisor);
    for (unsigned i = 0; i < COUNT_OF(wrongs); i++) {
        AUTO(close_fd) int fd = raw_connection(harness);
        char byte;
        assert_int_equal(write(fd, wrongs[i], 17), 17);
        assert_true(read(fd, &byte, 1) <= 0);
    }
    harness_open(harness, true);
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 3);
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
        cmocka_unit_test(closing_stdout_is_not_the_end),
        cmocka_unit_test(prints_a_hundred_megabytes),
        cmocka_unit_test(a_full_disk_ends_the_step_that_prints),
        cmocka_unit_test(outputs_must_be_a_small_regular_file),
        cmocka_unit_test(an_unused_file_of_outputs_is_the_next_steps_alone),
        cmocka_unit_test(talks_on_descriptor_three),
        cmocka_unit_test(a_line_has_a_limit),
        cmocka_unit_test(environment_is_what_was_given),
        cmocka_unit_test(nothing_of_a_step_stays_with_the_shim),
        cmocka_unit_test(reports_come_once_over_many_connections),
        cmocka_unit_test(what_is_on_disk_is_forgotten),
        cmocka_unit_test(goes_on_without_an_engine),
        cmocka_unit_test(a_killed_shim_takes_its_steps_along),
        cmocka_unit_test(a_removed_folder_ends_the_shim_and_its_steps),
        cmocka_unit_test(a_removed_folder_ends_a_shim_that_waits),
        cmocka_unit_test(a_new_shim_goes_on_where_the_old_one_died),
        cmocka_unit_test(reads_what_a_dead_shim_left),
        cmocka_unit_test(a_second_shim_finds_the_folder_taken),
        cmocka_unit_test(says_nothing_before_the_engine_does),
        cmocka_unit_test(a_wrong_frame_breaks_only_the_connection),
        cmocka_unit_test(causes_are_those_of_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

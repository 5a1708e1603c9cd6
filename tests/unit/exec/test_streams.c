/* test_streams.c: what comes out of a step and what it is given: its log, its outputs, its descriptors and environment. */
#include "harness.h"

#include "crescendo/limits.h"

#include <sys/resource.h>

static void closing_stdout_is_not_the_end(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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

/* Nothing can be written when the shim starts, as on a full disk. */
static void a_log_that_could_not_be_begun_is_begun_later(void **state)
{
    (void)state;
    struct rlimit before, full;
    getrlimit(RLIMIT_FSIZE, &before);
    full = (struct rlimit){0, before.rlim_max};
    fflush(NULL);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    struct harness *harness = harness_new();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(prlimit(harness_shim_pid(harness), RLIMIT_FSIZE, &before, NULL), 0);
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 1, 1, "echo words");
    harness_end_of(harness, 1);
    AUTO(free_text) char *path = mem_format("%s/log", harness->folder);
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    assert_int_equal(file_read(path, 4096, &bytes, &size, NULL), 0);
    assert_true(size > 8 && memcmp(bytes, LOG_SEGMENT_MAGIC, 8) == 0);
    assert_string_equal(bytes + size - strlen("words\n"), "words\n");
    harness_free(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_stdout_is_not_the_end),
        cmocka_unit_test(prints_a_hundred_megabytes),
        cmocka_unit_test(a_full_disk_ends_the_step_that_prints),
        cmocka_unit_test(a_log_that_could_not_be_begun_is_begun_later),
        cmocka_unit_test(outputs_must_be_a_small_regular_file),
        cmocka_unit_test(an_unused_file_of_outputs_is_the_next_steps_alone),
        cmocka_unit_test(talks_on_descriptor_three),
        cmocka_unit_test(a_line_has_a_limit),
        cmocka_unit_test(environment_is_what_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_spare.c: a shim that is there before its run: taken, it is that run's; else it ends with its engine. */
#include "harness.h"

#include "exec/launch.h"

static struct harness *spare_new(void)
{
    struct harness *harness = mem_alloc(sizeof *harness);
    char template[] = "/tmp/crescendo-exec-XXXXXX";
    assert_non_null(mkdtemp(template));
    harness->folder = mem_copy_text(template);
    harness->workspace = mem_format("%s/workspace", template);
    assert_int_equal(mkdir(harness->workspace, 0755), 0);
    uv_loop_init(&harness->loop);
    harness_open_spare(harness);
    return harness;
}

static void a_run_takes_it_with_its_folder(void **state)
{
    (void)state;
    struct harness *harness = spare_new();
    harness_take_spare(harness);
    assert_true(launch_is_locked(harness->folder));
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 1, 1, "pwd; echo $CRESCENDO_RUN_FOLDER; tr '\\0' ' ' </proc/$PPID/cmdline; echo a=b >$CRESCENDO_OUTPUT");
    const struct seen *end = harness_end_of(harness, 1);
    AUTO(free_text) char *printed = harness_log(harness, 1, LOG_STDOUT);
    AUTO(free_text)
    char *wanted = mem_format("%s\n%s\ncrescendo-shim %s ", harness->workspace, harness->folder, harness->folder);
    assert_int_equal(end->report.exit_code, 0);
    assert_string_equal(end->outputs, "a=b\n");
    assert_true(text_starts(printed, wanted));
    harness_sandbox(harness, 2, SANDBOX_DEFAULT);
    harness_sh(harness, 2, 2, "pwd; echo x >made");
    assert_int_equal(harness_end_of(harness, 2)->report.exit_code, 0);
    AUTO(free_text) char *made = mem_format("%s/made", harness->workspace);
    assert_int_equal(access(made, F_OK), 0);
    harness_free(harness);
}

static bool is_gone(struct harness *harness, void *context)
{
    (void)context;
    return !launch_is_locked(harness->folder);
}

static void taken_it_outlives_its_engine(void **state)
{
    (void)state;
    struct harness *harness = spare_new();
    harness_take_spare(harness);
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 1, 1, "sleep 0.3; exit 3");
    harness_wait(harness, SHIM_STARTED, 1);
    supervisor_detach(harness->supervisor);
    harness_open(harness, false);
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 3);
    harness_free(harness);
}

static void untaken_it_ends_with_its_engine(void **state)
{
    (void)state;
    struct harness *harness = spare_new();
    supervisor_detach(harness->supervisor);
    harness->supervisor = NULL;
    assert_true(harness_turn(harness, is_gone, NULL));
    harness_free(harness);
}

static void no_run_takes_another_runs(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    struct supervisor_hooks hooks = {harness_report, harness_batch, harness_attached, harness_lost, harness};
    harness_wait_attached(harness, 1);
    supervisor_take(harness->supervisor, "/tmp/other", &hooks);
    assert_int_equal(access("/tmp/other", F_OK), -1);
    free(take(&harness->folder));
    harness->folder = mem_copy_bytes(harness->workspace, strlen(harness->workspace) - strlen("/workspace"));
    supervisor_end(harness->supervisor);
    harness_open(harness, false); /* it broke that connection, and nothing else */
    harness_wait_attached(harness, 2);
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 1, 1, "echo $CRESCENDO_RUN_FOLDER");
    harness_end_of(harness, 1);
    AUTO(free_text) char *printed = harness_log(harness, 1, LOG_STDOUT);
    AUTO(free_text) char *wanted = mem_format("%s\n", harness->folder);
    assert_string_equal(printed, wanted);
    harness_free(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_takes_it_with_its_folder),
        cmocka_unit_test(taken_it_outlives_its_engine),
        cmocka_unit_test(untaken_it_ends_with_its_engine),
        cmocka_unit_test(no_run_takes_another_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

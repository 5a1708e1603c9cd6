/* test_shim.c: a real shim without a sandbox: its steps' lives, reports, logs. */
#include "harness.h"

static void runs_a_step(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 1, 1, "echo out; echo err >&2; echo name=value >> $CRESCENDO_OUTPUT");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.type, SHIM_EXITED);
    assert_int_equal(end->report.cause, SHIM_CAUSE_EXIT);
    assert_int_equal(end->report.exit_code, 0);
    assert_string_equal(end->outputs, "name=value\n");
    assert_true(harness_find(harness, SHIM_STARTED, 1)->report.pid > 1);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    AUTO(free_text) char *error = harness_log(harness, 1, LOG_STDERR);
    assert_string_equal(out, "out\n");
    assert_string_equal(error, "err\n");
    harness_free(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_torn.c: what a loss of power leaves of a run's folder: pages of zeros, or old ones, in the files that a shim does not sync. A new
   shim cuts them off where they are no longer its own words, and goes on. */
#include "harness.h"

static bool is_lost(struct harness *harness, void *context)
{
    (void)context;
    return harness->lost;
}

/* A run of which a step has ended and another one runs, and whose shim is dead. */
static struct harness *begin_killed(void)
{
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 1, 1, "echo before");
    harness_end_of(harness, 1);
    harness_sh(harness, 2, 1, "sleep 60");
    harness_wait(harness, SHIM_STARTED, 2);
    kill(harness_shim_pid(harness), SIGKILL);
    assert_true(harness_turn(harness, is_lost, NULL));
    supervisor_sweep(harness->folder);
    supervisor_detach(harness->supervisor);
    return harness;
}

/* Writes size bytes of zeros at the offset of RUN/name. */
static void lose(const struct harness *harness, const char *name, off_t offset, size_t size)
{
    AUTO(free_text) char *path = mem_format("%s/%s", harness->folder, name);
    AUTO(free_text) char *zeros = mem_alloc(size);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, zeros, size, offset), size);
}

static void goes_on(struct harness *harness)
{
    harness_open(harness, true);
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 3, 1, "echo after");
    assert_int_equal(harness_end_of(harness, 3)->report.exit_code, 0);
    AUTO(free_text) char *printed = harness_log(harness, 3, LOG_STDOUT);
    assert_string_equal(printed, "after\n");
    harness_free(harness);
}

static void reports_that_became_zeros_are_cut_off(void **state)
{
    (void)state;
    struct harness *harness = begin_killed();
    lose(harness, "reports", 0, 900);
    goes_on(harness);
}

static void reports_that_end_in_zeros_are_cut_off(void **state)
{
    (void)state;
    struct harness *harness = begin_killed();
    AUTO(free_text) char *path = mem_format("%s/reports", harness->folder);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    lose(harness, "reports", facts.st_size, 512);
    goes_on(harness);
}

/* Its pages are whole, and nobody can tell whether they are the last ones: a page that was lost inside of a report may say that a step went
 * well. */
static void reports_of_before_a_reboot_are_not_believed(void **state)
{
    (void)state;
    struct harness *harness = begin_killed();
    AUTO(free_text) char *path = mem_format("%s/boot", harness->folder);
    AUTO(free_text) char *boot = NULL;
    assert_int_equal(file_read(path, 100, &boot, NULL, NULL), 0);
    assert_int_equal(strlen(boot), 36);
    memcpy(boot, "another.", 8);
    assert_int_equal(file_replace(path, boot, strlen(boot), 0600, NULL), 0);
    size_t heard = harness->count;
    harness->sequence = 0; /* an engine that heard nothing, and finds no shim: it reads what one left */
    harness->lost = 0;
    harness_open(harness, false);
    assert_true(harness_turn(harness, is_lost, NULL));
    assert_int_equal(harness->count, heard);
    supervisor_detach(harness->supervisor);
    goes_on(harness);
}

static void a_log_that_became_zeros_is_begun_anew(void **state)
{
    (void)state;
    struct harness *harness = begin_killed();
    lose(harness, "log", 0, 512);
    goes_on(harness);
}

static void a_log_that_ends_in_zeros_is_cut_off(void **state)
{
    (void)state;
    struct harness *harness = begin_killed();
    lose(harness, "log", 8 + (off_t)sizeof(struct log_record) + (off_t)strlen("before\n"), 512);
    goes_on(harness);
}

static void a_log_without_its_end_is_cut_off(void **state)
{
    (void)state;
    struct harness *harness = begin_killed();
    AUTO(free_text) char *path = mem_format("%s/log", harness->folder);
    assert_int_equal(truncate(path, 8 + (off_t)sizeof(struct log_record) + 3), 0);
    goes_on(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_that_became_zeros_are_cut_off),
        cmocka_unit_test(reports_that_end_in_zeros_are_cut_off),
        cmocka_unit_test(reports_of_before_a_reboot_are_not_believed),
        cmocka_unit_test(a_log_that_became_zeros_is_begun_anew),
        cmocka_unit_test(a_log_that_ends_in_zeros_is_cut_off),
        cmocka_unit_test(a_log_without_its_end_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

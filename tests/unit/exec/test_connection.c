/* test_connection.c: engine and shim: reports over many connections, without an engine, without a shim, without a folder. */
#include "harness.h"

#include <poll.h>
#include <sys/socket.h>

static void reports_come_once_over_many_connections(void **state)
{
    (void)state;
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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
    struct harness *harness = harness_open_stage();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_lock.c: one server for a data folder; one that is dying still is waited for. */
#include "base/mem.h"
#include "store/lock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void sleep_ms(int ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

/* A process that has the lock, and ends after so long; 0: when it is killed. Returns when it has the lock. */
static pid_t hold(const char *folder, int for_ms)
{
    int ends[2], fd;
    char byte = 0;
    struct error err = {0};
    if (pipe(ends) < 0) fail_msg("pipe");
    pid_t child = fork();
    if (child == 0) {
        if (lock_take(folder, &fd, &err) < 0 || write(ends[1], "1", 1) != 1) _exit(1);
        if (for_ms)
            sleep_ms(for_ms);
        else
            pause();
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) fail_msg("the child has no lock");
    close(ends[0]);
    return child;
}

static void one_that_stays_is_named(void **state)
{
    char *folder = *state;
    struct error err = {0};
    int fd = -1;
    pid_t child = hold(folder, 0);
    AUTO(free_text) char *wanted = mem_format("another server (pid %d) serves %s", (int)child, folder);
    int failed = lock_take(folder, &fd, &err);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(failed, -ERROR_CONFLICT);
    assert_string_equal(err.message, wanted);
}

static void one_that_is_dying_is_waited_for(void **state)
{
    char *folder = *state;
    struct error err = {0};
    int fd = -1;
    pid_t child = hold(folder, 300);
    if (lock_take(folder, &fd, &err) < 0) fail_msg("%s", err.message);
    close(fd);
    waitpid(child, NULL, 0);
}

static int make_folder(void **state)
{
    static char folder[] = "/tmp/crescendo-lock-XXXXXX";
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    AUTO(free_text) char *lock = mem_format("%s/lock", (char *)*state);
    unlink(lock);
    return rmdir(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_that_stays_is_named), cmocka_unit_test(one_that_is_dying_is_waited_for)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* test_lost.c: a shim is lost when its lock is free, and not before: not when it is slow, cannot be reached, or was misunderstood. */
#include "harness.h"

#include "exec/connection.h"
#include "exec/launch.h"

#include <fcntl.h>
#include <sys/resource.h>

enum { LONGER_MS = 2500 }; /* than a shim was once waited for */

static bool is_attached(struct harness *harness, void *context)
{
    (void)context;
    return harness->attached != 0;
}

static bool is_lost(struct harness *harness, void *context)
{
    (void)context;
    return harness->lost != 0;
}

/* context: a part of what it says, or NULL: it says that it goes on. */
static bool has_trouble(struct harness *harness, void *context)
{
    if (!context) return harness->troubles && !harness->trouble;
    return harness->trouble && strstr(harness->trouble, context);
}

static bool is_late(struct harness *harness, void *context)
{
    return harness->lost || clock_now_ms() > *(int64_t *)context;
}

static void turn_long(struct harness *harness)
{
    int64_t until = clock_now_ms() + LONGER_MS;
    harness_turn(harness, is_late, &until);
    assert_int_equal(harness->lost, 0);
}

/* A shim with a step that runs. */
static struct harness *open_running(const char *script)
{
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, SANDBOX_NONE);
    harness_sh(harness, 1, 1, script);
    harness_wait(harness, SHIM_STARTED, 1);
    return harness;
}

static void open_anew(struct harness *harness)
{
    supervisor_detach(harness->supervisor);
    harness->attached = 0;
    harness_open(harness, false);
}

static void goes_on(struct harness *harness, int exit_code)
{
    assert_true(harness_turn(harness, is_attached, NULL));
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, exit_code);
    assert_int_equal(harness->lost, 0);
    harness_free(harness);
}

static void keep_words(void *context, const char *why)
{
    char **words = context;
    free(*words);
    *words = mem_copy_text(why);
}

/* In a folder of its own that is locked by nobody who can be named (as seen from another PID namespace); caller closes the lock. */
static struct supervisor *open_nameless(struct harness *harness, char **ret_words, int *ret_lock)
{
    struct supervisor_hooks hooks = {.context = ret_words, .trouble = keep_words};
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct supervisor *supervisor;
    struct error err;
    AUTO(free_text) char *folder = mem_format("%s/nameless", harness->folder);
    AUTO(free_text) char *lock = mem_format("%s/shim.lock", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    *ret_lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(fcntl(*ret_lock, F_OFD_SETLK, &all), 0);
    assert_int_equal(supervisor_open(&harness->loop, folder, harness_shim_path(), 0, false, &hooks, &supervisor, &err), 0);
    return supervisor;
}

/* `kill -9 0` would end who types it. */
static void tells_nobody_to_kill_whom_it_cannot_name(const char *words)
{
    assert_non_null(words);
    assert_non_null(strstr(words, "does not answer"));
    assert_null(strstr(words, "process 0"));
    assert_null(strstr(words, "kill -9"));
}

static void one_that_cannot_be_reached_is_waited_for(void **state)
{
    (void)state;
    struct harness *harness = open_running("sleep 0.2; exit 3");
    AUTO(free_text) char *words = NULL;
    AUTO(close_fd) int lock = -1;
    struct supervisor *nameless = open_nameless(harness, &words, &lock);
    AUTO(free_text) char *socket = mem_format("%s/shim.sock", harness->folder);
    AUTO(free_text) char *away = mem_format("%s/away", harness->folder);
    assert_int_equal(rename(socket, away), 0);
    open_anew(harness);
    turn_long(harness);
    assert_true(has_trouble(harness, (void *)(uintptr_t) "does not answer"));
    tells_nobody_to_kill_whom_it_cannot_name(words);
    supervisor_detach(nameless);
    assert_int_equal(rename(away, socket), 0);
    goes_on(harness, 3);
}

static bool is_stopped(const struct harness *harness)
{
    AUTO(free_text) char *path = mem_format("/proc/%d/stat", (int)harness_shim_pid(harness));
    AUTO(free_text) char *text = NULL;
    return file_read(path, 4096, &text, NULL, NULL) == 0 && strstr(text, ") T ");
}

/* It is connected to and does not answer when the run takes it. */
static void a_spare_that_does_not_answer_when_it_is_taken_is_not_forgotten(void **state)
{
    (void)state;
    struct harness *harness = open_running("sleep 0.2; exit 3");
    struct supervisor_hooks hooks = {
        harness_report, harness_batch, harness_attached, harness_lost, harness, harness_replaced, harness->epoch, harness_trouble};
    pid_t shim = harness_shim_pid(harness);
    kill(shim, SIGSTOP);
    while (!is_stopped(harness)) {
    }
    open_anew(harness);
    uv_run(&harness->loop, UV_RUN_NOWAIT);
    uv_run(&harness->loop, UV_RUN_NOWAIT);
    supervisor_take(harness->supervisor, harness->folder, &hooks);
    uv_run(&harness->loop, UV_RUN_NOWAIT);
    uv_run(&harness->loop, UV_RUN_NOWAIT);
    assert_true(harness->supervisor->fd >= 0);
    assert_true(uv_is_active((uv_handle_t *)&harness->supervisor->retry)); /* it is told when that is over, which nobody waits for here */
    kill(shim, SIGCONT);
    goes_on(harness, 3);
}

/* Each server that died left a connection that a stopped shim has not accepted yet: the next one must not hang in its start. */
static void one_that_is_stopped_holds_up_nobody(void **state)
{
    (void)state;
    struct harness *harness = open_running("sleep 0.2; exit 3");
    pid_t shim = harness_shim_pid(harness);
    kill(shim, SIGSTOP);
    alarm(PATIENCE_MS / 1000);
    for (unsigned server = 0; server < 12; server++) {
        open_anew(harness);
        uv_run(&harness->loop, UV_RUN_ONCE);
    }
    alarm(0);
    assert_int_equal(harness->attached, 0);
    assert_true(harness_turn(harness, has_trouble, (void *)(uintptr_t) "does not answer"));
    kill(shim, SIGCONT);
    goes_on(harness, 3);
}

static void one_whose_lock_cannot_be_looked_at_is_waited_for(void **state)
{
    (void)state;
    struct harness *harness = open_running("sleep 0.2; exit 3");
    struct supervisor_hooks hooks = {harness_report, harness_batch, harness_attached, harness_lost, harness};
    struct rlimit limit, none;
    getrlimit(RLIMIT_NOFILE, &limit);
    none = (struct rlimit){0, limit.rlim_max};
    harness->attached = 0;
    supervisor_take(harness->supervisor, harness->folder, &hooks); /* it is no spare: it breaks the connection */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int64_t until = clock_now_ms() + 200;
    harness_turn(harness, is_late, &until);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(harness->lost, 0);
    harness->attached = 0;
    goes_on(harness, 3);
}

static bool is_emptied(struct harness *harness, void *context)
{
    struct stat facts;
    (void)harness;
    return stat(context, &facts) == 0 && facts.st_size == 0;
}

static void acknowledge_all(struct harness *harness)
{
    AUTO(free_text) char *path = mem_format("%s/reports", harness->folder);
    supervisor_acknowledge(harness->supervisor, harness->sequence);
    supervisor_end_stage(harness->supervisor, 9); /* a request takes it along */
    assert_true(harness_turn(harness, is_emptied, path));
}

/* The journal was restored from a backup: what the shim told since will never be heard, so its steps are not left running. */
static void one_that_said_what_nobody_knows_is_ended(void **state)
{
    (void)state;
    struct harness *harness = open_running("exec sleep 986011");
    acknowledge_all(harness);
    supervisor_detach(harness->supervisor);
    harness->sequence = 0;
    harness_open(harness, false);
    assert_true(harness_turn(harness, is_lost, NULL));
    assert_int_equal(harness_shim_pid(harness), NOBODY);
    assert_true(harness_turn(harness, harness_gone, (void *)(uintptr_t) "986011"));
    assert_int_equal(harness->lost, 1);
    harness_free(harness);
}

static bool has_ended(struct harness *harness, void *context)
{
    (void)harness;
    return kill(*(pid_t *)context, 0) < 0;
}

/* What it could not write down yet is not what it has forgotten. */
static void one_with_a_full_disk_is_not_misunderstood(void **state)
{
    (void)state;
    struct harness *harness = open_running("sleep 0.1; exit 3");
    harness_sh(harness, 2, 1, "sleep 0.1; exit 4");
    pid_t first = (pid_t)harness_wait(harness, SHIM_STARTED, 1)->report.pid;
    pid_t second = (pid_t)harness_wait(harness, SHIM_STARTED, 2)->report.pid;
    acknowledge_all(harness);
    pid_t shim = harness_shim_pid(harness);
    supervisor_detach(harness->supervisor);
    harness->supervisor = NULL;
    struct rlimit before, full;
    assert_int_equal(prlimit(shim, RLIMIT_FSIZE, NULL, &before), 0);
    full = (struct rlimit){0, before.rlim_max};
    assert_int_equal(prlimit(shim, RLIMIT_FSIZE, &full, NULL), 0);
    assert_true(harness_turn(harness, has_ended, &first));
    assert_true(harness_turn(harness, has_ended, &second));
    harness->attached = 0;
    harness_open(harness, false);
    assert_true(harness_turn(harness, has_trouble, (void *)(uintptr_t) "reports cannot be written: File too large"));
    int64_t until = clock_now_ms() + 200;
    harness_turn(harness, is_late, &until);
    assert_int_equal(harness->lost, 0);
    assert_int_equal(harness->troubles, 1); /* said once, however often it tries */
    assert_int_equal(prlimit(shim, RLIMIT_FSIZE, &before, NULL), 0);
    assert_int_equal(harness_end_of(harness, 2)->report.exit_code, 4);
    assert_true(harness_turn(harness, has_trouble, NULL));
    goes_on(harness, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_cannot_be_reached_is_waited_for),
        cmocka_unit_test(one_that_is_stopped_holds_up_nobody),
        cmocka_unit_test(a_spare_that_does_not_answer_when_it_is_taken_is_not_forgotten),
        cmocka_unit_test(one_whose_lock_cannot_be_looked_at_is_waited_for),
        cmocka_unit_test(one_that_said_what_nobody_knows_is_ended),
        cmocka_unit_test(one_with_a_full_disk_is_not_misunderstood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_compress.c: the log of a run that is at rest is compressed, and only then; what a stopped server left is done by the next one; a
   full disk is said once and tried again; a log that cannot be compressed stays as it is. */
#include "tests/unit/run/submitting.h"

#include "run/check.h"
#include "run/compress.h"
#include "store/log_compress.h"
#include "store/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int full_disks; /* so many compressed logs find no space for their name */

int rename(const char *from, const char *to)
{
    if (text_ends(to, ".zst") && atomic_load(&full_disks) > 0) {
        atomic_fetch_sub(&full_disks, 1);
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_rename, from, to);
}

enum { MANY = 40 * 1000, FEW = 10 }; /* lines */

static int begin_with_space(void **state)
{
    atomic_store(&full_disks, 0);
    return begin(state);
}

static void run_to_its_end(struct fixture *fixture, unsigned lines)
{
    AUTO(free_text)
    char *stages = mem_format("  - stage: a\n    checkout: none\n    steps: [{ run: seq %u }]\n", lines);
    submit(fixture, stages);
    wait_for_end(fixture);
}

static void close_home(struct fixture *fixture)
{
    uv_unref((uv_handle_t *)&fixture->alive);
    home_close(&fixture->home);
    uv_ref((uv_handle_t *)&fixture->alive);
}

static void reopen(struct fixture *fixture)
{
    close_home(fixture);
    home_open(&fixture->home);
}

static char *file_of(const struct fixture *fixture, uint64_t run, const char *suffix)
{
    return mem_format("%s/runs/%llu/log%s", fixture->home.folder, (unsigned long long)run, suffix);
}

static bool has_file(const struct fixture *fixture, uint64_t run, const char *suffix)
{
    AUTO(free_text) char *path = file_of(fixture, run, suffix);
    return file_exists(path);
}

static uint64_t marked(const struct fixture *fixture)
{
    uint64_t run = 0;
    struct error err;
    if (journal_next_marked_log(engine_journal(fixture->home.engine), 0, &run, &err) < 0) fail_msg("%s", err.message);
    return run;
}

/* A run whose log stays plain as long as the engine is open. */
static void run_without_space(struct fixture *fixture)
{
    atomic_store(&full_disks, INT_MAX);
    run_to_its_end(fixture, MANY);
    close_home(fixture);
    atomic_store(&full_disks, 0);
}

/* Until no log is marked any more; gives up after a while. */
static void wait_for_marks(struct fixture *fixture)
{
    for (int i = 0; i < 30 * 1000 && marked(fixture); i++)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    assert_int_equal(marked(fixture), 0);
}

static int add_bytes(void *context, const struct log_piece *piece)
{
    text_add_bytes(context, piece->bytes, piece->size);
    return 0;
}

static void expect_numbers(const struct fixture *fixture, uint64_t run, unsigned lines)
{
    AUTO(free_text) char *path = file_of(fixture, run, "");
    AUTO(text_release) struct text said = {0}, expected = {0};
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(path);
    struct error err;
    uint64_t next;
    if (log_reader_read(reader, 0, (struct log_filter){.step = 0}, SIZE_MAX, add_bytes, &said, &next, &err) < 0)
        fail_msg("%s", err.message);
    for (unsigned i = 1; i <= lines; i++)
        text_add_format(&expected, "%u\n", i);
    assert_string_equal(text_view(&said), text_view(&expected));
}

static void on_finding(void *context, const struct finding *finding)
{
    (void)context;
    fail_msg("%s: %s", finding->file, finding->what);
}

static void expect_sound(const struct fixture *fixture)
{
    struct check check = {.folder = fixture->home.folder, .prefix = "", .found = on_finding};
    struct error err = {0};
    if (check_journal(&check, &err) < 0) fail_msg("%s", err.message);
}

static void a_log_is_compressed_when_its_run_is_over(void **state)
{
    struct fixture *fixture = *state;
    run_to_its_end(fixture, MANY);
    assert_true(marked(fixture) == fixture->run || has_file(fixture, fixture->run, ".zst")); /* on disk with the end of the run */
    wait_for_marks(fixture);
    assert_true(has_file(fixture, fixture->run, ".zst") && !has_file(fixture, fixture->run, ""));
    expect_numbers(fixture, fixture->run, MANY);
    close_home(fixture);
    expect_sound(fixture);
    home_open(&fixture->home);
}

static void a_small_log_stays_plain_and_is_never_marked(void **state)
{
    struct fixture *fixture = *state;
    run_to_its_end(fixture, FEW);
    assert_int_equal(marked(fixture), 0);
    reopen(fixture);
    assert_true(has_file(fixture, fixture->run, "") && !has_file(fixture, fixture->run, ".zst"));
    expect_numbers(fixture, fixture->run, FEW);
}

static void what_a_stopped_server_left_is_done_by_the_next_one(void **state)
{
    struct fixture *fixture = *state;
    run_to_its_end(fixture, MANY);
    uint64_t first = fixture->run;
    run_to_its_end(fixture, MANY);
    reopen(fixture);
    wait_for_marks(fixture);
    for (uint64_t run = first; run <= fixture->run; run++) {
        assert_true(has_file(fixture, run, ".zst") && !has_file(fixture, run, ""));
        expect_numbers(fixture, run, MANY);
    }
}

/* What a crash leaves between the new name and the removal of the old file, and a neighbour that was never finished. */
static void what_a_crash_left_is_put_in_order(void **state)
{
    struct fixture *fixture = *state;
    run_without_space(fixture);
    AUTO(free_text) char *packed = file_of(fixture, fixture->run, ".zst");
    AUTO(free_text) char *part = file_of(fixture, fixture->run, ".zst.part");
    assert_int_equal(file_replace(packed, "half", 4, 0600, NULL), 0);
    assert_int_equal(file_replace(part, "half", 4, 0600, NULL), 0);
    expect_numbers(fixture, fixture->run, MANY);
    home_open(&fixture->home);
    wait_for_marks(fixture);
    assert_true(
        has_file(fixture, fixture->run, ".zst") && !has_file(fixture, fixture->run, "") && !has_file(fixture, fixture->run, ".zst.part"));
    expect_numbers(fixture, fixture->run, MANY);
}

/* In a process of its own. Waits for the shim that has it. */
static void hold(const char *path, int told)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fcntl(fd, F_SETLKW, &lock) != 0) _exit(1);
    (void)!write(told, "", 1);
    pause();
    _exit(0);
}

static void run_for(struct fixture *fixture, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
}

/* Somebody else has the shim's lock: another process, because a process sees no lock of its own. */
static void a_log_whose_shim_lives_is_left(void **state)
{
    struct fixture *fixture = *state;
    run_without_space(fixture);
    AUTO(free_text) char *path = mem_format("%s/runs/%llu/shim.lock", fixture->home.folder, (unsigned long long)fixture->run);
    int ready[2];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) hold(path, ready[1]);
    close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    home_open(&fixture->home);
    run_for(fixture, 900); /* of its timer: longer than it waits before it looks */
    assert_int_equal(marked(fixture), fixture->run);
    assert_true(has_file(fixture, fixture->run, "") && !has_file(fixture, fixture->run, ".zst"));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready[0]);
    reopen(fixture);
    wait_for_marks(fixture);
    assert_true(has_file(fixture, fixture->run, ".zst"));
}

static void a_full_disk_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    atomic_store(&full_disks, 1);
    run_to_its_end(fixture, MANY);
    for (int i = 0; i < 30 * 1000 && atomic_load(&full_disks); i++)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    assert_int_equal(atomic_load(&full_disks), 0);
    for (int i = 0; i < 30 * 1000 && has_file(fixture, fixture->run, ".zst.part"); i++)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    assert_int_equal(marked(fixture), fixture->run);
    assert_true(has_file(fixture, fixture->run, "") && !has_file(fixture, fixture->run, ".zst.part"));
    reopen(fixture);
    wait_for_marks(fixture);
    assert_true(has_file(fixture, fixture->run, ".zst"));
}

static void what_cannot_be_compressed_stays_and_is_not_tried_again(void **state)
{
    struct fixture *fixture = *state;
    run_without_space(fixture);
    AUTO(free_text) char *part = file_of(fixture, fixture->run, ".zst.part");
    assert_int_equal(mkdir(part, 0700), 0);
    home_open(&fixture->home);
    wait_for_marks(fixture);
    assert_true(has_file(fixture, fixture->run, ""));
    expect_numbers(fixture, fixture->run, MANY);
}

static void make_old(const struct fixture *fixture, uint64_t below)
{
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->home.folder);
    AUTO(free_text)
    char *sql = mem_format("UPDATE runs SET accepted_ms = 1000, ended_ms = 2000 WHERE run < %llu", (unsigned long long)below);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static bool is_forgotten(const struct fixture *fixture, uint64_t run)
{
    AUTO(free_text) char *folder = mem_format("%s/runs/%llu", fixture->home.folder, (unsigned long long)run);
    uint64_t next = 0;
    struct error err;
    if (journal_next_forgotten(engine_journal(fixture->home.engine), &next, &err) < 0) fail_msg("%s", err.message);
    return !file_exists(folder) && next != run;
}

/* Runs 1 and 2 are old; the log of 1 is compressed, that of 2 is yet to be. */
static void old_runs_are_forgotten_with_either_log(void **state)
{
    struct fixture *fixture = *state;
    run_to_its_end(fixture, MANY);
    wait_for_marks(fixture);
    run_without_space(fixture);
    home_open(&fixture->home);
    atomic_store(&full_disks, INT_MAX);
    run_to_its_end(fixture, FEW);
    close_home(fixture);
    atomic_store(&full_disks, 0);
    assert_true(has_file(fixture, 1, ".zst") && has_file(fixture, 2, ""));
    make_old(fixture, 3);
    fixture->home.keep_ms = 3600 * 1000;
    home_open(&fixture->home);
    for (int i = 0; i < 30 * 1000 && !(is_forgotten(fixture, 1) && is_forgotten(fixture, 2)); i++)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    assert_true(is_forgotten(fixture, 1) && is_forgotten(fixture, 2));
    assert_int_equal(marked(fixture), 0);
    close_home(fixture);
    expect_sound(fixture);
    home_open(&fixture->home);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_with_space, end)
    const struct CMUnitTest tests[] = {
        TEST(a_log_is_compressed_when_its_run_is_over),
        TEST(a_small_log_stays_plain_and_is_never_marked),
        TEST(what_a_stopped_server_left_is_done_by_the_next_one),
        TEST(what_a_crash_left_is_put_in_order),
        TEST(a_log_whose_shim_lives_is_left),
        TEST(a_full_disk_is_tried_again),
        TEST(what_cannot_be_compressed_stays_and_is_not_tried_again),
        TEST(old_runs_are_forgotten_with_either_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

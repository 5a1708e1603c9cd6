/* test_log_switch.c: whatever fails or dies while a log is compressed, one of the two files is whole, and nothing else is left. */
#include "large_log.h"

#include "store/log_archive.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* --- the disk: each of these calls counts, and the chosen one fails, or is the last thing that the process does --- */

static struct faults {
    bool on, dies, full;
    int at, calls, error;
} faults;

static bool strikes(void)
{
    if (!faults.on || ++faults.calls != faults.at) return false;
    if (faults.dies) _exit(0);
    errno = faults.error;
    return true;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    if (faults.on && faults.calls + 1 == faults.at && size > 1) /* half of it is there */
        (void)!syscall(SYS_write, fd, bytes, size / 2);
    return strikes() ? -1 : syscall(SYS_write, fd, bytes, size);
}

int fsync(int fd)
{
    return strikes() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return strikes() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
    return strikes() ? -1 : (int)syscall(SYS_rename, from, to);
}

int fstatvfs(int fd, struct statvfs *status)
{
    (void)fd;
    *status = (struct statvfs){.f_frsize = 4096, .f_bavail = faults.full ? 100 : 1000 * 1000};
    return 0;
}

int unlink(const char *path)
{
    return strikes() ? -1 : (int)syscall(SYS_unlink, path);
}

static void the_last_space_is_left_to_others(void **state)
{
    struct log *log = *state;
    struct log_compressed result = {0};
    struct error err = {0};
    write_log(log);
    faults.full = true;
    int failed = compress(log, &result, &err);
    faults.full = false;
    assert_int_equal(failed, -ERROR_NO_SPACE);
    assert_true(is_there(log, "") && !is_there(log, ".zst") && !is_there(log, ".zst.part"));
}

/* Such as a log that was begun anew by hand beside the old one. */
static void another_log_of_that_name_is_not_replaced(void **state)
{
    struct log *log = *state;
    struct log_compressed result = {0};
    struct error err = {0};
    write_log(log);
    compress_well(log);
    write_log(log);
    write_text(log, 7, 1, "more");
    assert_int_equal(compress(log, &result, &err), -ERROR_CONFLICT);
    assert_true(is_there(log, "") && is_there(log, ".zst") && !is_there(log, ".zst.part"));
}

/* A server that lost its folder to another one, and does not know it yet. */
static void two_do_not_compress_one_log(void **state)
{
    struct log *log = *state;
    struct log_compressed result = {0};
    struct error err = {0};
    AUTO(free_text) char *part = mem_format("%s.zst.part", log->path);
    write_log(log);
    int other = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(write(other, "half", 4), 4);
    assert_int_equal(compress(log, &result, &err), -ERROR_UNAVAILABLE);
    assert_true(is_there(log, "") && is_there(log, ".zst.part") && !is_there(log, ".zst"));
    struct stat status;
    assert_int_equal(fstat(other, &status), 0);
    assert_int_equal(status.st_size, 4); /* it was not touched */
    close(other);
    compress_well(log);
    assert_false(is_there(log, ".zst.part"));
}

static void it_stops_when_it_is_told(void **state)
{
    struct log *log = *state;
    static atomic_bool at_once = true;
    struct log_compressed result = {0};
    struct error err = {0};
    write_log(log);
    assert_int_equal(log_compress(log->path, &at_once, &result, &err), -ERROR_TIMEOUT);
    assert_true(is_there(log, "") && !is_there(log, ".zst") && !is_there(log, ".zst.part"));
}

/* How many calls there are to fail at. */
static int count_calls(struct log *log)
{
    write_log(log);
    faults = (struct faults){.on = true};
    compress_well(log);
    faults.on = false;
    AUTO(free_text) char *packed = mem_format("%s.zst", log->path);
    assert_int_equal(unlink(packed), 0);
    return faults.calls;
}

static void expect_whole(const struct log *log, const struct said *expected)
{
    expect_same(log, 0, all, expected);
    if (!is_there(log, ".zst")) return;
    AUTO(free_text) char *packed = mem_format("%s.zst", log->path);
    AUTO(log_archive_close) struct log_archive *archive = NULL;
    struct error err = {0};
    struct log_block block = {0};
    if (log_archive_open(packed, &archive, &err) < 0) fail_msg("%s", err.message);
    for (uint64_t at = 0; at < log_archive_size(archive); at += block.size)
        if (log_archive_block(archive, at, &block, &err) < 0) fail_msg("%s", err.message);
}

static void begin_anew(struct log *log)
{
    AUTO(free_text) char *packed = mem_format("%s.zst", log->path);
    assert_int_equal(file_remove_tree(log->path, NULL), 0);
    assert_int_equal(file_remove_tree(packed, NULL), 0);
    write_log(log);
}

/* Whichever call fails: the log reads as before, no neighbour is left, and the next time goes well. */
static void a_failure_leaves_the_plain_one(void **state)
{
    struct log *log = *state;
    int calls = count_calls(log);
    write_log(log);
    struct said expected = read_log(log, 0, all);
    for (int at = 1; at <= calls; at++) {
        struct log_compressed result = {0};
        struct error err = {0};
        begin_anew(log);
        faults = (struct faults){.on = true, .at = at, .error = ENOSPC};
        int failed = compress(log, &result, &err);
        faults.on = false;
        assert_int_equal(failed, -ERROR_NO_SPACE);
        assert_true(is_there(log, "") || at == calls); /* the last one syncs what is done already */
        assert_false(is_there(log, ".zst.part"));
        expect_whole(log, &expected);
        if (at < calls) compress_well(log);
        assert_true(!is_there(log, "") && is_there(log, ".zst"));
        expect_whole(log, &expected);
    }
    text_release(&expected.text);
}

/* Killed before whichever call, after half of a write: one of the two is whole, and the next time goes well. */
static void a_death_leaves_one_that_is_whole(void **state)
{
    struct log *log = *state;
    int calls = count_calls(log);
    write_log(log);
    struct said expected = read_log(log, 0, all);
    for (int at = 1; at <= calls; at++) {
        begin_anew(log);
        pid_t child = fork();
        if (child == 0) {
            struct log_compressed result;
            faults = (struct faults){.on = true, .at = at, .dies = true};
            _exit(compress(log, &result, NULL) == 0 ? 1 : 2); /* it did not die */
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        expect_whole(log, &expected);
        if (is_there(log, "")) compress_well(log);
        assert_true(!is_there(log, "") && !is_there(log, ".zst.part"));
        expect_whole(log, &expected);
    }
    text_release(&expected.text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, log_begin, log_end)
    const struct CMUnitTest tests[] = {
        TEST(the_last_space_is_left_to_others),
        TEST(another_log_of_that_name_is_not_replaced),
        TEST(two_do_not_compress_one_log),
        TEST(it_stops_when_it_is_told),
        TEST(a_failure_leaves_the_plain_one),
        TEST(a_death_leaves_one_that_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_leftover.c: the write-ahead log of a journal that a backup has replaced is not applied to the backup, and looking for one takes no
 * lock away. */
#include "fixture.h"

#include "store/database.h"
#include "store/inspect.h"
#include "store/leftover.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void append(struct fixture *fixture, uint64_t seq)
{
    append_event(fixture, 1, seq, true, NULL);
    fixture_settle(fixture);
}

static int count_row(void *context, const struct journal_row *row)
{
    (void)row;
    ++*(unsigned *)context;
    return 0;
}

static void copy_file(const char *from, const char *to)
{
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    assert_int_equal(file_read(from, 1 << 24, &bytes, &size, NULL), 0);
    assert_int_equal(file_replace(to, bytes, size, 0600, NULL), 0);
}

static void a_backup_is_not_mixed_with_what_it_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct journal *reader = NULL;
    unsigned count = 0;
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    AUTO(free_text) char *wal = mem_format("%s-wal", path);
    AUTO(free_text) char *old = mem_format("%s-wal.old", path);
    AUTO(free_text) char *backup = mem_format("%s/backup.db", fixture->folder);
    AUTO(free_text) char *kept = mem_format("%s/kept-wal", fixture->folder);
    append(fixture, 1);
    assert_int_equal(journal_open_to_read(fixture->folder, &reader, &err), 0);
    assert_int_equal(journal_copy(reader, backup, &err), 0);
    journal_close(&reader);
    append(fixture, 2);
    copy_file(wal, kept); /* as kill -9 leaves it */
    assert_false(leftover_is_there(path));
    fixture_close(fixture);
    copy_file(backup, path);
    copy_file(kept, wal);
    assert_true(leftover_is_there(path));
    assert_int_equal(journal_open_to_read(fixture->folder, &reader, &err), -ERROR_IO);
    assert_non_null(strstr(err.message, wal));
    fixture_open(fixture);
    assert_int_equal(journal_read(fixture->journal, 1, 0, 0, count_row, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(access(old, F_OK), 0);
    append(fixture, 2);
    assert_false(leftover_is_there(path));
    assert_int_equal(journal_verify(fixture->journal, 1, &err), 0);
}

/* SQLite removes a log beside an empty database. Who removed the journal by mistake may put it back, and then needs its log. */
static void the_log_of_a_journal_that_is_gone_is_kept(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    AUTO(free_text) char *wal = mem_format("%s-wal", path);
    AUTO(free_text) char *old = mem_format("%s-wal.old", path);
    AUTO(free_text) char *kept = mem_format("%s/kept-wal", fixture->folder);
    struct stat before, after;
    append(fixture, 1);
    copy_file(wal, kept); /* as kill -9 leaves it */
    fixture_close(fixture);
    assert_int_equal(unlink(path), 0);
    copy_file(kept, wal);
    fixture_open(fixture);
    assert_int_equal(stat(kept, &before), 0);
    assert_int_equal(stat(old, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    append(fixture, 1);
}

/* As another process sees it: SQLite's lock for who reads (the 510 bytes behind its pending byte and its reserved one). */
static bool is_locked(const char *path)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
        int fd = open(path, O_RDWR | O_CLOEXEC);
        _exit(fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* Closing any descriptor of a file drops the process's locks on it. Without them, who looks into the journal with the sqlite3 shell takes
   himself for the last one, and removes the log that the server goes on writing to. */
static void a_server_keeps_its_lock_where_the_log_is_not_empty(void **state)
{
    const struct fixture *fixture = *state;
    struct error err = {0};
    sqlite3 *writer = NULL, *reader = NULL;
    AUTO(free_text) char *path = mem_format("%s/other.db", fixture->folder);
    assert_int_equal(database_open_writer(path, &writer, &err), 0);
    assert_int_equal(sqlite3_exec(writer, "CREATE TABLE t (a); INSERT INTO t VALUES (1)", NULL, NULL, NULL), SQLITE_OK);
    assert_true(is_locked(path));
    assert_int_equal(database_open_reader(path, &reader, &err), 0);
    assert_true(is_locked(path));
    sqlite3_close_v2(reader);
    sqlite3_close_v2(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_log_of_a_journal_that_is_gone_is_kept, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(a_server_keeps_its_lock_where_the_log_is_not_empty, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(a_backup_is_not_mixed_with_what_it_replaced, fixture_begin, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

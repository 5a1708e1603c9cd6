/* test_leftover.c: the write-ahead log of a journal that a backup has replaced is not applied to the backup. */
#include "fixture.h"

#include "store/inspect.h"
#include "store/leftover.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_is_not_mixed_with_what_it_replaced, fixture_begin, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

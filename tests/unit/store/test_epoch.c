/* test_epoch.c: a server that was replaced writes nothing any more, and asks nothing; the one that replaced it goes on with all that was
   answered. The lock's file is removed, so that both have it. */
#include "fixture.h"

#include "base/clock.h"

#include <sqlite3.h>

/* A second server of the same folder, on the same loop; its `failed` is counted apart. */
struct second {
    struct journal *journal;
    int failures;
};

static void second_failed(void *context, const struct error *err)
{
    (void)err;
    ((struct second *)context)->failures++;
}

static void open_second(struct fixture *fixture, struct second *second)
{
    struct error err = {0};
    AUTO(free_text) char *lock = mem_format("%s/lock", fixture->folder);
    assert_int_equal(unlink(lock), 0);
    const struct journal_options options = {.folder = fixture->folder, .redo_delay_ms = 1, .failed = second_failed, .context = second};
    if (journal_open(&fixture->loop, &options, &second->journal, &err)) fail_msg("%s (%s)", err.message, err.hint);
}

static void close_second(struct fixture *fixture, struct second *second)
{
    journal_close(&second->journal);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(second->failures, 0);
}

static void append_by(struct fixture *fixture, struct journal *journal, uint64_t seq)
{
    struct journal_event event = {.run = 1, .seq = seq, .time_ms = 7, .type = "step_progress", .step = 3, .durable = true};
    journal_append(journal, &(struct journal_batch){.events = &event, .event_count = 1}, fixture_committed, note_new(fixture, seq));
    fixture_settle(fixture);
}

static int count_row(void *context, const struct journal_row *row)
{
    (void)row;
    ++*(unsigned *)context;
    return 0;
}

static unsigned count_events(struct journal *journal)
{
    unsigned count = 0;
    struct error err = {0};
    if (journal_read(journal, 1, 0, 0, count_row, &count, &err) < 0) fail_msg("%s", err.message);
    return count;
}

static void each_start_has_a_higher_epoch(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = journal_epoch(fixture->journal)->number;
    AUTO(free_text) char *engine = mem_copy_text(journal_epoch(fixture->journal)->engine);
    assert_true(first >= (uint64_t)clock_now_ms() - 60 * 1000); /* also where the journal before was lost, and a backup is older */
    assert_int_equal(strlen(engine), 32);
    fixture_reopen(fixture);
    assert_true(journal_epoch(fixture->journal)->number > first);
    assert_string_equal(journal_epoch(fixture->journal)->engine, engine);
}

/* The clock may be put back between two starts. */
static void it_is_higher_where_the_clock_is_behind(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    sqlite3 *database = NULL;
    fixture_close(fixture);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "UPDATE server SET epoch = 9000000000000", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    fixture_open(fixture);
    assert_int_equal(journal_epoch(fixture->journal)->number, 9000000000001);
}

static void one_that_was_replaced_records_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct second second = {0};
    AUTO(free_text) char *named = mem_format("another server (pid %d on ", (int)getpid());
    append_by(fixture, fixture->journal, 1);
    open_second(fixture, &second);
    append_by(fixture, fixture->journal, 2);
    assert_int_equal(fixture->answered, 1); /* the first; nobody is told that the second counts */
    assert_int_equal(fixture->failures, 1);
    assert_int_equal(fixture->failure.code, ERROR_STALE);
    assert_memory_equal(fixture->failure.message, named, strlen(named));
    assert_non_null(strstr(fixture->failure.message, fixture->folder));
    assert_true(fixture->failure.hint[0]);
    assert_int_equal(count_events(second.journal), 1);
    append_by(fixture, second.journal, 2); /* and it holds no lock that the other waits for */
    assert_int_equal(fixture->answered, 2);
    assert_int_equal(journal_verify(second.journal, 1, NULL), 0);
    close_second(fixture, &second);
}

/* Somebody unpacks a backup over a running server, say: what it wrote and answered from then on would be gone. */
static void one_whose_file_was_taken_away_records_nothing(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    AUTO(free_text) char *aside = mem_format("%s/aside.db", fixture->folder);
    append_by(fixture, fixture->journal, 1);
    assert_int_equal(rename(path, aside), 0);
    append_by(fixture, fixture->journal, 2);
    assert_int_equal(fixture->answered, 1);
    assert_int_equal(fixture->failures, 1);
    assert_int_equal(fixture->failure.code, ERROR_STALE);
    assert_non_null(strstr(fixture->failure.message, path));
    assert_non_null(strstr(fixture->failure.hint, "start the server again"));
    assert_int_equal(rename(aside, path), 0);
    fixture_reopen(fixture);
    assert_int_equal(count_events(fixture->journal), 1);
}

/* As somebody does who needs room: what was answered is written back through the descriptor that is left, and nothing more is answered. */
static void one_whose_log_was_removed_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *wal = mem_format("%s/journal.db-wal", fixture->folder);
    append_by(fixture, fixture->journal, 1);
    assert_int_equal(unlink(wal), 0);
    append_by(fixture, fixture->journal, 2);
    assert_int_equal(fixture->answered, 1);
    assert_int_equal(fixture->failure.code, ERROR_STALE);
    assert_non_null(strstr(fixture->failure.message, wal));
    fixture_reopen(fixture);
    assert_int_equal(count_events(fixture->journal), 1);
}

static void what_was_queued_is_lost_with_it(void **state)
{
    struct fixture *fixture = *state;
    struct second second = {0};
    open_second(fixture, &second);
    for (uint64_t seq = 1; seq <= 100; seq++)
        append_event(fixture, 1, seq, seq % 10 == 0, NULL);
    fixture_settle(fixture);
    fixture_close(fixture);
    assert_int_equal(fixture->answered, 0);
    assert_int_equal(fixture->failures, 1);
    assert_int_equal(count_events(second.journal), 0);
    close_second(fixture, &second);
}

static void one_that_was_replaced_answers_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct second second = {0};
    struct error err = {0};
    AUTO(free_json) json_t *rows = NULL;
    append_run(fixture, run_row_of(1, NULL, "hello", "ci", "running"));
    fixture_settle(fixture);
    open_second(fixture, &second);
    assert_int_equal(journal_list_runs(fixture->journal, &(struct run_query){0}, &rows, &err), -ERROR_STALE);
    assert_null(rows);
    append_by(fixture, fixture->journal, 1);
    assert_int_equal(fixture->answered, 0);
    assert_int_equal(fixture->failures, 1);
    close_second(fixture, &second);
}

static void one_that_is_still_in_charge_is_not_stopped(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(journal_check_ours(fixture->journal, NULL), 0);
    append_by(fixture, fixture->journal, 1);
    assert_int_equal(journal_check_ours(fixture->journal, NULL), 0);
    assert_int_equal(fixture->failures, 0);
}

/* By a supervisor or a keeper, that is: the journal that they heard of is another copy of ours. */
static void one_that_is_told_of_a_later_one_stops(void **state)
{
    struct fixture *fixture = *state;
    journal_replaced(fixture->journal, "the supervisor of run 3");
    append_by(fixture, fixture->journal, 1);
    assert_int_equal(fixture->answered, 0);
    assert_int_equal(fixture->failures, 1);
    assert_int_equal(fixture->failure.code, ERROR_STALE);
    assert_non_null(strstr(fixture->failure.message, "the supervisor of run 3"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(each_start_has_a_higher_epoch),
        TEST(it_is_higher_where_the_clock_is_behind),
        TEST(one_that_was_replaced_records_nothing),
        TEST(one_whose_file_was_taken_away_records_nothing),
        TEST(one_whose_log_was_removed_loses_nothing),
        TEST(what_was_queued_is_lost_with_it),
        TEST(one_that_was_replaced_answers_nothing),
        TEST(one_that_is_still_in_charge_is_not_stopped),
        TEST(one_that_is_told_of_a_later_one_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

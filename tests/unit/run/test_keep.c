/* test_keep.c: old runs are forgotten, rows, events, plan and folder; never one that is open, the newest one, or one that an open run goes
   on from; what a crash left half done is done. */
#include "tests/unit/run/submitting.h"

#include "run/check.h"
#include "store/inspect.h"

#include <sqlite3.h>
#include <time.h>

static void run_to_its_end(struct fixture *fixture, const char *word)
{
    AUTO(free_text) char *stages = mem_format("  - stage: a\n    checkout: none\n    steps: [{ run: echo %s }]\n", word);
    submit(fixture, stages);
    wait_for_end(fixture);
}

static void wait_for_ada(struct fixture *fixture)
{
    submit(fixture, "  - stage: a\n    approve: { by: [ada] }\n");
}

static void plant(const struct fixture *fixture, const char *sql)
{
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->home.folder);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static int64_t ask(const struct fixture *fixture, const char *sql)
{
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->home.folder);
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

static bool has_folder(const struct fixture *fixture, unsigned run)
{
    AUTO(free_text) char *path = mem_format("%s/runs/%u", fixture->home.folder, run);
    return file_exists(path);
}

static void close_home(struct fixture *fixture)
{
    uv_unref((uv_handle_t *)&fixture->alive);
    if (fixture->home.engine) home_close(&fixture->home);
    uv_ref((uv_handle_t *)&fixture->alive);
}

/* Opens it with this to keep, and lets it forget until so many runs are left; -1: for a while. */
static void keep_for(struct fixture *fixture, int64_t keep_ms, int64_t until_runs)
{
    static const struct timespec moment = {.tv_nsec = 2 * 1000 * 1000};
    close_home(fixture);
    fixture->home.keep_ms = keep_ms;
    home_open(&fixture->home);
    for (int i = 0; i < 2000; i++) {
        uv_run(&fixture->home.loop, UV_RUN_NOWAIT);
        nanosleep(&moment, NULL);
        if (until_runs < 0 && i > 50) return;
        if (ask(fixture, "SELECT (SELECT count(DISTINCT run) FROM events) + (SELECT count(*) FROM forgotten)") == until_runs) return;
    }
    fail_msg("there are still %lld runs", (long long)ask(fixture, "SELECT count(DISTINCT run) FROM events"));
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

static void old_runs_go_with_all_that_they_had(void **state)
{
    struct fixture *fixture = *state;
    run_to_its_end(fixture, "one");
    run_to_its_end(fixture, "two");
    run_to_its_end(fixture, "two"); /* the same plan as the one before */
    plant(fixture, "UPDATE runs SET accepted_ms = 1000, ended_ms = 2000 WHERE run < 3");
    keep_for(fixture, 3600 * 1000, 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM runs"), 1);
    assert_int_equal(ask(fixture, "SELECT count(DISTINCT run) FROM steps"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM shims"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM blobs"), 1);
    assert_false(has_folder(fixture, 1));
    assert_false(has_folder(fixture, 2));
    assert_true(has_folder(fixture, 3));
    expect_sound(fixture);
    run_to_its_end(fixture, "two");
    assert_int_equal(fixture->run, 4);
}

static void young_runs_and_all_without_a_limit_stay(void **state)
{
    struct fixture *fixture = *state;
    run_to_its_end(fixture, "one");
    run_to_its_end(fixture, "two");
    keep_for(fixture, 3600 * 1000, -1);
    plant(fixture, "UPDATE runs SET accepted_ms = 1000, ended_ms = 2000");
    keep_for(fixture, 0, -1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM runs"), 2);
    assert_true(has_folder(fixture, 1));
}

/* Else its number would come again, and with it the keys of its effects. */
static void the_newest_run_stays(void **state)
{
    struct fixture *fixture = *state;
    run_to_its_end(fixture, "one");
    plant(fixture, "UPDATE runs SET accepted_ms = 1000, ended_ms = 2000");
    keep_for(fixture, 1, -1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM runs"), 1);
}

static void an_open_run_stays_and_those_behind_it_go(void **state)
{
    struct fixture *fixture = *state;
    wait_for_ada(fixture);
    run_to_its_end(fixture, "two");
    run_to_its_end(fixture, "three");
    plant(fixture, "UPDATE runs SET accepted_ms = 1000, ended_ms = 2000 * (run > 1) WHERE run < 3");
    keep_for(fixture, 3600 * 1000, 2);
    assert_int_equal(ask(fixture, "SELECT min(run) FROM runs"), 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM runs WHERE run = 2"), 0);
}

static void what_a_crash_left_half_done_is_done(void **state)
{
    struct fixture *fixture = *state;
    run_to_its_end(fixture, "one");
    run_to_its_end(fixture, "two");
    close_home(fixture);
    plant(fixture, "INSERT INTO forgotten VALUES (1); DELETE FROM runs WHERE run = 1; DELETE FROM shims WHERE run = 1; DELETE FROM events "
                   "WHERE run = 1 AND seq > 3");
    expect_sound(fixture); /* it is known to be on its way */
    keep_for(fixture, 0, 1);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM forgotten"), 0);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM steps WHERE run = 1"), 0);
    assert_false(has_folder(fixture, 1));
    expect_sound(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(old_runs_go_with_all_that_they_had, begin, end),
        cmocka_unit_test_setup_teardown(young_runs_and_all_without_a_limit_stay, begin, end),
        cmocka_unit_test_setup_teardown(the_newest_run_stays, begin, end),
        cmocka_unit_test_setup_teardown(an_open_run_stays_and_those_behind_it_go, begin, end),
        cmocka_unit_test_setup_teardown(what_a_crash_left_half_done_is_done, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_migrate.c: every older database that was ever released opens, and keeps what it holds. */
#include "fixture.h"

#include "store/migrate.h"

#include <sqlite3.h>

/* Makes the folder's journal.db from a committed dump: journal-N.sql is what version N of the format looked like. */
static void restore(struct fixture *fixture, int version)
{
    AUTO(free_text) char *dump = mem_format("tests/unit/store/journal-%d.sql", version);
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    AUTO(free_text) char *sql = NULL;
    struct error err = {0};
    if (file_read(dump, 1 << 20, &sql, NULL, &err)) fail_msg("%s (run the tests in the folder of the Makefile)", err.message);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s: %s", dump, sqlite3_errmsg(database));
    sqlite3_close(database);
}

static int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture_prepare(fixture);
    *state = fixture;
    return 0;
}

/* The same content is in every dump, so that one check holds for all. */
static void check_content(struct fixture *fixture)
{
    struct error err = {0};
    AUTO(free_json) json_t *run = NULL;
    AUTO(free_json) json_t *steps = NULL;
    AUTO(free_json) json_t *approvals = NULL;
    if (journal_verify(fixture->journal, 1, &err) || journal_verify(fixture->journal, 2, &err)) fail_msg("%s", err.message);
    assert_int_equal(journal_find_trigger(fixture->journal, "push:hello:refs/heads/main:0:1"), 1);
    assert_int_equal(journal_get_run(fixture->journal, 1, &run, &err), 0);
    assert_string_equal(json_text(run, "state", ""), "succeeded");
    assert_string_equal(json_text(run, "repository", ""), "hello");
    assert_int_equal(journal_list_steps(fixture->journal, 1, &steps, &err), 0);
    assert_int_equal(json_array_size(steps), 2);
    assert_int_equal(journal_list_approvals(fixture->journal, &approvals, &err), 0);
    assert_int_equal(json_array_size(approvals), 1);
    assert_int_equal(journal_shim_sequence(fixture->journal, 1), 4);
    assert_int_equal(journal_next_run(fixture->journal), 3);
    append_event(fixture, 2, 3, true, "{}"); /* and the chain goes on */
    fixture_settle(fixture);
    assert_int_equal(fixture->answered, 1);
    assert_int_equal(journal_verify(fixture->journal, 2, &err), 0);
}

static void check_documents(struct fixture *fixture)
{
    AUTO(free_text) char *body = NULL;
    AUTO(free_text) char *id = NULL;
    assert_int_equal(journal_get_document(fixture->journal, "serviceOrder", "17", &body, NULL, NULL), 0);
    assert_string_equal(body, "{\"id\":\"17\",\"note\":\"caf\xc3\xa9\"}");
    assert_int_equal(journal_find_document(fixture->journal, "serviceOrder", "lena/order-1", &id, NULL), 0);
    assert_string_equal(id, "17");
}

/* Each start raises it, a name that is there stays. */
static void check_epoch(struct fixture *fixture, int version)
{
    const struct epoch *epoch = journal_epoch(fixture->journal);
    assert_true(epoch->number > 1700000000000);
    assert_int_equal(strlen(epoch->engine), ENGINE_ID_SIZE - 1);
    if (version >= 5) assert_string_equal(epoch->engine, "0123456789abcdef0123456789abcdef");
}

/* What ended before there were marks has one. */
static void check_marks(struct fixture *fixture)
{
    uint64_t run = 0;
    assert_int_equal(journal_next_marked_log(fixture->journal, 0, &run, NULL), 0);
    assert_int_equal(run, 1);
    assert_int_equal(journal_next_marked_log(fixture->journal, 1, &run, NULL), 0);
    assert_int_equal(run, 0);
}

static void every_released_version_opens(void **state)
{
    (void)state;
    for (int version = 1; version <= (int)journal_migration_count; version++) {
        void *own;
        begin(&own);
        struct fixture *fixture = own;
        restore(fixture, version);
        fixture_open(fixture);
        check_content(fixture);
        if (version >= 3) check_documents(fixture);
        check_epoch(fixture, version);
        check_marks(fixture);
        assert_int_equal(fixture_end(&own), 0);
    }
}

/* A migration that makes another schema than a new journal has would go unseen by the queries' tests. */
static void old_and_new_have_the_same_schema(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *path = mem_format("%s/new.db", fixture->folder);
    AUTO(free_text) char *old = mem_format("%s/journal.db", fixture->folder);
    AUTO(free_text) char *attach = mem_format("ATTACH '%s' AS old", old);
    restore(fixture, 1);
    fixture_open(fixture);
    fixture_close(fixture);
    sqlite3 *database = NULL;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(migrate(database, journal_migrations, journal_migration_count, NULL), 0);
    assert_int_equal(sqlite3_exec(database, attach, NULL, NULL, NULL), SQLITE_OK);
    const char *sql = "SELECT sql FROM main.sqlite_schema EXCEPT SELECT sql FROM old.sqlite_schema";
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW) fail_msg("only in a new journal: %s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(database);
}

static int user_version(sqlite3 *database)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(database, "PRAGMA user_version", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

static void migrations_run_once_and_in_order(void **state)
{
    (void)state;
    static const char *const steps[] = {
        "CREATE TABLE a (x);", "ALTER TABLE a ADD COLUMN y; INSERT INTO a VALUES (1, 2);", "UPDATE a SET y = y + 1;"};
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    assert_int_equal(migrate(database, steps, 2, NULL), 0);
    assert_int_equal(user_version(database), 2);
    assert_int_equal(migrate(database, steps, 3, NULL), 0);
    assert_int_equal(migrate(database, steps, 3, NULL), 0);
    assert_int_equal(user_version(database), 3);
    const char *check = "CREATE TABLE ok (x CHECK (x = 3)); INSERT INTO ok SELECT y FROM a";
    assert_int_equal(sqlite3_exec(database, check, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void a_failed_migration_leaves_the_version_before_it(void **state)
{
    (void)state;
    static const char *const steps[] = {
        "CREATE TABLE a (x);", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);", "CREATE TABLE c (x);"};
    sqlite3 *database = NULL;
    struct error err = {0};
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    assert_true(migrate(database, steps, 3, &err) < 0);
    assert_non_null(strstr(err.message, "to version 2"));
    assert_int_equal(user_version(database), 1);
    assert_int_equal(sqlite3_exec(database, "CREATE TABLE b (x)", NULL, NULL, NULL), SQLITE_OK); /* it is not there */
    sqlite3_close(database);
}

static void make_database(struct fixture *fixture, const char *sql)
{
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static int try_open(struct fixture *fixture, struct error *err)
{
    return journal_open(&fixture->loop, &(struct journal_options){.folder = fixture->folder}, &fixture->journal, err);
}

static void a_newer_version_is_refused_with_a_hint(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    restore(fixture, 1);
    make_database(fixture, "PRAGMA user_version = 99");
    assert_int_equal(try_open(fixture, &err), -ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "has format 99"));
    assert_non_null(strstr(err.hint, "newer crescendo"));
    make_database(fixture, "PRAGMA user_version = 1");
    fixture_open(fixture); /* untouched: it opens with the right program */
    check_content(fixture);
}

static void a_foreign_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    make_database(fixture, "CREATE TABLE bookmarks (x)");
    assert_int_equal(try_open(fixture, &err), -ERROR_INVALID);
    assert_non_null(strstr(err.message, "another program"));
}

static void what_is_no_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    AUTO(free_text) char *rubbish = mem_alloc(8192);
    memset(rubbish, '#', 8192);
    assert_int_equal(file_replace(path, rubbish, 8192, 0600, NULL), 0);
    assert_int_equal(try_open(fixture, &err), -ERROR_IO); /* no mistake of the command line */
    assert_non_null(strstr(err.hint, "damaged"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fixture_end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_released_version_opens),
        TEST(old_and_new_have_the_same_schema),
        cmocka_unit_test(migrations_run_once_and_in_order),
        cmocka_unit_test(a_failed_migration_leaves_the_version_before_it),
        TEST(a_newer_version_is_refused_with_a_hint),
        TEST(a_foreign_database_is_refused),
        TEST(what_is_no_database_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

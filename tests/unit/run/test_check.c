/* test_check.c: `crescendo fsck`: a real run's data are as they should be, and each planted fault is found, at its place. */
#include "tests/unit/run/engine_home.h"

#include "run/check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct engine_home home;
    bool answered;
    char file[64], table[16];
    struct text what; /* of all findings, a line each */
    size_t count;
};

static void on_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    struct fixture *fixture = context;
    fixture->answered = true;
    assert_null(err);
    assert_int_equal(accepted->run, 1);
}

/* A run with a step that went well and one that did not, at rest, its server gone. */
static int begin(void **state)
{
    static const char text[] = "stages:\n  - stage: a\n    checkout: none\n    sandbox: none\n    steps: [{ run: echo one }, { run: 'echo "
                               "two; exit 3' }]\n";
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    struct source source = {"crescendo.yaml", text, sizeof text - 1};
    *state = fixture;
    if (home_begin(&fixture->home)) return -1;
    engine_submit(
        fixture->home.engine, &(struct submission){.trigger = "manual", .author = "ada", .files = {&source, 1}}, on_accepted, fixture);
    while (!fixture->answered || !home_run_is_over(&fixture->home, 1) || !engine_is_idle(fixture->home.engine))
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    home_close(&fixture->home);
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    int failed = home_end(&fixture->home);
    text_release(&fixture->what);
    free(fixture);
    return failed;
}

static void plant(const struct fixture *fixture, const char *sql)
{
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->home.folder);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_true(sqlite3_total_changes(database) > 0);
    sqlite3_close(database);
}

static void on_finding(void *context, const struct finding *finding)
{
    struct fixture *fixture = context;
    assert_true(finding->remedy[0]);
    if (!fixture->count++) {
        snprintf(fixture->file, sizeof fixture->file, "%s", finding->file);
        snprintf(fixture->table, sizeof fixture->table, "%s", finding->table ? finding->table : "");
    }
    text_add_format(&fixture->what, "%s\n", finding->what);
}

static struct check check(struct fixture *fixture)
{
    struct check check = {.folder = fixture->home.folder, .prefix = "", .found = on_finding, .context = fixture};
    struct error err = {0};
    if (check_journal(&check, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(check.findings, fixture->count);
    return check;
}

static void expect(struct fixture *fixture, const char *file, const char *table, const char *what)
{
    check(fixture);
    if (!fixture->count) fail_msg("nothing was found");
    assert_string_equal(fixture->file, file);
    assert_string_equal(fixture->table, table);
    if (!strstr(text_view(&fixture->what), what)) fail_msg("'%s' is not among:\n%s", what, text_view(&fixture->what));
}

static void what_was_not_touched_is_as_it_should_be(void **state)
{
    struct fixture *fixture = *state;
    struct check seen = check(fixture);
    if (fixture->count) fail_msg("%s", text_view(&fixture->what));
    assert_int_equal(seen.runs, 1);
    assert_int_equal(seen.blobs, 1);
    assert_int_equal(seen.logs, 1);
    assert_true(seen.events > 5);
}

static void a_changed_row_of_the_run_is_found(void **state)
{
    plant((*(struct fixture **)state), "UPDATE runs SET state = 'succeeded'");
    expect(*state, "journal.db", "runs", "state is 'succeeded' where the events say 'failed'");
    assert_int_equal((*(struct fixture **)state)->count, 1);
}

static void a_changed_row_of_a_step_is_found(void **state)
{
    plant(*state, "UPDATE steps SET exit_code = 4 WHERE step = 1");
    expect(*state, "journal.db", "steps", "exit_code is '4' where the events say '3'");
}

static void a_removed_row_is_found(void **state)
{
    plant(*state, "DELETE FROM steps WHERE step = 0");
    expect(*state, "journal.db", "steps", "step 0 has events, but no row");
}

static void a_row_without_events_is_found(void **state)
{
    plant(*state, "INSERT INTO shims (run, sequence) VALUES (7, 3)");
    expect(*state, "journal.db", "shims", "the run has no events");
}

static void a_changed_event_is_found(void **state)
{
    plant(*state, "UPDATE events SET data = replace(data, '3', '0') WHERE type = 'step_failed'");
    expect(*state, "journal.db", "events", "(step_failed) of run 1 does not fit its hash chain");
}

static void a_removed_event_is_found(void **state)
{
    plant(*state, "DELETE FROM events WHERE seq = 4");
    expect(*state, "journal.db", "events", "event 4 of run 1 is missing");
}

/* No chain says how long it was; the rows do. */
static void a_removed_last_event_is_found(void **state)
{
    plant(*state, "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)");
    expect(*state, "journal.db", "runs", "state is 'failed' where the events say 'running'");
}

static void an_event_that_does_not_follow_is_found(void **state)
{
    plant(*state, "UPDATE events SET type = 'step_woken' WHERE type = 'step_failed'");
    expect(*state, "journal.db", "events", "step_woken");
}

static void an_event_of_another_version_is_found(void **state)
{
    plant(*state, "UPDATE events SET type = 'step_pondered' WHERE type = 'step_failed'");
    expect(*state, "journal.db", "events", "this version does not know it");
}

static void a_missing_plan_is_found(void **state)
{
    plant(*state, "DELETE FROM blobs");
    expect(*state, "journal.db", "blobs", "the plan: there is no blob");
}

static void a_changed_plan_is_found(void **state)
{
    plant(*state, "UPDATE blobs SET bytes = replace(bytes, 'echo one', 'echo six')");
    expect(*state, "journal.db", "blobs", "is damaged");
}

static void cut_log(struct fixture *fixture, long less)
{
    AUTO(free_text) char *path = mem_format("%s/runs/1/log", fixture->home.folder);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size - less), 0);
}

static void a_torn_log_is_found(void **state)
{
    cut_log(*state, 2);
    expect(*state, "runs/1/log", "", "the log is torn at byte");
}

/* "two\n" behind its head of 24 bytes. */
static void a_log_that_was_cut_between_records_is_found(void **state)
{
    cut_log(*state, 28);
    expect(*state, "runs/1/log", "", "the log was cut: 4 of the 8 bytes that the steps printed are not in it");
}

static void a_damaged_compressed_log_is_found(void **state)
{
    const struct fixture *fixture = *state;
    AUTO(free_text) char *path = mem_format("%s/runs/1/log", fixture->home.folder);
    AUTO(free_text) char *packed = mem_format("%s.zst", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_replace(packed, "not what it was", 15, 0600, NULL), 0);
    expect(*state, "runs/1/log.zst", "", "is damaged at byte");
}

static void a_missing_log_is_found(void **state)
{
    const struct fixture *fixture = *state;
    AUTO(free_text) char *path = mem_format("%s/runs/1/log", fixture->home.folder);
    assert_int_equal(unlink(path), 0);
    expect(*state, "runs/1/log", "", "the log is missing; the steps printed 8 bytes");
}

static void a_damaged_file_is_found(void **state)
{
    const struct fixture *fixture = *state;
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->home.folder);
    plant(*state, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '(run, seq)', '(run, time_ms)')"
                  " WHERE name = 'events_by_run'");
    struct check seen = {.folder = fixture->home.folder, .prefix = "", .found = on_finding, .context = *state};
    struct error err = {0};
    int code = check_journal(&seen, &err); /* a schema that does not fit may keep it from the rest */
    assert_true(code < 0 || fixture->count > 0);
}

static void a_document_that_is_none_is_found(void **state)
{
    plant(*state, "INSERT INTO documents VALUES (1, 'serviceSpecification', 'a', NULL, '{\"id\":\"a\"}'),"
                  " (2, 'serviceSpecification', 'b', NULL, '{\"id\":\"')");
    expect(*state, "journal.db", "documents", "serviceSpecification b");
}

static void a_document_of_another_id_is_found(void **state)
{
    plant(*state, "INSERT INTO documents VALUES (1, 'serviceSpecification', 'a', NULL, '{\"id\":\"c\"}')");
    expect(*state, "journal.db", "documents", "serviceSpecification a: its body is of another document");
}

static void spoil(const struct fixture *fixture, off_t at, size_t size)
{
    static const char rubbish[64] = "rubbish";
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->home.folder);
    AUTO(free_text) char *wal = mem_format("%s-wal", path);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, rubbish, size, at), (ssize_t)size);
    if (!size) assert_int_equal(ftruncate(fd, at), 0);
    unlink(wal);
}

static void what_is_no_database_is_found(void **state)
{
    spoil(*state, 0, 64);
    expect(*state, "journal.db", "", "not a database");
}

static void an_empty_file_is_found(void **state)
{
    spoil(*state, 0, 0);
    expect(*state, "journal.db", "", "is empty: it holds no journal");
}

static void no_journal_is_no_finding(void **state)
{
    const struct fixture *fixture = *state;
    AUTO(free_text) char *folder = mem_format("%s/nothing", fixture->home.folder);
    struct check seen = {.folder = folder, .prefix = "", .found = on_finding, .context = *state};
    struct error err = {0};
    assert_int_equal(check_journal(&seen, &err), -ERROR_NOT_FOUND);
    assert_true(err.hint[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_not_touched_is_as_it_should_be, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_row_of_the_run_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_row_of_a_step_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_removed_row_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_row_without_events_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_event_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_removed_event_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_removed_last_event_is_found, begin, end),
        cmocka_unit_test_setup_teardown(an_event_that_does_not_follow_is_found, begin, end),
        cmocka_unit_test_setup_teardown(an_event_of_another_version_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_missing_plan_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_plan_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_torn_log_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_log_that_was_cut_between_records_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_damaged_compressed_log_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_missing_log_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_document_that_is_none_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_document_of_another_id_is_found, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_found, begin, end),
        cmocka_unit_test_setup_teardown(an_empty_file_is_found, begin, end),
        cmocka_unit_test_setup_teardown(no_journal_is_no_finding, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_failures.c: a disk that is full or breaks under the journal: a clear stop, and no lie. */
#include "fixture.h"

#include "faulty_vfs.h"

enum { APPENDS = 8 };

static int count_row(void *context, const struct journal_row *row)
{
    (void)row;
    ++*(size_t *)context;
    return 0;
}

/* What a restart finds; its chain must hold. */
static size_t count_after_restart(struct fixture *fixture)
{
    size_t count = 0;
    struct error err = {0};
    fixture_close(fixture);
    faults_clear();
    fixture_open(fixture);
    assert_int_equal(journal_read(fixture->journal, 1, 0, 0, count_row, &count, &err), 0);
    if (journal_verify(fixture->journal, 1, &err)) fail_msg("%s", err.message);
    return count;
}

/* Appends one at a time until one fails; then two more that must not be answered either. Returns how many were answered. */
static size_t append_until_failure(struct fixture *fixture)
{
    uint64_t seq = 0;
    while (!fixture->failures && seq < APPENDS) {
        seq++;
        append_event(fixture, 1, seq, seq % 2, "{\"message\":\"some text\"}");
        fixture_settle(fixture);
    }
    size_t answered = fixture->answered;
    if (!fixture->failures) return answered;
    faults_clear(); /* though the disk is well again: who was told of a stop must be able to rely on it */
    append_event(fixture, 1, seq + 1, true, NULL);
    append_event(fixture, 1, answered + 1, true, NULL);
    fixture_settle(fixture);
    assert_int_equal(fixture->answered, answered);
    assert_int_equal(fixture->failures, 1);
    return answered;
}

static void expect_prefix(int result, bool torn, bool once, enum error_code code)
{
    bool went_well = false;
    for (int writes = 0; !went_well; writes++) {
        void *state;
        fixture_begin(&state);
        struct fixture *fixture = state;
        faults.result = result;
        faults.torn = torn;
        faults.once = once;
        faults.writes_left = writes;
        size_t answered = append_until_failure(fixture);
        went_well = !fixture->failures;
        if (!went_well) assert_int_equal(fixture->failure.code, code);
        if (went_well) assert_int_equal(answered, APPENDS);
        assert_int_equal(count_after_restart(fixture), answered);
        assert_int_equal(fixture_end(&state), 0);
        assert_true(writes < 1000);
        if (writes == 0) assert_false(went_well);
    }
}

static void a_full_disk_keeps_exactly_what_was_answered(void **state)
{
    (void)state;
    expect_prefix(SQLITE_FULL, false, false, ERROR_NO_SPACE);
    expect_prefix(SQLITE_FULL, true, false, ERROR_NO_SPACE);
}

static void a_failing_write_keeps_exactly_what_was_answered(void **state)
{
    (void)state;
    expect_prefix(SQLITE_IOERR_WRITE, true, true, ERROR_IO);
}

static void a_full_disk_says_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    faults.writes_left = 0;
    append_event(fixture, 1, 1, true, NULL);
    fixture_settle(fixture);
    assert_int_equal(fixture->failures, 1);
    assert_non_null(strstr(fixture->failure.message, fixture->folder));
    assert_non_null(strstr(fixture->failure.message, "full"));
    assert_non_null(strstr(fixture->failure.hint, "free space"));
}

/* After a failed sync nobody knows what is on the disk: what was answered must be there, what was not may be. */
static void a_failing_sync_loses_nothing_that_was_answered(void **state)
{
    (void)state;
    bool went_well = false;
    for (int syncs = 0; !went_well; syncs++) {
        void *own;
        fixture_begin(&own);
        struct fixture *fixture = own;
        faults.syncs_left = syncs;
        faults.once = syncs % 2;
        size_t answered = append_until_failure(fixture);
        went_well = !fixture->failures;
        if (!went_well) assert_int_equal(fixture->failure.code, ERROR_IO);
        size_t found = count_after_restart(fixture);
        assert_in_range(found, answered, answered + 1);
        append_event(fixture, 1, found + 1, true, NULL); /* and it goes on */
        fixture_settle(fixture);
        assert_int_equal(fixture->answered, answered + 1);
        assert_int_equal(fixture_end(&own), 0);
        if (syncs == 0) assert_false(went_well);
    }
}

static void what_is_queued_behind_a_failure_is_never_answered(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= 3000; seq++)
        append_event(fixture, 1, seq, false, "{}"); /* more than one transaction */
    faults.writes_left = 120;
    fixture_settle(fixture);
    assert_int_equal(fixture->failures, 1);
    assert_in_range(fixture->answered, 0, 2999);
    for (size_t i = 0; i < fixture->answered; i++)
        assert_int_equal(fixture->order[i], i + 1);
    assert_int_equal(count_after_restart(fixture), fixture->answered);
}

/* The WAL is written back when it is large; what fails there was answered before, and is still in the WAL. */
static void a_failure_while_writing_back_stops_and_keeps_all(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *large = mem_alloc(64 * 1024);
    memset(large, 'x', 64 * 1024 - 1);
    faults.main_only = true;
    faults.writes_left = 20;
    uint64_t seq = 0;
    while (!fixture->failures && seq < 400) {
        append_event(fixture, 1, ++seq, true, large);
        fixture_settle(fixture);
        uv_run(&fixture->loop, UV_RUN_NOWAIT); /* the failure comes after the answer */
    }
    assert_int_equal(fixture->failures, 1);
    assert_int_equal(count_after_restart(fixture), fixture->answered);
}

static void put_version(struct fixture *fixture, unsigned version)
{
    AUTO(free_text) char *body = mem_format("{\"version\":%u}", version);
    struct document document = {.collection = "service", .id = "1", .key = "k", .body = body, .size = strlen(body)};
    append_documents(fixture, &document, 1);
}

static void check_version(struct fixture *fixture, unsigned version)
{
    AUTO(free_text) char *expected = mem_format("{\"version\":%u}", version);
    AUTO(free_text) char *body = NULL;
    int failed = journal_get_document(fixture->journal, "service", "1", &body, NULL, NULL);
    assert_int_equal(failed, version ? 0 : -ERROR_NOT_FOUND);
    if (version) assert_string_equal(body, expected);
}

/* Each version is whole or not there, and what was answered is. */
static void a_failing_write_keeps_the_last_version_that_was_answered(void **state)
{
    (void)state;
    bool went_well = false;
    for (int writes = 0; !went_well; writes++) {
        void *own;
        fixture_begin(&own);
        struct fixture *fixture = own;
        faults.result = SQLITE_FULL;
        faults.torn = writes % 2;
        faults.writes_left = writes;
        for (unsigned version = 1; version <= APPENDS && !fixture->failures; version++) {
            put_version(fixture, version);
            fixture_settle(fixture);
        }
        went_well = !fixture->failures;
        unsigned answered = (unsigned)fixture->answered;
        fixture_close(fixture);
        faults_clear();
        fixture_open(fixture);
        check_version(fixture, answered);
        assert_int_equal(fixture_end(&own), 0);
        if (writes == 0) assert_false(went_well);
    }
}

static void opening_on_a_full_disk_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    faults.writes_left = 2;
    struct journal_options options = {.folder = fixture->folder};
    assert_int_equal(journal_open(&fixture->loop, &options, &fixture->journal, &err), -ERROR_NO_SPACE);
    assert_null(fixture->journal);
    faults_clear();
    fixture_open(fixture); /* and what it left is no hindrance */
    append_event(fixture, 1, 1, true, NULL);
    fixture_settle(fixture);
    assert_int_equal(fixture->answered, 1);
}

static int begin(void **state)
{
    faults_clear();
    return fixture_begin(state);
}

static int begin_without_journal(void **state)
{
    faults_clear();
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture_prepare(fixture);
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    faults_clear();
    return fixture_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_keeps_exactly_what_was_answered),
        cmocka_unit_test(a_failing_write_keeps_exactly_what_was_answered),
        cmocka_unit_test(a_failing_write_keeps_the_last_version_that_was_answered),
        cmocka_unit_test(a_failing_sync_loses_nothing_that_was_answered),
        cmocka_unit_test_setup_teardown(a_full_disk_says_what_to_do, begin, end),
        cmocka_unit_test_setup_teardown(what_is_queued_behind_a_failure_is_never_answered, begin, end),
        cmocka_unit_test_setup_teardown(a_failure_while_writing_back_stops_and_keeps_all, begin, end),
        cmocka_unit_test_setup_teardown(opening_on_a_full_disk_is_an_error, begin_without_journal, end),
    };
    faulty_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_query.c: what the journal answers, and that each answer comes from an index. */
#include "fixture.h"

#include "store/journal_private.h"

#include <sqlite3.h>

static const char *const repositories[] = {"hello", "world"}, *const pipelines[] = {"build", "deploy", "nightly"};
static const char *const states[] = {"succeeded", "failed", "running", "queued", "waiting"};

static void fill_runs(struct fixture *fixture)
{
    for (uint64_t run = 1; run <= 60; run++)
        append_run(fixture, run_row_of(run, NULL, repositories[run % 2], pipelines[run % 3], states[run % 5]));
    fixture_settle(fixture);
}

static bool passes(const struct run_query *query, uint64_t run)
{
    return (!query->repository || text_equal(query->repository, repositories[run % 2])) &&
           (!query->pipeline || text_equal(query->pipeline, pipelines[run % 3])) &&
           (!query->state || text_equal(query->state, states[run % 5]));
}

/* Walks all pages and compares them with what the filters should leave. */
static void check_pages(struct fixture *fixture, struct run_query query)
{
    uint64_t expected = 61;
    query.limit = 4;
    for (;;) {
        AUTO(free_json) json_t *rows = NULL;
        assert_int_equal(journal_list_runs(fixture->journal, &query, &rows, NULL), 0);
        for (size_t i = 0; i < json_array_size(rows); i++) {
            do
                expected--;
            while (!passes(&query, expected));
            assert_int_equal(json_whole(json_array_get(rows, i), "run", 0), expected);
        }
        if (json_array_size(rows) < query.limit) break;
        query.before = expected;
    }
    while (--expected > 0)
        assert_false(passes(&query, expected));
}

static void runs_are_listed_newest_first_page_by_page(void **state)
{
    struct fixture *fixture = *state;
    fill_runs(fixture);
    for (unsigned filters = 0; filters < 8; filters++)
        check_pages(fixture, (struct run_query){.repository = filters & 1 ? "hello" : NULL,
                                 .pipeline = filters & 2 ? "deploy" : NULL,
                                 .state = filters & 4 ? "failed" : NULL});
    AUTO(free_json) json_t *rows = NULL;
    assert_int_equal(journal_list_runs(fixture->journal, &(struct run_query){.repository = "' OR 1"}, &rows, NULL), 0);
    assert_int_equal(json_array_size(rows), 0);
}

static void a_run_has_the_members_of_the_api(void **state)
{
    struct fixture *fixture = *state;
    append_run(fixture, (struct run_row){.run = 1,
                            .key = "k",
                            .pipeline = "p",
                            .repository = "r",
                            .ref = "refs/heads/main",
                            .commit_id = "c",
                            .author = "a",
                            .title = "t",
                            .trigger = "push",
                            .state = "failed",
                            .reason = "timeout",
                            .message = "m\xc3\xa9",
                            .plan = "d",
                            .accepted_ms = 1,
                            .started_ms = 2,
                            .ended_ms = 3,
                            .step_count = 4,
                            .steps_done = 3,
                            .steps_failed = 1});
    append_run(fixture, (struct run_row){.run = 2, .state = "queued", .accepted_ms = 9});
    fixture_settle(fixture);
    AUTO(free_json) json_t *full = NULL;
    AUTO(free_json) json_t *bare = NULL;
    assert_int_equal(journal_get_run(fixture->journal, 1, &full, NULL), 0);
    assert_int_equal(journal_get_run(fixture->journal, 2, &bare, NULL), 0);
    AUTO(free_text) char *full_text = json_canonical(full);
    AUTO(free_text) char *bare_text = json_canonical(bare);
    assert_string_equal(full_text,
        "{\"accepted_ms\":1,\"author\":\"a\",\"commit\":\"c\",\"ended_ms\":3,"
        "\"message\":\"m\xc3\xa9\",\"pipeline\":\"p\",\"plan\":\"d\",\"reason\":\"timeout\",\"ref\":\"refs/heads/main\","
        "\"repository\":\"r\",\"run\":1,\"started_ms\":2,\"state\":\"failed\",\"step_count\":4,\"steps_done\":3,"
        "\"steps_failed\":1,\"title\":\"t\",\"trigger\":\"push\"}");
    assert_string_equal(
        bare_text, "{\"accepted_ms\":9,\"run\":2,\"state\":\"queued\",\"step_count\":0,\"steps_done\":0,\"steps_failed\":0}");
    struct error err = {0};
    AUTO(free_json) json_t *none = NULL;
    assert_int_equal(journal_get_run(fixture->journal, 3, &none, &err), -ERROR_NOT_FOUND);
    assert_string_equal(err.message, "there is no run 3");
    assert_non_null(strstr(err.hint, "crescendo runs"));
    assert_int_equal(journal_get_run(fixture->journal, UINT64_MAX, &none, &err), -ERROR_NOT_FOUND);
}

static void a_step_has_the_members_of_the_api(void **state)
{
    struct fixture *fixture = *state;
    append_step(fixture, (struct step_row){.run = 1,
                             .step = 1,
                             .path = "indoor/build/test",
                             .type = "run",
                             .title = "make test",
                             .state = "failed",
                             .reason = "failed",
                             .message = "m",
                             .attempt = 2,
                             .started_ms = 5,
                             .ended_ms = 6,
                             .exit_code = 3,
                             .outputs = "{\"version\":\"1\"}"});
    append_step(
        fixture, (struct step_row){
                     .run = 1, .step = 0, .path = "ask", .type = "approve", .state = "parked", .waiting_for = "approval", .until_ms = 7});
    append_step(fixture, (struct step_row){.run = 2, .step = 0, .path = "a/b", .state = "pending", .outputs = "not json"});
    fixture_settle(fixture);
    AUTO(free_json) json_t *steps = NULL;
    assert_int_equal(journal_list_steps(fixture->journal, 1, &steps, NULL), 0);
    AUTO(free_text) char *text = json_canonical(steps);
    assert_string_equal(text, "[{\"attempt\":0,\"index\":0,\"path\":\"ask\",\"stage\":\"ask\",\"state\":\"parked\","
                              "\"type\":\"approve\",\"until_ms\":7,\"waiting_for\":\"approval\"},"
                              "{\"attempt\":2,\"ended_ms\":6,\"exit_code\":3,\"index\":1,\"message\":\"m\",\"outputs\":{\"version\":\"1\"},"
                              "\"path\":\"indoor/build/test\",\"reason\":\"failed\",\"stage\":\"indoor/build\",\"started_ms\":5,"
                              "\"state\":\"failed\",\"title\":\"make test\",\"type\":\"run\"}]");
}

static void approvals_are_what_is_parked_for_one(void **state)
{
    struct fixture *fixture = *state;
    append_run(fixture, run_row_of(1, NULL, "r", "p", "waiting"));
    append_run(fixture, run_row_of(2, NULL, "r", "p", "waiting"));
    append_step(fixture, (struct step_row){.run = 2, .step = 4, .path = "ask", .state = "parked", .waiting_for = "approval"});
    append_step(
        fixture, (struct step_row){.run = 1, .step = 2, .path = "ask", .state = "parked", .waiting_for = "approval", .until_ms = 8});
    append_step(fixture, (struct step_row){.run = 1, .step = 3, .path = "later", .state = "parked", .waiting_for = "timer"});
    fixture_settle(fixture);
    AUTO(free_json) json_t *two = NULL;
    assert_int_equal(journal_list_approvals(fixture->journal, &two, NULL), 0);
    assert_int_equal(json_array_size(two), 2);
    assert_int_equal(json_whole(json_array_get(two, 0), "run", 0), 1);
    assert_int_equal(json_whole(json_array_get(two, 0), "step", 0), 2);
    assert_string_equal(json_text(json_array_get(two, 0), "pipeline", ""), "p");
    append_step(fixture, (struct step_row){.run = 1, .step = 2, .path = "ask", .state = "succeeded"});
    fixture_settle(fixture);
    AUTO(free_json) json_t *one = NULL;
    assert_int_equal(journal_list_approvals(fixture->journal, &one, NULL), 0);
    assert_int_equal(json_array_size(one), 1);
}

struct seen {
    uint64_t ids[16], seqs[16];
    size_t count, stop_at;
};

static int see_row(void *context, const struct journal_row *row)
{
    struct seen *seen = context;
    seen->ids[seen->count] = row->id;
    seen->seqs[seen->count] = row->seq;
    seen->count++;
    return seen->count == seen->stop_at;
}

static void check_read(struct fixture *fixture, uint64_t run, uint64_t after, unsigned limit, size_t stop_at, const char *expected)
{
    struct seen seen = {.stop_at = stop_at};
    AUTO(text_release) struct text text = {0};
    assert_int_equal(journal_read(fixture->journal, run, after, limit, see_row, &seen, NULL), 0);
    for (size_t i = 0; i < seen.count; i++)
        text_add_format(&text, "%d:%d ", (int)seen.ids[i], (int)seen.seqs[i]);
    assert_string_equal(text_view(&text), expected);
}

static void events_are_read_from_any_place(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= 3; seq++) { /* ids 1 to 6: runs 1 and 2 in turn */
        append_event(fixture, 1, seq, true, NULL);
        append_event(fixture, 2, seq, true, NULL);
    }
    fixture_settle(fixture);
    check_read(fixture, 0, 0, 0, 0, "1:1 2:1 3:2 4:2 5:3 6:3 ");
    check_read(fixture, 0, 4, 0, 0, "5:3 6:3 ");
    check_read(fixture, 1, 0, 0, 0, "1:1 3:2 5:3 ");
    check_read(fixture, 1, 3, 0, 0, "5:3 ");
    check_read(fixture, 1, 2, 0, 0, "3:2 5:3 "); /* behind an event of another run */
    check_read(fixture, 1, 5, 0, 0, "");
    check_read(fixture, 1, UINT64_MAX, 0, 0, "");
    check_read(fixture, 1, 0, 2, 0, "1:1 3:2 ");
    check_read(fixture, 0, 0, 0, 3, "1:1 2:1 3:2 ");
    check_read(fixture, 9, 0, 0, 0, "");
}

static int read_again(void *context, const struct journal_row *row)
{
    struct error err = {0};
    (void)row;
    assert_int_equal(journal_read(((struct fixture *)context)->journal, 0, 0, 0, read_again, context, &err), -ERROR_INTERNAL);
    return 1;
}

static void a_read_within_a_read_is_refused(void **state)
{
    struct fixture *fixture = *state;
    append_event(fixture, 1, 1, true, NULL);
    fixture_settle(fixture);
    assert_int_equal(journal_read(fixture->journal, 0, 0, 0, read_again, fixture, NULL), 0);
}

static void open_runs_are_those_not_at_rest(void **state)
{
    struct fixture *fixture = *state;
    static const char *const at_rest[] = {"succeeded", "failed", NULL};
    uint64_t *runs = NULL;
    size_t count = 99;
    assert_int_equal(journal_open_runs(fixture->journal, at_rest, &runs, &count, NULL), 0);
    assert_int_equal(count, 0);
    free(runs);
    fill_runs(fixture);
    assert_int_equal(journal_open_runs(fixture->journal, at_rest, &runs, &count, NULL), 0);
    assert_int_equal(count, 36);
    for (size_t i = 0; i < count; i++)
        assert_true(runs[i] % 5 >= 2 && (i == 0 || runs[i] > runs[i - 1]));
    free(runs);
}

static void shims_keep_their_last_report(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t sequence = 1; sequence <= 3; sequence++)
        journal_append(fixture->journal, &(struct journal_batch){.shim = &(struct shim_row){5, sequence}}, NULL, NULL);
    fixture_settle(fixture);
    assert_int_equal(journal_shim_sequence(fixture->journal, 5), 3);
    assert_int_equal(journal_shim_sequence(fixture->journal, 6), 0);
}

/* The plan's lines, joined. */
static void explain(sqlite3 *database, const char *sql, struct text *out)
{
    AUTO(free_text) char *whole = mem_format("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(database, whole, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        text_add_format(out, "%s\n", (const char *)sqlite3_column_text(statement, 3));
    sqlite3_finalize(statement);
}

static void check_plan(sqlite3 *database, const char *sql, const char *expected)
{
    AUTO(text_release) struct text plan = {0};
    explain(database, sql, &plan);
    if (!strstr(text_view(&plan), expected) || strstr(text_view(&plan), "TEMP B-TREE") || strstr(text_view(&plan), "SCAN"))
        fail_msg("%s\nis answered by\n%snot by %s", sql, text_view(&plan), expected);
}

static void every_query_has_its_index(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        enum query query;
        const char *plan;
    } fixed[] = {
        {QUERY_FIND_TRIGGER, "INDEX runs_by_key (key=?)"},
        {QUERY_GET_RUN, "PRIMARY KEY (rowid=?)"},
        {QUERY_LIST_STEPS, "PRIMARY KEY (run=?)"},
        {QUERY_LIST_APPROVALS, "INDEX steps_waiting (waiting_for=?)"},
        {QUERY_READ_RUN, "INDEX events_by_run (run=? AND seq>?)"},
        {QUERY_READ_ALL, "PRIMARY KEY (rowid>?)"},
        {QUERY_NEXT_STATE, "INDEX runs_by_state (state>?)"},
        {QUERY_RUNS_IN_STATE, "INDEX runs_by_state (state=?)"},
        {QUERY_SHIM, "PRIMARY KEY (rowid=?)"},
        {QUERY_GET_BLOB, "PRIMARY KEY (digest=?)"},
        {QUERY_VERIFY, "INDEX events_by_run (run=?)"},
        {QUERY_GET_DOCUMENT, "INDEX documents_by_id (collection=? AND id=?)"},
        {QUERY_FIND_DOCUMENT, "INDEX documents_by_key (collection=? AND key=?)"},
        {QUERY_COUNT_DOCUMENTS, "COVERING INDEX documents_by_"},
        {QUERY_LIST_DOCUMENTS, "INDEX documents_by_number (collection=?)"},
        {QUERY_LIST_DOCUMENTS_BACK, "INDEX documents_by_number (collection=?)"},
        {QUERY_SEARCH_DOCUMENTS, "INDEX documents_by_number (collection=?)"},
        {QUERY_SEARCH_DOCUMENTS_BACK, "INDEX documents_by_number (collection=?)"},
        {QUERY_NEXT_FORGOTTEN, "PRIMARY KEY (rowid>?)"},
        {QUERY_IS_FORGOTTEN, "PRIMARY KEY (rowid=?)"},
        {QUERY_NEXT_MARKED_LOG, "PRIMARY KEY (rowid>?)"},
        {QUERY_NEXT_OLD_RUN, "PRIMARY KEY (rowid>? AND rowid<?)"},
        {QUERY_RUN_ROW, "PRIMARY KEY (rowid=?)"},
        {QUERY_STEP_ROWS, "PRIMARY KEY (run=?)"},
    };
    static const char *const listings[8] = {"PRIMARY KEY (rowid<?)", "runs_by_repository (repository=? AND run<?)",
        "runs_by_pipeline (pipeline=? AND run<?)", "runs_by_repository_pipeline (repository=? AND pipeline=? AND run<?)",
        "runs_by_state (state=? AND run<?)", "runs_by_state_repository (state=? AND repository=? AND run<?)",
        "runs_by_state_pipeline (state=? AND pipeline=? AND run<?)",
        "runs_by_state_repository_pipeline (state=? AND repository=? AND pipeline=? AND run<?)"};
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        check_plan(database, query_text(fixed[i].query), fixed[i].plan);
    for (unsigned filters = 0; filters < 8; filters++) {
        AUTO(free_text) char *sql = query_list_runs_text(filters);
        check_plan(database, sql, listings[filters]);
    }
    sqlite3_close(database);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(runs_are_listed_newest_first_page_by_page),
        TEST(a_run_has_the_members_of_the_api),
        TEST(a_step_has_the_members_of_the_api),
        TEST(approvals_are_what_is_parked_for_one),
        TEST(events_are_read_from_any_place),
        TEST(a_read_within_a_read_is_refused),
        TEST(open_runs_are_those_not_at_rest),
        TEST(shims_keep_their_last_report),
        TEST(every_query_has_its_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

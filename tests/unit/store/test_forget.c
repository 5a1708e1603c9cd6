/* test_forget.c: a run is forgotten in small transactions; what others need stays; a journal that is only read, and its copy. */
#include "tests/unit/store/fixture.h"

#include "base/sha256.h"
#include "store/inspect.h"

static void append_events(struct fixture *fixture, uint64_t run, uint64_t count)
{
    for (uint64_t seq = 1; seq <= count; seq++)
        append_event(fixture, run, seq, false, NULL);
    fixture_settle(fixture);
}

static void forget(struct fixture *fixture, uint64_t run, unsigned rows)
{
    journal_append(fixture->journal, &(struct journal_batch){.forget = {run, rows}}, NULL, NULL);
    fixture_settle(fixture);
}

static int count_row(void *context, const struct journal_row *row)
{
    uint64_t *last = context;
    assert_int_equal(row->seq, *last + 1); /* what is left is the beginning */
    *last = row->seq;
    return 0;
}

static uint64_t events_left(struct fixture *fixture, uint64_t run)
{
    uint64_t last = 0;
    struct error err = {0};
    if (journal_read(fixture->journal, run, 0, 0, count_row, &last, &err) < 0) fail_msg("%s", err.message);
    return last;
}

static uint64_t next_forgotten(struct fixture *fixture)
{
    uint64_t run = 0;
    struct error err = {0};
    if (journal_next_forgotten(fixture->journal, &run, &err) < 0) fail_msg("%s", err.message);
    return run;
}

static void a_run_goes_in_portions(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_json) json_t *row = NULL;
    struct error err;
    append_events(fixture, 1, 12);
    append_run(fixture, run_row_of(1, "key", "r", "p", "failed"));
    append_run(fixture, run_row_of(2, NULL, "r", "p", "failed"));
    forget(fixture, 1, 0);
    assert_int_equal(journal_get_run(fixture->journal, 1, &row, &err), -ERROR_NOT_FOUND);
    assert_int_equal(journal_find_trigger(fixture->journal, "key"), 0);
    assert_int_equal(next_forgotten(fixture), 1);
    assert_int_equal(events_left(fixture, 1), 12);
    forget(fixture, 1, 5);
    assert_int_equal(events_left(fixture, 1), 7);
    fixture_reopen(fixture); /* a crash in between */
    assert_int_equal(next_forgotten(fixture), 1);
    forget(fixture, 1, 5);
    assert_int_equal(events_left(fixture, 1), 2);
    forget(fixture, 1, 5);
    assert_int_equal(events_left(fixture, 1), 0);
    assert_int_equal(next_forgotten(fixture), 0);
    assert_int_equal(journal_get_run(fixture->journal, 2, &row, &err), 0);
}

static void append_with_plan(struct fixture *fixture, uint64_t run, const char *digest)
{
    struct run_row row = run_row_of(run, NULL, "r", "p", "failed");
    struct blob blob = {digest, "plan", 4};
    row.plan = digest;
    journal_append(fixture->journal, &(struct journal_batch){.run = &row, .blob = &blob}, NULL, NULL);
}

/* Queued together, they are one transaction: the new run says that it needs the plan before anybody asks. */
static void a_plan_that_a_new_run_has_stays(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *bytes = NULL;
    char digest[SHA256_HEX];
    struct error err = {0};
    sha256_hex("plan", 4, digest);
    append_with_plan(fixture, 1, digest);
    fixture_settle(fixture);
    append_with_plan(fixture, 2, digest);
    journal_append(fixture->journal, &(struct journal_batch){.forget = {1, 0}}, NULL, NULL);
    fixture_settle(fixture);
    assert_int_equal(journal_get_blob(fixture->journal, digest, &bytes, NULL, &err), 0);
    forget(fixture, 2, 0);
    assert_int_equal(journal_get_blob(fixture->journal, digest, &bytes, NULL, &err), -ERROR_NOT_FOUND);
}

static void mark_log(struct fixture *fixture, uint64_t run, bool gone)
{
    journal_append(fixture->journal, &(struct journal_batch){.log_mark = {run, gone}}, NULL, NULL);
    fixture_settle(fixture);
}

static uint64_t next_marked(struct fixture *fixture, uint64_t after)
{
    uint64_t run = 0;
    struct error err = {0};
    if (journal_next_marked_log(fixture->journal, after, &run, &err) < 0) fail_msg("%s", err.message);
    return run;
}

static void a_log_stays_marked_until_it_is_done_or_its_run_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t run = 1; run <= 3; run++)
        append_run(fixture, run_row_of(run, NULL, "r", "p", "failed"));
    mark_log(fixture, 1, false);
    mark_log(fixture, 3, false);
    mark_log(fixture, 3, false);
    fixture_reopen(fixture);
    assert_int_equal(next_marked(fixture, 0), 1);
    assert_int_equal(next_marked(fixture, 1), 3);
    assert_int_equal(next_marked(fixture, 3), 0);
    forget(fixture, 1, 0);
    assert_int_equal(next_marked(fixture, 0), 3);
    mark_log(fixture, 3, true);
    assert_int_equal(next_marked(fixture, 0), 0);
}

static void the_next_old_run_is_never_the_last(void **state)
{
    struct fixture *fixture = *state;
    struct old_run old;
    struct error err = {0};
    for (uint64_t run = 1; run <= 3; run++)
        append_run(fixture, run_row_of(run, NULL, "r", "p", "failed"));
    fixture_settle(fixture);
    assert_int_equal(journal_next_old_run(fixture->journal, 0, &old, &err), 0);
    assert_int_equal(old.run, 1);
    assert_int_equal(old.accepted_ms, 5);
    assert_int_equal(journal_next_old_run(fixture->journal, 1, &old, &err), 0);
    assert_int_equal(old.run, 2);
    assert_int_equal(journal_next_old_run(fixture->journal, 2, &old, &err), 0);
    assert_int_equal(old.run, 0);
}

static void a_reader_reads_beside_the_writer(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    append_events(fixture, 1, 3);
    AUTO(journal_close) struct journal *reader = NULL;
    if (journal_open_to_read(fixture->folder, &reader, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(journal_begin_look(reader, &err), 0);
    uint64_t last = 0;
    assert_int_equal(journal_read(reader, 1, 0, 0, count_row, &last, &err), 0);
    append_event(fixture, 1, 4, true, NULL);
    fixture_settle(fixture);
    last = 0;
    assert_int_equal(journal_read(reader, 1, 0, 0, count_row, &last, &err), 0);
    assert_int_equal(last, 3); /* one state of it, until the look ends */
    journal_end_look(reader);
    last = 0;
    assert_int_equal(journal_read(reader, 1, 0, 0, count_row, &last, &err), 0);
    assert_int_equal(last, 4);
}

static void a_copy_is_a_journal(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *folder = mem_format("%s/copy", fixture->folder);
    AUTO(free_text) char *path = mem_format("%s/journal.db", folder);
    struct error err = {0};
    append_events(fixture, 1, 3);
    AUTO(journal_close) struct journal *reader = NULL, *copy = NULL;
    assert_int_equal(file_make_folders(folder, 0700, &err), 0);
    if (journal_open_to_read(fixture->folder, &reader, &err) < 0) fail_msg("%s", err.message);
    if (journal_copy(reader, path, &err) < 0) fail_msg("%s", err.message);
    if (journal_open_to_read(folder, &copy, &err) < 0) fail_msg("%s", err.message);
    if (journal_verify(copy, 1, &err) < 0) fail_msg("%s", err.message);
    assert_true(journal_copy(reader, path, &err) < 0); /* nothing is written over */
}

static void what_is_no_journal_of_ours_is_not_read(void **state)
{
    struct fixture *fixture = *state;
    struct journal *reader = NULL;
    struct error err = {0};
    assert_int_equal(journal_open_to_read("/tmp/crescendo-no-such-folder", &reader, &err), -ERROR_NOT_FOUND);
    assert_true(err.hint[0]);
    AUTO(free_text) char *folder = mem_format("%s/empty", fixture->folder);
    AUTO(free_text) char *path = mem_format("%s/journal.db", folder);
    assert_int_equal(file_make_folders(folder, 0700, &err), 0);
    assert_int_equal(file_replace(path, "", 0, 0600, &err), 0);
    assert_int_equal(journal_open_to_read(folder, &reader, &err), -ERROR_IO); /* nothing that a later version could bring up */
    assert_non_null(strstr(err.message, "is empty"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_goes_in_portions, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(a_plan_that_a_new_run_has_stays, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(a_log_stays_marked_until_it_is_done_or_its_run_is_forgotten, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(the_next_old_run_is_never_the_last, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(a_reader_reads_beside_the_writer, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(a_copy_is_a_journal, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(what_is_no_journal_of_ours_is_not_read, fixture_begin, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_journal.c: appending, answering, opening again. */
#include "fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

static int count_row(void *context, const struct journal_row *row)
{
    (void)row;
    ++*(size_t *)context;
    return 0;
}

static size_t count_events(struct fixture *fixture, uint64_t run)
{
    size_t count = 0;
    assert_int_equal(journal_read(fixture->journal, run, 0, 0, count_row, &count, NULL), 0);
    return count;
}

static void answers_come_in_the_order_of_appends(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= 500; seq++)
        append_event(fixture, 1, seq, seq % 7 == 0, "{}");
    assert_int_equal(fixture->answered, 0); /* never from within journal_append */
    fixture_settle(fixture);
    assert_int_equal(fixture->answered, 500);
    for (uint64_t i = 0; i < 500; i++)
        assert_int_equal(fixture->order[i], i + 1);
    assert_int_equal(count_events(fixture, 1), 500);
}

static void redo_events_are_committed_without_a_durable_one(void **state)
{
    struct fixture *fixture = *state;
    append_event(fixture, 1, 1, false, NULL);
    append_event(fixture, 1, 2, false, NULL);
    fixture_settle(fixture);
    assert_int_equal(fixture->answered, 2);
    assert_int_equal(journal_count(fixture->journal).events, 2);
}

/* The delay is longer than anybody waits for a test; what waits goes along, in the order of appends. */
static void a_durable_event_does_not_wait_however_many_came_before(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    fixture_close(fixture);
    const struct journal_options options = {
        .folder = fixture->folder, .redo_delay_ms = 600 * 1000, .failed = fixture_failed, .context = fixture};
    assert_int_equal(journal_open(&fixture->loop, &options, &fixture->journal, &err), 0);
    for (uint64_t seq = 1; seq <= 30; seq++) {
        append_event(fixture, 1, seq, seq % 10 == 0, NULL);
        if (seq % 10 == 0) fixture_settle(fixture);
    }
    assert_int_equal(fixture->answered, 30);
}

static void many_appends_share_a_commit(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= 5000; seq++)
        append_event(fixture, 1, seq, true, NULL);
    fixture_settle(fixture);
    struct journal_counts counts = journal_count(fixture->journal);
    assert_int_equal(fixture->answered, 5000);
    assert_int_equal(counts.events, 5000);
    assert_true(counts.commits >= 3 && counts.commits < 2500); /* at least 3: a transaction holds at most 2000 */
    assert_true(counts.max_group > 1 && counts.max_group <= 2000);
}

static void what_was_given_may_go_at_once(void **state)
{
    struct fixture *fixture = *state;
    char type[] = "step_output", data[] = "{\"name\":\"x\"}";
    struct journal_event event = {.run = 4, .seq = 1, .time_ms = -5, .type = type, .step = UINT32_MAX, .durable = true, .data = data};
    char path[] = "build/test";
    struct step_row step = {.run = 4, .step = 0, .path = path, .state = "running"};
    struct run_row run = run_row_of(4, "k", "r", "p", "running");
    struct shim_row shim = {4, 99};
    struct journal_batch batch = {.events = &event, .event_count = 1, .run = &run, .steps = &step, .step_count = 1, .shim = &shim};
    journal_append(fixture->journal, &batch, NULL, NULL);
    memset(type, '#', sizeof type - 1), memset(data, '#', sizeof data - 1), memset(path, '#', sizeof path - 1);
    memset(&event, 0, sizeof event), memset(&step, 0, sizeof step), memset(&run, 0, sizeof run), memset(&shim, 0, sizeof shim);
    fixture_settle(fixture);
    AUTO(free_json) json_t *steps = NULL;
    assert_int_equal(journal_list_steps(fixture->journal, 4, &steps, NULL), 0);
    assert_string_equal(json_text(json_array_get(steps, 0), "path", ""), "build/test");
    assert_int_equal(journal_shim_sequence(fixture->journal, 4), 99);
    assert_int_equal(journal_verify(fixture->journal, 4, NULL), 0);
    assert_int_equal(count_events(fixture, 4), 1);
}

struct chained {
    struct fixture *fixture;
    uint64_t left, seq;
};

static void append_next(void *context)
{
    struct chained *chained = context;
    if (chained->left-- == 0) return;
    struct journal_event event = {.run = 1, .seq = ++chained->seq, .type = "run_started", .step = UINT32_MAX, .durable = true};
    journal_append(chained->fixture->journal, &(struct journal_batch){.events = &event, .event_count = 1}, append_next, chained);
}

static void an_answer_may_append(void **state)
{
    struct fixture *fixture = *state;
    struct chained chained = {fixture, 20, 0};
    append_next(&chained);
    fixture_settle(fixture);
    assert_int_equal(chained.seq, 20);
    assert_int_equal(count_events(fixture, 1), 20);
}

static void closing_commits_and_answers_what_is_queued(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= 10; seq++)
        append_event(fixture, 1, seq, false, NULL);
    journal_close(&fixture->journal);
    assert_int_equal(fixture->answered, 10);
    assert_null(fixture->journal);
    fixture_settle(fixture);
    fixture_open(fixture);
    assert_int_equal(count_events(fixture, 1), 10);
}

static void closing_commits_what_an_answer_has_appended(void **state)
{
    struct fixture *fixture = *state;
    struct journal *journal = fixture->journal;
    struct chained chained = {fixture, 3, 0};
    append_next(&chained);
    journal_close(&journal); /* the fixture's copy still serves the answers */
    fixture->journal = NULL;
    fixture_settle(fixture);
    assert_int_equal(chained.seq, 3);
    fixture_open(fixture);
    assert_int_equal(count_events(fixture, 1), 3);
}

static void the_last_row_of_a_group_wins(void **state)
{
    struct fixture *fixture = *state;
    append_run(fixture, run_row_of(1, "key", "r", "p", "queued"));
    for (uint32_t i = 0; i < 300; i++) {
        append_step(fixture, (struct step_row){.run = 1, .step = i, .path = "a/b", .state = "starting"});
        append_step(fixture, (struct step_row){.run = 1, .step = i, .path = "a/b", .state = "succeeded", .started_ms = 1, .ended_ms = 2});
        append_run(fixture, (struct run_row){.run = 1, .repository = "r", .pipeline = "p", .state = "running", .steps_done = i + 1});
    }
    fixture_settle(fixture);
    AUTO(free_json) json_t *run = NULL;
    AUTO(free_json) json_t *steps = NULL;
    assert_int_equal(journal_get_run(fixture->journal, 1, &run, NULL), 0);
    assert_int_equal(json_whole(run, "steps_done", 0), 300);
    assert_int_equal(journal_list_steps(fixture->journal, 1, &steps, NULL), 0);
    assert_int_equal(json_array_size(steps), 300);
    for (size_t i = 0; i < 300; i++)
        assert_string_equal(json_text(json_array_get(steps, i), "state", ""), "succeeded");
    assert_int_equal(journal_find_trigger(fixture->journal, "key"), 1); /* given with the first row only, and kept */
}

static void a_trigger_is_found_while_it_is_queued_and_after(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(journal_find_trigger(fixture->journal, "push-1"), 0);
    append_run(fixture, run_row_of(7, "push-1", "r", "p", "queued"));
    append_run(fixture, run_row_of(8, "push-2", "r", "p", "queued"));
    assert_int_equal(journal_find_trigger(fixture->journal, "push-1"), 7);
    assert_int_equal(journal_find_trigger(fixture->journal, "push-2"), 8);
    assert_int_equal(journal_find_trigger(fixture->journal, "push-3"), 0);
    fixture_settle(fixture);
    assert_int_equal(journal_find_trigger(fixture->journal, "push-1"), 7);
    append_run(fixture, run_row_of(7, "push-1", "r", "p", "running"));
    fixture_settle(fixture);
    fixture_reopen(fixture);
    assert_int_equal(journal_find_trigger(fixture->journal, "push-1"), 7);
    assert_int_equal(journal_find_trigger(fixture->journal, "push-2"), 8);
}

static void run_numbers_go_on_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(journal_next_run(fixture->journal), 1);
    assert_int_equal(journal_next_run(fixture->journal), 2);
    append_event(fixture, 2, 1, true, NULL);
    fixture_settle(fixture);
    fixture_reopen(fixture);
    assert_int_equal(journal_next_run(fixture->journal), 3);
    append_run(fixture, run_row_of(9, NULL, NULL, NULL, "queued"));
    fixture_settle(fixture);
    fixture_reopen(fixture);
    assert_int_equal(journal_next_run(fixture->journal), 10);
}

static void a_second_server_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct journal *second = NULL;
    struct error err = {0};
    AUTO(free_text) char *expected = mem_format("another server (pid %d) serves %s", (int)getpid(), fixture->folder);
    assert_int_equal(journal_open(&fixture->loop, &(struct journal_options){.folder = fixture->folder}, &second, &err), -ERROR_CONFLICT);
    assert_null(second);
    assert_string_equal(err.message, expected);
    assert_string_equal(err.hint, "stop it or choose another --data");
    fixture_reopen(fixture); /* the lock goes with the journal */
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct journal *second = NULL;
    struct error err = {0};
    AUTO(free_text) char *path = mem_format("%s/journal.db/data", fixture->folder);
    assert_true(journal_open(&fixture->loop, &(struct journal_options){.folder = path}, &second, &err) < 0);
    assert_non_null(strstr(err.message, "journal.db"));
}

static void a_wrong_number_breaks_the_journal(void **state)
{
    struct fixture *fixture = *state;
    append_event(fixture, 1, 1, true, NULL);
    fixture_settle(fixture);
    append_event(fixture, 1, 3, true, NULL);
    append_event(fixture, 1, 4, true, NULL);
    fixture_settle(fixture);
    assert_int_equal(fixture->answered, 1);
    assert_int_equal(fixture->failures, 1);
    assert_int_equal(fixture->failure.code, ERROR_INTERNAL);
    assert_string_equal(fixture->failure.message, "event step_progress of run 1 has number 3 where 2 follows");
    assert_int_equal(count_events(fixture, 1), 1);
}

/* Appends without an end and says on the pipe how many were answered. */
static void append_for_ever(const char *folder, int told)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "%s", folder);
    uv_loop_init(&fixture->loop);
    fixture_open(fixture);
    for (uint64_t seq = 1; seq < COUNT_OF(fixture->notes); seq++) {
        append_event(fixture, 1, seq, seq % 3 == 0, "{\"attempt\":1}");
        uv_run(&fixture->loop, seq % 5 ? UV_RUN_NOWAIT : UV_RUN_DEFAULT);
        uint64_t answered = fixture->answered;
        if (write(told, &answered, sizeof answered) != sizeof answered) break;
    }
    _exit(1);
}

static void a_killed_server_keeps_what_it_answered(void **state)
{
    struct fixture *fixture = *state;
    fixture_close(fixture);
    for (uint64_t enough = 0; enough < 200; enough += 23) {
        AUTO(free_text) char *folder = mem_format("%s/%d", fixture->folder, (int)enough);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) append_for_ever(folder, ends[1]);
        close(ends[1]);
        uint64_t answered = 0, told;
        while (read(ends[0], &told, sizeof told) == sizeof told)
            if ((answered = told) >= enough && kill(child, SIGKILL) == 0) break;
        while (read(ends[0], &told, sizeof told) == sizeof told)
            answered = told; /* what it said before it died */
        close(ends[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        struct journal_options options = {.folder = folder};
        assert_int_equal(journal_open(&fixture->loop, &options, &fixture->journal, NULL), 0);
        assert_true(answered >= enough && count_events(fixture, 1) >= answered);
        assert_int_equal(journal_verify(fixture->journal, 1, NULL), 0);
        fixture_close(fixture);
    }
}

static void tamper(struct fixture *fixture, const char *sql)
{
    AUTO(free_text) char *path = mem_format("%s/journal.db", fixture->folder);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void check_tampering(struct fixture *fixture, const char *sql, const char *expected)
{
    struct error err = {0};
    fixture_close(fixture);
    tamper(fixture, sql);
    fixture_open(fixture);
    assert_int_equal(journal_verify(fixture->journal, 1, &err), -ERROR_CONFLICT);
    assert_string_equal(err.message, expected);
}

static void the_hash_chain_shows_changes(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= 5; seq++)
        append_event(fixture, 1, seq, true, "{\"n\":1}");
    for (uint64_t seq = 1; seq <= 5; seq++)
        append_event(fixture, 257, seq, true, NULL); /* shares run 1's place among the heads */
    fixture_settle(fixture);
    append_event(fixture, 1, 6, true, NULL);
    fixture_settle(fixture);
    assert_int_equal(journal_verify(fixture->journal, 1, NULL), 0);
    assert_int_equal(journal_verify(fixture->journal, 257, NULL), 0);
    assert_int_equal(journal_verify(fixture->journal, 12345, NULL), 0);
    const char *third = "event 3 (step_progress) of run 1 does not fit its hash chain";
    check_tampering(fixture, "UPDATE events SET data = '{\"n\":2}' WHERE run = 1 AND seq = 3", third);
    check_tampering(fixture, "UPDATE events SET data = '{\"n\":1}', time_ms = time_ms + 1 WHERE run = 1 AND seq = 3", third);
    check_tampering(fixture, "UPDATE events SET time_ms = time_ms - 1, step = NULL WHERE run = 1 AND seq = 3", third);
    check_tampering(fixture, "UPDATE events SET step = 3, version = 2 WHERE run = 1 AND seq = 3", third);
    check_tampering(fixture, "UPDATE events SET version = 1, hash = x'00' WHERE run = 1 AND seq = 3", third);
    check_tampering(fixture, "DELETE FROM events WHERE run = 1 AND seq = 3", "event 3 of run 1 is missing");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(answers_come_in_the_order_of_appends),
        TEST(redo_events_are_committed_without_a_durable_one),
        TEST(a_durable_event_does_not_wait_however_many_came_before),
        TEST(many_appends_share_a_commit),
        TEST(what_was_given_may_go_at_once),
        TEST(an_answer_may_append),
        TEST(closing_commits_and_answers_what_is_queued),
        TEST(closing_commits_what_an_answer_has_appended),
        TEST(the_last_row_of_a_group_wins),
        TEST(a_trigger_is_found_while_it_is_queued_and_after),
        TEST(run_numbers_go_on_after_a_restart),
        TEST(a_second_server_is_refused),
        TEST(a_folder_that_cannot_be_made_is_an_error),
        TEST(a_wrong_number_breaks_the_journal),
        TEST(a_killed_server_keeps_what_it_answered),
        TEST(the_hash_chain_shows_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

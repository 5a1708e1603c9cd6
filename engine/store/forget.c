/* forget.c: runs that are forgotten: marked and gone from the lists in one transaction, their steps and events in small ones behind it.
   A crash in between finds the mark, and whoever keeps the journal small goes on (run/keep.c). Pages that become free are used again, so
   that the file grows to what is kept and no further. */
#include "store/journal_private.h"

#include "base/mem.h"
#include "store/database.h"

static const char *const texts[FORGET_COUNT] = {
    [FORGET_MARK] = "INSERT INTO forgotten (run) VALUES (?1) ON CONFLICT DO NOTHING",
    [FORGET_FIND_PLAN] = "SELECT plan FROM runs WHERE run = ?1 AND plan IS NOT NULL",
    [FORGET_RUN] = "DELETE FROM runs WHERE run = ?1",
    [FORGET_SHIM] = "DELETE FROM shims WHERE run = ?1",
    [FORGET_LOG_MARK] = "DELETE FROM closed_logs WHERE run = ?1",
    [FORGET_PLAN] = "DELETE FROM blobs WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE plan = ?1)",
    /* The last ones first, so that what is left is the beginning of a run. */
    [FORGET_EVENTS] = "DELETE FROM events WHERE run = ?1 AND seq > (SELECT max(seq) FROM events WHERE run = ?1) - ?2",
    [FORGET_STEPS] = "DELETE FROM steps WHERE run = ?1 AND step > (SELECT max(step) FROM steps WHERE run = ?1) - ?2",
    [FORGET_UNMARK] = "DELETE FROM forgotten WHERE run = ?1 AND NOT EXISTS (SELECT 1 FROM events WHERE run = ?1 UNION SELECT 1 FROM steps "
                      "WHERE run = ?1)",
};

int forget_open(struct writer *writer, struct error *err)
{
    int failed = 0;
    for (int i = 0; i < FORGET_COUNT && !failed; i++)
        failed = database_prepare(writer->database, texts[i], &writer->forget[i], err);
    return failed;
}

void forget_close(struct writer *writer)
{
    for (int i = 0; i < FORGET_COUNT; i++)
        sqlite3_finalize(writer->forget[i]);
}

static int remove_rows(struct writer *writer, enum forget which, struct error *err)
{
    int result = sqlite3_step(writer->forget[which]);
    int failed = result == SQLITE_DONE ? 0 : database_error(writer->database, "removing from", err);
    sqlite3_reset(writer->forget[which]);
    return failed;
}

static int remove_of_run(struct writer *writer, enum forget which, uint64_t run, struct error *err)
{
    sqlite3_bind_int64(writer->forget[which], 1, (int64_t)run);
    return remove_rows(writer, which, err);
}

/* The row goes first, so that it does not count as one that has the plan. */
static int remove_run_and_plan(struct writer *writer, uint64_t run, struct error *err)
{
    sqlite3_stmt *find = writer->forget[FORGET_FIND_PLAN], *plan = writer->forget[FORGET_PLAN];
    sqlite3_bind_int64(find, 1, (int64_t)run);
    bool found = sqlite3_step(find) == SQLITE_ROW;
    sqlite3_bind_text(plan, 1, found ? (const char *)sqlite3_column_text(find, 0) : NULL, -1, SQLITE_TRANSIENT);
    sqlite3_reset(find);
    int failed = remove_of_run(writer, FORGET_RUN, run, err);
    return failed || !found ? failed : remove_rows(writer, FORGET_PLAN, err);
}

static int begin(struct writer *writer, uint64_t run, struct error *err)
{
    int failed = remove_of_run(writer, FORGET_MARK, run, err);
    if (!failed) failed = remove_of_run(writer, FORGET_LOG_MARK, run, err);
    if (!failed) failed = remove_run_and_plan(writer, run, err);
    return failed ? failed : remove_of_run(writer, FORGET_SHIM, run, err);
}

static int go_on(struct writer *writer, uint64_t run, unsigned rows, struct error *err)
{
    sqlite3_bind_int64(writer->forget[FORGET_EVENTS], 2, (int64_t)rows);
    sqlite3_bind_int64(writer->forget[FORGET_STEPS], 2, (int64_t)rows);
    int failed = remove_of_run(writer, FORGET_EVENTS, run, err);
    if (!failed) failed = remove_of_run(writer, FORGET_STEPS, run, err);
    return failed ? failed : remove_of_run(writer, FORGET_UNMARK, run, err);
}

int forget_write(struct writer *writer, const struct forgetting *forgetting, struct error *err)
{
    struct chain_head *head = &writer->heads[forgetting->run % CHAIN_HEADS];
    if (head->run == forgetting->run) *head = (struct chain_head){0};
    return forgetting->rows ? go_on(writer, forgetting->run, forgetting->rows, err) : begin(writer, forgetting->run, err);
}

/* --- what is to be forgotten, or to be made smaller --- */

int journal_next_forgotten(struct journal *journal, uint64_t *ret_run, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_NEXT_FORGOTTEN, &statement, err);
    if (more == 0) more = query_next(journal, statement, err);
    if (more >= 0) *ret_run = more ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    return more < 0 ? more : 0;
}

int journal_next_marked_log(struct journal *journal, uint64_t after, uint64_t *ret_run, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_NEXT_MARKED_LOG, &statement, err);
    if (more < 0) return more;
    sqlite3_bind_int64(statement, 1, (int64_t)after);
    more = query_next(journal, statement, err);
    if (more < 0) return more;
    *ret_run = more ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    return 0;
}

int journal_next_old_run(struct journal *journal, uint64_t after, struct old_run *ret, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_NEXT_OLD_RUN, &statement, err);
    if (more < 0) return more;
    sqlite3_bind_int64(statement, 1, (int64_t)after);
    more = query_next(journal, statement, err);
    if (more < 0) return more;
    *ret = (struct old_run){0};
    if (more)
        *ret = (struct old_run){
            (uint64_t)sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2)};
    return 0;
}

/* writer.c: the journal's thread: takes what is queued, commits it in groups, hands it back.
   Invariants: appends are written in the order in which they were queued; nothing reaches `done` unlost before its COMMIT has
   returned; after a failure nothing is written, retried or checkpointed again. */
#include "store/journal_private.h"

#include "base/mem.h"
#include "store/database.h"
#include "store/migrate.h"

#include <stdlib.h>
#include <string.h>

/* A transaction has at most this much, so that a flood is answered in portions. */
enum { GROUP_APPENDS = 2000, GROUP_BYTES = 4 * 1024 * 1024, CHECKPOINT_PAGES = 1000 };

static const char put_run_sql[] =
    "INSERT INTO runs (run, key, pipeline, repository, ref, commit_id, author, title, trigger, state, reason, message,"
    " waiting_for, plan, accepted_ms, started_ms, ended_ms, step_count, steps_done, steps_failed)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
    " ON CONFLICT (run) DO UPDATE SET ref = ?5, commit_id = ?6, author = ?7, title = ?8, trigger = ?9, state = ?10,"
    " reason = ?11, message = ?12, waiting_for = ?13, accepted_ms = ?15, started_ms = ?16, ended_ms = ?17,"
    " step_count = ?18, steps_done = ?19, steps_failed = ?20";
static const char put_step_sql[] =
    "INSERT INTO steps (run, step, path, type, title, state, reason, message, waiting_for, attempt, started_ms, ended_ms,"
    " until_ms, exit_code, outputs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    " ON CONFLICT (run, step) DO UPDATE SET path = ?3, type = ?4, title = ?5, state = ?6, reason = ?7, message = ?8,"
    " waiting_for = ?9, attempt = ?10, started_ms = ?11, ended_ms = ?12, until_ms = ?13, exit_code = ?14, outputs = ?15";

/* Called by SQLite after each commit; wal_pages decides about a checkpoint, outside the answer's path. */
static int note_wal_size(void *context, sqlite3 *database, const char *name, int pages)
{
    (void)database, (void)name;
    ((struct writer *)context)->wal_pages = pages;
    return SQLITE_OK;
}

int writer_open(struct writer *writer, const char *path, struct error *err)
{
    int failed = database_open_writer(path, &writer->database, err);
    if (!failed) failed = migrate(writer->database, journal_migrations, journal_migration_count, err);
    if (!failed) failed = epoch_raise(writer->database, &writer->epoch, err);
    /* What a crash has left in the WAL was perhaps never synced: writing it back makes it as durable as it looks. */
    if (!failed) failed = database_checkpoint(writer->database, SQLITE_CHECKPOINT_TRUNCATE, err);
    if (failed) return failed;
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } kept[] = {
        {&writer->begin, "BEGIN IMMEDIATE"},
        {&writer->commit, "COMMIT"},
        {&writer->add_event, "INSERT INTO events (run, seq, time_ms, type, step, version, data, hash)"
                             " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
        {&writer->find_head, "SELECT seq, hash FROM events WHERE run = ?1 ORDER BY seq DESC LIMIT 1"},
        {&writer->put_run, put_run_sql},
        {&writer->put_step, put_step_sql},
        {&writer->put_shim, "INSERT INTO shims (run, sequence) VALUES (?1, ?2) ON CONFLICT (run) DO UPDATE SET sequence = ?2"},
        {&writer->put_blob, "INSERT INTO blobs (digest, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
        {&writer->put_document, "INSERT INTO documents (collection, id, key, body) VALUES (?1, ?2, ?3, ?4)"
                                " ON CONFLICT (collection, id) DO UPDATE SET body = ?4"},
        {&writer->remove_document, "DELETE FROM documents WHERE collection = ?1 AND id = ?2"},
        {&writer->mark_log, "INSERT INTO closed_logs (run) VALUES (?1) ON CONFLICT DO NOTHING"},
        {&writer->unmark_log, "DELETE FROM closed_logs WHERE run = ?1"},
    };
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        failed = database_prepare(writer->database, kept[i].sql, kept[i].statement, err);
        if (failed) return failed;
    }
    failed = epoch_prepare(writer->database, &writer->read_epoch, err);
    if (!failed) failed = forget_open(writer, err);
    if (failed) return failed;
    sqlite3_wal_hook(writer->database, note_wal_size, writer);
    writer->rows = row_set_new();
    return 0;
}

void writer_close(struct writer *writer, bool broken)
{
    sqlite3_stmt **const kept[] = {&writer->begin, &writer->commit, &writer->add_event, &writer->find_head, &writer->put_run,
        &writer->put_step, &writer->put_shim, &writer->put_blob, &writer->put_document, &writer->remove_document, &writer->read_epoch,
        &writer->mark_log, &writer->unmark_log};
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        sqlite3_finalize(take(kept[i]));
    forget_close(writer);
    /* After a failed sync the kernel may call pages clean that are not on the disk: leave the WAL for the next start to judge. One that was
       removed nobody would find: closing writes it back. */
    if (broken && writer->database && !epoch_log_is_gone(writer->database))
        sqlite3_db_config(writer->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close_v2(take(&writer->database));
    row_set_free(&writer->rows);
}

static int write_step(struct writer *writer, sqlite3_stmt *statement, const char *doing, struct error *err)
{
    int failed = sqlite3_step(statement) == SQLITE_DONE ? 0 : database_error(writer->database, doing, err);
    sqlite3_reset(statement);
    return failed;
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC); /* the append outlives the step; NULL binds NULL */
}

static void bind_number(sqlite3_stmt *statement, int index, uint64_t number)
{
    sqlite3_bind_int64(statement, index, (int64_t)number);
}

/* The chain's end for a run: remembered, or read. */
static int find_head(struct writer *writer, uint64_t run, struct chain_head **ret, struct error *err)
{
    struct chain_head *head = &writer->heads[run % CHAIN_HEADS];
    *ret = head;
    if (head->run == run && head->seq) return 0;
    *head = (struct chain_head){.run = run};
    bind_number(writer->find_head, 1, run);
    int result = sqlite3_step(writer->find_head), failed = 0;
    if (result == SQLITE_ROW) {
        head->seq = (uint64_t)sqlite3_column_int64(writer->find_head, 0);
        if (sqlite3_column_bytes(writer->find_head, 1) == SHA256_BYTES)
            memcpy(head->hash, sqlite3_column_blob(writer->find_head, 1), SHA256_BYTES);
    } else if (result != SQLITE_DONE) {
        failed = database_error(writer->database, "reading", err);
    }
    sqlite3_reset(writer->find_head);
    return failed;
}

static int write_event(struct writer *writer, const struct journal_event *event, struct error *err)
{
    struct chain_head *head;
    int failed = find_head(writer, event->run, &head, err);
    if (failed) return failed;
    if (event->seq != head->seq + 1)
        return error_set(err, ERROR_INTERNAL, NOWHERE, "event %s of run %llu has number %llu where %llu follows", event->type,
            (unsigned long long)event->run, (unsigned long long)event->seq, (unsigned long long)head->seq + 1);
    chain_add(head, &(struct chain_link){.run = event->run,
                        .seq = event->seq,
                        .time_ms = event->time_ms,
                        .step = event->step,
                        .version = EVENT_VERSION,
                        .type = event->type,
                        .data = event->data});
    sqlite3_stmt *add = writer->add_event;
    bind_number(add, 1, event->run);
    bind_number(add, 2, event->seq);
    sqlite3_bind_int64(add, 3, event->time_ms);
    bind_text(add, 4, event->type);
    if (event->step == UINT32_MAX)
        sqlite3_bind_null(add, 5);
    else
        bind_number(add, 5, event->step);
    sqlite3_bind_int(add, 6, EVENT_VERSION);
    bind_text(add, 7, event->data);
    sqlite3_bind_blob(add, 8, head->hash, SHA256_BYTES, SQLITE_STATIC);
    return write_step(writer, add, "writing an event to", err);
}

static int write_run(struct writer *writer, const struct run_row *row, struct error *err)
{
    sqlite3_stmt *put = writer->put_run;
    const char *const texts[] = {row->key, row->pipeline, row->repository, row->ref, row->commit_id, row->author, row->title, row->trigger,
        row->state, row->reason, row->message, row->waiting_for, row->plan};
    bind_number(put, 1, row->run);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        bind_text(put, (int)i + 2, texts[i]);
    sqlite3_bind_int64(put, 15, row->accepted_ms);
    sqlite3_bind_int64(put, 16, row->started_ms);
    sqlite3_bind_int64(put, 17, row->ended_ms);
    bind_number(put, 18, row->step_count);
    bind_number(put, 19, row->steps_done);
    bind_number(put, 20, row->steps_failed);
    return write_step(writer, put, "writing a run to", err);
}

static int write_step_row(struct writer *writer, const struct step_row *row, struct error *err)
{
    sqlite3_stmt *put = writer->put_step;
    const char *const texts[] = {row->path, row->type, row->title, row->state, row->reason, row->message, row->waiting_for};
    bind_number(put, 1, row->run);
    bind_number(put, 2, row->step);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        bind_text(put, (int)i + 3, texts[i]);
    bind_number(put, 10, row->attempt);
    sqlite3_bind_int64(put, 11, row->started_ms);
    sqlite3_bind_int64(put, 12, row->ended_ms);
    sqlite3_bind_int64(put, 13, row->until_ms);
    sqlite3_bind_int(put, 14, row->exit_code);
    bind_text(put, 15, row->outputs);
    return write_step(writer, put, "writing a step to", err);
}

static int write_blob(struct writer *writer, const struct blob *blob, struct error *err)
{
    bind_text(writer->put_blob, 1, blob->digest);
    sqlite3_bind_blob64(writer->put_blob, 2, blob->bytes, blob->size, SQLITE_STATIC);
    return write_step(writer, writer->put_blob, "writing a blob to", err);
}

static int remove_document(struct writer *writer, const struct document *document, struct error *err)
{
    bind_text(writer->remove_document, 1, document->collection);
    bind_text(writer->remove_document, 2, document->id);
    return write_step(writer, writer->remove_document, "removing a document from", err);
}

static int write_document(struct writer *writer, struct row row, struct error *err)
{
    const struct document *document = row.document;
    bind_text(writer->put_document, 1, document->collection);
    bind_text(writer->put_document, 2, document->id);
    bind_text(writer->put_document, 3, row.document_key);
    sqlite3_bind_text64(writer->put_document, 4, document->body, document->size, SQLITE_STATIC, SQLITE_UTF8);
    return write_step(writer, writer->put_document, "writing a document to", err);
}

static int write_append(struct writer *writer, struct append *append, struct error *err)
{
    const struct journal_batch *batch = &append->batch;
    int failed = batch->blob ? write_blob(writer, batch->blob, err) : 0;
    for (size_t i = 0; i < batch->event_count && !failed; i++)
        failed = write_event(writer, &batch->events[i], err);
    if (batch->run) row_set_add_run(writer->rows, &append->run);
    for (size_t i = 0; i < batch->step_count; i++)
        row_set_add_step(writer->rows, &batch->steps[i]);
    for (size_t i = 0; i < batch->document_count; i++)
        row_set_add_document(writer->rows, &batch->documents[i]);
    if (failed || !batch->shim) return failed;
    bind_number(writer->put_shim, 1, batch->shim->run);
    bind_number(writer->put_shim, 2, batch->shim->sequence);
    return write_step(writer, writer->put_shim, "writing to", err);
}

static int write_row(struct writer *writer, struct row row, struct error *err)
{
    if (row.run) return write_run(writer, row.run, err);
    if (row.step) return write_step_row(writer, row.step, err);
    return row.document->body ? write_document(writer, row, err) : 0;
}

/* Removals come first: another document of this transaction may have taken the key of one that went. */
static int write_rows(struct writer *writer, struct error *err)
{
    int failed = 0;
    for (size_t i = 0; i < row_set_count(writer->rows) && !failed; i++) {
        struct row row = row_set_at(writer->rows, i);
        if (row.document && (row.anew || !row.document->body)) failed = remove_document(writer, row.document, err);
    }
    for (size_t i = 0; i < row_set_count(writer->rows) && !failed; i++)
        failed = write_row(writer, row_set_at(writer->rows, i), err);
    return failed;
}

/* Who has the journal now must not wait for one who was replaced. Any other failure leaves the transaction as it is, for the next start. */
static int leave(struct writer *writer, int failed)
{
    if (failed == -ERROR_STALE) sqlite3_exec(writer->database, "ROLLBACK", NULL, NULL, NULL);
    return failed;
}

static int write_log_mark(struct writer *writer, const struct log_mark *mark, struct error *err)
{
    sqlite3_stmt *statement = mark->gone ? writer->unmark_log : writer->mark_log;
    bind_number(statement, 1, mark->run);
    return write_step(writer, statement, "marking a log in", err);
}

static int write_marks(struct writer *writer, const struct journal_batch *batch, struct error *err)
{
    int failed = batch->log_mark.run ? write_log_mark(writer, &batch->log_mark, err) : 0;
    return failed || !batch->forget.run ? failed : forget_write(writer, &batch->forget, err);
}

/* One transaction with all of the group, if the journal is still ours. */
static int write_group(struct writer *writer, const struct append_list *group, struct error *err)
{
    row_set_clear(writer->rows);
    int failed = write_step(writer, writer->begin, "beginning to write", err);
    if (!failed) failed = epoch_check(writer->read_epoch, &writer->epoch, err);
    for (struct append *append = group->first; append && !failed; append = append->next)
        failed = write_append(writer, append, err);
    if (!failed) failed = write_rows(writer, err);
    for (struct append *append = group->first; append && !failed; append = append->next) /* behind the rows: they say who needs a plan */
        failed = write_marks(writer, &append->batch, err);
    if (failed) failed = leave(writer, failed);
    return failed ? failed : write_step(writer, writer->commit, "committing to", err);
}

/* Moves as much from the front of *list as one transaction should have. */
static struct append_list take_group(struct append_list *list)
{
    struct append_list group = {0};
    size_t size_bytes = 0;
    while (list->first && group.count < GROUP_APPENDS && size_bytes < GROUP_BYTES) {
        struct append *append = list->first;
        list->first = append->next;
        list->count--;
        append->next = NULL;
        size_bytes += append->size_bytes;
        append_list_add(&group, append);
    }
    if (!list->first) list->last = NULL;
    return group;
}

static void hand_back(struct journal *journal, struct append_list *group, bool lost)
{
    for (struct append *append = group->first; append && lost; append = append->next)
        append->lost = true;
    uv_mutex_lock(&journal->mutex);
    append_list_join(&journal->done, group);
    uv_mutex_unlock(&journal->mutex);
    uv_async_send(&journal->answers);
}

static void count_group(struct journal *journal, const struct append_list *group)
{
    uint64_t events = 0;
    for (const struct append *append = group->first; append; append = append->next)
        events += append->batch.event_count;
    journal->event_count += events;
    journal->commit_count++;
    if (events > journal->max_group) journal->max_group = events;
}

/* After the answer, so that nobody waits for it. */
static int write_back(struct writer *writer, struct error *err)
{
    if (writer->wal_pages < CHECKPOINT_PAGES) return 0;
    writer->wal_pages = 0;
    return database_checkpoint(writer->database, SQLITE_CHECKPOINT_PASSIVE, err);
}

void writer_write(struct journal *journal, struct append_list *list)
{
    struct error err;
    int failed = 0;
    while (list->first && !failed) {
        struct append_list group = take_group(list);
        failed = write_group(&journal->writer, &group, &err);
        if (failed)
            journal_break(journal, &err);
        else
            count_group(journal, &group);
        hand_back(journal, &group, failed);
        if (failed) break;
        failed = write_back(&journal->writer, &err);
        if (failed) journal_break(journal, &err);
    }
    if (failed) hand_back(journal, list, true);
}

/* A commit and its sync cost as much as twenty redo events, for which nobody waits: where many come, more of them share one. */
static uint64_t redo_delay_ns(const struct journal *journal)
{
    enum { MANY_APPENDS = 4, DELAYS = 5 };
    return journal->options.redo_delay_ms * 1000000ULL * (journal->writer.last_count >= MANY_APPENDS ? DELAYS : 1);
}

/* Waits until there is something to write and it should be written; false: stopping, and nothing is left. Holds the mutex. */
static bool wait_for_work(struct journal *journal)
{
    journal->writer_state = WRITER_IDLE;
    while (!journal->queue.first && !journal->stopping)
        uv_cond_wait(&journal->wake, &journal->mutex);
    uint64_t now = uv_hrtime(), until = now + redo_delay_ns(journal);
    journal->writer_state = WRITER_DELAYING;
    while (!journal->durable_queued && !journal->stopping && now < until) {
        uv_cond_timedwait(&journal->wake, &journal->mutex, until - now);
        now = uv_hrtime();
    }
    journal->writer_state = WRITER_BUSY;
    return journal->queue.first;
}

void writer_main(void *context)
{
    struct journal *journal = context;
    uv_mutex_lock(&journal->mutex);
    while (wait_for_work(journal) && !journal->broken) {
        struct append_list list = journal->queue;
        journal->queue = (struct append_list){0};
        journal->writer.last_count = list.count;
        journal->durable_queued = false;
        uv_mutex_unlock(&journal->mutex);
        writer_write(journal, &list);
        uv_mutex_lock(&journal->mutex);
    }
    struct append_list lost = journal->queue; /* queued while the failure happened */
    if (journal->broken) journal->queue = (struct append_list){0};
    uv_mutex_unlock(&journal->mutex);
    if (journal->broken) hand_back(journal, &lost, true);
}

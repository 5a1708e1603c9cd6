/* journal.c: opening and closing the journal, the queue to its writer, and the answers on the loop's thread.
   Invariant: an append is in exactly one place: the queue, the writer's hands, or done; it is freed on the loop's thread. */
#include "store/journal_private.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/database.h"
#include "store/lock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REDO_DELAY_MS = 5, LOOK_MS = 2000 };

/* --- keys of runs that are queued but not yet in the table --- */

static struct append **bucket_of(struct journal *journal, const char *key)
{
    return &journal->queued_keys[text_hash(TEXT_HASH_SEED, key) % KEY_BUCKETS];
}

static void remember_key(struct journal *journal, struct append *append)
{
    struct append **bucket = bucket_of(journal, append->run.key);
    append->next_key = *bucket;
    *bucket = append;
}

static void forget_key(struct journal *journal, struct append *append)
{
    struct append **link = bucket_of(journal, append->run.key);
    while (*link && *link != append)
        link = &(*link)->next_key;
    if (*link) *link = append->next_key;
}

uint64_t journal_queued_run(struct journal *journal, const char *key)
{
    for (struct append *append = *bucket_of(journal, key); append; append = append->next_key)
        if (text_equal(append->run.key, key)) return append->run.run;
    return 0;
}

/* --- the queue --- */

void journal_append(struct journal *journal, const struct journal_batch *batch, void (*committed)(void *context), void *context)
{
    struct append *append = append_new(batch, committed, context);
    append->keyed = append->run.key && !journal_queued_run(journal, append->run.key); /* one of a run's rows is enough */
    uv_mutex_lock(&journal->mutex);
    append->lost = journal->broken; /* then it comes back at once, and with it whoever waits on the loop hears of the failure */
    append_list_add(append->lost ? &journal->done : &journal->queue, append);
    journal->durable_queued |= append->durable;
    bool wake = journal->writer_state == WRITER_IDLE || (append->durable && journal->writer_state == WRITER_DELAYING);
    bool lost = append->lost;
    uv_mutex_unlock(&journal->mutex);
    if (wake) uv_cond_signal(&journal->wake);
    if (lost) uv_async_send(&journal->answers);
    /* The writer has it, but only reads it, and these two are the loop's. */
    if (append->keyed) remember_key(journal, append);
    documents_remember(journal, append);
    if (journal->unanswered++ == 0) uv_ref((uv_handle_t *)&journal->answers);
}

void journal_break(struct journal *journal, const struct error *err)
{
    uv_mutex_lock(&journal->mutex);
    if (!journal->broken) journal->failure = *err;
    journal->broken = true;
    uv_mutex_unlock(&journal->mutex);
    if (!journal->only_reads) uv_async_send(&journal->answers);
}

/* --- the answers --- */

static void answer(struct journal *journal, struct append *append)
{
    void (*committed)(void *context) = append->lost ? NULL : append->committed;
    void *context = append->context;
    if (append->keyed) forget_key(journal, append);
    documents_forget(journal, append);
    if (--journal->unanswered == 0) uv_unref((uv_handle_t *)&journal->answers);
    free(append);
    if (committed) committed(context);
}

static void answer_all(struct journal *journal)
{
    uv_mutex_lock(&journal->mutex);
    struct append_list done = journal->done;
    journal->done = (struct append_list){0};
    bool broken = journal->broken;
    uv_mutex_unlock(&journal->mutex);
    for (struct append *append = done.first, *next; append; append = next) {
        next = append->next;
        answer(journal, append);
    }
    if (!broken || journal->failure_told) return;
    journal->failure_told = true;
    if (journal->options.failed) journal->options.failed(journal->options.context, &journal->failure); /* last: it may close */
}

static void on_answers(uv_async_t *async)
{
    answer_all(async->data);
}

/* --- whose it is --- */

const struct epoch *journal_epoch(const struct journal *journal)
{
    return &journal->writer.epoch;
}

int journal_check_ours(struct journal *journal, struct error *err)
{
    struct error own;
    if (!journal->read_epoch) return 0;
    int failed = epoch_check(journal->read_epoch, &journal->writer.epoch, &own);
    if (failed == -ERROR_STALE) journal_break(journal, &own);
    if (failed && err) *err = own;
    return failed;
}

void journal_replaced(struct journal *journal, const char *by)
{
    struct error err;
    if (journal_check_ours(journal, &err) == -ERROR_STALE) return;
    error_set(&err, ERROR_STALE, NOWHERE, "%s obeys a server that was started later than this one (epoch %llu)", by,
        (unsigned long long)journal_epoch(journal)->number);
    error_hint(&err, "it serves another copy of %s, or did: stop one of the two; if this one is to stay, start it again", journal->folder);
    journal_break(journal, &err);
}

/* A server that nobody asks anything, and that has nothing to write, learns of it, too. */
static void on_look(uv_timer_t *look)
{
    (void)!journal_check_ours(look->data, NULL);
}

/* --- opening and closing --- */

static int open_databases(struct journal *journal, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/journal.db", journal->folder);
    int64_t last = 0;
    int failed = writer_open(&journal->writer, path, err);
    if (!failed) failed = database_open_reader(path, &journal->reader, err);
    if (!failed) failed = epoch_prepare(journal->reader, &journal->read_epoch, err);
    if (!failed)
        failed = database_number(journal->reader,
            "SELECT max((SELECT ifnull(max(run), 0) FROM runs),"
            " (SELECT ifnull(max(run), 0) FROM events))",
            &last, err);
    journal->next_run = (uint64_t)last + 1;
    return failed;
}

static int start_writer(struct journal *journal, uv_loop_t *loop, struct error *err)
{
    uv_mutex_init(&journal->mutex);
    uv_cond_init(&journal->wake);
    int result = uv_async_init(loop, &journal->answers, on_answers);
    if (result < 0) return error_set(err, ERROR_INTERNAL, NOWHERE, "starting the journal's writer: %s", uv_strerror(result));
    journal->answers.data = journal;
    uv_unref((uv_handle_t *)&journal->answers);
    uv_timer_init(loop, &journal->look);
    journal->look.data = journal;
    uv_timer_start(&journal->look, on_look, LOOK_MS, LOOK_MS);
    uv_unref((uv_handle_t *)&journal->look);
    journal->open_handles = 2;
    if (uv_thread_create(&journal->thread, writer_main, journal) == 0) return 0;
    return error_set(err, ERROR_INTERNAL, NOWHERE, "starting the journal's writer: no thread could be made");
}

static void on_closed(uv_handle_t *handle)
{
    struct journal *journal = handle->data;
    if (--journal->open_handles == 0) free(journal);
}

/* For a journal in any state of being opened, its thread not running. The handles, once begun, keep the struct until the
   loop comes round. */
static void journal_release(struct journal *journal)
{
    query_close(journal);
    sqlite3_finalize(journal->read_epoch);
    sqlite3_close_v2(journal->reader);
    writer_close(&journal->writer, journal->broken);
    if (journal->lock >= 0) close(journal->lock);
    free(journal->folder);
    if (!journal->open_handles) {
        free(journal);
        return;
    }
    uv_close((uv_handle_t *)&journal->answers, on_closed);
    uv_close((uv_handle_t *)&journal->look, on_closed);
}

int journal_open(uv_loop_t *loop, const struct journal_options *options, struct journal **ret, struct error *err)
{
    struct journal *journal = mem_alloc(sizeof *journal);
    journal->options = *options;
    if (!journal->options.redo_delay_ms) journal->options.redo_delay_ms = REDO_DELAY_MS;
    journal->folder = mem_copy_text(options->folder);
    journal->lock = -1;
    int failed = file_keep_folders(journal->folder, 0700, err);
    if (!failed) failed = lock_take(journal->folder, &journal->lock, err);
    if (!failed) failed = open_databases(journal, err);
    if (!failed) failed = start_writer(journal, loop, err);
    if (failed) {
        journal_release(journal);
        return failed;
    }
    *ret = journal;
    return 0;
}

static void close_reader(struct journal *journal)
{
    query_close(journal);
    sqlite3_close_v2(journal->reader);
    uv_mutex_destroy(&journal->mutex);
    free(journal->folder);
    free(journal);
}

void journal_close(struct journal **place)
{
    struct journal *journal = take(place);
    if (!journal) return;
    if (journal->only_reads) {
        close_reader(journal);
        return;
    }
    uv_mutex_lock(&journal->mutex);
    journal->stopping = true;
    uv_mutex_unlock(&journal->mutex);
    uv_cond_signal(&journal->wake);
    uv_thread_join(&journal->thread);
    answer_all(journal);
    while (journal->queue.first || journal->done.first) { /* the answers have appended more; without a thread, this one writes */
        struct append_list list = journal->queue;
        journal->queue = (struct append_list){0};
        writer_write(journal, &list);
        answer_all(journal);
    }
    uv_cond_destroy(&journal->wake);
    uv_mutex_destroy(&journal->mutex);
    journal_release(journal);
}

uint64_t journal_next_run(struct journal *journal)
{
    return journal->next_run++;
}

struct journal_counts journal_count(const struct journal *journal)
{
    return (struct journal_counts){.events = journal->event_count, .commits = journal->commit_count, .max_group = journal->max_group};
}

/* journal_private.h: what the files of the journal share. Each member belongs to the loop's thread, to the writer's, or to both
   under the mutex; the headings say which. The writer never holds the mutex while it is in SQLite. */
#ifndef CRESCENDO_STORE_JOURNAL_PRIVATE_H
#define CRESCENDO_STORE_JOURNAL_PRIVATE_H

#include "store/chain.h"
#include "store/epoch.h"
#include "store/journal.h"

#include <sqlite3.h>
#include <stdatomic.h>

enum { KEY_BUCKETS = 256, CHAIN_HEADS = 256 };

/* A document of an append that is not on disk yet, in the lists of its id and (when it has one) its key. */
struct queued_document {
    const struct document *document;
    struct queued_document *next, *next_key;
};

/* One journal_append, with all that it was given in the same block. */
struct append {
    struct append *next;
    struct append *next_key;    /* in the same bucket of queued_keys */
    struct journal_batch batch; /* points into this block */
    struct run_row run;         /* batch.run, when there is one */
    struct shim_row shim;
    struct blob blob;
    struct queued_document *queued; /* one for each document */
    void (*committed)(void *context);
    void *context;
    size_t size_bytes;
    bool durable;
    bool keyed; /* its run's key is in queued_keys */
    bool lost;  /* it came behind a failure: freed without an answer */
};
struct append_list {
    struct append *first, *last;
    size_t count;
};
struct append *append_new(const struct journal_batch *batch, void (*committed)(void *context), void *context);
void append_list_add(struct append_list *list, struct append *append);
/* Moves all of *more behind list's last. */
void append_list_join(struct append_list *list, struct append_list *more);

enum query {
    QUERY_FIND_TRIGGER,
    QUERY_GET_RUN,
    QUERY_LIST_STEPS,
    QUERY_LIST_APPROVALS,
    QUERY_READ_RUN,
    QUERY_READ_ALL,
    QUERY_NEXT_STATE,
    QUERY_RUNS_IN_STATE,
    QUERY_SHIM,
    QUERY_VERIFY,
    QUERY_GET_BLOB,
    QUERY_GET_DOCUMENT,
    QUERY_FIND_DOCUMENT,
    QUERY_COUNT_DOCUMENTS,
    QUERY_LIST_DOCUMENTS,
    QUERY_LIST_DOCUMENTS_BACK,
    QUERY_SEARCH_DOCUMENTS,
    QUERY_SEARCH_DOCUMENTS_BACK,
    QUERY_NEXT_FORGOTTEN,
    QUERY_IS_FORGOTTEN,
    QUERY_NEXT_MARKED_LOG,
    QUERY_NEXT_OLD_RUN,
    QUERY_FOLLOWING_RUN,
    QUERY_RUN_ROW,
    QUERY_STEP_ROWS,
    QUERY_LIST_BLOBS,
    QUERY_LIST_RUNS, /* and the seven behind it: a bit for each filter */
    QUERY_COUNT = QUERY_LIST_RUNS + 8
};

enum forget {
    FORGET_MARK,
    FORGET_FIND_PLAN,
    FORGET_RUN,
    FORGET_SHIM,
    FORGET_LOG_MARK,
    FORGET_PLAN,
    FORGET_EVENTS,
    FORGET_STEPS,
    FORGET_UNMARK,
    FORGET_COUNT
};

enum writer_state { WRITER_IDLE, WRITER_DELAYING, WRITER_BUSY };

/* The writer's own: its connection, statements and what it remembers. */
struct writer {
    sqlite3 *database;
    sqlite3_stmt *begin, *commit, *add_event, *find_head, *put_run, *put_step, *put_shim, *put_blob, *put_document, *remove_document,
        *mark_log, *unmark_log;
    sqlite3_stmt *forget[FORGET_COUNT];
    sqlite3_stmt *read_epoch;
    struct epoch epoch;                   /* since writer_open; read by the loop's thread, too */
    struct chain_head heads[CHAIN_HEADS]; /* the runs written last, by number; others are read from the database */
    struct row_set *rows;
    int wal_pages;     /* as the last commit told */
    size_t last_count; /* appends that were taken together last */
};

struct journal {
    /* the loop's */
    uv_async_t answers;
    uv_timer_t look;
    unsigned open_handles;
    char *folder;
    struct journal_options options;
    int lock;
    sqlite3 *reader;
    sqlite3_stmt *queries[QUERY_COUNT];
    sqlite3_stmt *read_epoch; /* the reader's; NULL where there is no server */
    struct append *queued_keys[KEY_BUCKETS];
    struct queued_document *queued_documents[KEY_BUCKETS], *queued_document_keys[KEY_BUCKETS]; /* newest first */
    uint64_t next_run;
    size_t unanswered; /* appends that are not back yet; they keep the loop alive */
    bool failure_told;
    bool only_reads; /* opened by journal_open_to_read: there is no lock, writer, thread, handle */
    /* both: under the mutex */
    uv_mutex_t mutex;
    uv_cond_t wake;
    struct append_list queue, done;
    bool durable_queued, stopping, broken;
    enum writer_state writer_state;
    struct error failure; /* of broken */
    /* the writer's */
    uv_thread_t thread;
    struct writer writer;
    /* both, without the mutex */
    _Atomic uint64_t event_count, commit_count, max_group;
};

/* writer.c */
int writer_open(struct writer *writer, const char *path, struct error *err) MUST_CHECK;
void writer_close(struct writer *writer, bool broken);
void writer_main(void *journal); /* the thread */
/* Writes all of *list, in one or more transactions, and hands it to journal->done. */
void writer_write(struct journal *journal, struct append_list *list);

/* forget.c */
int forget_open(struct writer *writer, struct error *err) MUST_CHECK;
void forget_close(struct writer *writer);
int forget_write(struct writer *writer, const struct forgetting *forgetting, struct error *err) MUST_CHECK;

/* journal.c */
void journal_break(struct journal *journal, const struct error *err);  /* nothing can be written any more; any thread */
uint64_t journal_queued_run(struct journal *journal, const char *key); /* the run of a queued append with this key; 0 = none */

/* documents.c: what the two single look-ups find before it is on disk. */
void documents_remember(struct journal *journal, struct append *append);
void documents_forget(struct journal *journal, struct append *append);

/* query.c */
/* The kept statement, reset by query_end when the scope ends, so that no read holds back a checkpoint. */
int query_begin(struct journal *journal, enum query query, sqlite3_stmt **ret, struct error *err) MUST_CHECK;
void query_end(sqlite3_stmt **statement);
/* 1: a row; 0: the end; negative: failed. */
int query_next(struct journal *journal, sqlite3_stmt *statement, struct error *err) MUST_CHECK;
void query_bind_text(sqlite3_stmt *statement, int index, const char *text); /* copies */
void query_close(struct journal *journal);
const char *query_text(enum query query);     /* its SQL, for the test of the query plans; valid for the static ones */
char *query_list_runs_text(unsigned filters); /* caller frees */

/* rows.c: the last version of each projection row in a transaction; the versions before it need not be written. */
struct row_set;
struct row_set *row_set_new(void);
void row_set_free(struct row_set **set);
void row_set_clear(struct row_set *set);
void row_set_add_run(struct row_set *set, struct run_row *row);
void row_set_add_step(struct row_set *set, const struct step_row *row);
void row_set_add_document(struct row_set *set, const struct document *document);
struct row {
    const struct run_row *run;
    const struct step_row *step;
    const struct document *document;
    const char *document_key; /* of its first version in this transaction */
    bool anew;                /* the document was removed before this version of it */
};                            /* one of the three */
size_t row_set_count(const struct row_set *set);
struct row row_set_at(const struct row_set *set, size_t index);

#endif

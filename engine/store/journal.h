/* journal.h: the events of all runs, and the projections of them, in one SQLite database (WAL, synchronous FULL).
   One thread writes: appends are queued from the loop's thread, committed in groups, and answered on the loop's thread. DURABLE
   appends ask for a commit at once; REDO appends wait at most 5 ms for company, 25 where many come. Events of one run keep their order; so
   do all appends. The projection rows handed along change in the same transaction. The store knows no reducer.
   A failing write or sync is fatal for the journal: every later append fails, `failed` is called once, the server stops. */
#ifndef CRESCENDO_STORE_JOURNAL_H
#define CRESCENDO_STORE_JOURNAL_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stdint.h>
#include <uv.h>

struct journal;

struct journal_event {
    uint64_t run;
    uint64_t seq; /* 1, 2, ... within the run */
    int64_t time_ms;
    const char *type; /* "step_started" */
    uint32_t step;    /* UINT32_MAX = none */
    bool durable;
    const char *data; /* canonical JSON text or NULL */
};

/* Projections: the present rows. A row given replaces the row with the same key, but a run's key, repository and pipeline stay
   those of its first row. Texts may be NULL, but for state. */
struct run_row {
    uint64_t run;    /* key; the number that people see */
    const char *key; /* the trigger's key: a second run with it is refused (journal_find_trigger) */
    const char *pipeline, *repository, *ref, *commit_id, *author, *title, *trigger;
    const char *state, *reason, *message, *waiting_for, *plan; /* plan: digest of its blob */
    int64_t accepted_ms, started_ms, ended_ms;
    uint32_t step_count, steps_done, steps_failed;
};
struct step_row {
    uint64_t run;
    uint32_t step; /* key with run */
    const char *path, *type, *title, *state, *reason, *message, *waiting_for;
    uint32_t attempt;
    int64_t started_ms, ended_ms, until_ms;
    int exit_code;
    const char *outputs; /* JSON or NULL */
};
struct shim_row {
    uint64_t run;
    uint64_t sequence;
}; /* the last report of the run's shim that these events hold */

/* Bytes that are kept by their digest, in the same transaction as the events that name it: a plan. */
struct blob {
    const char *digest; /* SHA-256 of bytes, in hex; stored once however often it is given */
    const char *bytes;
    size_t size;
};

/* A document: JSON text under a name in a collection ("serviceOrder", "17"), replaced whole. key: a second name, unique in the
   collection (an order's requester and externalId); NULL = none; stays that of the first version. A key that another document has breaks
   the journal: ask journal_find_document before. body NULL: it is removed. Documents are
   listed in the order in which they were first written. */
struct document {
    const char *collection, *id, *key;
    const char *body;
    size_t size;
};

/* A run at rest is forgotten. rows 0: it is gone from the lists, with its plan where no other run has it, and marked; else so many of its
   steps and of its events go, the last ones first; with the last of them the mark. */
struct forgetting {
    uint64_t run; /* 0 = none */
    unsigned rows;
};

/* The log segment of a run at rest is marked as one that may be compressed, in the same transaction; or the mark goes. */
struct log_mark {
    uint64_t run; /* 0 = none */
    bool gone;
};

struct journal_batch {
    const struct journal_event *events;
    size_t event_count;
    const struct run_row *run; /* NULL: unchanged */
    const struct step_row *steps;
    size_t step_count;
    const struct shim_row *shim; /* NULL: unchanged */
    const struct blob *blob;     /* NULL: none */
    const struct document *documents;
    size_t document_count;
    struct forgetting forget;
    struct log_mark log_mark;
    bool durable; /* asks for a commit at once, as a durable event does: for a batch of documents without events */
};

struct journal_options {
    const char *folder;     /* holds journal.db and lock; created */
    unsigned redo_delay_ms; /* how long an append may wait for others that is not durable; where many come, five times that. 0 = the
                               default, 5 */
    /* Called on the loop's thread, once, when nothing can be written any more. */
    void (*failed)(void *context, const struct error *err);
    void *context;
};

/* Opens, locks (a second server is refused: -ERROR_CONFLICT with a hint), migrates, starts the writer thread. */
int journal_open(uv_loop_t *loop, const struct journal_options *options, struct journal **ret, struct error *err) MUST_CHECK;
/* Commits what is queued, stops the writer, closes. Callbacks of queued appends are still made before it returns. Not from within
   a `committed`; the loop must come round once more, which frees the last memory. */
void journal_close(struct journal **journal);

/* Queues the batch; copies all of it. committed (may be NULL) is called on the loop's thread once it is on disk, in order of appends,
   all callbacks of one commit together. After a failure callbacks are not made; `failed` is. */
void journal_append(struct journal *journal, const struct journal_batch *batch, void (*committed)(void *context), void *context);

/* --- whose it is (docs/explanation/durability.md) --- */
enum { ENGINE_ID_SIZE = 33 }; /* hexadecimal digits and NUL */

/* number: higher than that of each start before, and at least the wall clock's milliseconds, so that one that begins from a backup is not
   taken for older than those that it replaces. engine: names the journal, the same in all of its epochs. */
struct epoch {
    uint64_t number;
    char engine[ENGINE_ID_SIZE];
};
/* In which this server has it; 0 where it is only read. Borrowed. */
const struct epoch *journal_epoch(const struct journal *journal);
/* -ERROR_STALE: another server has taken the folder; then the journal has failed, and says who has it. Every query and every transaction
   asks by itself; ask before a command to the world that follows from no transaction. On the loop's thread; err may be NULL. */
int journal_check_ours(struct journal *journal, struct error *err) MUST_CHECK;
/* Somebody who obeys epochs ("the supervisor of run 3") has refused us for a later one: the journal has failed. On the loop's thread. */
void journal_replaced(struct journal *journal, const char *by);

/* The next run's number; unique, also across restarts, once the run's first event is appended. */
uint64_t journal_next_run(struct journal *journal);

/* --- queries: on the loop's thread, by a read-only connection; see what is committed --- */
/* The run that this trigger key made; 0 = none. Also sees queued appends. */
uint64_t journal_find_trigger(struct journal *journal, const char *key);
/* Runs newest first, as an array of objects with the API's names; before = 0 for the newest (keyset: pass the last number seen).
   NULL filters match all; limit 0 is LIMIT_PAGE. */
struct run_query {
    const char *repository, *pipeline, *state;
    uint64_t before;
    unsigned limit;
};
int journal_list_runs(struct journal *journal, const struct run_query *query, json_t **ret_rows, struct error *err) MUST_CHECK;
int journal_get_run(struct journal *journal, uint64_t run, json_t **ret_row, struct error *err) MUST_CHECK; /* -ERROR_NOT_FOUND */
int journal_list_steps(struct journal *journal, uint64_t run, json_t **ret_rows, struct error *err) MUST_CHECK;
/* Steps parked for an approval, over all runs: {run, step, path, title, until_ms, pipeline, ...}. */
int journal_list_approvals(struct journal *journal, json_t **ret_rows, struct error *err) MUST_CHECK;
/* Calls back for each event of a run (0: of all runs) with global id > after, oldest first, until limit (0: none) or a non-zero
   return. A row is borrowed for the call, which may append, but not read. */
struct journal_row {
    uint64_t id, run, seq;
    int64_t time_ms;
    const char *type;
    uint32_t step;
    const char *data;
};
int journal_read(struct journal *journal, uint64_t run, uint64_t after, unsigned limit,
    int (*row)(void *context, const struct journal_row *row), void *context, struct error *err) MUST_CHECK;
/* Runs that are not at rest (by their projection's state), oldest first: what a restart has to fold. at_rest: NULL-ended names. */
int journal_open_runs(
    struct journal *journal, const char *const *at_rest, uint64_t **ret_runs, size_t *ret_count, struct error *err) MUST_CHECK;
/* A blob's bytes, NUL-terminated; caller frees. -ERROR_NOT_FOUND; -ERROR_CONFLICT: it is not what its digest says. */
int journal_get_blob(struct journal *journal, const char *digest, char **ret_bytes, size_t *ret_size, struct error *err) MUST_CHECK;
uint64_t journal_shim_sequence(struct journal *journal, uint64_t run);
/* A document's text, NUL-terminated; caller frees. Sees queued appends, too. -ERROR_NOT_FOUND. */
int journal_get_document(
    struct journal *journal, const char *collection, const char *id, char **ret_body, size_t *ret_size, struct error *err) MUST_CHECK;
/* The same, as it is on disk: what somebody outside may be told, and what agrees with a list. */
int journal_read_document(
    struct journal *journal, const char *collection, const char *id, char **ret_body, size_t *ret_size, struct error *err) MUST_CHECK;
/* The id of the document with this key, queued or written; caller frees. -ERROR_NOT_FOUND. */
int journal_find_document(struct journal *journal, const char *collection, const char *key, char **ret_id, struct error *err) MUST_CHECK;
/* Documents of a collection, oldest first, that are committed. `holds` (may be NULL): only those whose text holds these bytes, for
   skipping cheaply what a filter would refuse. row is borrowed for the call; a non-zero return ends. */
struct document_query {
    const char *collection;
    const char *holds;
    bool newest_first;
    uint64_t skip, limit; /* of those that are left; limit 0 = all */
};
int journal_list_documents(struct journal *journal, const struct document_query *query,
    int (*row)(void *context, const struct document *row), void *context, struct error *err) MUST_CHECK;
/* How many documents of the collection are committed. */
int journal_count_documents(struct journal *journal, const char *collection, uint64_t *ret_count, struct error *err) MUST_CHECK;
/* The lowest run that is marked as forgotten, and not gone yet; 0 = none. */
int journal_next_forgotten(struct journal *journal, uint64_t *ret_run, struct error *err) MUST_CHECK;
/* The first run behind `after` in the order of numbers, but never the last one there is; run 0 = none. */
struct old_run {
    uint64_t run;
    int64_t accepted_ms, ended_ms; /* ended_ms 0: it is not at rest */
};
int journal_next_old_run(struct journal *journal, uint64_t after, struct old_run *ret, struct error *err) MUST_CHECK;
/* The first run behind `after` whose log segment is marked; 0 = none. */
int journal_next_marked_log(struct journal *journal, uint64_t after, uint64_t *ret_run, struct error *err) MUST_CHECK;
/* Recomputes a run's hash chain. -ERROR_CONFLICT names the first event that does not fit. */
int journal_verify(struct journal *journal, uint64_t run, struct error *err) MUST_CHECK;

/* Numbers since it was opened, for `version --json` and benchmarks. */
struct journal_counts {
    uint64_t events, commits, max_group;
};
struct journal_counts journal_count(const struct journal *journal);

#endif

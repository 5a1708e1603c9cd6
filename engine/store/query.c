/* query.c: what can be asked of the journal: prepared statements on a read-only connection, rows as JSON in the API's names. */
#include "store/journal_private.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "store/database.h"
#include "store/inspect.h"

#include <stdlib.h>
#include <string.h>

#define RUN_COLUMNS \
    "run, pipeline, repository, ref, commit_id AS \"commit\", author, title, trigger, state, reason, message, waiting_for, plan," \
    " nullif(accepted_ms, 0) AS accepted_ms, nullif(started_ms, 0) AS started_ms, nullif(ended_ms, 0) AS ended_ms, step_count," \
    " steps_done, steps_failed"

/* An exit code means something only for a step whose process has ended. */
static const char *const queries[QUERY_LIST_RUNS] = {
    [QUERY_FIND_TRIGGER] = "SELECT run FROM runs WHERE key = ?1",
    [QUERY_GET_RUN] = "SELECT " RUN_COLUMNS " FROM runs WHERE run = ?1",
    [QUERY_LIST_STEPS] =
        "SELECT step AS \"index\", path, type, title, state, reason, message, waiting_for, attempt, nullif(started_ms, 0) AS started_ms,"
        " nullif(ended_ms, 0) AS ended_ms, nullif(until_ms, 0) AS until_ms,"
        " CASE WHEN started_ms AND ended_ms AND exit_code >= 0 THEN exit_code END AS exit_code, outputs"
        " FROM steps WHERE run = ?1 ORDER BY step",
    [QUERY_LIST_APPROVALS] =
        "SELECT s.run, s.step, s.path, s.title, s.message, nullif(s.until_ms, 0) AS until_ms, r.pipeline, r.repository, r.ref,"
        " r.commit_id AS \"commit\", r.author, r.title AS run_title"
        " FROM steps AS s JOIN runs AS r ON r.run = s.run WHERE s.waiting_for = 'approval' AND s.state = 'parked' ORDER BY s.run, s.step",
    /* seq finds the place in the index; the id counts where `after` is the id of another run's event. */
    [QUERY_READ_RUN] = "SELECT id, run, seq, time_ms, type, step, data FROM events WHERE run = ?1"
                       " AND seq > ifnull((SELECT seq FROM events WHERE id = ?2 AND run = ?1), 0) AND id > ?2 ORDER BY seq LIMIT ?3",
    [QUERY_READ_ALL] = "SELECT id, run, seq, time_ms, type, step, data FROM events WHERE id > ?2 ORDER BY id LIMIT ?3",
    /* From one state to the next through the index, so that a million runs at rest cost nothing. */
    [QUERY_NEXT_STATE] = "SELECT min(state) FROM runs WHERE state > ?1",
    [QUERY_RUNS_IN_STATE] = "SELECT run FROM runs WHERE state = ?1",
    [QUERY_SHIM] = "SELECT sequence FROM shims WHERE run = ?1",
    [QUERY_GET_BLOB] = "SELECT bytes FROM blobs WHERE digest = ?1",
    [QUERY_GET_DOCUMENT] = "SELECT body FROM documents WHERE collection = ?1 AND id = ?2",
    [QUERY_FIND_DOCUMENT] = "SELECT id FROM documents WHERE collection = ?1 AND key = ?2",
    [QUERY_COUNT_DOCUMENTS] = "SELECT count(*) FROM documents WHERE collection = ?1",
    /* The text of a row is read only where it is asked for, so that what is skipped costs an index entry. */
    [QUERY_LIST_DOCUMENTS] = "SELECT id, key, body FROM documents WHERE collection = ?1 ORDER BY number LIMIT ?2 OFFSET ?3",
    [QUERY_LIST_DOCUMENTS_BACK] = "SELECT id, key, body FROM documents WHERE collection = ?1 ORDER BY number DESC LIMIT ?2 OFFSET ?3",
    [QUERY_SEARCH_DOCUMENTS] =
        "SELECT id, key, body FROM documents WHERE collection = ?1 AND instr(body, ?4) ORDER BY number LIMIT ?2 OFFSET ?3",
    [QUERY_SEARCH_DOCUMENTS_BACK] =
        "SELECT id, key, body FROM documents WHERE collection = ?1 AND instr(body, ?4) ORDER BY number DESC LIMIT ?2 OFFSET ?3",
    [QUERY_NEXT_FORGOTTEN] = "SELECT run FROM forgotten WHERE run > 0 ORDER BY run LIMIT 1",
    [QUERY_NEXT_OLD_RUN] = "SELECT run, accepted_ms, ended_ms FROM runs WHERE run > ?1 AND run < (SELECT max(run) FROM runs)"
                           " ORDER BY run LIMIT 1",
    /* Each through its own index, however many runs there are. */
    [QUERY_FOLLOWING_RUN] =
        "SELECT min(run) FROM (SELECT min(run) AS run FROM events WHERE run > ?1 UNION ALL SELECT min(run) FROM runs WHERE run > ?1"
        " UNION ALL SELECT min(run) FROM steps WHERE run > ?1 UNION ALL SELECT min(run) FROM shims WHERE run > ?1)",
    [QUERY_IS_FORGOTTEN] = "SELECT 1 FROM forgotten WHERE run = ?1",
    [QUERY_NEXT_MARKED_LOG] = "SELECT run FROM closed_logs WHERE run > ?1 ORDER BY run LIMIT 1",
    [QUERY_RUN_ROW] = "SELECT key, pipeline, repository, ref, commit_id, author, title, trigger, state, reason, message, waiting_for, plan,"
                      " accepted_ms, started_ms, ended_ms, step_count, steps_done, steps_failed FROM runs WHERE run = ?1",
    [QUERY_STEP_ROWS] = "SELECT step, path, type, title, state, reason, message, waiting_for, outputs, attempt, started_ms, ended_ms,"
                        " until_ms, exit_code FROM steps WHERE run = ?1 ORDER BY step",
    [QUERY_LIST_BLOBS] = "SELECT digest FROM blobs ORDER BY digest",
    [QUERY_VERIFY] = "SELECT seq, time_ms, type, step, version, data, hash FROM events WHERE run = ?1 ORDER BY seq",
};

const char *query_text(enum query query)
{
    return queries[query];
}

enum filter { FILTER_REPOSITORY = 1, FILTER_PIPELINE = 2, FILTER_STATE = 4 };

char *query_list_runs_text(unsigned filters)
{
    return mem_format("SELECT " RUN_COLUMNS " FROM runs WHERE run < ?1%s%s%s ORDER BY run DESC LIMIT ?2",
        filters & FILTER_REPOSITORY ? " AND repository = ?3" : "", filters & FILTER_PIPELINE ? " AND pipeline = ?4" : "",
        filters & FILTER_STATE ? " AND state = ?5" : "");
}

void query_end(sqlite3_stmt **statement)
{
    sqlite3_reset(*statement);
}

int query_begin(struct journal *journal, enum query query, sqlite3_stmt **ret, struct error *err)
{
    sqlite3_stmt **kept = &journal->queries[query];
    int failed = journal_check_ours(journal, err); /* else somebody is told what was so before another server went on */
    if (failed) return failed;
    if (!*kept) {
        AUTO(free_text) char *listing = query >= QUERY_LIST_RUNS ? query_list_runs_text(query - QUERY_LIST_RUNS) : NULL;
        failed = database_prepare(journal->reader, listing ? listing : queries[query], kept, err);
        if (failed) return failed;
    }
    if (sqlite3_stmt_busy(*kept)) return error_set(err, ERROR_INTERNAL, NOWHERE, "a journal query was asked from within its own answer");
    *ret = *kept;
    return 0;
}

void query_close(struct journal *journal)
{
    for (int i = 0; i < QUERY_COUNT; i++)
        sqlite3_finalize(take(&journal->queries[i]));
}

int query_next(struct journal *journal, sqlite3_stmt *statement, struct error *err)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) return 1;
    return result == SQLITE_DONE ? 0 : database_error(journal->reader, "reading", err);
}

static void bind_number(sqlite3_stmt *statement, int index, uint64_t number)
{
    sqlite3_bind_int64(statement, index, (int64_t)(number > INT64_MAX ? INT64_MAX : number));
}

void query_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

/* An object with a member for each column that is not NULL; "outputs" holds JSON already. */
static json_t *row_to_json(sqlite3_stmt *statement)
{
    json_t *row = json_object();
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        const char *name = sqlite3_column_name(statement, i);
        int type = sqlite3_column_type(statement, i);
        if (type == SQLITE_INTEGER) json_put_whole(row, name, sqlite3_column_int64(statement, i));
        if (type != SQLITE_TEXT) continue;
        if (strcmp(name, "outputs") == 0)
            json_put(row, name, json_loads(column_text(statement, i), JSON_DECODE_ANY, NULL));
        else
            json_put_text(row, name, column_text(statement, i));
    }
    return row;
}

static int collect_rows(struct journal *journal, sqlite3_stmt *statement, json_t **ret_rows, struct error *err)
{
    AUTO(free_json) json_t *rows = json_array();
    int more;
    while ((more = query_next(journal, statement, err)) > 0)
        json_array_append_new(rows, row_to_json(statement));
    if (more == 0) *ret_rows = take(&rows);
    return more;
}

/* One number of one row, asked by one value. A journal that cannot be read cannot be relied on: it is broken from then on. */
static uint64_t find_number(struct journal *journal, enum query query, const char *text, uint64_t number)
{
    struct error err;
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    uint64_t found = 0;
    int more = query_begin(journal, query, &statement, &err);
    if (more == 0) {
        if (text)
            query_bind_text(statement, 1, text);
        else
            bind_number(statement, 1, number);
        more = query_next(journal, statement, &err);
    }
    if (more > 0) found = (uint64_t)sqlite3_column_int64(statement, 0);
    if (more < 0) journal_break(journal, &err);
    return found;
}

uint64_t journal_find_trigger(struct journal *journal, const char *key)
{
    uint64_t queued = journal_queued_run(journal, key);
    return queued ? queued : find_number(journal, QUERY_FIND_TRIGGER, key, 0);
}

int journal_get_blob(struct journal *journal, const char *digest, char **ret_bytes, size_t *ret_size, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    char found[SHA256_HEX];
    int failed = query_begin(journal, QUERY_GET_BLOB, &statement, err);
    if (failed) return failed;
    query_bind_text(statement, 1, digest);
    int more = query_next(journal, statement, err);
    if (more < 0) return more;
    if (more == 0) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no blob %.64s", digest);
    size_t size = (size_t)sqlite3_column_bytes(statement, 0);
    const char *bytes = sqlite3_column_blob(statement, 0);
    sha256_hex(bytes, size, found);
    if (!text_equal(found, digest)) return error_set(err, ERROR_CONFLICT, NOWHERE, "blob %.64s is damaged", digest);
    *ret_bytes = mem_copy_bytes(bytes, size);
    if (ret_size) *ret_size = size;
    return 0;
}

uint64_t journal_shim_sequence(struct journal *journal, uint64_t run)
{
    return find_number(journal, QUERY_SHIM, NULL, run);
}

bool journal_is_forgotten(struct journal *journal, uint64_t run)
{
    return find_number(journal, QUERY_IS_FORGOTTEN, NULL, run);
}

int journal_list_runs(struct journal *journal, const struct run_query *query, json_t **ret_rows, struct error *err)
{
    unsigned filters =
        (query->repository ? FILTER_REPOSITORY : 0u) | (query->pipeline ? FILTER_PIPELINE : 0u) | (query->state ? FILTER_STATE : 0u);
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int failed = query_begin(journal, QUERY_LIST_RUNS + filters, &statement, err);
    if (failed) return failed;
    bind_number(statement, 1, query->before ? query->before : INT64_MAX);
    bind_number(statement, 2, query->limit ? query->limit : LIMIT_PAGE);
    if (query->repository) query_bind_text(statement, 3, query->repository);
    if (query->pipeline) query_bind_text(statement, 4, query->pipeline);
    if (query->state) query_bind_text(statement, 5, query->state);
    return collect_rows(journal, statement, ret_rows, err);
}

int journal_get_run(struct journal *journal, uint64_t run, json_t **ret_row, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int failed = query_begin(journal, QUERY_GET_RUN, &statement, err);
    if (failed) return failed;
    bind_number(statement, 1, run);
    int more = query_next(journal, statement, err);
    if (more < 0) return more;
    if (more == 0) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no run %llu", (unsigned long long)run);
        return error_hint(err, "`crescendo runs` lists them; a server with --keep has forgotten old ones");
    }
    *ret_row = row_to_json(statement);
    return 0;
}

/* "build/test" is a step of the stage "build". */
static void add_stage(json_t *step)
{
    const char *path = json_text(step, "path", NULL), *slash = path ? strrchr(path, '/') : NULL;
    if (slash)
        json_put(step, "stage", json_stringn(path, (size_t)(slash - path)));
    else
        json_put_text(step, "stage", path);
}

int journal_list_steps(struct journal *journal, uint64_t run, json_t **ret_rows, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int failed = query_begin(journal, QUERY_LIST_STEPS, &statement, err);
    if (failed) return failed;
    bind_number(statement, 1, run);
    failed = collect_rows(journal, statement, ret_rows, err);
    for (size_t i = 0; !failed && i < json_array_size(*ret_rows); i++)
        add_stage(json_array_get(*ret_rows, i));
    return failed;
}

int journal_list_approvals(struct journal *journal, json_t **ret_rows, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int failed = query_begin(journal, QUERY_LIST_APPROVALS, &statement, err);
    return failed ? failed : collect_rows(journal, statement, ret_rows, err);
}

static struct journal_row event_of(sqlite3_stmt *statement)
{
    return (struct journal_row){
        .id = (uint64_t)sqlite3_column_int64(statement, 0),
        .run = (uint64_t)sqlite3_column_int64(statement, 1),
        .seq = (uint64_t)sqlite3_column_int64(statement, 2),
        .time_ms = sqlite3_column_int64(statement, 3),
        .type = column_text(statement, 4),
        .step = sqlite3_column_type(statement, 5) == SQLITE_NULL ? UINT32_MAX : (uint32_t)sqlite3_column_int64(statement, 5),
        .data = column_text(statement, 6),
    };
}

int journal_read(struct journal *journal, uint64_t run, uint64_t after, unsigned limit,
    int (*row)(void *context, const struct journal_row *row), void *context, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, run ? QUERY_READ_RUN : QUERY_READ_ALL, &statement, err);
    if (more < 0) return more;
    if (run) bind_number(statement, 1, run);
    bind_number(statement, 2, after);
    sqlite3_bind_int64(statement, 3, limit ? (int64_t)limit : -1);
    while ((more = query_next(journal, statement, err)) > 0) {
        struct journal_row event = event_of(statement);
        if (row(context, &event)) return 0;
    }
    return more;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

struct run_list {
    uint64_t *runs;
    size_t count, capacity;
};

static void free_runs(struct run_list *list)
{
    free(list->runs);
}

static int add_runs_in(struct journal *journal, const char *state, struct run_list *list, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_RUNS_IN_STATE, &statement, err);
    if (more < 0) return more;
    query_bind_text(statement, 1, state);
    while ((more = query_next(journal, statement, err)) > 0) {
        list->runs = mem_grow(list->runs, &list->capacity, list->count + 1, sizeof *list->runs);
        list->runs[list->count++] = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    return more;
}

/* *state becomes the name behind it; NULL after the last. */
static int next_state(struct journal *journal, char **state, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_NEXT_STATE, &statement, err);
    if (more < 0) return more;
    query_bind_text(statement, 1, *state);
    more = query_next(journal, statement, err);
    if (more < 0) return more;
    free(*state);
    *state = mem_copy_text(more ? column_text(statement, 0) : NULL);
    return 0;
}

static int compare_runs(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

int journal_open_runs(struct journal *journal, const char *const *at_rest, uint64_t **ret_runs, size_t *ret_count, struct error *err)
{
    AUTO(free_runs) struct run_list list = {.runs = mem_alloc(sizeof(uint64_t)), .capacity = 1};
    AUTO(free_text) char *state = mem_copy_text("");
    int failed = next_state(journal, &state, err);
    while (!failed && state) {
        if (!is_among(state, at_rest)) failed = add_runs_in(journal, state, &list, err);
        if (!failed) failed = next_state(journal, &state, err);
    }
    if (failed) return failed;
    qsort(list.runs, list.count, sizeof *list.runs, compare_runs);
    *ret_count = list.count;
    *ret_runs = take(&list.runs);
    return 0;
}

static int verify_event(struct chain_head *head, sqlite3_stmt *statement, struct error *err)
{
    struct chain_link link = {
        .run = head->run,
        .seq = (uint64_t)sqlite3_column_int64(statement, 0),
        .time_ms = sqlite3_column_int64(statement, 1),
        .type = column_text(statement, 2),
        .step = sqlite3_column_type(statement, 3) == SQLITE_NULL ? UINT32_MAX : (uint32_t)sqlite3_column_int64(statement, 3),
        .version = (uint32_t)sqlite3_column_int64(statement, 4),
        .data = column_text(statement, 5),
    };
    unsigned long long run = head->run, expected = head->seq + 1;
    if (link.seq != expected) return error_set(err, ERROR_CONFLICT, NOWHERE, "event %llu of run %llu is missing", expected, run);
    chain_add(head, &link);
    const void *hash = sqlite3_column_blob(statement, 6);
    if (hash && sqlite3_column_bytes(statement, 6) == SHA256_BYTES && memcmp(hash, head->hash, SHA256_BYTES) == 0) return 0;
    return error_set(err, ERROR_CONFLICT, NOWHERE, "event %llu (%s) of run %llu does not fit its hash chain", expected, link.type, run);
}

int journal_verify(struct journal *journal, uint64_t run, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_VERIFY, &statement, err);
    if (more < 0) return more;
    bind_number(statement, 1, run);
    struct chain_head head = {.run = run};
    while ((more = query_next(journal, statement, err)) > 0) {
        int failed = verify_event(&head, statement, err);
        if (failed) return error_hint(err, "the journal was changed by hand or damaged: compare it with a backup");
    }
    return more;
}

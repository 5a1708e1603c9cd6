/* inspect.c: a journal that is only read: opened beside its server, asked for its runs, its blobs, its file's soundness. */
#include "store/inspect.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/database.h"
#include "store/journal_private.h"
#include "store/leftover.h"
#include "store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int check_version(sqlite3 *database, const char *path, struct error *err)
{
    int64_t version = 0;
    int failed = database_number(database, "PRAGMA user_version", &version, err);
    if (failed || version == (int64_t)journal_migration_count) return failed;
    if (!version) {
        error_set(err, ERROR_IO, NOWHERE, "%s is empty: it holds no journal", path);
        return error_hint(err, "restore a backup; a server that is started here knows nothing of what was before");
    }
    error_set(err, ERROR_UNSUPPORTED, NOWHERE, "%s has format %lld, this program knows format %zu", path, (long long)version,
        journal_migration_count);
    if (version > (int64_t)journal_migration_count) return error_hint(err, "a newer crescendo wrote it: use that one");
    return error_hint(err, "start the server once: it brings the journal to its own format");
}

static int check_log(const char *path, struct error *err)
{
    if (!leftover_is_there(path)) return 0;
    error_set(err, ERROR_IO, NOWHERE, "%s-wal is of another journal, which this one replaced", path);
    return error_hint(err, "start the server, which puts it aside, or move it away with journal.db-shm");
}

int journal_open_to_read(const char *folder, struct journal **ret, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/journal.db", folder);
    AUTO(close_database) sqlite3 *database = NULL;
    if (!file_exists(path)) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no journal in %s", folder);
        return error_hint(err, "--data DIR names the data folder of a server");
    }
    int failed = check_log(path, err);
    if (!failed) failed = database_open_reader(path, &database, err);
    if (!failed) failed = check_version(database, path, err);
    if (failed) return failed;
    struct journal *journal = mem_alloc(sizeof *journal);
    journal->folder = mem_copy_text(folder);
    journal->reader = take(&database);
    journal->only_reads = true;
    uv_mutex_init(&journal->mutex);
    *ret = journal;
    return 0;
}

int journal_begin_look(struct journal *journal, struct error *err)
{
    return database_run(journal->reader, "BEGIN", "reading", err);
}

void journal_end_look(struct journal *journal)
{
    if (!sqlite3_get_autocommit(journal->reader)) sqlite3_exec(journal->reader, "COMMIT", NULL, NULL, NULL);
}

static void end_statement(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

static int sync_file(const char *path, struct error *err)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0) return error_set_errno(err, errno, "%s", path);
    return 0;
}

int journal_copy(struct journal *journal, const char *path, struct error *err)
{
    AUTO(end_statement) sqlite3_stmt *statement = NULL;
    int failed = database_prepare(journal->reader, "VACUUM INTO ?1", &statement, err);
    if (failed) return failed;
    database_create_private(path);
    query_bind_text(statement, 1, path);
    if (sqlite3_step(statement) != SQLITE_DONE) return database_error(journal->reader, "copying", err);
    return sync_file(path, err);
}

int journal_check_file(struct journal *journal, journal_complaint *complain, void *context, struct error *err)
{
    AUTO(end_statement) sqlite3_stmt *statement = NULL;
    int more = database_prepare(journal->reader, "PRAGMA integrity_check(20)", &statement, err);
    if (more < 0) return more;
    while ((more = query_next(journal, statement, err)) > 0) {
        const char *what = (const char *)sqlite3_column_text(statement, 0);
        if (what && !text_equal(what, "ok")) complain(context, NULL, what);
    }
    return more;
}

static void check_document(sqlite3_stmt *row, journal_complaint *complain, void *context)
{
    AUTO(free_json) json_t *body = NULL;
    struct error why;
    const char *collection = (const char *)sqlite3_column_text(row, 0), *id = (const char *)sqlite3_column_text(row, 1);
    const char *bytes = (const char *)sqlite3_column_text(row, 2);
    AUTO(free_text) char *name = mem_format("%s %s", collection ? collection : "?", id ? id : "?");
    bool is_json = bytes && json_parse_stored(bytes, (size_t)sqlite3_column_bytes(row, 2), name, &body, &why) == 0;
    if (is_json && json_is_object(body) && (!json_object_get(body, "id") || text_equal(json_text(body, "id", NULL), id))) return;
    AUTO(free_text)
    char *what = is_json ? mem_format("%s: its body is of another document", name) : mem_copy_text(bytes ? why.message : name);
    complain(context, "documents", what);
}

int journal_check_documents(struct journal *journal, journal_complaint *complain, void *context, struct error *err)
{
    AUTO(end_statement) sqlite3_stmt *statement = NULL;
    int more = database_prepare(journal->reader, "SELECT collection, id, body FROM documents", &statement, err);
    if (more < 0) return more;
    while ((more = query_next(journal, statement, err)) > 0)
        check_document(statement, complain, context);
    return more;
}

int journal_following_run(struct journal *journal, uint64_t after, uint64_t *ret_run, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_FOLLOWING_RUN, &statement, err);
    if (more < 0) return more;
    sqlite3_bind_int64(statement, 1, (int64_t)after);
    more = query_next(journal, statement, err);
    if (more > 0) *ret_run = (uint64_t)sqlite3_column_int64(statement, 0);
    if (more == 0) *ret_run = 0;
    return more < 0 ? more : 0;
}

int journal_list_blobs(struct journal *journal, int (*blob)(void *context, const char *digest), void *context, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_LIST_BLOBS, &statement, err);
    while (more >= 0 && (more = query_next(journal, statement, err)) > 0)
        if (blob(context, (const char *)sqlite3_column_text(statement, 0))) return 0;
    return more;
}

/* epoch.c: which start of a server a journal belongs to. */
#include "store/epoch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/moment.h"
#include "store/database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void end_statement(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

int epoch_raise(sqlite3 *database, struct epoch *ret, struct error *err)
{
    AUTO(end_statement) sqlite3_stmt *raise = NULL;
    char host[256] = "";
    int failed = database_prepare(
        database, "UPDATE server SET epoch = max(epoch + 1, ?1), pid = ?2, host = ?3, since_ms = ?1 RETURNING epoch, engine", &raise, err);
    if (failed) return failed;
    gethostname(host, sizeof host - 1);
    sqlite3_bind_int64(raise, 1, clock_now_ms());
    sqlite3_bind_int64(raise, 2, getpid());
    sqlite3_bind_text(raise, 3, host, -1, SQLITE_STATIC);
    if (sqlite3_step(raise) != SQLITE_ROW) return database_error(database, "taking", err);
    struct epoch epoch = {.number = (uint64_t)sqlite3_column_int64(raise, 0)};
    const char *engine = (const char *)sqlite3_column_text(raise, 1);
    snprintf(epoch.engine, sizeof epoch.engine, "%s", engine ? engine : "");
    if (sqlite3_step(raise) != SQLITE_DONE) return database_error(database, "taking", err);
    *ret = epoch;
    return 0;
}

int epoch_prepare(sqlite3 *database, sqlite3_stmt **ret, struct error *err)
{
    return database_prepare(database, "SELECT epoch, pid, host, since_ms FROM server WHERE one = 1", ret, err);
}

static int refuse(sqlite3_stmt *read, struct error *err)
{
    char since[MOMENT_TEXT_SIZE];
    const char *host = (const char *)sqlite3_column_text(read, 2);
    error_set(err, ERROR_STALE, NOWHERE, "another server (pid %lld on %.80s, since %s) took over %s",
        (long long)sqlite3_column_int64(read, 1), host ? host : "?", moment_format(sqlite3_column_int64(read, 3), since),
        sqlite3_db_filename(sqlite3_db_handle(read), "main"));
    return error_hint(err,
        "that one goes on, with all that was answered here; what let it pass beside the lock? A data folder is served from one machine");
}

static bool has_moved(sqlite3 *database)
{
    int moved = 0;
    sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

bool epoch_log_is_gone(sqlite3 *database)
{
    const char *log = sqlite3_filename_wal(sqlite3_db_filename(database, "main"));
    return access(log, F_OK) < 0 && errno == ENOENT && !has_moved(database);
}

/* Whatever is written to a file without a name, no server will ever read. */
static int check_place(sqlite3 *database, struct error *err)
{
    const char *path = sqlite3_db_filename(database, "main");
    if (epoch_log_is_gone(database)) {
        error_set(err, ERROR_STALE, NOWHERE, "%s was removed", sqlite3_filename_wal(path));
        return error_hint(err, "what was answered is written into %.80s now; start the server again", path);
    }
    if (!has_moved(database)) return 0;
    error_set(err, ERROR_STALE, NOWHERE, "%s was removed, or another file was put in its place", path);
    return error_hint(err, "put back what belongs there, then start the server again; to restore a backup, stop the server first");
}

int epoch_check(sqlite3_stmt *read, const struct epoch *ours, struct error *err)
{
    int failed = check_place(sqlite3_db_handle(read), err);
    if (failed) return failed;
    int result = sqlite3_step(read);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        failed = database_error(sqlite3_db_handle(read), "reading", err);
    else if (result == SQLITE_DONE || (uint64_t)sqlite3_column_int64(read, 0) != ours->number)
        failed = refuse(read, err);
    sqlite3_reset(read);
    return failed;
}

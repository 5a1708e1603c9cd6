/* database.c: SQLite as the journal uses it. */
#include "store/database.h"

#include "base/mem.h"
#include "base/text.h"
#include "store/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An idle server has little memory: a page cache of 1 MiB for each connection. Deleted content need not be overwritten. */
#define SETTINGS_OF_BOTH "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
#define SETTINGS_OF_WRITER \
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = OFF;"

enum { BUSY_MS = 5000 }; /* somebody looks into the file with the sqlite3 shell */

static enum error_code code_of_result(int result, int system_errno)
{
    if (result == SQLITE_FULL || system_errno == ENOSPC || system_errno == EDQUOT) return ERROR_NO_SPACE;
    switch (result) {
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return ERROR_DENIED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERROR_CONFLICT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR: return ERROR_IO;
    default: return ERROR_INTERNAL;
    }
}

int database_error(sqlite3 *database, const char *doing, struct error *err)
{
    int result = sqlite3_errcode(database) & 0xff;
    int system_errno = result == SQLITE_IOERR || result == SQLITE_CANTOPEN || result == SQLITE_FULL ? sqlite3_system_errno(database) : 0;
    enum error_code code = code_of_result(result, system_errno);
    const char *path = sqlite3_db_filename(database, "main");
    error_set(err, code, NOWHERE, "%s %s: %s%s%s", doing, path ? path : "the journal", sqlite3_errmsg(database), system_errno ? ": " : "",
        system_errno ? strerror(system_errno) : "");
    if (code == ERROR_NO_SPACE) error_hint(err, "free space on its disk and start the server again; nothing that was answered is lost");
    if (result == SQLITE_IOERR && code == ERROR_IO) error_hint(err, "check the disk and the kernel's log, then start the server again");
    if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB)
        error_hint(err, "the file is damaged or not a journal: check the disk, restore a backup");
    if (code == ERROR_DENIED) error_hint(err, "whose is the data folder, and may this user write there? Is its disk mounted read-only?");
    if (code == ERROR_CONFLICT) error_hint(err, "another program holds a lock on the file; close it");
    return -(int)code;
}

void close_database(sqlite3 **database)
{
    sqlite3_close_v2(*database);
}

int database_run(sqlite3 *database, const char *sql, const char *doing, struct error *err)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) return database_error(database, doing, err);
    return 0;
}

static int database_open(const char *path, int flags, const char *settings, sqlite3 **ret, struct error *err)
{
    AUTO(close_database) sqlite3 *database = NULL;
    if (sqlite3_open_v2(path, &database, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        if (!database) return error_set(err, ERROR_INTERNAL, NOWHERE, "opening %s: SQLite has no memory", path);
        return database_error(database, "opening", err);
    }
    sqlite3_busy_timeout(database, BUSY_MS);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    int failed = database_run(database, settings, "opening", err);
    if (failed) return failed;
    *ret = take(&database);
    return 0;
}

/* SQLite keeps the old mode without a word where it cannot have a WAL. */
static int check_wal(sqlite3 *database, struct error *err)
{
    sqlite3_stmt *statement;
    int failed = database_prepare(database, "PRAGMA journal_mode", &statement, err);
    if (failed) return failed;
    bool is_wal = sqlite3_step(statement) == SQLITE_ROW && text_equal((const char *)sqlite3_column_text(statement, 0), "wal");
    sqlite3_finalize(statement);
    if (is_wal) return 0;
    error_set(err, ERROR_UNSUPPORTED, NOWHERE, "%s cannot have a write-ahead log", sqlite3_db_filename(database, "main"));
    return error_hint(err, "its file system has no shared memory maps (a network share?): choose a --data folder on a local disk");
}

void database_create_private(const char *path)
{
    struct stat status;
    AUTO(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &status) < 0 || !(status.st_mode & S_IRWXO)) return;
    int ignored = fchmod(fd, status.st_mode & (S_IRWXU | S_IRWXG)); /* of a backup that was taken before it kept them */
    (void)ignored;
}

int database_open_writer(const char *path, sqlite3 **ret, struct error *err)
{
    AUTO(close_database) sqlite3 *database = NULL;
    database_create_private(path);
    int failed = leftover_is_there(path) ? leftover_put_aside(path, err) : 0;
    if (!failed)
        failed = database_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, SETTINGS_OF_BOTH SETTINGS_OF_WRITER, &database, err);
    if (!failed) failed = check_wal(database, err);
    if (!failed) *ret = take(&database);
    return failed;
}

int database_open_reader(const char *path, sqlite3 **ret, struct error *err)
{
    return database_open(path, SQLITE_OPEN_READONLY, SETTINGS_OF_BOTH, ret, err);
}

int database_prepare(sqlite3 *database, const char *sql, sqlite3_stmt **ret, struct error *err)
{
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) == SQLITE_OK) return 0;
    return database_error(database, "preparing a statement for", err);
}

int database_number(sqlite3 *database, const char *sql, int64_t *ret_value, struct error *err)
{
    sqlite3_stmt *statement;
    int failed = database_prepare(database, sql, &statement, err);
    if (failed) return failed;
    int result = sqlite3_step(statement);
    int64_t value = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (result != SQLITE_ROW && result != SQLITE_DONE) failed = database_error(database, "reading", err);
    sqlite3_finalize(statement);
    if (!failed) *ret_value = value;
    return failed;
}

int database_checkpoint(sqlite3 *database, int mode, struct error *err)
{
    int result = sqlite3_wal_checkpoint_v2(database, "main", mode, NULL, NULL);
    if (result == SQLITE_OK || result == SQLITE_BUSY) return 0; /* busy: a reader is in the way; the next one gets it */
    return database_error(database, "writing the WAL back into", err);
}

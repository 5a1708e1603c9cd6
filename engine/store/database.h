/* database.h: SQLite as the journal uses it: connections with our settings, and its errors as ours. */
#ifndef CRESCENDO_STORE_DATABASE_H
#define CRESCENDO_STORE_DATABASE_H

#include "crescendo/error.h"

#include <sqlite3.h>
#include <stdint.h>

/* Makes the file where there is none, and keeps others out of it. SQLite would let them read it; the files beside it follow its rights. Not
 * for a file that this process has open: closing drops SQLite's locks. */
void database_create_private(const char *path);
/* The one connection that writes: WAL, synchronous FULL, checkpoints only when asked. Creates the file. */
int database_open_writer(const char *path, sqlite3 **ret, struct error *err) MUST_CHECK;
/* A connection that only reads; the file must be there. */
int database_open_reader(const char *path, sqlite3 **ret, struct error *err) MUST_CHECK;
void close_database(sqlite3 **database); /* for AUTO(close_database) */

/* Runs SQL without results. doing: what for, in the message ("migrating"). */
int database_run(sqlite3 *database, const char *sql, const char *doing, struct error *err) MUST_CHECK;
/* The first column of the first row as a number; 0 when there is no row. */
int database_number(sqlite3 *database, const char *sql, int64_t *ret_value, struct error *err) MUST_CHECK;
/* Prepares a statement that is kept. */
int database_prepare(sqlite3 *database, const char *sql, sqlite3_stmt **ret, struct error *err) MUST_CHECK;

/* Moves the WAL's content into the database. mode: SQLITE_CHECKPOINT_PASSIVE or _TRUNCATE. */
int database_checkpoint(sqlite3 *database, int mode, struct error *err) MUST_CHECK;

/* Fills err from the connection's last failure and returns its negative code. A full disk is ERROR_NO_SPACE with a hint. */
int database_error(sqlite3 *database, const char *doing, struct error *err);

#endif

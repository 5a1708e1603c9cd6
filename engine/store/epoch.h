/* epoch.h: which start of a server a journal belongs to. Each raises the epoch that stands in the journal; who finds another one than its
   own there was replaced, and writes nothing any more. For whom flock does not keep out: a lock's file that was replaced, two kernels. */
#ifndef CRESCENDO_STORE_EPOCH_H
#define CRESCENDO_STORE_EPOCH_H

#include "store/journal.h"

#include <sqlite3.h>

/* Raises the epoch, with our process, host and time beside it; on disk when it returns. */
int epoch_raise(sqlite3 *database, struct epoch *ret, struct error *err) MUST_CHECK;
/* A statement that reads it, for epoch_check. */
int epoch_prepare(sqlite3 *database, sqlite3_stmt **ret, struct error *err) MUST_CHECK;
/* -ERROR_STALE, saying who has the journal now, where the epoch is not ours, or where the file, or its log, is not the one in the folder
   any more. In a transaction that writes: nobody can raise it before that is committed. */
int epoch_check(sqlite3_stmt *read, const struct epoch *ours, struct error *err) MUST_CHECK;
/* Was the write-ahead log of an open database removed, and it was not? Then the log lives as long as whoever has it open. */
bool epoch_log_is_gone(sqlite3 *database);

#endif

/* leftover.h: a write-ahead log that another journal left. Who unpacks a backup where a server was killed puts a journal beside the log of
   the one that it replaces; SQLite would apply that to what it finds, and the two would be mixed. A copy that `backup` makes has never had
   a log, and says so, which a server's own journal never does. Where the journal was removed, and is made anew, SQLite would remove the log
   that it left. */
#ifndef CRESCENDO_STORE_LEFTOVER_H
#define CRESCENDO_STORE_LEFTOVER_H

#include "crescendo/error.h"

#include <stdbool.h>

/* Is there a log beside the database at path that cannot be its own? False where that cannot be read. Not where this process has the
   database open: it opens and closes the file, and closing drops SQLite's locks. */
bool leftover_is_there(const char *path);
/* Renames it to PATH-wal.old, which replaces an older one, and removes the index to it. Nobody may have the database open. */
int leftover_put_aside(const char *path, struct error *err) MUST_CHECK;

#endif

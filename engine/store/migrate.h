/* migrate.h: numbered migrations bring a database of an older format to the present one. */
#ifndef CRESCENDO_STORE_MIGRATE_H
#define CRESCENDO_STORE_MIGRATE_H

#include "crescendo/error.h"

#include <sqlite3.h>
#include <stddef.h>

/* Item N is the SQL that leads from version N to N + 1. A migration that was released is never changed. */
extern const char *const journal_migrations[];
extern const size_t journal_migration_count;

/* Brings database to version `count`, each migration in a transaction of its own; a failed one leaves the version before it.
   A database of a newer version is refused (-ERROR_UNSUPPORTED), one that is not a journal too (-ERROR_INVALID); both are
   left as they are. */
int migrate(sqlite3 *database, const char *const *migrations, size_t count, struct error *err) MUST_CHECK;

#endif

/* migrate.c: numbered migrations. To change the schema, append one to journal_migrations, describe the new version in
   docs/formats/journal.md, and commit a dump of a database of the old version beside tests/unit/store/test_migrate.c. */
#include "store/migrate.h"

#include "base/mem.h"
#include "store/database.h"

#include <stdint.h>
#include <stdlib.h>

/* "CRJL": so that a foreign SQLite file is never migrated. */
#define APPLICATION_ID "1129466444"

/* Each filter of journal_list_runs has its index, so that a page costs the same whatever is asked and however rare it is.
   repository and pipeline of a run never change, so only the four indexes with state are written when a run moves. */
static const char version_1[] =
    "CREATE TABLE events (\n"
    "    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL, type TEXT NOT NULL,\n"
    "    step INTEGER, version INTEGER NOT NULL, data TEXT, hash BLOB NOT NULL);\n"
    "CREATE UNIQUE INDEX events_by_run ON events (run, seq);\n"
    "CREATE TABLE runs (\n"
    "    run INTEGER PRIMARY KEY, key TEXT, pipeline TEXT, repository TEXT, ref TEXT, commit_id TEXT, author TEXT, title TEXT,\n"
    "    trigger TEXT, state TEXT NOT NULL, reason TEXT, message TEXT, waiting_for TEXT, plan TEXT, accepted_ms INTEGER NOT NULL,\n"
    "    started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, step_count INTEGER NOT NULL, steps_done INTEGER NOT NULL,\n"
    "    steps_failed INTEGER NOT NULL);\n"
    "CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key IS NOT NULL;\n"
    "CREATE INDEX runs_by_repository ON runs (repository, run);\n"
    "CREATE INDEX runs_by_pipeline ON runs (pipeline, run);\n"
    "CREATE INDEX runs_by_repository_pipeline ON runs (repository, pipeline, run);\n"
    "CREATE INDEX runs_by_state ON runs (state, run);\n"
    "CREATE INDEX runs_by_state_repository ON runs (state, repository, run);\n"
    "CREATE INDEX runs_by_state_pipeline ON runs (state, pipeline, run);\n"
    "CREATE INDEX runs_by_state_repository_pipeline ON runs (state, repository, pipeline, run);\n"
    "CREATE TABLE steps (\n"
    "    run INTEGER NOT NULL, step INTEGER NOT NULL, path TEXT, type TEXT, title TEXT, state TEXT NOT NULL, reason TEXT,\n"
    "    message TEXT, waiting_for TEXT, attempt INTEGER NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,\n"
    "    until_ms INTEGER NOT NULL, exit_code INTEGER NOT NULL, outputs TEXT, PRIMARY KEY (run, step)) WITHOUT ROWID;\n"
    "CREATE INDEX steps_waiting ON steps (waiting_for, run, step) WHERE waiting_for IS NOT NULL;\n"
    "CREATE TABLE shims (run INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);\n";

/* Plans by their digest, so that accepting a run is one transaction and one sync. */
static const char version_2[] = "CREATE TABLE blobs (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;\n";

/* Documents in the order of their first writing: the number is never given. */
static const char version_3[] =
    "CREATE TABLE documents (\n"
    "    number INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, key TEXT, body TEXT NOT NULL);\n"
    "CREATE UNIQUE INDEX documents_by_id ON documents (collection, id);\n"
    "CREATE UNIQUE INDEX documents_by_key ON documents (collection, key) WHERE key IS NOT NULL;\n"
    "CREATE INDEX documents_by_number ON documents (collection, number);\n";

/* Runs whose events are being removed; and which runs have a plan, so that it goes with the last of them. */
static const char version_4[] = "CREATE TABLE forgotten (run INTEGER PRIMARY KEY);\n"
                                "CREATE INDEX runs_by_plan ON runs (plan) WHERE plan IS NOT NULL;\n";

/* The one row that says whose the journal is (epoch.h). */
static const char version_5[] =
    "CREATE TABLE server (\n"
    "    one INTEGER PRIMARY KEY CHECK (one = 1), engine TEXT NOT NULL, epoch INTEGER NOT NULL, pid INTEGER NOT NULL,\n"
    "    host TEXT NOT NULL, since_ms INTEGER NOT NULL);\n"
    "INSERT INTO server VALUES (1, lower(hex(randomblob(16))), 0, 0, '', 0);\n";

const char *const journal_migrations[] = {version_1, version_2, version_3, version_4, version_5};
const size_t journal_migration_count = COUNT_OF(journal_migrations);

static int check_identity(sqlite3 *database, int64_t version, struct error *err)
{
    int64_t identity = 0, objects = 0;
    int failed = database_number(database, "PRAGMA application_id", &identity, err);
    if (!failed) failed = database_number(database, "SELECT count(*) FROM sqlite_schema", &objects, err);
    if (failed) return failed;
    if (identity == strtoll(APPLICATION_ID, NULL, 10) || (version == 0 && objects == 0)) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "%s is a database of another program", sqlite3_db_filename(database, "main"));
    return error_hint(err, "choose another --data, or move that file away");
}

static int step_up(sqlite3 *database, const char *sql, size_t version, struct error *err)
{
    AUTO(free_text)
    char *whole =
        mem_format("BEGIN IMMEDIATE; %s PRAGMA application_id = " APPLICATION_ID "; PRAGMA user_version = %zu; COMMIT;", sql, version);
    int failed = database_run(database, whole, "migrating", err);
    if (failed && !sqlite3_get_autocommit(database)) sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return failed ? error_wrap(err, "to version %zu", version) : 0;
}

int migrate(sqlite3 *database, const char *const *migrations, size_t count, struct error *err)
{
    int64_t version = 0;
    int failed = database_number(database, "PRAGMA user_version", &version, err);
    if (!failed) failed = check_identity(database, version, err);
    if (failed) return failed;
    if (version < 0 || (uint64_t)version > count) {
        error_set(err, ERROR_UNSUPPORTED, NOWHERE, "%s has format %lld, this program knows formats up to %zu",
            sqlite3_db_filename(database, "main"), (long long)version, count);
        return error_hint(err, "a newer crescendo wrote it: run that one, or restore a backup from before the upgrade");
    }
    for (size_t next = (size_t)version; next < count && !failed; next++)
        failed = step_up(database, migrations[next], next + 1, err);
    return failed;
}

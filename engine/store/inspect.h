/* inspect.h: a journal as somebody else finds it who does not write it: for `crescendo fsck` and `crescendo replay`, beside a running
   server or without one. All block for the disk. */
#ifndef CRESCENDO_STORE_INSPECT_H
#define CRESCENDO_STORE_INSPECT_H

#include "store/journal.h"

/* Opens FOLDER/journal.db to be read only: without its lock, its writer, a loop. What asks of a journal in journal.h works on it; nothing
   can be appended. Not in a process that serves it. journal_close closes it. -ERROR_NOT_FOUND: there is none. -ERROR_UNSUPPORTED: another
   version wrote it. -ERROR_IO: it is damaged, or empty. */
int journal_open_to_read(const char *folder, struct journal **ret, struct error *err) MUST_CHECK;

/* Until the end all questions are answered from one state of the database, whatever a server writes meanwhile. Short: the server cannot
   write its WAL back as long as it lasts. */
int journal_begin_look(struct journal *journal, struct error *err) MUST_CHECK;
void journal_end_look(struct journal *journal);

/* Writes one state of it as a database of its own, which is on disk when it returns. path must not be there. A server may write meanwhile.
 */
int journal_copy(struct journal *journal, const char *path, struct error *err) MUST_CHECK;

/* One thing that is not as it should be. table: "runs", "steps", "blobs"...; NULL: the file itself. what: a sentence, borrowed. */
typedef void journal_complaint(void *context, const char *table, const char *what);

/* The file's own structure, by SQLite: pages, indexes. Reads all of it. At most 20 complaints. */
int journal_check_file(struct journal *journal, journal_complaint *complain, void *context, struct error *err) MUST_CHECK;
/* Is each document JSON, an object, under the id that it says? Reads all of them. */
int journal_check_documents(struct journal *journal, journal_complaint *complain, void *context, struct error *err) MUST_CHECK;
/* The lowest number above `after` that a run has in any of events, runs, steps, shims; 0 = none. */
int journal_following_run(struct journal *journal, uint64_t after, uint64_t *ret_run, struct error *err) MUST_CHECK;
/* Is it being forgotten? Then what is left of it is only a part. */
bool journal_is_forgotten(struct journal *journal, uint64_t run);
/* The rows of a run against what its events say they are: a value, a row that is missing, one too many. row NULL: the run has no events,
   and ought to have no rows. steps are those that have a row, in the order of their numbers. */
int journal_compare_rows(struct journal *journal, uint64_t run, const struct run_row *row, const struct step_row *steps, size_t step_count,
    journal_complaint *complain, void *context, struct error *err) MUST_CHECK;
/* Each blob's digest, oldest first by name; stops at a non-zero return. Not from within: journal_get_blob may be asked. */
int journal_list_blobs(
    struct journal *journal, int (*blob)(void *context, const char *digest), void *context, struct error *err) MUST_CHECK;

#endif

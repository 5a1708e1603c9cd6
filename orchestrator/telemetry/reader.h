/* reader.h: reads what a domain's keeper recorded of its requests (exec/telemetry.h) while the keeper writes on.

   A reader is opened once for a domain and asked often; telemetry_refresh sees what came since. Records have the order of the file: the
   order in which requests ended, which is nearly, not quite, that of their times. A place in that order is a cursor. Whoever reads from
   a cursor to the present end, and later from there on, has been given every record once: one that ended late with an old time stands
   behind the cursor, not before it. Memory is bounded: some 50 bytes a segment, and one block of records. One thread. */
#ifndef CRESCENDO_TELEMETRY_READER_H
#define CRESCENDO_TELEMETRY_READER_H

#include "crescendo/error.h"
#include "exec/telemetry.h"

#include <stddef.h>

struct telemetry_reader;

/* folder: KEEP/telemetry. It may be missing: then nothing is recorded yet. Touches no file before the first refresh. */
struct telemetry_reader *telemetry_reader_new(const char *folder);
void telemetry_reader_free(struct telemetry_reader **reader);
const char *telemetry_reader_folder(const struct telemetry_reader *reader);

/* Looks for new records, segments and arms: a few system calls when there are none. Blocks for the disk only. */
int telemetry_refresh(struct telemetry_reader *reader, struct error *err) MUST_CHECK;

/* --- arms: one version of a service each --- */

struct telemetry_arm {
    uint32_t number;
    const char *service, *family, *version;
};
/* By number, ascending; valid until the next refresh. Not all numbers need be there. */
const struct telemetry_arm *telemetry_arms(const struct telemetry_reader *reader, size_t *ret_count);
const struct telemetry_arm *telemetry_arm_find(const struct telemetry_reader *reader, uint32_t number); /* NULL: there is none */

/* --- records --- */

struct telemetry_cursor {
    uint32_t segment, record; /* the next one to look at; {0} is the beginning */
};
enum { TELEMETRY_CURSOR_SIZE = 24 };
/* "12.4096". Returns buffer. */
char *telemetry_cursor_format(struct telemetry_cursor cursor, char buffer[TELEMETRY_CURSOR_SIZE]);
bool telemetry_cursor_parse(const char *text, struct telemetry_cursor *ret);

struct telemetry_filter {
    int64_t from_us, to_us; /* from <= time < to */
    /* By the arm's number: is it wanted? NULL: all are, 0 (no service took it) too. Arms from arm_count on are not. Gaps are of no arm
       and pass always: they say that any arm's records may be missing. */
    const bool *arms;
    uint32_t arm_count;
};

/* Calls back with each record from *cursor on that passes; stops when it returns non-zero (that record was taken), when about `budget`
   records were looked at (1 << 16 are less than 2 ms), or at the end of what the last refresh saw: then *ret_end. *cursor says where to
   go on. A record that is torn is not there yet. Blocks that the index rules out are not read; one that has no index entry is read and
   the entry made anew. A segment that was removed is passed over. -ERROR_INVALID: a segment of another version. */
int telemetry_read(struct telemetry_reader *reader, const struct telemetry_filter *filter, struct telemetry_cursor *cursor, size_t budget,
    int (*each)(void *context, const struct telemetry_record *record), void *context, bool *ret_end, struct error *err) MUST_CHECK;

#endif

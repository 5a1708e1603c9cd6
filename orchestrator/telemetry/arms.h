/* arms.h: the file `arms` of a telemetry folder: which service a record's number means. Within this folder only. */
#ifndef CRESCENDO_TELEMETRY_ARMS_H
#define CRESCENDO_TELEMETRY_ARMS_H

#include "orchestrator/telemetry/reader.h"

#include <sys/types.h>

struct arms {
    struct telemetry_arm *items; /* by number, ascending; their texts are one block, `service` its beginning */
    size_t count, capacity;
    off_t read; /* so many bytes of the file are read: whole lines */
};

/* Reads the lines that came since; a missing file has none, a line without an end is not there yet. -ERROR_INVALID: a line is wrong. */
int arms_refresh(struct arms *arms, const char *folder, struct error *err) MUST_CHECK;
void arms_release(struct arms *arms);
const struct telemetry_arm *arms_find(const struct arms *arms, uint32_t number); /* NULL: there is none */

#endif

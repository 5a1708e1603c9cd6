/* segments.h: which segments a telemetry folder has, how many whole records are in each, and what its records' range is where that is
   known. Within this folder only. */
#ifndef CRESCENDO_TELEMETRY_SEGMENTS_H
#define CRESCENDO_TELEMETRY_SEGMENTS_H

#include "crescendo/error.h"
#include "exec/telemetry.h"

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct segment {
    uint32_t number, records;
    bool is_final;  /* a later one was there before its records were counted: it grows no more */
    bool is_ranged; /* `range` stands for all of its records; of final ones only */
    struct telemetry_index range;
};

struct segments {
    struct segment *items; /* by number, ascending */
    size_t count, capacity;
    struct timespec changed; /* of the folder, when it was last listed */
    ino_t inode;
};

/* Sees new segments, new records, and that old ones are gone. A missing folder has none. */
int segments_refresh(struct segments *segments, const char *folder, struct error *err) MUST_CHECK;
void segments_release(struct segments *segments);
/* The first whose number is at least that; NULL: there is none. */
struct segment *segments_from(struct segments *segments, uint32_t number);

char *segment_path(const char *folder, uint32_t number, const char *suffix); /* caller frees */

#endif

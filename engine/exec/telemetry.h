/* telemetry.h: what a domain's keeper records of each request, and the segments that it keeps the records in. Written by the keeper
   (static, so nothing here needs more than the C library), read by orchestrator/telemetry. docs/formats/telemetry.md tells the story.

   KEEP/telemetry/NNNNNNNN.seg: a header, then records in the order in which HAProxy finished the requests. A segment is never changed but
   at its end; a torn last record is the end. KEEP/telemetry/NNNNNNNN.idx: one struct telemetry_index for every full block of
   TELEMETRY_BLOCK records of the segment of that number, so that a reader skips blocks by time and by arm without reading them.
   KEEP/telemetry/arms: text, one line an arm, "NUMBER SERVICE FAMILY VERSION\n", appended and synced before the first record that names
   it. Everything is little endian. */
#ifndef CRESCENDO_EXEC_TELEMETRY_H
#define CRESCENDO_EXEC_TELEMETRY_H

#include <stdint.h>

#define TELEMETRY_MAGIC "CRTELE\0\1"
enum {
    TELEMETRY_BLOCK = 4096,              /* records that one index entry stands for */
    TELEMETRY_SEGMENT_RECORDS = 1 << 20, /* 32 MiB; then a new segment is begun */
    TELEMETRY_HEADER_BYTES = 64,
};

struct telemetry_header {
    char magic[8];
    uint32_t number; /* of the segment, 1, 2, ... */
    uint32_t reserved;
    int64_t begun_us; /* wall clock */
    char domain[40];  /* NUL-ended, cut */
};

enum telemetry_flag {
    TELEMETRY_ABORTED = 1,   /* the client left before the answer was whole */
    TELEMETRY_NO_SERVER = 2, /* no instance took it: HAProxy answered itself (503, 504) */
    TELEMETRY_RETRIED = 4,   /* another instance took it after the first did not */
    TELEMETRY_GAP = 8,       /* no request: records were lost before this one (HAProxy's DroppedLogs moved); bytes says how many */
};

struct telemetry_record {
    int64_t time_us;      /* wall clock when the request had arrived */
    uint32_t duration_us; /* until the last byte of the answer was sent; UINT32_MAX where it is longer */
    uint16_t status;      /* as the client saw it */
    uint16_t flags;       /* enum telemetry_flag */
    uint32_t arm;         /* which service took it: a number of the file `arms`; 0 = none */
    uint32_t instance;    /* the instance's number within its service, from 1; 0 = none */
    uint64_t bytes;       /* of the answer */
};

struct telemetry_index {
    int64_t first_us, last_us; /* least and greatest time_us in the block */
    uint32_t arms;             /* bit (arm % 32) is set for each arm in it */
    uint32_t count;            /* of its records, TELEMETRY_BLOCK */
    uint32_t reserved[2];
};

_Static_assert(sizeof(struct telemetry_header) == TELEMETRY_HEADER_BYTES, "the header's layout is a format");
_Static_assert(sizeof(struct telemetry_record) == 32, "the record's layout is a format");
_Static_assert(sizeof(struct telemetry_index) == 32, "the index's layout is a format");

#endif

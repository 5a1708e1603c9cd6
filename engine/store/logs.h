/* logs.h: reads the log segments that shims write (the format: exec/protocol.h, docs/formats/log-segment.md), plain or compressed. */
#ifndef CRESCENDO_STORE_LOGS_H
#define CRESCENDO_STORE_LOGS_H

#include "base/text.h"
#include "crescendo/error.h"

#include <stdint.h>

struct log_reader;

/* path: RUN/log. A missing file reads as empty, and is looked for again at the next call. Where there is RUN/log.zst instead, that is read,
   with the same offsets; a reader that has the plain one open goes on with it. */
struct log_reader *log_reader_new(const char *path);
void log_reader_free(struct log_reader **reader);
/* At most so many bytes of the log are gone through in one call, and one record: for the loop's thread. The end is where *ret_offset does
   not move. */
void log_reader_limit(struct log_reader *reader, uint64_t walk_bytes);
/* Of the log as it is now, whether it is compressed or not. */
int log_reader_size(struct log_reader *reader, uint64_t *ret_size, struct error *err) MUST_CHECK;

/* Where to read: step UINT32_MAX = all steps, attempt 0 = all attempts. */
struct log_filter {
    uint32_t step, attempt;
};
struct log_piece {
    uint32_t step, attempt;
    uint8_t stream;
    int64_t time_us;
    const char *bytes;
    size_t size;
};
/* Calls back with each complete record from offset on (0 = the start) that passes; stops at non-zero (that record was taken), at the
   torn or present end, or after limit_bytes of payload that passed. *ret_offset: where to go on. Blocks for the disk, and for the decoding
   of the frames that hold what passes. A compressed segment that is damaged is an error, after the pieces before the damage. What a piece
   says of step and attempt is not checked against any plan. */
int log_reader_read(struct log_reader *reader, uint64_t offset, struct log_filter filter, size_t limit_bytes,
    int (*piece)(void *context, const struct log_piece *piece), void *context, uint64_t *ret_offset, struct error *err) MUST_CHECK;

/* The last lines of one step, at most count and limit_bytes: what to show when it failed. */
int log_tail(
    const char *path, struct log_filter filter, unsigned count, size_t limit_bytes, struct text *out, struct error *err) MUST_CHECK;

/* All of a segment, record by record, for `crescendo fsck`. */
struct log_check {
    bool missing;       /* there is no file */
    uint64_t size, end; /* of the file; where the last whole record ends: less than size where it is torn */
    bool dropped;       /* it says itself that output was dropped */
    bool compressed;    /* it is read from PATH.zst */
    void (*printed)(
        void *context, uint32_t step, uint32_t attempt, size_t bytes); /* set by the caller: what a step wrote, piece by piece */
    void *context;
};
int log_check(const char *path, struct log_check *check, struct error *err) MUST_CHECK;

#endif

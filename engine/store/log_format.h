/* log_format.h: a log segment's bytes, plain and compressed, as docs/formats/log-segment.md has them. Inside engine/store only. A unit test
   compares the plain one with exec/protocol.h, which is not below us. */
#ifndef CRESCENDO_STORE_LOG_FORMAT_H
#define CRESCENDO_STORE_LOG_FORMAT_H

#include <stdint.h>

#define SEGMENT_MAGIC "CRLOG\0\0\1"
enum { SEGMENT_HEADER_BYTES = 8, RECORD_MAGIC = 0x4c47 };
struct record {
    uint16_t magic;
    uint8_t stream, reserved;
    uint32_t size_bytes, step, attempt;
    int64_t time_us;
};
/* A record larger than this is none of a shim's: the end. */
enum { RECORD_MAX_BYTES = 16 * 1024 * 1024 };

/* The compressed one: frames of zstd, a frame that decoders skip with what is in which of them, and the seek table of zstd's seekable
   format, a skipped frame, too. */
#define ARCHIVE_SUFFIX ".zst"
#define INDEX_MAGIC "CRLGX\0\0\1"
enum {
    FRAME_BYTES = 256 * 1024, /* of log in a frame; a larger record has one of its own */
    FRAME_MAX_BYTES = RECORD_MAX_BYTES + (int)sizeof(struct record) + SEGMENT_HEADER_BYTES,
    FRAMES_MAX = 1024 * 1024,
    SKIPPED_HEADER_BYTES = 8, /* magic and size, as of every skipped frame */
    INDEX_MAGIC_BYTES = 8,    /* then its content, a frame */
    SEEK_ENTRY_BYTES = 8,
    SEEK_FOOTER_BYTES = 9,
    INDEX_END_BYTES = 8, /* of its content, before the ranges: where the last whole record ends */
    INDEX_RANGES_MAX = 1024 * 1024,
};
#define INDEX_FRAME_MAGIC UINT32_C(0x184D2A50)
#define SEEK_FRAME_MAGIC UINT32_C(0x184D2A5E)
#define SEEK_MAGIC UINT32_C(0x8F92EAB1)
struct index_range { /* these frames, in a row, hold records of step; by step, then by frame */
    uint32_t step, first, last;
};

#endif

/* log_archive.h: reads a compressed log segment: any place of the log that it holds, and where a step printed. Inside engine/store only.
   Nothing in the file is trusted: what does not hold is an error that names the file, the place and what to do. Blocks for the disk and for
   the decoding of one frame. */
#ifndef CRESCENDO_STORE_LOG_ARCHIVE_H
#define CRESCENDO_STORE_LOG_ARCHIVE_H

#include "crescendo/error.h"

#include <stddef.h>
#include <stdint.h>

struct log_archive;

/* path: of the compressed file; copied. -ERROR_NOT_FOUND where there is none. */
int log_archive_open(const char *path, struct log_archive **ret, struct error *err) MUST_CHECK;
void log_archive_close(struct log_archive **archive);

/* Offsets are those of the log, before it was compressed. */
uint64_t log_archive_size(const struct log_archive *archive);
uint64_t log_archive_end(const struct log_archive *archive); /* of the last whole record */

struct log_block { /* a decoded frame */
    uint64_t start;
    const char *bytes;
    size_t size;
};
/* The one that holds offset, which is below the size. Valid until the next call; the last one is kept decoded. */
int log_archive_block(struct log_archive *archive, uint64_t offset, struct log_block *ret, struct error *err) MUST_CHECK;

/* The first place from offset on where the step may have printed: offset itself, the start of a later frame, or the end. */
uint64_t log_archive_next(const struct log_archive *archive, uint32_t step, uint64_t offset);
/* Where the last `frames` frames begin in which the step printed; 0 = it has not as many. */
uint64_t log_archive_back(const struct log_archive *archive, uint32_t step, size_t frames);

#endif

/* log_compress.h: a closed log segment becomes a compressed one, RUN/log.zst for RUN/log. Any thread; blocks for long. */
#ifndef CRESCENDO_STORE_LOG_COMPRESS_H
#define CRESCENDO_STORE_LOG_COMPRESS_H

#include "crescendo/error.h"

#include <stdatomic.h>
#include <stdint.h>

/* Smaller ones stay as they are: a folder's block is most of what they take. */
enum { LOG_COMPRESS_MIN_BYTES = 64 * 1024 };

struct log_compressed {
    uint64_t before, after; /* bytes; after 0: it stays as it is: too small, or not smaller, or it is compressed already */
};

/* path: RUN/log, which nobody writes to any more. Writes a neighbour, syncs it, reads all of it back and compares, gives it its name, and
   then removes the plain one: whatever dies at whatever moment, one of the two is whole, and the plain one is believed as long as it is
   there. On failure the plain one stays, and the neighbour goes. -ERROR_NOT_FOUND: the folder went meanwhile. -ERROR_TIMEOUT: *stop was
   set. -ERROR_UNAVAILABLE: another server is at it. */
int log_compress(const char *path, const atomic_bool *stop, struct log_compressed *ret, struct error *err) MUST_CHECK;

#endif

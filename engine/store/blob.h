/* blob.h: immutable bytes by their SHA-256, as files FOLDER/blobs/ab/cdef...: plans, pipeline texts, packages. */
#ifndef CRESCENDO_STORE_BLOB_H
#define CRESCENDO_STORE_BLOB_H

#include "base/sha256.h"
#include "crescendo/error.h"

#include <stddef.h>

/* Writes (temporary name, sync, rename) unless it is there. Blocks for the sync. */
int blob_put(const char *folder, const void *bytes, size_t size, char ret_digest[SHA256_HEX], struct error *err) MUST_CHECK;
/* Reads and checks the digest: -ERROR_NOT_FOUND, or -ERROR_CONFLICT when the file is not what its name says. Caller frees. */
int blob_get(const char *folder, const char *digest, char **ret_bytes, size_t *ret_size, struct error *err) MUST_CHECK;

#endif

/* blob.c: immutable bytes by their SHA-256. */
#include "store/blob.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *blob_path(const char *folder, const char *digest)
{
    return mem_format("%s/blobs/%.2s/%s", folder, digest, digest + 2);
}

/* A digest becomes a path, so it is nothing but 64 lower-case hex digits. */
static bool is_digest(const char *digest)
{
    return strlen(digest) == SHA256_HEX - 1 && strspn(digest, "0123456789abcdef") == SHA256_HEX - 1;
}

/* The names of new folders must be as durable as the blob in them. */
static int make_parent(const char *folder, const char *digest, struct error *err)
{
    AUTO(free_text) char *blobs = mem_format("%s/blobs", folder);
    AUTO(free_text) char *parent = mem_format("%s/%.2s", blobs, digest);
    if (file_exists(parent)) return 0;
    int failed = file_make_folders(parent, 0700, err);
    if (!failed) failed = file_sync_folder(blobs, err);
    return failed ? failed : file_sync_folder(folder, err);
}

int blob_put(const char *folder, const void *bytes, size_t size, char ret_digest[SHA256_HEX], struct error *err)
{
    char digest[SHA256_HEX];
    sha256_hex(bytes, size, digest);
    AUTO(free_text) char *path = blob_path(folder, digest);
    int failed = 0;
    if (!file_exists(path)) {
        failed = make_parent(folder, digest, err);
        if (!failed) failed = file_replace(path, bytes, size, 0400, err);
    }
    if (!failed) memcpy(ret_digest, digest, sizeof digest);
    return failed;
}

int blob_get(const char *folder, const char *digest, char **ret_bytes, size_t *ret_size, struct error *err)
{
    if (!is_digest(digest)) return error_set(err, ERROR_INVALID, NOWHERE, "\"%.80s\" is not a SHA-256 digest", digest);
    AUTO(free_text) char *path = blob_path(folder, digest);
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    int failed = file_read(path, SIZE_MAX / 2, &bytes, &size, err);
    if (failed) return failed;
    char found[SHA256_HEX];
    sha256_hex(bytes, size, found);
    if (strcmp(found, digest) != 0) {
        error_set(err, ERROR_CONFLICT, NOWHERE, "%s does not hold what its name says", path);
        return error_hint(err, "the file was changed or damaged: restore it from a backup");
    }
    if (ret_size) *ret_size = size;
    *ret_bytes = take(&bytes);
    return 0;
}

/* digest_perform.c: reads each file of a package once, for its size, its digest, and to keep private keys out. */
#include "package.h"

#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* OVERLAP is more than a marker with its first line of key needs, so that none is missed where two reads meet. */
enum { CHUNK_BYTES = 64 * 1024, OVERLAP_BYTES = 512, KEY_CHARACTERS_MIN = 32, LABEL_MAX = 48 };

/* What stands between the marker and the key: a line's end, also as it is written in JSON or in a program's text. */
static size_t skip_line_end(const char *at, size_t size)
{
    size_t i = 0;
    while (i < size) {
        if (memchr(" \t\r\n\"'+,", at[i], 8))
            i++;
        else if (at[i] == '\\' && i + 1 < size && memchr("nr\n\r", at[i + 1], 4))
            i += 2;
        else
            break;
    }
    return i;
}

static bool is_key_text(const char *at, size_t size)
{
    static const char *const headers[] = {"Proc-Type:", "Version:", "Comment:", "Hash:"};
    size_t letters = 0;
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        if (size >= strlen(headers[i]) && memcmp(at, headers[i], strlen(headers[i])) == 0) return true;
    while (letters < size && letters < KEY_CHARACTERS_MIN &&
           (memchr("+/=", at[letters], 3) || (at[letters] >= '0' && at[letters] <= '9') || (at[letters] >= 'A' && at[letters] <= 'Z') ||
               (at[letters] >= 'a' && at[letters] <= 'z')))
        letters++;
    return letters == KEY_CHARACTERS_MIN;
}

/* at stands behind "-----BEGIN ". */
static bool begins_key(const char *at, size_t size)
{
    size_t label = 0;
    while (label < size && label < LABEL_MAX && at[label] != '-')
        label++;
    AUTO(free_text) char *kind = mem_copy_bytes(at, label);
    if (!text_ends(kind, "PRIVATE KEY") && !text_ends(kind, "PRIVATE KEY BLOCK")) return false;
    if (size - label < 5 || memcmp(at + label, "-----", 5) != 0) return false;
    size_t start = label + 5;
    start += skip_line_end(at + start, size - start);
    return is_key_text(at + start, size - start);
}

bool text_holds_key(const char *bytes, size_t size)
{
    static const char marker[] = "-----BEGIN ";
    const char *end = bytes + size;
    for (const char *at = bytes; (at = memmem(at, (size_t)(end - at), marker, sizeof marker - 1));) {
        at += sizeof marker - 1;
        if (begins_key(at, (size_t)(end - at))) return true;
    }
    return false;
}

static int refuse_key(const struct package_file *file, struct error *err)
{
    error_set(err, ERROR_DENIED, NOWHERE, "contents: %s holds what looks like a private key", file->from);
    return error_hint(err, "keys do not travel in packages: leave the file out and refer to the key in a vault");
}

static int digest_open(int fd, struct package_file *file, char *buffer, struct error *err)
{
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];
    size_t kept = 0;
    sha256_init(&hash);
    for (;;) {
        ssize_t got = read(fd, buffer + kept, CHUNK_BYTES);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "contents: %s", file->from);
        if (got == 0) break;
        sha256_add(&hash, buffer + kept, (size_t)got);
        file->size += got;
        size_t size = kept + (size_t)got;
        if (text_holds_key(buffer, size)) return refuse_key(file, err);
        kept = size < OVERLAP_BYTES ? size : OVERLAP_BYTES;
        memmove(buffer, buffer + size - kept, kept);
    }
    sha256_finish(&hash, digest);
    sha256_to_hex(digest, file->sha256);
    return 0;
}

int contents_digest(const char *workspace, struct package_files *files, struct error *err)
{
    AUTO(free_text) char *buffer = mem_alloc(CHUNK_BYTES + OVERLAP_BYTES);
    for (size_t i = 0; i < files->count; i++) {
        AUTO(free_text) char *place = mem_format("%s/%s", workspace, files->items[i].from);
        AUTO(close_fd) int fd = open(place, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return error_set_errno(err, errno, "contents: %s", files->items[i].from);
        int failed = digest_open(fd, &files->items[i], buffer, err);
        if (failed) return failed;
    }
    return 0;
}

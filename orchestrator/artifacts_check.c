/* artifacts_check.c: packages against the digests that they are named by. */
#include "orchestrator/artifacts_check.h"

#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024 };

static void close_folder(DIR **folder)
{
    if (*folder) closedir(*folder);
}

/* 0, or -errno. */
static int digest_of(int fd, char ret_hex[SHA256_HEX])
{
    AUTO(free_text) char *chunk = mem_alloc(CHUNK_BYTES);
    unsigned char digest[SHA256_BYTES];
    struct sha256 hash;
    ssize_t got;
    sha256_init(&hash);
    while ((got = read(fd, chunk, CHUNK_BYTES)) > 0)
        sha256_add(&hash, chunk, (size_t)got);
    if (got < 0) return -errno;
    sha256_finish(&hash, digest);
    sha256_to_hex(digest, ret_hex);
    return 0;
}

/* What is wrong with it; NULL: nothing, or it is gone. Caller frees. */
static char *look_at(int folder, const char *name)
{
    char hex[SHA256_HEX];
    AUTO(close_fd) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int failed = fd < 0 ? -errno : digest_of(fd, hex);
    if (failed == -ENOENT) return NULL;
    if (failed) return mem_format("cannot be read: %s", strerror(-failed));
    return text_equal(hex, name) ? NULL : mem_format("its content has another digest: %s", hex);
}

void artifacts_check(const char *folder, void (*complain)(void *context, const char *name, const char *what), void *context)
{
    AUTO(close_folder) DIR *entries = opendir(folder);
    if (!entries) return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        bool is_whole = strlen(entry->d_name) == SHA256_HEX - 1 && strspn(entry->d_name, "0123456789abcdef") == SHA256_HEX - 1;
        AUTO(free_text) char *what = is_whole ? look_at(dirfd(entries), entry->d_name) : NULL;
        if (what) complain(context, entry->d_name, what);
    }
}

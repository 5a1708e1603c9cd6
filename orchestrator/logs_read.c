/* logs_read.c: the last lines of what instances printed, out of the files that the keeper turns over. */
#include "orchestrator/logs.h"

#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INSTANCES_MAX = 64 }; /* of a service, as the keeper has it */

static void close_folder(DIR **folder)
{
    if (*folder) closedir(*folder);
}

static void release_text(struct text *text)
{
    text_release(text);
}

/* N of "N.log"; 0: it is none. */
static int64_t number_of(const char *file)
{
    int64_t number = 0;
    if (!text_ends(file, ".log")) return 0;
    AUTO(free_text) char *stem = mem_copy_bytes(file, strlen(file) - strlen(".log"));
    return text_to_integer(stem, &number) && number > 0 ? number : 0;
}

static int ascending(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Which instances have a file, ascending. */
static size_t find_instances(const char *path, int64_t wanted, int64_t numbers[INSTANCES_MAX])
{
    AUTO(close_folder) DIR *folder = opendir(path);
    size_t count = 0;
    for (const struct dirent *entry; folder && count < INSTANCES_MAX && (entry = readdir(folder));) {
        int64_t number = number_of(entry->d_name);
        if (number && (!wanted || wanted == number)) numbers[count++] = number;
    }
    qsort(numbers, count, sizeof *numbers, ascending);
    return count;
}

/* Appends the last `room` bytes of a file as it is now. */
static int add_end(int fd, off_t size, size_t room, struct text *out)
{
    size_t left = (size_t)size < room ? (size_t)size : room;
    off_t at = size - (off_t)left;
    enum { PIECE_BYTES = 64 * 1024 };
    AUTO(free_text) char *piece = mem_alloc(PIECE_BYTES);
    while (left) {
        ssize_t got = pread(fd, piece, left < PIECE_BYTES ? left : PIECE_BYTES, at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) break;
        text_add_bytes(out, piece, (size_t)got);
        at += got;
        left -= (size_t)got;
    }
    return 0;
}

/* Where the last `lines` whole lines begin; a last one without an end is one. cut: what is there begins in the middle of a line. */
static size_t start_of_lines(const struct text *bytes, int64_t lines, bool cut)
{
    size_t at = bytes->size;
    if (at && bytes->bytes[at - 1] == '\n') at--;
    for (; at > 0; at--)
        if (bytes->bytes[at - 1] == '\n' && --lines == 0) return at;
    const char *first_end = cut && bytes->size ? memchr(bytes->bytes, '\n', bytes->size) : NULL;
    return first_end ? (size_t)(first_end + 1 - bytes->bytes) : 0;
}

static int wrong(const char *path, int failed, struct error *err)
{
    return error_set_errno(err, -failed, "reading %.300s", path);
}

/* The newer file is opened first: one that is turned over meanwhile is the older one then, and is not read twice. */
static int read_instance(const char *folder, int64_t number, int64_t lines, size_t room, struct text *ret, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/%lld.log", folder, (long long)number), *before = mem_format("%s.1", path);
    AUTO(close_fd) int newer = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), older = open(before, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    AUTO(release_text) struct text bytes = {0};
    struct stat is = {0}, was = {0};
    if (newer < 0 || fstat(newer, &is) < 0) return wrong(path, -errno, err);
    bool two = older >= 0 && fstat(older, &was) == 0 && was.st_ino != is.st_ino;
    size_t rest = (size_t)is.st_size < room ? room - (size_t)is.st_size : 0;
    int failed = two && rest ? add_end(older, was.st_size, rest, &bytes) : 0;
    if (!failed) failed = add_end(newer, is.st_size, room, &bytes);
    if (failed) return wrong(path, failed, err);
    size_t from = start_of_lines(&bytes, lines, two || (size_t)is.st_size > room);
    text_add_bytes(ret, text_view(&bytes) + from, bytes.size - from);
    if (bytes.size > from && bytes.bytes[bytes.size - 1] != '\n') text_add_char(ret, '\n');
    return 0;
}

int logs_read(const char *folder, int64_t number, int64_t lines, struct text *ret, struct error *err)
{
    int64_t numbers[INSTANCES_MAX] = {0};
    size_t count = find_instances(folder, number, numbers);
    int failed = 0;
    if (!count) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE,
            number ? "nothing is kept of what instance %lld printed" : "nothing is kept of what it printed", (long long)number);
        return error_hint(err, "kept is what the services print that run, and what the 32 printed that ended last");
    }
    for (size_t i = 0; !failed && i < count; i++) {
        if (count > 1) text_add_format(ret, "==> instance %lld <==\n", (long long)numbers[i]);
        failed = read_instance(folder, numbers[i], lines, LOGS_ANSWER_BYTES / count, ret, err);
    }
    return failed;
}

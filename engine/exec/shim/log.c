/* log.c: RUN/log, the run's one log segment: a record for each piece that a step printed, each written with one write. A segment at its
   limit or on a full disk drops and counts; it never blocks and never holds output in memory. */
#include "shim.h"

#include "crescendo/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where its whole records end, 0 where it is no segment. */
static uint64_t end_of_records(int fd, uint64_t size)
{
    char window[64 * 1024];
    uint64_t start = 0, at = 8;
    ssize_t got = pread(fd, window, sizeof window, 0);
    if (got < 8 || memcmp(window, LOG_SEGMENT_MAGIC, 8) != 0) return 0;
    for (struct log_record record;; at += sizeof record + record.size) {
        if (at + sizeof record > start + (uint64_t)got) {
            start = at;
            got = pread(fd, window, sizeof window, (off_t)start);
        }
        if (got < (ssize_t)sizeof record) return at;
        memcpy(&record, window + (at - start), sizeof record);
        if (record.magic != LOG_RECORD_MAGIC || at + sizeof record + record.size > size) return at;
    }
}

/* A shim that died with the machine may have left pages of zeros, behind which nobody would ever read; the file is not synced. Returns its
 * size. */
static uint64_t cut(int fd, uint64_t size)
{
    uint64_t end = end_of_records(fd, size);
    return end < size && ftruncate(fd, (off_t)end) == 0 ? end : size;
}

/* Or nothing, and errno. A disk that is full when the run begins may have room later. */
static bool begin_segment(struct log *log)
{
    if (log->size_bytes) return true;
    ssize_t put = write(log->fd, LOG_SEGMENT_MAGIC, 8);
    int why = put < 0 ? errno : ENOSPC;
    if (put == 8) log->size_bytes = 8;
    if (put > 0 && put < 8 && ftruncate(log->fd, 0) < 0) log->size_bytes = (uint64_t)put;
    errno = why;
    return put == 8;
}

void log_open(struct shim *shim)
{
    struct log *log = &shim->log;
    log->fd = openat(shim->folder_fd, "log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd < 0) shim_die("log");
    off_t size = lseek(log->fd, 0, SEEK_END);
    if (size > 0) size = (off_t)cut(log->fd, (uint64_t)size);
    log->size_bytes = size < 0 ? 0 : (uint64_t)size;
    begin_segment(log);
}

/* One record, or nothing, and errno: what a full disk took of it is cut off again. */
static bool write_record(struct log *log, const struct log_record *record, const char *bytes)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)record, sizeof *record}, {(void *)(uintptr_t)bytes, record->size}};
    ssize_t put;
    if (!begin_segment(log)) return false;
    do
        put = writev(log->fd, parts, 2);
    while (put < 0 && errno == EINTR);
    if (put == (ssize_t)(sizeof *record + record->size)) {
        log->size_bytes += (uint64_t)put;
        return true;
    }
    int why = put < 0 ? errno : ENOSPC;
    if (put > 0 && ftruncate(log->fd, (off_t)log->size_bytes) < 0) log->size_bytes += (uint64_t)put;
    errno = why;
    return false;
}

bool log_write(struct shim *shim, const struct step *step, uint8_t stream, const char *bytes, size_t size)
{
    struct log *log = &shim->log;
    if (shim->hooks.printed && stream != LOG_ENGINE) {
        shim->hooks.printed(shim, step->id, bytes, size);
        return true; /* a service goes on, whatever its log does */
    }
    if (log->size_bytes + size > (uint64_t)LIMIT_LOG_BYTES && stream != LOG_ENGINE) {
        log->dropped_bytes += size;
        return true;
    }
    struct log_record record = {.magic = LOG_RECORD_MAGIC,
        .stream = stream,
        .size = (uint32_t)size,
        .step = step->id,
        .attempt = step->attempt,
        .time_us = wall_us()};
    if (write_record(log, &record, bytes)) return true;
    log->dropped_bytes += size;
    log->full = true;
    return shim->hooks.printed != NULL;
}

void log_say(struct shim *shim, const struct step *step, const char *format, ...)
{
    char line[MESSAGE_BYTES + 1];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (size < 0) return;
    if ((size_t)size > sizeof line - 2) size = (int)sizeof line - 2;
    line[size] = '\n';
    log_write(shim, step, LOG_ENGINE, line, (size_t)size + 1);
}

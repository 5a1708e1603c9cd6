/* logs.c: reads log segments. The file grows while it is read, and its end may be torn; both are the end for now, not an error. */
#include "store/logs.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The format, as docs/formats/log-segment.md has it; a unit test compares it with exec/protocol.h, which is not below us. */
#define SEGMENT_MAGIC "CRLOG\0\0\1"
enum { SEGMENT_HEADER_BYTES = 8, RECORD_MAGIC = 0x4c47 };
struct record {
    uint16_t magic;
    uint8_t stream, reserved;
    uint32_t size_bytes, step, attempt;
    int64_t time_us;
};

/* A window of the file is read at once. A record larger than RECORD_MAX_BYTES is none of a shim's: the end. */
enum { WINDOW_BYTES = 128 * 1024, RECORD_MAX_BYTES = 16 * 1024 * 1024 };

struct log_reader {
    char *path;
    int fd;
    char *window; /* only while a read goes on */
    size_t size, capacity;
    uint64_t start; /* the window's place in the file */
};

struct log_reader *log_reader_new(const char *path)
{
    struct log_reader *reader = mem_alloc(sizeof *reader);
    reader->path = mem_copy_text(path);
    reader->fd = -1;
    return reader;
}

void log_reader_free(struct log_reader **reader)
{
    if (!*reader) return;
    close_fd(&(*reader)->fd);
    free((*reader)->window);
    free((*reader)->path);
    free(*reader);
    *reader = NULL;
}

/* Reads up to size bytes at offset; less at the present end. */
static int read_at(struct log_reader *reader, char *bytes, size_t size, uint64_t offset, size_t *ret_got, struct error *err)
{
    size_t got = 0;
    while (got < size) {
        ssize_t part = pread(reader->fd, bytes + got, size - got, (off_t)(offset + got));
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return error_set_errno(err, errno, "reading %s", reader->path);
        if (part == 0) break;
        got += (size_t)part;
    }
    *ret_got = got;
    return 0;
}

/* *ret_ready: there is a segment to read. A file that is missing or shorter than its header will be looked at again. */
static int open_segment(struct log_reader *reader, bool *ret_ready, struct error *err)
{
    *ret_ready = reader->fd >= 0;
    if (*ret_ready) return 0;
    reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (reader->fd < 0) return errno == ENOENT ? 0 : error_set_errno(err, errno, "opening %s", reader->path);
    char header[SEGMENT_HEADER_BYTES];
    size_t got = 0;
    int failed = read_at(reader, header, sizeof header, 0, &got, err);
    if (!failed && got == sizeof header && memcmp(header, SEGMENT_MAGIC, sizeof header) != 0)
        failed = error_set(err, ERROR_INVALID, NOWHERE, "%s is not a log segment of this version", reader->path);
    *ret_ready = !failed && got == sizeof header;
    if (*ret_ready) return 0;
    close(reader->fd);
    reader->fd = -1;
    return failed;
}

/* Makes size bytes from offset on available at *ret; NULL when the file does not have them yet. */
static int look_at(struct log_reader *reader, uint64_t offset, size_t size, const char **ret, struct error *err)
{
    *ret = NULL;
    if (offset < reader->start || offset + size > reader->start + reader->size) {
        size_t wanted = size > WINDOW_BYTES ? size : WINDOW_BYTES;
        reader->window = mem_grow(reader->window, &reader->capacity, wanted, 1);
        reader->start = offset;
        reader->size = 0;
        int failed = read_at(reader, reader->window, wanted, offset, &reader->size, err);
        if (failed) return failed;
    }
    if (offset + size <= reader->start + reader->size) *ret = reader->window + (offset - reader->start);
    return 0;
}

static bool passes(struct log_filter filter, const struct record *record)
{
    return (filter.step == UINT32_MAX || filter.step == record->step) && (filter.attempt == 0 || filter.attempt == record->attempt);
}

/* The record at offset: its head, and its payload if it passes. *ret_whole: false at the end, torn or present. */
static int look_at_record(struct log_reader *reader, uint64_t offset, struct log_filter filter, struct record *ret_record,
    const char **ret_payload, bool *ret_whole, struct error *err)
{
    const char *bytes;
    *ret_whole = false;
    *ret_payload = NULL;
    int failed = look_at(reader, offset, sizeof *ret_record, &bytes, err);
    if (failed || !bytes) return failed;
    memcpy(ret_record, bytes, sizeof *ret_record);
    if (ret_record->magic != RECORD_MAGIC || ret_record->size_bytes > RECORD_MAX_BYTES) return 0;
    bool wanted = passes(filter, ret_record);
    uint64_t payload = offset + sizeof *ret_record;
    size_t size = ret_record->size_bytes;
    /* of one that does not pass only the last byte matters: is it all there? */
    failed = wanted || size == 0 ? look_at(reader, payload, size, &bytes, err) : look_at(reader, payload + size - 1, 1, &bytes, err);
    *ret_whole = !failed && bytes;
    if (*ret_whole && wanted) *ret_payload = bytes;
    return failed;
}

static int read_records(struct log_reader *reader, uint64_t *offset, struct log_filter filter, size_t limit_bytes,
    int (*piece)(void *context, const struct log_piece *piece), void *context, struct error *err)
{
    for (size_t taken = 0; taken < limit_bytes;) {
        struct record record = {0};
        const char *payload;
        bool whole;
        int failed = look_at_record(reader, *offset, filter, &record, &payload, &whole, err);
        if (failed || !whole) return failed;
        *offset += sizeof record + record.size_bytes;
        if (!payload) continue;
        taken += record.size_bytes;
        if (piece(context, &(struct log_piece){.step = record.step,
                               .attempt = record.attempt,
                               .stream = record.stream,
                               .time_us = record.time_us,
                               .bytes = payload,
                               .size = record.size_bytes}))
            return 0;
    }
    return 0;
}

int log_reader_read(struct log_reader *reader, uint64_t offset, struct log_filter filter, size_t limit_bytes,
    int (*piece)(void *context, const struct log_piece *piece), void *context, uint64_t *ret_offset, struct error *err)
{
    bool ready;
    uint64_t at = offset < SEGMENT_HEADER_BYTES ? SEGMENT_HEADER_BYTES : offset;
    int failed = at > INT64_MAX / 2 ? error_set(err, ERROR_INVALID, NOWHERE, "%s has no offset so large", reader->path) : 0;
    if (!failed) failed = open_segment(reader, &ready, err);
    if (!failed && ready) failed = read_records(reader, &at, filter, limit_bytes, piece, context, err);
    free(reader->window); /* a follower waits for long; the file may have grown when it comes back */
    reader->window = NULL;
    reader->size = reader->capacity = 0;
    if (failed) return failed;
    *ret_offset = at;
    return 0;
}

/* --- the tail --- */

struct tail {
    struct text kept;
    size_t limit_bytes;
    bool cut; /* something before kept was dropped */
};

static void drop_front(struct tail *tail, size_t size)
{
    if (size == 0) return;
    memmove(tail->kept.bytes, tail->kept.bytes + size, tail->kept.size - size + 1);
    tail->kept.size -= size;
    tail->cut = true;
}

static int keep_piece(void *context, const struct log_piece *piece)
{
    struct tail *tail = context;
    text_add_bytes(&tail->kept, piece->bytes, piece->size);
    if (tail->kept.size > 4 * tail->limit_bytes + WINDOW_BYTES) drop_front(tail, tail->kept.size - tail->limit_bytes - 1);
    return 0;
}

/* Where the last count lines begin; a line that was cut at its front is left out, unless it is all there is. */
static size_t first_of_last_lines(const struct tail *tail, unsigned count)
{
    const char *bytes = tail->kept.bytes;
    size_t size = tail->kept.size, from = size > tail->limit_bytes ? size - tail->limit_bytes : 0;
    bool cut = from ? bytes[from - 1] != '\n' : tail->cut;
    size_t whole = from;
    while (cut && whole < size && bytes[whole] != '\n')
        whole++;
    if (cut && whole + 1 < size) from = whole + 1;
    size_t at = size && bytes[size - 1] == '\n' ? size - 1 : size;
    for (; at > from; at--)
        if (bytes[at - 1] == '\n' && --count == 0) break;
    return at;
}

static void release_tail(struct tail *tail)
{
    text_release(&tail->kept);
}

int log_tail(const char *path, struct log_filter filter, unsigned count, size_t limit_bytes, struct text *out, struct error *err)
{
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(path);
    AUTO(release_tail) struct tail tail = {.limit_bytes = limit_bytes};
    uint64_t end;
    int failed = log_reader_read(reader, 0, filter, SIZE_MAX, keep_piece, &tail, &end, err);
    if (failed || count == 0 || tail.kept.size == 0) return failed;
    size_t from = first_of_last_lines(&tail, count);
    text_add_bytes(out, tail.kept.bytes + from, tail.kept.size - from);
    return 0;
}

/* --- fsck --- */

enum { STREAM_ENGINE = 3 };

static int check_piece(void *context, const struct log_piece *piece)
{
    struct log_check *check = context;
    static const char words[] = "of output were dropped";
    if (piece->stream != STREAM_ENGINE)
        check->printed(check->context, piece->step, piece->attempt, piece->size);
    else if (memmem(piece->bytes, piece->size, words, sizeof words - 1))
        check->dropped = true;
    return 0;
}

int log_check(const char *path, struct log_check *check, struct error *err)
{
    struct stat status;
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(path);
    if (stat(path, &status) < 0) {
        check->missing = true;
        return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s", path);
    }
    check->size = (uint64_t)status.st_size;
    return log_reader_read(reader, 0, (struct log_filter){UINT32_MAX, 0}, SIZE_MAX, check_piece, check, &check->end, err);
}

/* logs.c: reads log segments. A plain one grows while it is read, and its end may be torn; both are the end for now, not an error. */
#include "store/logs.h"

#include "base/mem.h"
#include "store/log_archive.h"
#include "store/log_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A window of the file is read at once; a small one behind a large record that was passed over, because the next may be one, too. */
enum { WINDOW_BYTES = 128 * 1024, SMALL_WINDOW_BYTES = 4 * 1024, LARGE_RECORD_BYTES = 16 * 1024 };

struct log_reader {
    char *path;
    int fd;                      /* of a plain segment */
    struct log_archive *archive; /* of a compressed one */
    uint64_t walk_bytes;         /* at most so many in a call */
    char *window;                /* only while a read goes on */
    size_t size, capacity, window_bytes;
    uint64_t start; /* the window's place in the file */
};

struct log_reader *log_reader_new(const char *path)
{
    struct log_reader *reader = mem_alloc(sizeof *reader);
    reader->path = mem_copy_text(path);
    reader->fd = -1;
    reader->walk_bytes = UINT64_MAX;
    reader->window_bytes = WINDOW_BYTES;
    return reader;
}

void log_reader_limit(struct log_reader *reader, uint64_t walk_bytes)
{
    reader->walk_bytes = walk_bytes;
}

void log_reader_free(struct log_reader **reader)
{
    if (!*reader) return;
    close_fd(&(*reader)->fd);
    log_archive_close(&(*reader)->archive);
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

static int refuse(const struct log_reader *reader, struct error *err)
{
    return error_set(err, ERROR_INVALID, NOWHERE, "%s is not a log segment of this version", reader->path);
}

/* The plain file goes only when the compressed one is there, so one that is missing may have been compressed a moment ago. */
static int open_archive(struct log_reader *reader, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s" ARCHIVE_SUFFIX, reader->path);
    AUTO(log_archive_close) struct log_archive *archive = NULL;
    struct error why;
    struct log_block block = {0};
    if (log_archive_open(path, &archive, &why) < 0) {
        if (err) *err = why;
        return why.code == ERROR_NOT_FOUND ? 0 : -(int)why.code;
    }
    int failed = log_archive_size(archive) ? log_archive_block(archive, 0, &block, err) : 0;
    if (failed) return failed;
    if (block.size < SEGMENT_HEADER_BYTES || memcmp(block.bytes, SEGMENT_MAGIC, SEGMENT_HEADER_BYTES) != 0) return refuse(reader, err);
    reader->archive = take(&archive);
    return 0;
}

/* *ret_ready: there is a segment to read. A file that is missing or shorter than its header will be looked at again. */
static int open_segment(struct log_reader *reader, bool *ret_ready, struct error *err)
{
    *ret_ready = reader->fd >= 0 || reader->archive;
    if (*ret_ready) return 0;
    reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (reader->fd < 0 && errno != ENOENT) return error_set_errno(err, errno, "opening %s", reader->path);
    if (reader->fd < 0) {
        int failed = open_archive(reader, err);
        *ret_ready = reader->archive != NULL;
        return failed;
    }
    char header[SEGMENT_HEADER_BYTES];
    size_t got = 0;
    int failed = read_at(reader, header, sizeof header, 0, &got, err);
    if (!failed && got == sizeof header && memcmp(header, SEGMENT_MAGIC, sizeof header) != 0) failed = refuse(reader, err);
    *ret_ready = !failed && got == sizeof header;
    if (*ret_ready) return 0;
    close(reader->fd);
    reader->fd = -1;
    return failed;
}

/* No record spreads over two frames, but for one that is torn. */
static int look_at_archive(struct log_reader *reader, uint64_t offset, size_t size, const char **ret, struct error *err)
{
    struct log_block block;
    if (offset >= log_archive_size(reader->archive)) return 0;
    int failed = log_archive_block(reader->archive, offset, &block, err);
    size_t at = (size_t)(offset - block.start);
    if (!failed && size <= block.size - at) *ret = block.bytes + at;
    return failed;
}

/* Makes size bytes from offset on available at *ret; NULL when the file does not have them yet. */
static int look_at(struct log_reader *reader, uint64_t offset, size_t size, const char **ret, struct error *err)
{
    *ret = NULL;
    if (reader->archive) return look_at_archive(reader, offset, size, ret, err);
    if (offset < reader->start || offset + size > reader->start + reader->size) {
        size_t wanted = size > reader->window_bytes ? size : reader->window_bytes;
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
    reader->window_bytes = !wanted && size >= LARGE_RECORD_BYTES ? SMALL_WINDOW_BYTES : WINDOW_BYTES;
    /* of one that does not pass only the last byte matters: is it all there? */
    failed = wanted || size == 0 ? look_at(reader, payload, size, &bytes, err) : look_at(reader, payload + size - 1, 1, &bytes, err);
    *ret_whole = !failed && bytes;
    if (*ret_whole && wanted) *ret_payload = bytes;
    return failed;
}

static int read_records(struct log_reader *reader, uint64_t *offset, struct log_filter filter, size_t limit_bytes,
    int (*piece)(void *context, const struct log_piece *piece), void *context, struct error *err)
{
    uint64_t walked = 0;
    for (size_t taken = 0; taken < limit_bytes && walked < reader->walk_bytes;) {
        struct record record = {0};
        const char *payload;
        bool whole;
        if (reader->archive && filter.step != UINT32_MAX) *offset = log_archive_next(reader->archive, filter.step, *offset);
        int failed = look_at_record(reader, *offset, filter, &record, &payload, &whole, err);
        if (failed || !whole) return failed;
        *offset += sizeof record + record.size_bytes;
        walked += sizeof record + record.size_bytes;
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
    reader->window_bytes = WINDOW_BYTES;
    if (failed) return failed;
    *ret_offset = at;
    return 0;
}

int log_reader_size(struct log_reader *reader, uint64_t *ret_size, struct error *err)
{
    struct stat status = {0};
    bool ready;
    int failed = open_segment(reader, &ready, err);
    if (failed) return failed;
    if (reader->fd >= 0 && fstat(reader->fd, &status) < 0) return error_set_errno(err, errno, "%s", reader->path);
    *ret_size = reader->archive ? log_archive_size(reader->archive) : (uint64_t)status.st_size;
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

static bool is_enough(const struct tail *tail, unsigned count)
{
    size_t lines = 0;
    for (size_t i = 0; i < tail->kept.size && lines <= count; i++)
        lines += tail->kept.bytes[i] == '\n';
    return tail->kept.size > tail->limit_bytes || lines > count;
}

/* Of a compressed segment the last frames of the step, more of them until it is enough. */
static int gather_tail(struct log_reader *reader, struct log_filter filter, unsigned count, struct tail *tail, struct error *err)
{
    uint64_t from = 0, end;
    bool ready;
    int failed = open_segment(reader, &ready, err);
    for (size_t frames = 1; !failed; frames *= 4) {
        from = reader->archive && filter.step != UINT32_MAX ? log_archive_back(reader->archive, filter.step, frames) : 0;
        tail->kept.size = 0;
        tail->cut = from > 0;
        failed = log_reader_read(reader, from, filter, SIZE_MAX, keep_piece, tail, &end, err);
        if (from == 0 || is_enough(tail, count)) break;
    }
    return failed;
}

int log_tail(const char *path, struct log_filter filter, unsigned count, size_t limit_bytes, struct text *out, struct error *err)
{
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(path);
    AUTO(release_tail) struct tail tail = {.limit_bytes = limit_bytes};
    int failed = gather_tail(reader, filter, count, &tail, err);
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

/* What lies behind the last whole record has frames with checksums, too. */
static int check_rest(struct log_archive *archive, uint64_t end, struct error *err)
{
    struct log_block block = {0};
    int failed = 0;
    for (uint64_t at = end; !failed && at < log_archive_size(archive); at = block.start + block.size)
        failed = log_archive_block(archive, at, &block, err);
    return failed;
}

int log_check(const char *path, struct log_check *check, struct error *err)
{
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(path);
    AUTO(free_text) char *packed = mem_format("%s" ARCHIVE_SUFFIX, path);
    struct stat status;
    bool ready;
    check->compressed = stat(path, &status) < 0 && stat(packed, &status) == 0; /* also where it cannot be opened */
    int failed = open_segment(reader, &ready, err);
    if (failed) return failed;
    check->compressed = reader->archive != NULL;
    check->missing = !ready && stat(path, &status) < 0;
    if (check->missing) return 0;
    if (ready) failed = log_reader_size(reader, &check->size, err);
    if (!failed) failed = log_reader_read(reader, 0, (struct log_filter){UINT32_MAX, 0}, SIZE_MAX, check_piece, check, &check->end, err);
    return failed || !reader->archive ? failed : check_rest(reader->archive, check->end, err);
}

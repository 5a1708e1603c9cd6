/* log_archive.c: reads a compressed log segment. */
#include "store/log_archive.h"

#include "base/mem.h"
#include "store/log_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

struct frame {
    uint64_t place, start; /* in the file; in the log */
    uint32_t packed, size; /* bytes in the file; of the log */
};

struct log_archive {
    char *path;
    int fd;
    ZSTD_DCtx *decoder;
    struct frame *frames; /* and one behind the last, which is empty: the index */
    size_t count;
    uint64_t size, end;
    struct index_range *ranges; /* none: any step may be anywhere */
    size_t range_count;
    char *packed, *bytes; /* the frame that was decoded last */
    size_t packed_capacity, bytes_capacity, decoded;
};

static uint32_t number_at(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static int damaged(const struct log_archive *archive, uint64_t place, const char *what, struct error *err)
{
    error_set(err, ERROR_IO, NOWHERE, "%.150s is damaged at byte %llu: %.60s", archive->path, (unsigned long long)place, what);
    return error_hint(err, "take the file from a backup; no decision depends on what a step printed");
}

static int read_at(const struct log_archive *archive, void *bytes, size_t size, uint64_t place, struct error *err)
{
    for (size_t got = 0; got < size;) {
        ssize_t part = pread(archive->fd, (char *)bytes + got, size - got, (off_t)(place + got));
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return error_set_errno(err, errno, "reading %s", archive->path);
        if (part == 0) return damaged(archive, place + got, "it ends there", err);
        got += (size_t)part;
    }
    return 0;
}

/* --- the seek table --- */

/* Where the frame of the seek table begins, by the last bytes of the file; and how many frames it lists. */
static int find_table(const struct log_archive *archive, uint64_t file_size, uint64_t *ret_place, size_t *ret_count, struct error *err)
{
    unsigned char footer[SEEK_FOOTER_BYTES], header[SKIPPED_HEADER_BYTES];
    if (file_size < sizeof footer + sizeof header) return damaged(archive, file_size, "it ends before its seek table", err);
    int failed = read_at(archive, footer, sizeof footer, file_size - sizeof footer, err);
    if (failed) return failed;
    uint32_t count = number_at(footer);
    uint64_t content = (uint64_t)count * SEEK_ENTRY_BYTES + sizeof footer;
    if (number_at(footer + 5) != SEEK_MAGIC || footer[4] != 0 || count == 0 || count > FRAMES_MAX || content + sizeof header > file_size)
        return damaged(archive, file_size - sizeof footer, "it does not end with a seek table", err);
    uint64_t place = file_size - content - sizeof header;
    failed = read_at(archive, header, sizeof header, place, err);
    if (failed) return failed;
    if (number_at(header) != SEEK_FRAME_MAGIC || number_at(header + 4) != content)
        return damaged(archive, place, "there is no seek table", err);
    *ret_place = place;
    *ret_count = count;
    return 0;
}

/* The last frame that is listed is the index: it holds nothing of the log. */
static int take_entries(struct log_archive *archive, const unsigned char *entries, size_t count, uint64_t table, struct error *err)
{
    uint64_t place = 0, start = 0;
    archive->frames = mem_alloc_array(count, sizeof *archive->frames);
    archive->count = count - 1;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *entry = entries + i * SEEK_ENTRY_BYTES;
        struct frame *frame = &archive->frames[i];
        *frame = (struct frame){place, start, number_at(entry), number_at(entry + 4)};
        bool is_index = i == count - 1, is_empty = frame->size == 0;
        if (is_index != is_empty || frame->size > FRAME_MAX_BYTES || frame->packed > ZSTD_compressBound(FRAME_MAX_BYTES))
            return damaged(archive, table + SKIPPED_HEADER_BYTES + i * SEEK_ENTRY_BYTES, "no frame has such a size", err);
        place += frame->packed;
        start += frame->size;
    }
    archive->size = start;
    return place == table ? 0 : damaged(archive, table, "the seek table does not fit the file", err);
}

static int read_table(struct log_archive *archive, struct error *err)
{
    struct stat status;
    uint64_t place = 0;
    size_t count = 0;
    if (fstat(archive->fd, &status) < 0) return error_set_errno(err, errno, "%s", archive->path);
    int failed = find_table(archive, (uint64_t)status.st_size, &place, &count, err);
    if (failed) return failed;
    AUTO(free_text) char *entries = mem_alloc(count * SEEK_ENTRY_BYTES);
    failed = read_at(archive, entries, count * SEEK_ENTRY_BYTES, place + SKIPPED_HEADER_BYTES, err);
    return failed ? failed : take_entries(archive, (const unsigned char *)entries, count, place, err);
}

/* --- the index --- */

/* The content of the index, decoded. */
static int take_index(struct log_archive *archive, const char *content, size_t size, uint64_t place, struct error *err)
{
    const unsigned char *end = (const unsigned char *)content;
    archive->end = number_at(end) | (uint64_t)number_at(end + 4) << 32;
    if (archive->end > archive->size) return damaged(archive, place, "the index ends behind the log", err);
    archive->range_count = (size - INDEX_END_BYTES) / sizeof(struct index_range);
    archive->ranges = mem_alloc_array(archive->range_count + 1, sizeof *archive->ranges);
    memcpy(archive->ranges, content + INDEX_END_BYTES, archive->range_count * sizeof *archive->ranges);
    for (size_t i = 0; i < archive->range_count; i++)
        if (archive->ranges[i].first > archive->ranges[i].last || archive->ranges[i].last >= archive->count)
            return damaged(archive, place, "the index names frames that are not there", err);
    return 0;
}

static int decode_index(struct log_archive *archive, const char *packed, size_t size, uint64_t place, struct error *err)
{
    unsigned long long bytes = ZSTD_getFrameContentSize(packed, size);
    if (bytes < INDEX_END_BYTES || bytes > INDEX_END_BYTES + INDEX_RANGES_MAX * sizeof(struct index_range))
        return damaged(archive, place, "the index has no such size", err);
    AUTO(free_text) char *content = mem_alloc((size_t)bytes);
    size_t got = ZSTD_decompressDCtx(archive->decoder, content, (size_t)bytes, packed, size);
    if (ZSTD_isError(got)) return damaged(archive, place, ZSTD_getErrorName(got), err);
    if (got != bytes) return damaged(archive, place, "the index is smaller than it says", err);
    return take_index(archive, content, got, place, err);
}

static int read_index(struct log_archive *archive, struct error *err)
{
    const struct frame *frame = &archive->frames[archive->count];
    const size_t head = SKIPPED_HEADER_BYTES + INDEX_MAGIC_BYTES;
    if (frame->packed < head) return damaged(archive, frame->place, "there is no index", err);
    AUTO(free_text) char *bytes = mem_alloc(frame->packed);
    int failed = read_at(archive, bytes, frame->packed, frame->place, err);
    if (failed) return failed;
    const unsigned char *header = (const unsigned char *)bytes;
    if (number_at(header) != INDEX_FRAME_MAGIC || number_at(header + 4) != frame->packed - SKIPPED_HEADER_BYTES ||
        memcmp(header + SKIPPED_HEADER_BYTES, INDEX_MAGIC, INDEX_MAGIC_BYTES) != 0)
        return damaged(archive, frame->place, "there is no index of this version", err);
    return decode_index(archive, bytes + head, frame->packed - head, frame->place + head, err);
}

/* --- opening and closing --- */

int log_archive_open(const char *path, struct log_archive **ret, struct error *err)
{
    AUTO(log_archive_close) struct log_archive *archive = mem_alloc(sizeof *archive);
    *archive = (struct log_archive){.path = mem_copy_text(path), .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), .decoded = SIZE_MAX};
    if (archive->fd < 0) return error_set_errno(err, errno, "opening %s", path);
    archive->decoder = ZSTD_createDCtx();
    if (!archive->decoder) return error_set(err, ERROR_INTERNAL, NOWHERE, "there is no memory to read %s", path);
    int failed = read_table(archive, err);
    if (!failed && archive->frames) failed = read_index(archive, err);
    if (!failed) *ret = take(&archive);
    return failed;
}

void log_archive_close(struct log_archive **place)
{
    struct log_archive *archive = take(place);
    if (!archive) return;
    close_fd(&archive->fd);
    ZSTD_freeDCtx(archive->decoder);
    free(archive->frames);
    free(archive->ranges);
    free(archive->packed);
    free(archive->bytes);
    free(archive->path);
    free(archive);
}

uint64_t log_archive_size(const struct log_archive *archive)
{
    return archive->size;
}

uint64_t log_archive_end(const struct log_archive *archive)
{
    return archive->end;
}

/* --- frames --- */

/* The frame that holds offset; count = behind them all. */
static size_t find_frame(const struct log_archive *archive, uint64_t offset)
{
    size_t low = 0, high = archive->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (archive->frames[middle].start + archive->frames[middle].size <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int decode(struct log_archive *archive, size_t which, struct error *err)
{
    const struct frame *frame = &archive->frames[which];
    archive->decoded = SIZE_MAX;
    archive->packed = mem_grow(archive->packed, &archive->packed_capacity, frame->packed, 1);
    archive->bytes = mem_grow(archive->bytes, &archive->bytes_capacity, frame->size, 1);
    int failed = read_at(archive, archive->packed, frame->packed, frame->place, err);
    if (failed) return failed;
    size_t size = ZSTD_decompressDCtx(archive->decoder, archive->bytes, frame->size, archive->packed, frame->packed);
    if (ZSTD_isError(size)) return damaged(archive, frame->place, ZSTD_getErrorName(size), err);
    if (size != frame->size) return damaged(archive, frame->place, "the frame is smaller than the seek table says", err);
    archive->decoded = which;
    return 0;
}

int log_archive_block(struct log_archive *archive, uint64_t offset, struct log_block *ret, struct error *err)
{
    size_t which = find_frame(archive, offset);
    if (which == archive->count) return error_set(err, ERROR_INVALID, NOWHERE, "%s has no such offset", archive->path);
    int failed = which == archive->decoded ? 0 : decode(archive, which, err);
    if (!failed) *ret = (struct log_block){archive->frames[which].start, archive->bytes, archive->frames[which].size};
    return failed;
}

/* --- steps --- */

/* The first range that is of the step and ends at the frame or behind it; or where it would stand. */
static size_t find_range(const struct log_archive *archive, uint32_t step, size_t frame)
{
    size_t low = 0, high = archive->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct index_range *range = &archive->ranges[middle];
        if (range->step < step || (range->step == step && range->last < frame))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t log_archive_next(const struct log_archive *archive, uint32_t step, uint64_t offset)
{
    size_t frame = find_frame(archive, offset), at = find_range(archive, step, frame);
    if (!archive->range_count || offset >= archive->end) return offset;
    if (at == archive->range_count || archive->ranges[at].step != step) return archive->end;
    uint64_t start = archive->frames[archive->ranges[at].first].start;
    return start > offset ? start : offset;
}

uint64_t log_archive_back(const struct log_archive *archive, uint32_t step, size_t frames)
{
    if (!archive->range_count) return frames < archive->count ? archive->frames[archive->count - frames].start : 0;
    for (size_t at = find_range(archive, step, archive->count); at > 0 && archive->ranges[at - 1].step == step; at--) {
        const struct index_range *range = &archive->ranges[at - 1];
        size_t here = range->last - range->first + 1;
        if (here >= frames) return archive->frames[range->last + 1 - frames].start;
        frames -= here;
    }
    return 0;
}

/* reader.c: from segment to segment, from block to block, and past those that the index rules out. */
#include "orchestrator/telemetry/reader.h"

#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/telemetry/arms.h"
#include "orchestrator/telemetry/segments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a step that reads no record costs of a budget: a block skipped, a segment opened. */
enum { SKIP_COST = 16, OPEN_COST = 1024 };
enum { SEGMENT_BLOCKS = TELEMETRY_SEGMENT_RECORDS / TELEMETRY_BLOCK };

struct telemetry_reader {
    char *folder;
    struct segments segments;
    struct arms arms;
    /* the segment that is being read */
    uint32_t number; /* 0: none */
    int fd;
    struct telemetry_index index[SEGMENT_BLOCKS]; /* count 0: not known */
    uint32_t index_read;                          /* entries of the file that were looked at */
    struct telemetry_record block[TELEMETRY_BLOCK];
};

/* One call of telemetry_read. */
struct reading {
    const struct telemetry_filter *filter;
    uint32_t arm_bits;
    size_t budget;
    int (*each)(void *context, const struct telemetry_record *record);
    void *context;
    bool stopped;
};

struct telemetry_reader *telemetry_reader_new(const char *folder)
{
    struct telemetry_reader *reader = mem_alloc(sizeof *reader);
    reader->folder = mem_copy_text(folder);
    reader->fd = -1;
    return reader;
}

void telemetry_reader_free(struct telemetry_reader **reader)
{
    if (!*reader) return;
    close_fd(&(*reader)->fd);
    segments_release(&(*reader)->segments);
    arms_release(&(*reader)->arms);
    free((*reader)->folder);
    free(*reader);
    *reader = NULL;
}

const char *telemetry_reader_folder(const struct telemetry_reader *reader)
{
    return reader->folder;
}

int telemetry_refresh(struct telemetry_reader *reader, struct error *err)
{
    ino_t before = reader->segments.inode;
    int failed = segments_refresh(&reader->segments, reader->folder, err);
    if (!failed && before != reader->segments.inode) { /* another folder of that name: what is known of the old one is wrong */
        close_fd(&reader->fd);
        reader->fd = -1;
        reader->number = 0;
        arms_release(&reader->arms);
    }
    return failed ? failed : arms_refresh(&reader->arms, reader->folder, err); /* last: an arm is written before its records */
}

const struct telemetry_arm *telemetry_arms(const struct telemetry_reader *reader, size_t *ret_count)
{
    *ret_count = reader->arms.count;
    return reader->arms.items;
}

const struct telemetry_arm *telemetry_arm_find(const struct telemetry_reader *reader, uint32_t number)
{
    return arms_find(&reader->arms, number);
}

char *telemetry_cursor_format(struct telemetry_cursor cursor, char buffer[TELEMETRY_CURSOR_SIZE])
{
    snprintf(buffer, TELEMETRY_CURSOR_SIZE, "%u.%u", cursor.segment, cursor.record);
    return buffer;
}

bool telemetry_cursor_parse(const char *text, struct telemetry_cursor *ret)
{
    int64_t segment, record;
    const char *dot = strchr(text, '.');
    if (!dot) return false;
    AUTO(free_text) char *first = mem_copy_bytes(text, (size_t)(dot - text));
    if (!text_to_integer(first, &segment) || !text_to_integer(dot + 1, &record)) return false;
    if (segment < 0 || segment >= UINT32_MAX || record < 0 || record >= UINT32_MAX) return false;
    *ret = (struct telemetry_cursor){(uint32_t)segment, (uint32_t)record};
    return true;
}

/* --- the index --- */

static void widen(struct telemetry_index *index, const struct telemetry_index *by)
{
    if (!by->count) return;
    if (!index->count || by->first_us < index->first_us) index->first_us = by->first_us;
    if (!index->count || by->last_us > index->last_us) index->last_us = by->last_us;
    index->arms |= by->arms;
    index->count += by->count;
}

static struct telemetry_index index_of(const struct telemetry_record *records, uint32_t count)
{
    struct telemetry_index made = {0};
    for (uint32_t i = 0; i < count; i++) {
        bool gap = records[i].flags & TELEMETRY_GAP;
        struct telemetry_index one = {records[i].time_us, records[i].time_us, 1U << (gap ? 0 : records[i].arm % 32), 1, {0}};
        widen(&made, &one);
    }
    return made;
}

static bool index_passes(const struct telemetry_index *index, const struct reading *reading)
{
    return index->last_us >= reading->filter->from_us && index->first_us < reading->filter->to_us && (index->arms & reading->arm_bits) != 0;
}

/* Bits of the arms that are wanted. Bit 0 is always: gaps are recorded as of arm 0. */
static uint32_t bits_of(const struct telemetry_filter *filter)
{
    uint32_t bits = filter->arms ? 1 : UINT32_MAX;
    for (uint32_t arm = 0; filter->arms && arm < filter->arm_count; arm++)
        if (filter->arms[arm]) bits |= 1U << (arm % 32);
    return bits;
}

static ssize_t read_at(int fd, void *bytes, size_t size, off_t offset)
{
    size_t got = 0;
    while (got < size) {
        ssize_t part = pread(fd, (char *)bytes + got, size - got, offset + (off_t)got);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return -1;
        if (part == 0) break;
        got += (size_t)part;
    }
    return (ssize_t)got;
}

/* Entries that came since. An index that is missing, short or wrong leaves them unknown, and the blocks are read. */
static void read_index(struct telemetry_reader *reader, const struct segment *segment)
{
    uint32_t blocks = segment->records / TELEMETRY_BLOCK, read = reader->index_read;
    if (blocks > SEGMENT_BLOCKS) blocks = SEGMENT_BLOCKS;
    if (read >= blocks) return;
    AUTO(free_text) char *path = segment_path(reader->folder, segment->number, ".idx");
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct telemetry_index fresh[SEGMENT_BLOCKS];
    size_t entry = sizeof *fresh;
    ssize_t got = fd < 0 ? -1 : read_at(fd, fresh, (blocks - read) * entry, (off_t)(read * entry));
    for (uint32_t i = 0; got > 0 && i < (size_t)got / entry; i++)
        if (fresh[i].count == TELEMETRY_BLOCK && fresh[i].first_us <= fresh[i].last_us) reader->index[read + i] = fresh[i];
    if (segment->is_final)
        reader->index_read = blocks;
    else if (got > 0)
        reader->index_read += (uint32_t)((size_t)got / entry);
}

/* A final segment whose every block is known is known as a whole; then it need not be opened again to be passed over. */
static void note_range(const struct telemetry_reader *reader, struct segment *segment)
{
    uint32_t blocks = (segment->records + TELEMETRY_BLOCK - 1) / TELEMETRY_BLOCK;
    if (!segment->is_final || segment->is_ranged || blocks > SEGMENT_BLOCKS) return;
    struct telemetry_index range = {0};
    for (uint32_t i = 0; i < blocks; i++) {
        if (!reader->index[i].count) return;
        widen(&range, &reader->index[i]);
    }
    segment->range = range;
    segment->is_ranged = true;
}

/* --- a segment --- */

static int check_header(int fd, const char *path, struct error *err)
{
    struct telemetry_header header;
    ssize_t got = read_at(fd, &header, sizeof header, 0);
    if (got < 0) return error_set_errno(err, errno, "reading %s", path);
    if (got == sizeof header && memcmp(header.magic, TELEMETRY_MAGIC, sizeof header.magic) == 0) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "%s is not a telemetry segment of this version", path);
    return error_hint(err, "move it away if another version wrote it; the others are read without it");
}

/* *ret_there: false when it was removed meanwhile. */
static int open_segment(struct telemetry_reader *reader, struct segment *segment, bool *ret_there, struct error *err)
{
    *ret_there = true;
    if (reader->number != segment->number) {
        AUTO(free_text) char *path = segment_path(reader->folder, segment->number, ".seg");
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        *ret_there = fd >= 0;
        if (fd < 0) return errno == ENOENT ? 0 : error_set_errno(err, errno, "opening %s", path);
        int failed = check_header(fd, path, err);
        if (failed) return failed;
        close_fd(&reader->fd);
        reader->fd = take_fd(&fd);
        reader->number = segment->number;
        reader->index_read = 0;
        memset(reader->index, 0, sizeof reader->index);
    }
    read_index(reader, segment);
    note_range(reader, segment);
    return 0;
}

static bool record_passes(const struct telemetry_record *record, const struct telemetry_filter *filter)
{
    if (record->time_us < filter->from_us || record->time_us >= filter->to_us) return false;
    return !filter->arms || (record->flags & TELEMETRY_GAP) || (record->arm < filter->arm_count && filter->arms[record->arm]);
}

/* Hands on the records from..count of the block; *from is where to go on. */
static void hand_on(const struct telemetry_reader *reader, struct reading *reading, uint32_t *from, uint32_t count)
{
    while (*from < count && !reading->stopped) {
        const struct telemetry_record *record = &reader->block[(*from)++];
        if (record_passes(record, reading->filter)) reading->stopped = reading->each(reading->context, record) != 0;
    }
}

static void spend(struct reading *reading, size_t cost)
{
    reading->budget -= cost < reading->budget ? cost : reading->budget;
}

/* The block in which *record stands; *record is where to go on. */
static int read_block(
    struct telemetry_reader *reader, struct segment *segment, struct reading *reading, uint32_t *record, struct error *err)
{
    uint32_t block = *record / TELEMETRY_BLOCK, first = block * TELEMETRY_BLOCK, left = segment->records - first, from = *record - first;
    uint32_t count = left < TELEMETRY_BLOCK ? left : TELEMETRY_BLOCK;
    bool whole = count == TELEMETRY_BLOCK || segment->is_final;
    struct telemetry_index *index = whole && block < SEGMENT_BLOCKS ? &reader->index[block] : NULL;
    if (index && index->count && !index_passes(index, reading)) {
        *record = first + count;
        spend(reading, SKIP_COST);
        return 0;
    }
    ssize_t got = read_at(
        reader->fd, reader->block, count * sizeof *reader->block, TELEMETRY_HEADER_BYTES + (off_t)first * (off_t)sizeof *reader->block);
    if (got < 0) return error_set_errno(err, errno, "reading segment %u in %s", segment->number, reader->folder);
    if (index && !index->count && (size_t)got == count * sizeof *reader->block) *index = index_of(reader->block, count);
    count = (uint32_t)((size_t)got / sizeof *reader->block);
    if (count <= from) { /* it became shorter under us */
        *record = segment->records;
        return 0;
    }
    hand_on(reader, reading, &from, count);
    *record = first + from;
    spend(reading, count);
    return 0;
}

static int read_segment(
    struct telemetry_reader *reader, struct segment *segment, struct reading *reading, uint32_t *record, struct error *err)
{
    bool there = true;
    if (!segment->is_ranged || index_passes(&segment->range, reading)) {
        spend(reading, reader->number == segment->number ? 0 : OPEN_COST);
        int failed = open_segment(reader, segment, &there, err);
        if (failed) return failed;
    }
    if (!there || (segment->is_ranged && !index_passes(&segment->range, reading))) {
        *record = segment->records;
        spend(reading, 1);
    }
    while (*record < segment->records && reading->budget && !reading->stopped) {
        int failed = read_block(reader, segment, reading, record, err);
        if (failed) return failed;
    }
    note_range(reader, segment);
    return 0;
}

int telemetry_read(struct telemetry_reader *reader, const struct telemetry_filter *filter, struct telemetry_cursor *cursor, size_t budget,
    int (*each)(void *context, const struct telemetry_record *record), void *context, bool *ret_end, struct error *err)
{
    struct reading reading = {.filter = filter, .arm_bits = bits_of(filter), .budget = budget, .each = each, .context = context};
    struct telemetry_cursor at = *cursor;
    struct segment *segment;
    while ((segment = segments_from(&reader->segments, at.segment))) {
        if (segment->number != at.segment) at = (struct telemetry_cursor){segment->number, 0};
        if (at.record >= segment->records && !segment->is_final) break;
        if (reading.stopped || !reading.budget) break;
        int failed = at.record < segment->records ? read_segment(reader, segment, &reading, &at.record, err) : 0;
        if (failed) return failed;
        if (segment->is_final && at.record >= segment->records) at = (struct telemetry_cursor){segment->number + 1, 0};
    }
    *ret_end = !segment || (at.record >= segment->records && !segment->is_final);
    *cursor = at;
    return 0;
}

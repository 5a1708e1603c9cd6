/* records.c: HAProxy's log lines become telemetry records (exec/telemetry.h). A line is "R TIME_US NOW_US STATUS STATE ARM-INSTANCE RETRIES
   BYTES BACKEND"; what is not one is HAProxy talking about itself. */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024, REST_BYTES = 4096, FLUSH_RECORDS = 2048 };
static const int64_t FLUSH_US = 20 * 1000;

static void open_segment(struct keep *keep, int flags)
{
    struct records *records = &keep->records;
    char name[32];
    snprintf(name, sizeof name, "%08u.seg", records->number);
    records->segment = openat(records->folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    snprintf(name, sizeof name, "%08u.idx", records->number);
    records->index = openat(records->folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void close_segment(struct records *records)
{
    if (records->segment >= 0) close(records->segment);
    if (records->index >= 0) close(records->index);
    records->segment = records->index = -1;
}

static bool new_segment(struct keep *keep)
{
    struct records *records = &keep->records;
    close_segment(records);
    struct telemetry_header header = {.number = records->number + 1, .begun_us = wall_us()};
    memcpy(header.magic, TELEMETRY_MAGIC, sizeof header.magic);
    if (keep->domain) snprintf(header.domain, sizeof header.domain, "%s", keep->domain);
    records->number++;
    open_segment(keep, O_CREAT | O_TRUNC);
    records->count = 0;
    records->block = (struct telemetry_index){0};
    if (records->segment >= 0 && records->index >= 0 && ftruncate(records->index, 0) == 0 &&
        pwrite(records->segment, &header, sizeof header, 0) == (ssize_t)sizeof header)
        return true;
    close_segment(records);
    records->number--;
    return false;
}

static void note_in_block(struct telemetry_index *block, const struct telemetry_record *record)
{
    if (!block->count || record->time_us < block->first_us) block->first_us = record->time_us;
    if (!block->count || record->time_us > block->last_us) block->last_us = record->time_us;
    block->arms |= 1U << (record->arm % 32);
    block->count++;
}

/* Complete blocks that a killed keeper had no entry for get one now; the last, open block is read again. */
static void reread_blocks(struct records *records)
{
    struct stat facts;
    uint32_t indexed = fstat(records->index, &facts) == 0 ? (uint32_t)((uint64_t)facts.st_size / sizeof records->block) : 0;
    if (indexed > records->count / TELEMETRY_BLOCK) indexed = records->count / TELEMETRY_BLOCK;
    for (uint32_t at = indexed * TELEMETRY_BLOCK; at < records->count; at++) {
        struct telemetry_record record;
        if (pread(records->segment, &record, sizeof record, TELEMETRY_HEADER_BYTES + (off_t)at * (off_t)sizeof record) !=
            (ssize_t)sizeof record)
            break;
        note_in_block(&records->block, &record);
        if (records->block.count < TELEMETRY_BLOCK) continue;
        ssize_t ignored =
            pwrite(records->index, &records->block, sizeof records->block, (off_t)(at / TELEMETRY_BLOCK) * (off_t)sizeof records->block);
        (void)ignored;
        records->block = (struct telemetry_index){0};
    }
}

static bool resume_segment(struct keep *keep)
{
    struct records *records = &keep->records;
    struct stat facts;
    open_segment(keep, 0);
    if (records->segment < 0 || records->index < 0 || fstat(records->segment, &facts) < 0 || facts.st_size < TELEMETRY_HEADER_BYTES)
        return false;
    records->count = (uint32_t)(((uint64_t)facts.st_size - TELEMETRY_HEADER_BYTES) / sizeof(struct telemetry_record));
    reread_blocks(records);
    return true;
}

static uint32_t last_number(int folder)
{
    uint32_t number = 0;
    char name[32];
    struct stat facts;
    for (uint32_t step = 1 << 20; step; step >>= 1) { /* numbers have no gaps below the oldest that is kept, and are few */
        snprintf(name, sizeof name, "%08u.seg", number + step);
        if (fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0) number += step;
    }
    for (;; number++) {
        snprintf(name, sizeof name, "%08u.seg", number + 1);
        if (fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) < 0) return number;
    }
}

void records_open(struct keep *keep)
{
    struct records *records = &keep->records;
    int base = keep->shim.folder_fd;
    if (mkdirat(base, "telemetry", 0700) < 0 && errno != EEXIST) shim_die("telemetry");
    records->folder = openat(base, "telemetry", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (records->folder < 0) shim_die("telemetry");
    records->arms = openat(records->folder, "arms", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    /* Its lines are synced, which is of no use where its name is not. */
    if (records->arms < 0 || fsync(records->folder) < 0 || fsync(base) < 0) shim_die("telemetry/arms");
    records->segment = records->index = -1;
    records->rest = mem_alloc(REST_BYTES);
    records->number = last_number(records->folder);
    if (records->number && !resume_segment(keep)) close_segment(records);
}

static bool is_gap(const unsigned char *bytes)
{
    struct telemetry_record record;
    memcpy(&record, bytes, sizeof record);
    return record.flags & TELEMETRY_GAP;
}

static void add_gap(struct records *records, uint64_t lost)
{
    struct telemetry_record gap = {.time_us = wall_us(), .flags = TELEMETRY_GAP, .bytes = lost};
    wire_bytes(&records->pending, &gap, sizeof gap);
}

static void add_gap_before(struct records *records, uint64_t lost)
{
    struct wire after = records->pending;
    records->pending = (struct wire){0};
    add_gap(records, lost);
    wire_bytes(&records->pending, after.bytes, after.size);
    wire_release(&after);
}

/* What the disk does not take is counted, and a gap says so as soon as it takes something again. */
static void give_up(struct records *records)
{
    const size_t size = sizeof(struct telemetry_record);
    for (size_t at = 0; at < records->pending.size; at += size) {
        bool gap = is_gap(records->pending.bytes + at);
        records->failed += !gap;
        records->untold += !gap;
    }
    records->pending.size = 0;
}

static void note_written(struct records *records, const unsigned char *bytes, size_t count)
{
    struct telemetry_record record;
    for (size_t i = 0; i < count; i++) {
        memcpy(&record, bytes + i * sizeof record, sizeof record);
        note_in_block(&records->block, &record);
        if (!(record.flags & TELEMETRY_GAP)) records->total++;
    }
    records->count += (uint32_t)count;
    if (records->block.count < TELEMETRY_BLOCK) return;
    off_t at = (off_t)(records->count / TELEMETRY_BLOCK - 1) * (off_t)sizeof records->block;
    ssize_t ignored = pwrite(records->index, &records->block, sizeof records->block, at);
    (void)ignored; /* an entry that is missing is made by the next keeper; readers read a block without one */
    records->block = (struct telemetry_index){0};
}

/* As many as fit into the current block. false: the disk does not take them. */
static bool write_some(struct keep *keep)
{
    struct records *records = &keep->records;
    const size_t size = sizeof(struct telemetry_record);
    if ((records->segment < 0 || records->count >= TELEMETRY_SEGMENT_RECORDS) && !new_segment(keep)) return false;
    size_t wanted = records->pending.size / size, room = TELEMETRY_BLOCK - records->block.count;
    if (wanted > room) wanted = room;
    off_t at = TELEMETRY_HEADER_BYTES + (off_t)records->count * (off_t)size;
    ssize_t put = pwrite(records->segment, records->pending.bytes, wanted * size, at);
    if (put < (ssize_t)size) return false;
    note_written(records, records->pending.bytes, (size_t)put / size);
    wire_drop(&records->pending, (size_t)put / size * size);
    return true;
}

void records_flush(struct keep *keep)
{
    struct records *records = &keep->records;
    uint64_t untold = records->pending.size ? records->untold : 0;
    records->flush_us = 0;
    if (untold) add_gap_before(records, untold);
    while (records->pending.size && write_some(keep))
        continue;
    if (records->pending.size) return give_up(records);
    records->untold -= untold;
}

static void add_record(struct keep *keep, const struct telemetry_record *record)
{
    struct records *records = &keep->records;
    wire_bytes(&records->pending, record, sizeof *record);
    if (records->pending.size >= FLUSH_RECORDS * sizeof *record) records_flush(keep);
    if (records->pending.size && !records->flush_us) records->flush_us = now_us() + FLUSH_US;
}

void records_gap(struct keep *keep, uint64_t dropped)
{
    add_gap(&keep->records, dropped);
    keep->records.flush_us = 1;
}

/* The next field, ended by a space or the line's end. */
static const char *field(char **at)
{
    char *start = *at, *end = start + strcspn(start, " ");
    *at = *end ? end + 1 : end;
    *end = '\0';
    return start;
}

static uint16_t flags_of(const char *state, bool served, long retries)
{
    unsigned flags = retries ? TELEMETRY_RETRIED : 0U;
    if (state[0] == 'C' || state[0] == 'c') flags |= TELEMETRY_ABORTED;
    if (!served) flags |= TELEMETRY_NO_SERVER;
    return (uint16_t)flags;
}

/* HAProxy notes 400 where the client left before there was an answer: nobody got that. "CH", not "CD". */
static bool is_unanswered(const char *state)
{
    return state[0] == 'C' && state[1] != 'D' && state[1] != 'L';
}

/* Which version was to serve what none of its instances took; 0: none. "p8080a" */
static uint32_t arm_of_backend(const struct keep *keep, const char *backend)
{
    char name[32];
    for (const struct service *service = keep->services; service; service = service->next) {
        snprintf(name, sizeof name, "p%d%c", service->family->port, 'a' + (int)service->backend);
        if (strcmp(name, backend) == 0) return service->arm;
    }
    return 0;
}

static void take_line(struct keep *keep, char *line)
{
    if (line[0] != 'R' || line[1] != ' ') return;
    char *at = line + 2, *rest = NULL;
    long long time_us = strtoll(field(&at), NULL, 10), end_us = strtoll(field(&at), NULL, 10);
    long status = strtol(field(&at), NULL, 10);
    const char *state = field(&at), *server = field(&at), *retries = field(&at);
    struct telemetry_record record = {.status = (uint16_t)(status < 0 ? 0 : status), .bytes = strtoull(field(&at), NULL, 10)};
    if (is_unanswered(state)) record.status = 0;
    record.arm = (uint32_t)strtoul(server, &rest, 10); /* "<NOSRV>" is 0 */
    if (*rest == '-') record.instance = (uint32_t)strtoul(rest + 1, NULL, 10);
    record.flags = flags_of(state, record.arm != 0, strtol(retries + (*retries == '+'), NULL, 10));
    if (!record.arm) record.arm = arm_of_backend(keep, field(&at));
    record.time_us = time_us ? time_us : end_us ? end_us : wall_us(); /* what was no HTTP has no time of arrival */
    long long took = time_us && end_us > time_us ? end_us - time_us : 0;
    record.duration_us = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
    add_record(keep, &record);
}

/* The pipe holds whole lines; only a read's end cuts one. */
static void take_piece(struct keep *keep, char *piece, size_t size)
{
    struct records *records = &keep->records;
    for (char *end; size && (end = memchr(piece, '\n', size)); size -= (size_t)(end + 1 - piece), piece = end + 1) {
        *end = '\0';
        if (!records->rest_size) {
            take_line(keep, piece);
            continue;
        }
        size_t more = (size_t)(end - piece);
        if (records->rest_size + more < REST_BYTES) {
            memcpy(records->rest + records->rest_size, piece, more + 1);
            take_line(keep, records->rest);
        }
        records->rest_size = 0;
    }
    if (records->rest_size + size >= REST_BYTES) size = 0;
    memcpy(records->rest + records->rest_size, piece, size);
    records->rest_size += size;
}

void records_read(struct keep *keep, bool all)
{
    char piece[PIECE_BYTES];
    do {
        ssize_t got = read(keep->haproxy.log.fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        take_piece(keep, piece, (size_t)got);
    } while (all);
}

/* A line that can be neither written nor taken back has had its number. */
int arm_new(struct keep *keep, struct service *service, struct error *err)
{
    struct text line = {0};
    uint32_t number = keep->next_arm + 1;
    text_add_format(&line, "%u %s %s %s\n", number, service->name, service->family_name, service->version);
    off_t before = lseek(keep->records.arms, 0, SEEK_END);
    errno = ENOSPC; /* what a part of the line means */
    bool good = write(keep->records.arms, line.bytes, line.size) == (ssize_t)line.size && fdatasync(keep->records.arms) == 0;
    int saved = errno;
    text_release(&line);
    if (good || ftruncate(keep->records.arms, before) < 0) keep->next_arm = number;
    if (good) return service->arm = number, 0;
    error_set_errno(err, saved, "the service could not be written down in %.150s/telemetry/arms", keep->shim.folder);
    return error_hint(err, KEEP_WRITE_HINT);
}

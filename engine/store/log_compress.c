/* log_compress.c: a closed log segment becomes a compressed one. */
#include "store/log_compress.h"

#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/log_archive.h"
#include "store/log_format.h"
#include "store/log_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zstd.h>

enum {
    LEVEL = 1,                      /* 3 makes logs no smaller, and takes half as long again (docs/adr/0025) */
    SPACE_BYTES = 64 * 1024 * 1024, /* that are left to the journal and to runs that go on: they need it more */
    SYNC_BYTES = 16 * 1024 * 1024,  /* written back as it goes, so that no sync is long, and others' syncs do not wait for it */
};

struct job {
    const char *path, *packed_path, *part;
    const atomic_bool *stop;
    int plain, out; /* files */
    ZSTD_CCtx *encoder;
    /* of the plain file: what is read and in no frame yet */
    char *bytes;
    size_t size, capacity;
    bool torn; /* what follows are no whole records */
    uint64_t taken, end;
    /* of the compressed one */
    char *packed;
    size_t packed_capacity;
    struct text table;
    uint32_t frames;
    uint64_t written, synced;
    struct log_index index;
};

static void put_number(struct text *text, uint32_t number)
{
    const char bytes[4] = {(char)(number & 0xff), (char)(number >> 8 & 0xff), (char)(number >> 16 & 0xff), (char)(number >> 24)};
    text_add_bytes(text, bytes, sizeof bytes);
}

/* --- the plain file, cut into frames --- */

/* Makes wanted bytes available, or as many as there are. */
static int fill(struct job *job, size_t wanted, struct error *err)
{
    while (job->size < wanted) {
        job->bytes = mem_grow(job->bytes, &job->capacity, wanted > 2 * FRAME_BYTES ? wanted : 2 * FRAME_BYTES, 1);
        ssize_t part = read(job->plain, job->bytes + job->size, job->capacity - job->size);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return error_set_errno(err, errno, "reading %s", job->path);
        if (part == 0) break;
        job->size += (size_t)part;
    }
    return 0;
}

/* The size of the record at this place of what is read; 0 = there is no whole one. */
static int record_size(struct job *job, size_t at, uint32_t *ret_step, size_t *ret_size, struct error *err)
{
    struct record record;
    *ret_size = 0;
    int failed = fill(job, at + sizeof record, err);
    if (failed || job->size < at + sizeof record) return failed;
    memcpy(&record, job->bytes + at, sizeof record);
    if (record.magic != RECORD_MAGIC || record.size_bytes > RECORD_MAX_BYTES) return 0;
    size_t size = sizeof record + record.size_bytes;
    failed = at + size > FRAME_BYTES && at > SEGMENT_HEADER_BYTES ? 0 : fill(job, at + size, err); /* else it is of the next frame */
    *ret_step = record.step;
    *ret_size = size;
    return failed;
}

/* How much of what is read is the next frame: whole records; behind the last one anything. 0 = it is over. */
static int next_frame(struct job *job, size_t *ret_size, struct error *err)
{
    size_t first = job->taken == 0 ? SEGMENT_HEADER_BYTES : 0, size = first, next = 0;
    uint32_t step = 0;
    while (!job->torn) {
        int failed = record_size(job, size, &step, &next, err);
        if (failed) return failed;
        if (next && size > first && size + next > FRAME_BYTES) break;
        job->torn = next == 0 || job->size < size + next;
        if (job->torn) break;
        log_index_add(&job->index, step, job->frames);
        size += next;
        job->end = job->taken + size;
    }
    int failed = size == 0 ? fill(job, FRAME_BYTES, err) : 0;
    if (failed) return failed;
    *ret_size = size ? size : job->size < FRAME_BYTES ? job->size : FRAME_BYTES;
    return 0;
}

/* --- the compressed file --- */

static int check_space(const struct job *job, struct error *err)
{
    struct statvfs status;
    if (fstatvfs(job->out, &status) < 0) return error_set_errno(err, errno, "%s", job->part);
    if ((uint64_t)status.f_bavail * status.f_frsize >= SPACE_BYTES) return 0;
    return error_set(err, ERROR_NO_SPACE, NOWHERE, "less than 64 MiB are left where %s would be", job->part);
}

static int put(struct job *job, const char *bytes, size_t size, struct error *err)
{
    int failed = file_write_all(job->out, bytes, size);
    if (failed) return error_set_errno(err, -failed, "writing %s", job->part);
    job->written += size;
    if (job->written - job->synced < SYNC_BYTES) return 0;
    job->synced = job->written;
    return fdatasync(job->out) == 0 ? check_space(job, err) : error_set_errno(err, errno, "syncing %s", job->part);
}

/* The bytes as a frame, in job->packed. */
static int pack(struct job *job, const void *bytes, size_t size, size_t *ret_size, struct error *err)
{
    job->packed = mem_grow(job->packed, &job->packed_capacity, ZSTD_compressBound(size), 1);
    size_t packed = ZSTD_compress2(job->encoder, job->packed, job->packed_capacity, bytes, size);
    if (ZSTD_isError(packed)) return error_set(err, ERROR_INTERNAL, NOWHERE, "compressing %s: %s", job->path, ZSTD_getErrorName(packed));
    *ret_size = packed;
    return 0;
}

static int put_frame(struct job *job, size_t size, struct error *err)
{
    size_t packed = 0;
    int failed = pack(job, job->bytes, size, &packed, err);
    if (!failed) failed = put(job, job->packed, packed, err);
    if (failed) return failed;
    put_number(&job->table, (uint32_t)packed);
    put_number(&job->table, (uint32_t)size);
    memmove(job->bytes, job->bytes + size, job->size - size);
    job->size -= size;
    job->taken += size;
    job->frames++;
    return 0;
}

static int put_index(struct job *job, struct error *err)
{
    AUTO(text_release) struct text frame = {0}, content = {0};
    size_t packed = 0;
    log_index_finish(&job->index);
    put_number(&content, (uint32_t)(job->end & UINT32_MAX));
    put_number(&content, (uint32_t)(job->end >> 32));
    if (job->index.count) text_add_bytes(&content, (const char *)job->index.ranges, job->index.count * sizeof *job->index.ranges);
    int failed = pack(job, content.bytes, content.size, &packed, err);
    if (failed) return failed;
    put_number(&frame, INDEX_FRAME_MAGIC);
    put_number(&frame, (uint32_t)(INDEX_MAGIC_BYTES + packed));
    text_add_bytes(&frame, INDEX_MAGIC, INDEX_MAGIC_BYTES);
    text_add_bytes(&frame, job->packed, packed);
    put_number(&job->table, (uint32_t)frame.size);
    put_number(&job->table, 0);
    job->frames++;
    return put(job, frame.bytes, frame.size, err);
}

static int put_table(struct job *job, struct error *err)
{
    AUTO(text_release) struct text frame = {0};
    put_number(&frame, SEEK_FRAME_MAGIC);
    put_number(&frame, (uint32_t)(job->table.size + SEEK_FOOTER_BYTES));
    text_add_bytes(&frame, job->table.bytes, job->table.size);
    put_number(&frame, job->frames);
    text_add_char(&frame, '\0'); /* the frames have checksums themselves */
    put_number(&frame, SEEK_MAGIC);
    return put(job, frame.bytes, frame.size, err);
}

static int check_stop(const struct job *job, struct error *err)
{
    return atomic_load(job->stop) ? error_set(err, ERROR_TIMEOUT, NOWHERE, "compressing %s was stopped", job->path) : 0;
}

static int write_all(struct job *job, struct error *err)
{
    int failed = fill(job, SEGMENT_HEADER_BYTES, err);
    if (!failed && (job->size < SEGMENT_HEADER_BYTES || memcmp(job->bytes, SEGMENT_MAGIC, SEGMENT_HEADER_BYTES) != 0))
        failed = error_set(err, ERROR_INVALID, NOWHERE, "%s is not a log segment of this version", job->path);
    for (size_t size = 1; !failed && size;) {
        failed = check_stop(job, err);
        if (!failed) failed = next_frame(job, &size, err);
        if (!failed && size) failed = put_frame(job, size, err);
    }
    if (!failed) failed = put_index(job, err);
    if (!failed) failed = put_table(job, err);
    if (!failed && fsync(job->out) < 0) failed = error_set_errno(err, errno, "syncing %s", job->part);
    return failed;
}

/* --- is it the same? --- */

static int compare_block(struct job *job, const struct log_block *block, struct error *err)
{
    job->bytes = mem_grow(job->bytes, &job->capacity, block->size, 1);
    for (size_t got = 0; got < block->size;) {
        ssize_t part = pread(job->plain, job->bytes + got, block->size - got, (off_t)(block->start + got));
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return error_set_errno(err, errno, "reading %s", job->path);
        if (part == 0) break;
        got += (size_t)part;
        if (got == block->size && memcmp(job->bytes, block->bytes, got) == 0) return 0;
    }
    return error_set(
        err, ERROR_IO, NOWHERE, "%s does not hold what %s does, at byte %llu", job->part, job->path, (unsigned long long)block->start);
}

/* Reads it back as those will who ask for the log, from the disk where the kernel lets go of its copy. */
static int compare(struct job *job, struct error *err)
{
    AUTO(log_archive_close) struct log_archive *archive = NULL;
    struct log_block block = {0};
    struct stat status;
    (void)posix_fadvise(job->out, 0, 0, POSIX_FADV_DONTNEED);
    int failed = log_archive_open(job->part, &archive, err);
    if (failed) return failed;
    if (fstat(job->plain, &status) < 0 || (uint64_t)status.st_size != log_archive_size(archive))
        return error_set(err, ERROR_CONFLICT, NOWHERE, "%s grew while it was compressed", job->path);
    for (uint64_t at = 0; !failed && at < log_archive_size(archive); at += block.size) {
        failed = check_stop(job, err);
        if (!failed) failed = log_archive_block(archive, at, &block, err);
        if (!failed) failed = compare_block(job, &block, err);
    }
    return failed;
}

/* --- the switch --- */

static int replace(const struct job *job, struct error *err)
{
    AUTO(free_text) char *folder = mem_copy_text(job->path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    if (rename(job->part, job->packed_path) < 0) return error_set_errno(err, errno, "renaming %s", job->part);
    int failed = file_sync_folder(slash ? folder : ".", err);
    if (failed) return failed;
    if (unlink(job->path) < 0 && errno != ENOENT) return error_set_errno(err, errno, "removing %s", job->path);
    return file_sync_folder(slash ? folder : ".", err);
}

/* A server that lost the folder to another one may be at the same log still: only who has the lock writes the file and gives it its name.
 */
static int lock_part(struct job *job, struct error *err)
{
    struct stat ours, named;
    job->out = open(job->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (job->out < 0) return error_set_errno(err, errno, "making %s", job->part);
    bool locked = flock(job->out, LOCK_EX | LOCK_NB) == 0;
    if (!locked || fstat(job->out, &ours) < 0 || stat(job->part, &named) < 0 || ours.st_ino != named.st_ino) {
        close_fd(&job->out);
        job->out = -1;
        return error_set(err, ERROR_UNAVAILABLE, NOWHERE, "another server is compressing %s", job->path);
    }
    return ftruncate(job->out, 0) == 0 ? 0 : error_set_errno(err, errno, "emptying %s", job->part);
}

static int open_part(struct job *job, struct error *err)
{
    int failed = lock_part(job, err);
    if (failed) return failed;
    job->encoder = ZSTD_createCCtx();
    if (!job->encoder) return error_set(err, ERROR_INTERNAL, NOWHERE, "there is no memory to compress %s", job->path);
    ZSTD_CCtx_setParameter(job->encoder, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(job->encoder, ZSTD_c_checksumFlag, 1);
    return check_space(job, err);
}

static void job_release(struct job *job)
{
    close_fd(&job->plain);
    close_fd(&job->out);
    ZSTD_freeCCtx(job->encoder);
    text_release(&job->table);
    log_index_release(&job->index);
    free(job->bytes);
    free(job->packed);
}

/* A death before the plain one went leaves two of one size. Anything else was put there by somebody: nothing of it is lost. */
static int check_other(const struct job *job, uint64_t size, struct error *err)
{
    AUTO(log_archive_close) struct log_archive *other = NULL;
    struct error why;
    if (log_archive_open(job->packed_path, &other, &why) < 0 || log_archive_size(other) == size) return 0;
    error_set(err, ERROR_CONFLICT, NOWHERE, "%.100s is there, and holds another log than %.100s", job->packed_path, job->path);
    return error_hint(err, "the plain one is shown; move either of them away");
}

static int compress(struct job *job, uint64_t size, struct log_compressed *ret, struct error *err)
{
    int failed = check_other(job, size, err);
    if (failed) return failed;
    failed = open_part(job, err);
    if (!failed) failed = write_all(job, err);
    bool pays = job->written < size - size / 8;
    if (!failed && pays) failed = compare(job, err);
    if (!failed && pays) failed = replace(job, err);
    if (job->out >= 0 && (failed || !pays)) unlink(job->part);
    if (!failed) *ret = (struct log_compressed){size, pays ? job->written : 0};
    return failed;
}

int log_compress(const char *path, const atomic_bool *stop, struct log_compressed *ret, struct error *err)
{
    AUTO(free_text) char *packed_path = mem_format("%s" ARCHIVE_SUFFIX, path);
    AUTO(free_text) char *part = mem_format("%s.part", packed_path);
    struct stat status;
    AUTO(job_release)
    struct job job = {.path = path,
        .packed_path = packed_path,
        .part = part,
        .stop = stop,
        .out = -1,
        .plain = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    *ret = (struct log_compressed){0};
    if (job.plain < 0 && errno == ENOENT) return 0;
    if (job.plain < 0 || fstat(job.plain, &status) < 0) return error_set_errno(err, errno, "%s", path);
    if (status.st_size < LOG_COMPRESS_MIN_BYTES) return 0;
    return compress(&job, (uint64_t)status.st_size, ret, err);
}

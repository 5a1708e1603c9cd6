/* telemetry_writer.h: writes telemetry as a keeper does (exec/telemetry.h), for tests of what reads it. */
#ifndef CRESCENDO_TEST_TELEMETRY_WRITER_H
#define CRESCENDO_TEST_TELEMETRY_WRITER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "exec/telemetry.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct recording {
    char folder[64]; /* KEEP/telemetry */
    uint32_t number; /* of the segment that is written */
    int segment, index;
    bool without_index;
    struct telemetry_record pending[TELEMETRY_BLOCK]; /* of the block that is written; synced by recording_flush */
    uint32_t pending_count, flushed;
};

static inline void recording_begin(struct recording *recording)
{
    *recording = (struct recording){.segment = -1, .index = -1};
    snprintf(recording->folder, sizeof recording->folder, "/tmp/crescendo-test-XXXXXX");
    assert_non_null(mkdtemp(recording->folder));
}

static inline void recording_append(const char *folder, const char *name, const void *bytes, size_t size)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, bytes, size), 0);
}

static inline void recording_arm(const struct recording *recording, const char *line)
{
    recording_append(recording->folder, "arms", line, strlen(line));
}

/* Makes what was recorded visible. */
static inline void recording_flush(struct recording *recording)
{
    const struct telemetry_record *from = recording->pending + recording->flushed;
    uint32_t count = recording->pending_count - recording->flushed;
    if (recording->segment >= 0) assert_int_equal(file_write_all(recording->segment, from, count * sizeof *from), 0);
    recording->flushed = recording->pending_count;
}

static inline void recording_next_segment(struct recording *recording)
{
    recording_flush(recording);
    close_fd(&recording->segment);
    close_fd(&recording->index);
    recording->index = -1;
    recording->pending_count = recording->flushed = 0;
    struct telemetry_header header = {.number = ++recording->number, .begun_us = 1, .domain = "here"};
    memcpy(header.magic, TELEMETRY_MAGIC, sizeof header.magic);
    AUTO(free_text) char *segment = mem_format("%s/%08u.seg", recording->folder, recording->number);
    AUTO(free_text) char *index = mem_format("%s/%08u.idx", recording->folder, recording->number);
    recording->segment = open(segment, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (!recording->without_index) recording->index = open(index, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    assert_int_equal(file_write_all(recording->segment, &header, sizeof header), 0);
}

static inline void recording_end_block(struct recording *recording)
{
    struct telemetry_index entry = {INT64_MAX, INT64_MIN, 0, TELEMETRY_BLOCK, {0}};
    recording_flush(recording);
    for (uint32_t i = 0; i < TELEMETRY_BLOCK; i++) {
        const struct telemetry_record *record = &recording->pending[i];
        if (record->time_us < entry.first_us) entry.first_us = record->time_us;
        if (record->time_us > entry.last_us) entry.last_us = record->time_us;
        entry.arms |= 1U << (record->arm % 32);
    }
    if (recording->index >= 0) assert_int_equal(file_write_all(recording->index, &entry, sizeof entry), 0);
    recording->pending_count = recording->flushed = 0;
}

static inline void recording_add(struct recording *recording, struct telemetry_record record)
{
    if (!recording->number) recording_next_segment(recording);
    recording->pending[recording->pending_count++] = record;
    if (recording->pending_count == TELEMETRY_BLOCK) recording_end_block(recording);
}

static inline void recording_end(struct recording *recording)
{
    close_fd(&recording->segment);
    close_fd(&recording->index);
    assert_int_equal(file_remove_tree(recording->folder, NULL), 0);
}

#endif

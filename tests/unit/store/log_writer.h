/* log_writer.h: writes log segments as exec/protocol.h says, in a folder of its own, for the tests of those who read them. */
#ifndef TESTS_STORE_LOG_WRITER_H
#define TESTS_STORE_LOG_WRITER_H

#include "fixture.h"

#include "exec/protocol.h"

#include <fcntl.h>

struct log {
    char folder[64], path[80];
    int fd;
};

static inline int log_begin(void **state)
{
    struct log *log = mem_alloc(sizeof *log);
    snprintf(log->folder, sizeof log->folder, "/tmp/crescendo-test-XXXXXX");
    assert_non_null(mkdtemp(log->folder));
    snprintf(log->path, sizeof log->path, "%s/log", log->folder);
    log->fd = -1;
    *state = log;
    return 0;
}

static inline int log_end(void **state)
{
    struct log *log = *state;
    close_fd(&log->fd);
    int failed = file_remove_tree(log->folder, NULL);
    free(log);
    return failed;
}

static inline void write_bytes(struct log *log, const void *bytes, size_t size)
{
    if (log->fd < 0) log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_int_equal(file_write_all(log->fd, bytes, size), 0);
}

static inline void write_header(struct log *log)
{
    write_bytes(log, LOG_SEGMENT_MAGIC, 8);
}

static inline void write_record(struct log *log, uint32_t step, uint32_t attempt, const char *bytes, size_t size)
{
    struct log_record record = {
        .magic = LOG_RECORD_MAGIC, .stream = LOG_STDOUT, .size = (uint32_t)size, .step = step, .attempt = attempt, .time_us = 77};
    write_bytes(log, &record, sizeof record);
    write_bytes(log, bytes, size);
}

static inline void write_text(struct log *log, uint32_t step, uint32_t attempt, const char *text)
{
    write_record(log, step, attempt, text, strlen(text));
}

#endif

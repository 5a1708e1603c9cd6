/* large_log.h: a log that takes several frames, compressed, and read in whichever form it is in. */
#ifndef TESTS_STORE_LARGE_LOG_H
#define TESTS_STORE_LARGE_LOG_H

#include "log_writer.h"

#include "store/log_compress.h"
#include "store/logs.h"

__attribute__((unused)) static const struct log_filter all = {.step = UINT32_MAX};

static inline void add_record(struct text *log, uint32_t step, uint32_t attempt, const char *bytes, size_t size)
{
    struct log_record record = {
        .magic = LOG_RECORD_MAGIC, .stream = LOG_STDOUT, .size = (uint32_t)size, .step = step, .attempt = attempt, .time_us = 77};
    text_add_bytes(log, (const char *)&record, sizeof record);
    text_add_bytes(log, bytes, size);
}

static inline void add_line(struct text *log, uint32_t step, uint32_t attempt, const char *text)
{
    add_record(log, step, attempt, text, strlen(text));
}

/* Steps 0 and 1 print all the time, 2 at the start and at the end, 3 once in the middle, 4 a record larger than a frame. */
static inline void write_log(struct log *log)
{
    unsigned seed = 7;
    AUTO(text_release) struct text text = {0};
    AUTO(free_text) char *large = mem_alloc(700 * 1000);
    memset(large, 'L', 700 * 1000);
    text_add_bytes(&text, LOG_SEGMENT_MAGIC, 8);
    add_line(&text, 2, 1, "quiet begins\n");
    for (int i = 0; i < 20000; i++) {
        char line[128];
        snprintf(line, sizeof line, "line %d of the noisy one, token %u\n", i, (unsigned)rand_r(&seed));
        add_line(&text, (uint32_t)i % 2, 1 + (uint32_t)i / 15000, line);
        if (i == 9000) add_line(&text, 3, 1, "once\n");
        if (i == 12000) add_record(&text, 4, 1, large, 700 * 1000);
    }
    add_line(&text, 2, 1, "quiet ends\n");
    write_bytes(log, text.bytes, text.size);
    close_fd(&log->fd);
    log->fd = -1;
}

static inline int add_piece(void *context, const struct log_piece *piece)
{
    struct text *text = context;
    text_add_format(text, "[%u.%u %lld ", piece->step, piece->attempt, (long long)piece->time_us);
    text_add_bytes(text, piece->bytes, piece->size);
    return 0;
}

struct said {
    struct text text;
    uint64_t end;
};

static inline struct said read_log(const struct log *log, uint64_t from, struct log_filter filter)
{
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    struct said said = {0};
    struct error err = {0};
    if (log_reader_read(reader, from, filter, SIZE_MAX, add_piece, &said.text, &said.end, &err) < 0) fail_msg("%s", err.message);
    return said;
}

static inline void expect_same(const struct log *log, uint64_t from, struct log_filter filter, const struct said *expected)
{
    struct said said = read_log(log, from, filter);
    assert_int_equal(said.end, expected->end);
    assert_string_equal(text_view(&said.text), text_view(&expected->text));
    text_release(&said.text);
}

static inline int compress(const struct log *log, struct log_compressed *ret, struct error *err)
{
    static atomic_bool never;
    return log_compress(log->path, &never, ret, err);
}

static inline void compress_well(const struct log *log)
{
    struct log_compressed result;
    struct error err = {0};
    if (compress(log, &result, &err) < 0) fail_msg("%s", err.message);
    assert_true(result.after > 0 && result.after < result.before);
}

static inline bool is_there(const struct log *log, const char *suffix)
{
    AUTO(free_text) char *path = mem_format("%s%s", log->path, suffix);
    return file_exists(path);
}

#endif

/* test_logs.c: log segments, written here as exec/protocol.h says, read as they grow and where they are torn. */
#include "log_writer.h"

#include "store/logs.h"

struct collected {
    struct text text;
    size_t count, stop_at;
};

static int collect(void *context, const struct log_piece *piece)
{
    struct collected *collected = context;
    assert_int_equal(piece->stream, LOG_STDOUT);
    assert_int_equal(piece->time_us, 77);
    text_add_format(&collected->text, "[%u.%u ", piece->step, piece->attempt);
    text_add_bytes(&collected->text, piece->bytes, piece->size);
    text_add(&collected->text, "]");
    return ++collected->count == collected->stop_at;
}

/* Reads once and compares; returns where to go on. */
static uint64_t check_read(
    struct log_reader *reader, uint64_t offset, struct log_filter filter, size_t limit_bytes, size_t stop_at, const char *expected)
{
    struct collected collected = {.stop_at = stop_at};
    uint64_t next = 0;
    assert_int_equal(log_reader_read(reader, offset, filter, limit_bytes, collect, &collected, &next, NULL), 0);
    assert_string_equal(text_view(&collected.text), expected);
    text_release(&collected.text);
    return next;
}

static const struct log_filter all = {.step = UINT32_MAX};

static void a_missing_file_is_empty_until_it_is_there(void **state)
{
    struct log *log = *state;
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    assert_int_equal(check_read(reader, 0, all, SIZE_MAX, 0, ""), 8);
    write_bytes(log, LOG_SEGMENT_MAGIC, 5);
    check_read(reader, 0, all, SIZE_MAX, 0, "");
    write_bytes(log, (const char *)LOG_SEGMENT_MAGIC + 5, 3);
    check_read(reader, 0, all, SIZE_MAX, 0, "");
    write_text(log, 1, 1, "x");
    check_read(reader, 0, all, SIZE_MAX, 0, "[1.1 x]");
}

static void another_file_is_refused(void **state)
{
    struct log *log = *state;
    write_bytes(log, "CRLOG\0\0\2more", 12);
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    struct error err = {0};
    uint64_t next;
    assert_int_equal(log_reader_read(reader, 0, all, SIZE_MAX, collect, NULL, &next, &err), -ERROR_INVALID);
    assert_non_null(strstr(err.message, log->path));
}

static void filters_pass_steps_and_attempts(void **state)
{
    struct log *log = *state;
    write_header(log);
    write_text(log, 0, 1, "a");
    write_text(log, 7, 1, "b");
    write_text(log, 7, 2, "");
    write_text(log, 7, 2, "c");
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    uint64_t end_of_file = check_read(reader, 0, all, SIZE_MAX, 0, "[0.1 a][7.1 b][7.2 ][7.2 c]");
    assert_int_equal(check_read(reader, 0, (struct log_filter){.step = 7}, SIZE_MAX, 0, "[7.1 b][7.2 ][7.2 c]"), end_of_file);
    check_read(reader, 0, (struct log_filter){.step = 7, .attempt = 2}, SIZE_MAX, 0, "[7.2 ][7.2 c]");
    check_read(reader, 0, (struct log_filter){.step = UINT32_MAX, .attempt = 1}, SIZE_MAX, 0, "[0.1 a][7.1 b]");
    assert_int_equal(check_read(reader, 0, (struct log_filter){.step = 9}, SIZE_MAX, 0, ""), end_of_file);
}

static void a_torn_tail_is_the_end(void **state)
{
    struct log *log = *state;
    write_header(log);
    write_text(log, 1, 1, "first");
    write_text(log, 2, 1, "second");
    const int first = 8 + 24 + 5, whole = first + 24 + 6;
    for (int size = whole; size >= 0; size--) {
        assert_int_equal(ftruncate(log->fd, size), 0);
        AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
        const char *expected = size == whole ? "[1.1 first][2.1 second]" : size >= first ? "[1.1 first]" : "";
        uint64_t next = check_read(reader, 0, all, SIZE_MAX, 0, expected);
        assert_int_equal(next, size == whole ? whole : size >= first ? first : 8);
        check_read(reader, 0, (struct log_filter){.step = 2}, SIZE_MAX, 0, size == whole ? "[2.1 second]" : "");
        assert_int_equal(check_read(reader, 0, (struct log_filter){.step = 5}, SIZE_MAX, 0, ""), next);
    }
}

static void rubbish_is_the_end(void **state)
{
    struct log *log = *state;
    write_header(log);
    write_text(log, 1, 1, "first");
    struct log_record huge = {.magic = LOG_RECORD_MAGIC, .size = UINT32_MAX};
    write_bytes(log, &huge, sizeof huge);
    write_text(log, 1, 1, "never seen");
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    assert_int_equal(check_read(reader, 0, all, SIZE_MAX, 0, "[1.1 first]"), 8 + 24 + 5);
    check_read(reader, 11, all, SIZE_MAX, 0, "");
    check_read(reader, 1 << 20, all, SIZE_MAX, 0, "");
    uint64_t next;
    assert_int_equal(log_reader_read(reader, UINT64_MAX, all, 1, collect, NULL, &next, NULL), -ERROR_INVALID);
}

static void a_growing_file_is_followed(void **state)
{
    struct log *log = *state;
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    uint64_t next = check_read(reader, 0, all, SIZE_MAX, 0, "");
    write_header(log);
    write_text(log, 1, 1, "a");
    next = check_read(reader, next, all, SIZE_MAX, 0, "[1.1 a]");
    next = check_read(reader, next, all, SIZE_MAX, 0, "");
    write_text(log, 1, 1, "b");
    struct log_record torn = {.magic = LOG_RECORD_MAGIC, .stream = LOG_STDOUT, .size = 3, .step = 1, .attempt = 1, .time_us = 77};
    write_bytes(log, &torn, sizeof torn);
    write_bytes(log, "to", 2);
    next = check_read(reader, next, all, SIZE_MAX, 0, "[1.1 b]");
    write_bytes(log, "n", 1);
    check_read(reader, next, all, SIZE_MAX, 0, "[1.1 ton]");
}

static void limits_and_callbacks_stop_a_read(void **state)
{
    struct log *log = *state;
    write_header(log);
    for (uint32_t i = 0; i < 5; i++)
        write_text(log, i, 1, "1234");
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    check_read(reader, 0, all, 0, 0, "");
    check_read(reader, 0, all, 1, 0, "[0.1 1234]");
    uint64_t next = check_read(reader, 0, all, 8, 0, "[0.1 1234][1.1 1234]");
    next = check_read(reader, next, all, SIZE_MAX, 2, "[2.1 1234][3.1 1234]"); /* the one that stopped it was taken */
    check_read(reader, next, all, SIZE_MAX, 0, "[4.1 1234]");
}

static int measure(void *context, const struct log_piece *piece)
{
    for (size_t i = 0; i < piece->size; i++)
        assert_true(piece->bytes[i] == (char)('a' + piece->step % 26));
    *(size_t *)context += piece->size;
    return 0;
}

static void records_larger_than_the_window_and_across_it(void **state)
{
    struct log *log = *state;
    AUTO(free_text) char *bytes = mem_alloc(1 << 20);
    size_t total = 0, found = 0, only = 0;
    write_header(log);
    for (uint32_t step = 0; step < 60; step++) {
        size_t size = step == 30 ? 1 << 20 : step * 997 % 50000;
        memset(bytes, (int)('a' + step % 26), size);
        write_record(log, step, 1, bytes, size);
        total += size;
    }
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    uint64_t next;
    assert_int_equal(log_reader_read(reader, 0, all, SIZE_MAX, measure, &found, &next, NULL), 0);
    assert_int_equal(found, total);
    assert_int_equal(log_reader_read(reader, 0, (struct log_filter){.step = 30}, SIZE_MAX, measure, &only, &next, NULL), 0);
    assert_int_equal(only, 1 << 20);
}

static void check_tail(struct log *log, uint32_t step, unsigned count, size_t limit_bytes, const char *expected)
{
    AUTO(text_release) struct text out = {0};
    assert_int_equal(log_tail(log->path, (struct log_filter){.step = step}, count, limit_bytes, &out, NULL), 0);
    assert_string_equal(text_view(&out), expected);
}

static void the_tail_is_the_last_lines(void **state)
{
    struct log *log = *state;
    check_tail(log, 1, 5, 100, "");
    write_header(log);
    check_tail(log, 1, 5, 100, "");
    write_text(log, 1, 1, "one\ntw");
    write_text(log, 2, 1, "other\n");
    write_text(log, 1, 1, "o\nthree\n");
    check_tail(log, 1, 0, 100, "");
    check_tail(log, 1, 1, 100, "three\n");
    check_tail(log, 1, 2, 100, "two\nthree\n");
    check_tail(log, 1, 3, 100, "one\ntwo\nthree\n");
    check_tail(log, 1, 9, 100, "one\ntwo\nthree\n");
    check_tail(log, 2, 9, 100, "other\n");
    check_tail(log, 3, 9, 100, "");
    check_tail(log, 1, 9, 10, "two\nthree\n"); /* the limit falls on a line's end */
    check_tail(log, 1, 9, 9, "three\n");       /* a line that was cut is left out */
    check_tail(log, 1, 9, 3, "ee\n");          /* unless it is all there is */
    write_text(log, 1, 1, "last, unended");
    check_tail(log, 1, 1, 100, "last, unended");
    check_tail(log, 1, 2, 100, "three\nlast, unended");
    write_text(log, 4, 1, "\n\n");
    check_tail(log, 4, 2, 100, "\n\n");
    check_tail(log, 4, 1, 100, "\n");
}

static void the_tail_of_a_flood_is_its_end(void **state)
{
    struct log *log = *state;
    write_header(log);
    for (int i = 0; i < 60000; i++) {
        char line[32];
        snprintf(line, sizeof line, "line %d\n", i);
        write_text(log, 1, 1, line);
    }
    check_tail(log, 1, 2, 1000, "line 59998\nline 59999\n");
    check_tail(log, 1, 100, 30, "line 59998\nline 59999\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, log_begin, log_end)
    const struct CMUnitTest tests[] = {
        TEST(a_missing_file_is_empty_until_it_is_there),
        TEST(another_file_is_refused),
        TEST(filters_pass_steps_and_attempts),
        TEST(a_torn_tail_is_the_end),
        TEST(rubbish_is_the_end),
        TEST(a_growing_file_is_followed),
        TEST(limits_and_callbacks_stop_a_read),
        TEST(records_larger_than_the_window_and_across_it),
        TEST(the_tail_is_the_last_lines),
        TEST(the_tail_of_a_flood_is_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

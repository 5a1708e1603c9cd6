/* test_log_compress.c: a compressed segment reads as the plain one did, from any place, for any step; damage is told and never crashes. */
#include "large_log.h"

#include "store/log_archive.h"
#include "store/log_format.h"
#include "store/log_index.h"

#include <sys/stat.h>

static const struct log_filter filters[] = {{UINT32_MAX, 0}, {0, 0}, {1, 2}, {2, 0}, {3, 0}, {4, 0}, {4, 2}, {9, 0}, {UINT32_MAX, 2}};
enum { FILTERS = COUNT_OF(filters), PLACES = 40 };

static void it_reads_as_the_plain_one_did(void **state)
{
    struct log *log = *state;
    struct said expected[FILTERS];
    write_log(log);
    for (size_t i = 0; i < FILTERS; i++)
        expected[i] = read_log(log, 0, filters[i]);
    compress_well(log);
    assert_false(is_there(log, ""));
    assert_false(is_there(log, ".zst.part"));
    for (size_t i = 0; i < FILTERS; i++) {
        expect_same(log, 0, filters[i], &expected[i]);
        text_release(&expected[i].text);
    }
}

static int take_one(void *context, const struct log_piece *piece)
{
    (void)piece;
    return ++*(int *)context % 500 == 0;
}

/* The start of every five hundredth record, and what is none. */
static size_t find_places(const struct log *log, uint64_t *places)
{
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    size_t count = 0;
    int taken = 0;
    uint64_t size = 0;
    assert_int_equal(log_reader_size(reader, &size, NULL), 0);
    places[count++] = 11;
    places[count++] = size;
    places[count++] = size + 1000;
    for (uint64_t at = 0, next = 0; count < PLACES; at = next) {
        assert_int_equal(log_reader_read(reader, at, all, SIZE_MAX, take_one, &taken, &next, NULL), 0);
        if (next == at) break;
        places[count++] = next;
    }
    return count;
}

static void offsets_are_those_of_the_log(void **state)
{
    struct log *log = *state;
    uint64_t places[PLACES];
    struct said expected[PLACES][3];
    static const struct log_filter some[3] = {{UINT32_MAX, 0}, {2, 0}, {4, 0}};
    write_log(log);
    size_t count = find_places(log, places);
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < 3; f++)
            expected[i][f] = read_log(log, places[i], some[f]);
    compress_well(log);
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < 3; f++) {
            if (i == 0 && f > 0) continue; /* of a step, what is no record's start may lead to the next frame that has some */
            struct said said = read_log(log, places[i], some[f]);
            assert_string_equal(text_view(&said.text), text_view(&expected[i][f].text));
            text_release(&said.text);
        }
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < 3; f++)
            text_release(&expected[i][f].text);
}

static void check_tails(const struct log *log, struct text *said)
{
    static const struct {
        uint32_t step, attempt;
        unsigned count;
        size_t limit;
    } tails[] = {{0, 0, 3, 1000}, {0, 1, 3, 1000}, {1, 0, 1000, 64 * 1024}, {2, 0, 1, 100}, {2, 0, 5, 100}, {3, 0, 2, 100}, {4, 0, 1, 50},
        {4, 0, 2, 1000 * 1000}, {5, 0, 1, 10}, {0, 0, 1000, 1000 * 1000}, {0, 0, 1000 * 1000, 1000 * 1000}};
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        struct log_filter filter = {tails[i].step, tails[i].attempt};
        assert_int_equal(log_tail(log->path, filter, tails[i].count, tails[i].limit, said, NULL), 0);
        text_add(said, "\n--\n");
    }
}

static void tails_are_the_same(void **state)
{
    struct log *log = *state;
    AUTO(text_release) struct text plain = {0}, packed = {0};
    write_log(log);
    check_tails(log, &plain);
    compress_well(log);
    check_tails(log, &packed);
    assert_string_equal(text_view(&packed), text_view(&plain));
}

static void a_reader_that_was_there_goes_on(void **state)
{
    struct log *log = *state;
    write_log(log);
    struct said expected = read_log(log, 0, all), said = {0};
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    assert_int_equal(log_reader_read(reader, 0, all, 1000, add_piece, &said.text, &said.end, NULL), 0);
    compress_well(log);
    assert_int_equal(log_reader_read(reader, said.end, all, SIZE_MAX, add_piece, &said.text, &said.end, NULL), 0);
    assert_string_equal(text_view(&said.text), text_view(&expected.text));
    assert_int_equal(said.end, expected.end);
    text_release(&said.text);
    text_release(&expected.text);
}

static void a_torn_tail_stays_as_it_is(void **state)
{
    struct log *log = *state;
    write_log(log);
    struct log_record torn = {.magic = LOG_RECORD_MAGIC, .stream = LOG_STDOUT, .size = 900 * 1000, .step = 2, .attempt = 1, .time_us = 77};
    AUTO(free_text) char *bytes = mem_alloc(600 * 1000);
    write_bytes(log, &torn, sizeof torn);
    write_bytes(log, bytes, 600 * 1000);
    struct said whole = read_log(log, 0, all), quiet = read_log(log, 0, (struct log_filter){.step = 2});
    uint64_t before = 0, after = 0;
    AUTO(log_reader_free) struct log_reader *plain = log_reader_new(log->path);
    assert_int_equal(log_reader_size(plain, &before, NULL), 0);
    compress_well(log);
    expect_same(log, 0, all, &whole);
    expect_same(log, 0, (struct log_filter){.step = 2}, &quiet);
    AUTO(log_reader_free) struct log_reader *packed = log_reader_new(log->path);
    assert_int_equal(log_reader_size(packed, &after, NULL), 0);
    assert_int_equal(after, before);
    assert_true(before > whole.end);
    text_release(&whole.text);
    text_release(&quiet.text);
}

/* More steps than the index gathers before it puts them together, mixed: each is found again, and only where it is. */
static void many_steps_are_found(void **state)
{
    enum { STEPS = 6000, LINES = 60 * 1000, TRIED = 12 };
    struct log *log = *state;
    struct said expected[TRIED];
    unsigned seed = 5;
    AUTO(text_release) struct text text = {0};
    text_add_bytes(&text, LOG_SEGMENT_MAGIC, 8);
    for (int i = 0; i < LINES; i++)
        add_line(&text, (uint32_t)rand_r(&seed) % STEPS, 1 + (uint32_t)i % 2, "some words that a step says\n");
    write_bytes(log, text.bytes, text.size);
    for (uint32_t i = 0; i < TRIED; i++)
        expected[i] = read_log(log, 0, (struct log_filter){.step = i * (STEPS / TRIED)});
    compress_well(log);
    for (uint32_t i = 0; i < TRIED; i++) {
        assert_true(expected[i].text.size > 0);
        expect_same(log, 0, (struct log_filter){.step = i * (STEPS / TRIED)}, &expected[i]);
        text_release(&expected[i].text);
    }
}

static void an_index_that_would_be_too_large_is_left_out(void **state)
{
    (void)state;
    struct log_index index = {0};
    for (uint32_t i = 0; i < INDEX_RANGES_MAX; i++)
        log_index_add(&index, i, i % 2);
    log_index_finish(&index);
    assert_true(index.overfull);
    assert_int_equal(index.count, 0);
    log_index_release(&index);
}

static void ranges_are_as_few_as_can_be(void **state)
{
    (void)state;
    static const struct index_range expected[] = {{1, 0, 2}, {1, 4, 4}, {2, 1, 1}, {UINT32_MAX, 0, 0}};
    struct log_index index = {0};
    static const uint32_t said[][2] = {{1, 0}, {UINT32_MAX, 0}, {1, 0}, {1, 1}, {2, 1}, {1, 1}, {1, 2}, {1, 4}};
    for (size_t i = 0; i < COUNT_OF(said); i++)
        log_index_add(&index, said[i][0], said[i][1]);
    log_index_finish(&index);
    assert_int_equal(index.count, COUNT_OF(expected));
    assert_memory_equal(index.ranges, expected, sizeof expected);
    log_index_release(&index);
}

/* No record at all: there is nothing to index. */
static void rubbish_is_compressed_as_it_is(void **state)
{
    struct log *log = *state;
    AUTO(free_text) char *zeros = mem_alloc(600 * 1000);
    write_header(log);
    write_bytes(log, zeros, 600 * 1000);
    struct said expected = read_log(log, 0, (struct log_filter){.step = 1});
    compress_well(log);
    expect_same(log, 0, (struct log_filter){.step = 1}, &expected);
    expect_same(log, 0, all, &expected);
    struct log_check check = {.printed = NULL};
    assert_int_equal(log_check(log->path, &check, NULL), 0);
    assert_true(check.compressed && check.size == 600 * 1000 + 8 && check.end == 8);
    text_release(&expected.text);
}

static void what_does_not_pay_stays_plain(void **state)
{
    struct log *log = *state;
    struct log_compressed result = {0};
    struct error err = {0};
    assert_int_equal(compress(log, &result, &err), 0); /* there is none */
    write_header(log);
    write_text(log, 1, 1, "small");
    assert_int_equal(compress(log, &result, &err), 0);
    assert_int_equal(result.after, 0);
    assert_true(is_there(log, ""));
    AUTO(free_text) char *noise = mem_alloc(200 * 1000);
    unsigned seed = 3;
    for (int i = 0; i < 200 * 1000; i++)
        noise[i] = (char)rand_r(&seed);
    write_record(log, 1, 1, noise, 200 * 1000);
    assert_int_equal(compress(log, &result, &err), 0);
    assert_int_equal(result.after, 0);
    assert_true(is_there(log, "") && !is_there(log, ".zst") && !is_there(log, ".zst.part"));
}

static void what_is_no_segment_is_left(void **state)
{
    struct log *log = *state;
    struct log_compressed result = {0};
    struct error err = {0};
    AUTO(free_text) char *zeros = mem_alloc(100 * 1000);
    write_bytes(log, zeros, 100 * 1000);
    assert_int_equal(compress(log, &result, &err), -ERROR_INVALID);
    assert_non_null(strstr(err.message, log->path));
    assert_true(is_there(log, "") && !is_there(log, ".zst") && !is_there(log, ".zst.part"));
}

static int pass(void *context, const struct log_piece *piece)
{
    (void)piece;
    ++*(size_t *)context;
    return 0;
}

static void on_printed(void *context, uint32_t step, uint32_t attempt, size_t bytes)
{
    (void)context;
    (void)step;
    (void)attempt;
    (void)bytes;
}

/* Damage anywhere is found, told with the file's name and what to do, and crashes nothing. */
static void damage_is_told(void **state)
{
    struct log *log = *state;
    write_log(log);
    compress_well(log);
    AUTO(free_text) char *path = mem_format("%s.zst", log->path);
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0, found = 0, places = 0;
    assert_int_equal(file_read(path, 1 << 26, &bytes, &size, NULL), 0);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    for (size_t at = 0; at < size; at += at + 1000 < size ? 1511 : 1) {
        struct error err = {0};
        struct log_check check = {.printed = on_printed};
        uint64_t end;
        size_t pieces = 0;
        const char other = (char)(bytes[at] ^ 0x40);
        assert_int_equal(pwrite(fd, &other, 1, (off_t)at), 1);
        int failed = log_check(log->path, &check, &err);
        places++;
        found += failed != 0;
        assert_true(check.compressed);
        if (failed && !strstr(err.message, path)) fail_msg("%s", err.message);
        if (failed && !err.hint[0]) fail_msg("no hint: %s", err.message);
        AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
        (void)!log_reader_read(reader, 0, (struct log_filter){.step = 2}, SIZE_MAX, pass, &pieces, &end, &err);
        if (!failed) print_message("not found: byte %zu of %zu\n", at, size);
        assert_int_equal(pwrite(fd, bytes + at, 1, (off_t)at), 1);
    }
    if (found < places) fail_msg("%zu of %zu were found", found, places);
}

static void a_truncated_one_is_told(void **state)
{
    struct log *log = *state;
    write_log(log);
    compress_well(log);
    AUTO(free_text) char *path = mem_format("%s.zst", log->path);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    size_t size = (size_t)status.st_size;
    for (size_t left = size - 1; left > 0; left -= left + 300 < size && left > 1000 ? 997 : 1) {
        struct error err = {0};
        struct log_check check = {.printed = on_printed};
        assert_int_equal(truncate(path, (off_t)left), 0);
        assert_int_equal(log_check(log->path, &check, &err), -ERROR_IO);
        assert_non_null(strstr(err.message, path));
        assert_non_null(strstr(err.message, "damaged at byte"));
    }
}

/* That a quiet step's frames alone are read is seen by
   damaging the others. */
static void only_the_frames_that_are_needed_are_read(void **state)
{
    struct log *log = *state;
    write_log(log);
    compress_well(log);
    AUTO(free_text) char *path = mem_format("%s.zst", log->path);
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    struct error err = {0};
    assert_int_equal(file_read(path, 1 << 26, &bytes, &size, NULL), 0);
    memset(bytes + size / 2, 0, 100); /* in the middle, where step 2 prints nothing */
    assert_int_equal(file_replace(path, bytes, size, 0600, NULL), 0);
    struct said said = read_log(log, 0, (struct log_filter){.step = 2});
    assert_string_equal(text_view(&said.text), "[2.1 77 quiet begins\n[2.1 77 quiet ends\n");
    text_release(&said.text);
    AUTO(text_release) struct text tail = {0};
    assert_int_equal(log_tail(log->path, (struct log_filter){.step = 0}, 1, 1000, &tail, &err), 0);
    assert_non_null(strstr(text_view(&tail), "line 19998 "));
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    uint64_t end;
    size_t pieces = 0;
    assert_int_equal(log_reader_read(reader, 0, all, SIZE_MAX, pass, &pieces, &end, &err), -ERROR_IO);
    assert_true(pieces > 1000); /* those before it */
}

static void a_walk_goes_in_slices(void **state)
{
    struct log *log = *state;
    write_log(log);
    for (int packed = 0; packed < 2; packed++) {
        AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
        size_t calls = 0, pieces = 0;
        log_reader_limit(reader, 64 * 1024);
        for (uint64_t at = 0, next = 0;; at = next, calls++) {
            assert_int_equal(log_reader_read(reader, at, (struct log_filter){.step = 2}, SIZE_MAX, pass, &pieces, &next, NULL), 0);
            if (next == at) break;
        }
        assert_int_equal(pieces, 2);
        if (packed ? calls > 9 : calls < 20)
            fail_msg("%zu calls", calls); /* of compressed ones, frames without the step are not gone through */
        if (!packed) compress_well(log);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, log_begin, log_end)
    const struct CMUnitTest tests[] = {
        TEST(it_reads_as_the_plain_one_did),
        TEST(offsets_are_those_of_the_log),
        TEST(tails_are_the_same),
        TEST(a_reader_that_was_there_goes_on),
        TEST(a_torn_tail_stays_as_it_is),
        TEST(many_steps_are_found),
        TEST(an_index_that_would_be_too_large_is_left_out),
        TEST(ranges_are_as_few_as_can_be),
        TEST(rubbish_is_compressed_as_it_is),
        TEST(what_does_not_pay_stays_plain),
        TEST(what_is_no_segment_is_left),
        TEST(damage_is_told),
        TEST(a_truncated_one_is_told),
        TEST(only_the_frames_that_are_needed_are_read),
        TEST(a_walk_goes_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

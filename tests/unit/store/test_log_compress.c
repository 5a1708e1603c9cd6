/* test_log_compress.c: a compressed segment reads as the plain one did, from any place, for any step; whatever fails or dies in between,
   one of the two is whole; damage is told and never crashes. */
#include "log_writer.h"

#include "store/log_archive.h"
#include "store/log_compress.h"
#include "store/log_format.h"
#include "store/logs.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* --- the disk: each of these calls counts, and the chosen one fails, or is the last thing that the process does --- */

static struct faults {
    bool on, dies, full;
    int at, calls, error;
} faults;

static bool strikes(void)
{
    if (!faults.on || ++faults.calls != faults.at) return false;
    if (faults.dies) _exit(0);
    errno = faults.error;
    return true;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    if (faults.on && faults.calls + 1 == faults.at && size > 1) /* half of it is there */
        (void)!syscall(SYS_write, fd, bytes, size / 2);
    return strikes() ? -1 : syscall(SYS_write, fd, bytes, size);
}

int fsync(int fd)
{
    return strikes() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return strikes() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
    return strikes() ? -1 : (int)syscall(SYS_rename, from, to);
}

int fstatvfs(int fd, struct statvfs *status)
{
    (void)fd;
    *status = (struct statvfs){.f_frsize = 4096, .f_bavail = faults.full ? 100 : 1000 * 1000};
    return 0;
}

int unlink(const char *path)
{
    return strikes() ? -1 : (int)syscall(SYS_unlink, path);
}

/* --- a log, and what it says --- */

static const struct log_filter all = {.step = UINT32_MAX};

static void add_record(struct text *log, uint32_t step, uint32_t attempt, const char *bytes, size_t size)
{
    struct log_record record = {
        .magic = LOG_RECORD_MAGIC, .stream = LOG_STDOUT, .size = (uint32_t)size, .step = step, .attempt = attempt, .time_us = 77};
    text_add_bytes(log, (const char *)&record, sizeof record);
    text_add_bytes(log, bytes, size);
}

static void add_line(struct text *log, uint32_t step, uint32_t attempt, const char *text)
{
    add_record(log, step, attempt, text, strlen(text));
}

/* Steps 0 and 1 print all the time, 2 at the start and at the end, 3 once in the middle, 4 a record larger than a frame. */
static void write_log(struct log *log)
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

static int add_piece(void *context, const struct log_piece *piece)
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

static struct said read_log(const struct log *log, uint64_t from, struct log_filter filter)
{
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(log->path);
    struct said said = {0};
    struct error err = {0};
    if (log_reader_read(reader, from, filter, SIZE_MAX, add_piece, &said.text, &said.end, &err) < 0) fail_msg("%s", err.message);
    return said;
}

static void expect_same(const struct log *log, uint64_t from, struct log_filter filter, const struct said *expected)
{
    struct said said = read_log(log, from, filter);
    assert_int_equal(said.end, expected->end);
    assert_string_equal(text_view(&said.text), text_view(&expected->text));
    text_release(&said.text);
}

static int compress(const struct log *log, struct log_compressed *ret, struct error *err)
{
    static atomic_bool never;
    return log_compress(log->path, &never, ret, err);
}

static void compress_well(const struct log *log)
{
    struct log_compressed result;
    struct error err = {0};
    if (compress(log, &result, &err) < 0) fail_msg("%s", err.message);
    assert_true(result.after > 0 && result.after < result.before);
}

static bool is_there(const struct log *log, const char *suffix)
{
    AUTO(free_text) char *path = mem_format("%s%s", log->path, suffix);
    return file_exists(path);
}

/* --- tests --- */

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

static void the_last_space_is_left_to_others(void **state)
{
    struct log *log = *state;
    struct log_compressed result = {0};
    struct error err = {0};
    write_log(log);
    faults.full = true;
    int failed = compress(log, &result, &err);
    faults.full = false;
    assert_int_equal(failed, -ERROR_NO_SPACE);
    assert_true(is_there(log, "") && !is_there(log, ".zst") && !is_there(log, ".zst.part"));
}

/* Such as a log that was begun anew by hand beside the old one. */
static void another_log_of_that_name_is_not_replaced(void **state)
{
    struct log *log = *state;
    struct log_compressed result = {0};
    struct error err = {0};
    write_log(log);
    compress_well(log);
    write_log(log);
    write_text(log, 7, 1, "more");
    assert_int_equal(compress(log, &result, &err), -ERROR_CONFLICT);
    assert_true(is_there(log, "") && is_there(log, ".zst") && !is_there(log, ".zst.part"));
}

static void it_stops_when_it_is_told(void **state)
{
    struct log *log = *state;
    static atomic_bool at_once = true;
    struct log_compressed result = {0};
    struct error err = {0};
    write_log(log);
    assert_int_equal(log_compress(log->path, &at_once, &result, &err), -ERROR_TIMEOUT);
    assert_true(is_there(log, "") && !is_there(log, ".zst") && !is_there(log, ".zst.part"));
}

/* How many calls there are to fail at. */
static int count_calls(struct log *log)
{
    write_log(log);
    faults = (struct faults){.on = true};
    compress_well(log);
    faults.on = false;
    AUTO(free_text) char *packed = mem_format("%s.zst", log->path);
    assert_int_equal(unlink(packed), 0);
    return faults.calls;
}

static void expect_whole(const struct log *log, const struct said *expected)
{
    expect_same(log, 0, all, expected);
    if (!is_there(log, ".zst")) return;
    AUTO(free_text) char *packed = mem_format("%s.zst", log->path);
    AUTO(log_archive_close) struct log_archive *archive = NULL;
    struct error err = {0};
    struct log_block block = {0};
    if (log_archive_open(packed, &archive, &err) < 0) fail_msg("%s", err.message);
    for (uint64_t at = 0; at < log_archive_size(archive); at += block.size)
        if (log_archive_block(archive, at, &block, &err) < 0) fail_msg("%s", err.message);
}

static void begin_anew(struct log *log)
{
    AUTO(free_text) char *packed = mem_format("%s.zst", log->path);
    assert_int_equal(file_remove_tree(log->path, NULL), 0);
    assert_int_equal(file_remove_tree(packed, NULL), 0);
    write_log(log);
}

/* Whichever call fails: the log reads as before, no neighbour is left, and the next time goes well. */
static void a_failure_leaves_the_plain_one(void **state)
{
    struct log *log = *state;
    int calls = count_calls(log);
    write_log(log);
    struct said expected = read_log(log, 0, all);
    for (int at = 1; at <= calls; at++) {
        struct log_compressed result = {0};
        struct error err = {0};
        begin_anew(log);
        faults = (struct faults){.on = true, .at = at, .error = ENOSPC};
        int failed = compress(log, &result, &err);
        faults.on = false;
        assert_int_equal(failed, -ERROR_NO_SPACE);
        assert_true(is_there(log, "") || at == calls); /* the last one syncs what is done already */
        assert_false(is_there(log, ".zst.part"));
        expect_whole(log, &expected);
        if (at < calls) compress_well(log);
        assert_true(!is_there(log, "") && is_there(log, ".zst"));
        expect_whole(log, &expected);
    }
    text_release(&expected.text);
}

/* Killed before whichever call, after half of a write: one of the two is whole, and the next time goes well. */
static void a_death_leaves_one_that_is_whole(void **state)
{
    struct log *log = *state;
    int calls = count_calls(log);
    write_log(log);
    struct said expected = read_log(log, 0, all);
    for (int at = 1; at <= calls; at++) {
        begin_anew(log);
        pid_t child = fork();
        if (child == 0) {
            struct log_compressed result;
            faults = (struct faults){.on = true, .at = at, .dies = true};
            _exit(compress(log, &result, NULL) == 0 ? 1 : 2); /* it did not die */
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        expect_whole(log, &expected);
        if (is_there(log, "")) compress_well(log);
        assert_true(!is_there(log, "") && !is_there(log, ".zst.part"));
        expect_whole(log, &expected);
    }
    text_release(&expected.text);
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
        TEST(what_does_not_pay_stays_plain),
        TEST(what_is_no_segment_is_left),
        TEST(the_last_space_is_left_to_others),
        TEST(another_log_of_that_name_is_not_replaced),
        TEST(it_stops_when_it_is_told),
        TEST(a_failure_leaves_the_plain_one),
        TEST(a_death_leaves_one_that_is_whole),
        TEST(damage_is_told),
        TEST(a_truncated_one_is_told),
        TEST(only_the_frames_that_are_needed_are_read),
        TEST(a_walk_goes_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

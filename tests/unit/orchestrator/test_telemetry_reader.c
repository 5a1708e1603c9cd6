/* test_telemetry_reader.c: what a keeper recorded is read once and whole: as it grows, across segments, by time and arm, torn or unindexed.
 */
#include "telemetry_writer.h"

#include "orchestrator/telemetry/reader.h"

#include <sys/stat.h>

static const struct telemetry_filter everything = {.from_us = INT64_MIN, .to_us = INT64_MAX};

struct fixture {
    struct recording recording;
    struct telemetry_reader *reader;
};

struct seen {
    uint64_t count, sum; /* of the records' bytes: each test's records have their number there */
    uint64_t stop_at;
    int64_t last_time_us;
};

static int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    recording_begin(&fixture->recording);
    fixture->reader = telemetry_reader_new(fixture->recording.folder);
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    telemetry_reader_free(&fixture->reader);
    recording_end(&fixture->recording);
    free(fixture);
    return 0;
}

static int see(void *context, const struct telemetry_record *record)
{
    struct seen *seen = context;
    seen->count++;
    seen->sum += record->bytes;
    seen->last_time_us = record->time_us;
    return seen->stop_at && seen->count == seen->stop_at;
}

/* Reads on to the end of what is there, in small pieces. */
static struct seen read_on(struct fixture *fixture, const struct telemetry_filter *filter, struct telemetry_cursor *cursor)
{
    struct seen seen = {0};
    struct error err = {0};
    bool at_end = false;
    assert_int_equal(telemetry_refresh(fixture->reader, &err), 0);
    while (!at_end)
        assert_int_equal(telemetry_read(fixture->reader, filter, cursor, 1000, see, &seen, &at_end, &err), 0);
    return seen;
}

static struct seen read_all(struct fixture *fixture, const struct telemetry_filter *filter)
{
    struct telemetry_cursor cursor = {0};
    return read_on(fixture, filter, &cursor);
}

static void add(struct fixture *fixture, int64_t time_us, uint32_t arm, uint64_t number)
{
    recording_add(&fixture->recording, (struct telemetry_record){.time_us = time_us, .arm = arm, .status = 200, .bytes = number});
}

static void a_missing_or_empty_folder_has_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_all(fixture, &everything).count, 0);
    telemetry_reader_free(&fixture->reader);
    fixture->reader = telemetry_reader_new("/nowhere/at/all");
    struct telemetry_cursor cursor = {3, 7};
    assert_int_equal(read_on(fixture, &everything, &cursor).count, 0);
    assert_int_equal(cursor.segment, 3);
    assert_int_equal(cursor.record, 7);
}

static void what_came_since_is_given_once(void **state)
{
    struct fixture *fixture = *state;
    struct telemetry_cursor cursor = {0};
    uint64_t given = 0, written = 0;
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 777; i++, written++)
            add(fixture, 1000000 - (int64_t)written, 1, 1); /* ever older times: the cursor does not go by them */
        if (round % 7 == 3) recording_next_segment(&fixture->recording);
        recording_flush(&fixture->recording);
        struct seen seen = read_on(fixture, &everything, &cursor);
        given += seen.sum;
        assert_int_equal(given, written);
    }
}

static void a_torn_tail_is_not_there_yet(void **state)
{
    struct fixture *fixture = *state;
    struct telemetry_record torn = {.time_us = 5, .bytes = 100};
    struct telemetry_cursor cursor = {0};
    add(fixture, 5, 1, 1);
    recording_flush(&fixture->recording);
    recording_append(fixture->recording.folder, "00000001.seg", &torn, 13);
    assert_int_equal(read_on(fixture, &everything, &cursor).sum, 1);
    recording_append(fixture->recording.folder, "00000001.seg", (char *)&torn + 13, sizeof torn - 13);
    assert_int_equal(read_on(fixture, &everything, &cursor).sum, 100);
}

static void a_range_of_time_is_found_in_unsorted_records(void **state)
{
    struct fixture *fixture = *state;
    struct telemetry_filter filter = {.from_us = 20000, .to_us = 30000};
    uint64_t expected = 0;
    for (int64_t i = 0; i < 50000; i++) {
        int64_t time_us = i - (i * 7919) % 3000;
        if (time_us >= filter.from_us && time_us < filter.to_us) expected += (uint64_t)i;
        add(fixture, time_us, 1, (uint64_t)i);
        if (i == 17000 || i == 29000) recording_next_segment(&fixture->recording);
    }
    recording_flush(&fixture->recording);
    assert_int_equal(read_all(fixture, &filter).sum, expected);
    assert_int_equal(read_all(fixture, &filter).sum, expected); /* with what was learnt the first time */
}

static void arms_are_told_apart_and_gaps_pass_always(void **state)
{
    struct fixture *fixture = *state;
    bool wanted[40] = {[33] = true};
    struct telemetry_filter filter = everything;
    filter.arms = wanted;
    filter.arm_count = 40;
    for (int i = 0; i < 3 * TELEMETRY_BLOCK; i++)
        add(fixture, 1 + i, i < TELEMETRY_BLOCK ? 1 : i % 2 ? 33 : 2, 1); /* 1 and 33 share a bit */
    recording_add(&fixture->recording, (struct telemetry_record){.time_us = 9, .flags = TELEMETRY_GAP, .bytes = 1000000});
    add(fixture, 10, 40, 1); /* an arm that the filter has not heard of */
    recording_flush(&fixture->recording);
    assert_int_equal(read_all(fixture, &filter).sum, TELEMETRY_BLOCK + 1000000);
}

static void an_index_that_is_missing_or_short_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    struct telemetry_filter filter = {.from_us = 9000, .to_us = 9500};
    fixture->recording.without_index = true;
    for (int i = 0; i < 5 * TELEMETRY_BLOCK; i++)
        add(fixture, i, 1, 1);
    recording_next_segment(&fixture->recording);
    assert_int_equal(read_all(fixture, &filter).sum, 500);
    assert_int_equal(read_all(fixture, &filter).sum, 500);
    recording_append(fixture->recording.folder, "00000001.idx", "short", 5);
    assert_int_equal(read_all(fixture, &filter).sum, 500);
    struct telemetry_index lie = {.first_us = 5, .last_us = 1, .count = TELEMETRY_BLOCK};
    recording_append(fixture->recording.folder, "00000002.idx", &lie, sizeof lie);
    for (int i = 0; i < TELEMETRY_BLOCK; i++)
        add(fixture, 9100, 1, 1);
    assert_int_equal(read_all(fixture, &filter).sum, 500 + TELEMETRY_BLOCK);
}

/* What the index rules out is not read: the block could not even be. */
static void blocks_and_segments_out_of_range_are_not_read(void **state)
{
    struct fixture *fixture = *state;
    struct telemetry_filter filter = {.from_us = 1000000, .to_us = 2000000};
    for (int segment = 0; segment < 3; segment++) {
        for (int i = 0; i < 2 * TELEMETRY_BLOCK; i++)
            add(fixture, segment == 2 ? 1500000 : i, 1, 1);
        recording_next_segment(&fixture->recording);
    }
    assert_int_equal(read_all(fixture, &filter).sum, 2 * TELEMETRY_BLOCK);
    AUTO(free_text) char *path = mem_format("%s/00000001.seg", fixture->recording.folder);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "another version", 15, 0), 15);
    assert_int_equal(read_all(fixture, &filter).sum, 2 * TELEMETRY_BLOCK);
}

static void a_segment_of_another_version_is_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct telemetry_cursor cursor = {0};
    bool at_end;
    char other[200] = "CRTELE\0\2";
    recording_append(fixture->recording.folder, "00000001.seg", other, sizeof other);
    assert_int_equal(telemetry_refresh(fixture->reader, &err), 0);
    int failed = telemetry_read(fixture->reader, &everything, &cursor, 1000, see, &(struct seen){0}, &at_end, &err);
    assert_int_equal(failed, -ERROR_INVALID);
    assert_non_null(strstr(err.message, "00000001.seg is not a telemetry segment of this version"));
}

static void a_segment_that_was_removed_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    for (int segment = 0; segment < 3; segment++) {
        add(fixture, 5, 1, segment == 0 ? 1 : segment == 1 ? 10 : 100);
        if (segment < 2) recording_next_segment(&fixture->recording);
    }
    recording_flush(&fixture->recording);
    struct error err = {0};
    assert_int_equal(telemetry_refresh(fixture->reader, &err), 0);
    AUTO(free_text) char *path = mem_format("%s/00000002.seg", fixture->recording.folder);
    assert_int_equal(unlink(path), 0);
    struct telemetry_cursor cursor = {0};
    struct seen seen = {0};
    bool at_end = false;
    while (!at_end)
        assert_int_equal(telemetry_read(fixture->reader, &everything, &cursor, 1000, see, &seen, &at_end, &err), 0);
    assert_int_equal(seen.sum, 101);
    assert_int_equal(read_all(fixture, &everything).sum, 101);
}

static void it_stops_where_it_is_told_and_goes_on_there(void **state)
{
    struct fixture *fixture = *state;
    struct telemetry_cursor cursor = {0};
    uint64_t sum = 0, expected = 0;
    struct error err = {0};
    for (uint64_t i = 0; i < 10000; i++, expected += i)
        add(fixture, 1, 1, i + 1);
    recording_flush(&fixture->recording);
    assert_int_equal(telemetry_refresh(fixture->reader, &err), 0);
    for (bool at_end = false; !at_end;) {
        struct seen seen = {.stop_at = 37};
        assert_int_equal(telemetry_read(fixture->reader, &everything, &cursor, SIZE_MAX, see, &seen, &at_end, &err), 0);
        assert_true(seen.count <= 37);
        sum += seen.sum;
    }
    assert_int_equal(sum, expected);
}

static void a_million_records_in_two_segments(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 1100000 };
    for (uint64_t i = 0; i < COUNT; i++) {
        if (i == TELEMETRY_SEGMENT_RECORDS) recording_next_segment(&fixture->recording);
        add(fixture, (int64_t)i * 100, (uint32_t)(1 + i % 3), 1);
    }
    recording_flush(&fixture->recording);
    assert_int_equal(read_all(fixture, &everything).count, COUNT);
    struct telemetry_filter filter = {.from_us = 1048570 * 100LL, .to_us = 1048590 * 100LL};
    assert_int_equal(read_all(fixture, &filter).count, 20);
}

static void arms_are_read_as_they_come(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    size_t count;
    recording_arm(&fixture->recording, "2 17.1 hello 1.0.0\n1 16.1 hello 0.9.0\n3 18.1 hel");
    assert_int_equal(telemetry_refresh(fixture->reader, &err), 0);
    assert_non_null(telemetry_arms(fixture->reader, &count));
    assert_int_equal(count, 2);
    recording_arm(&fixture->recording, "lo 1.1.0\n");
    assert_int_equal(telemetry_refresh(fixture->reader, &err), 0);
    const struct telemetry_arm *arm = telemetry_arm_find(fixture->reader, 3);
    assert_string_equal(arm->service, "18.1");
    assert_string_equal(arm->family, "hello");
    assert_string_equal(arm->version, "1.1.0");
    assert_string_equal(telemetry_arm_find(fixture->reader, 1)->version, "0.9.0");
    assert_null(telemetry_arm_find(fixture->reader, 4));
}

static void a_wrong_arm_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {"x 1 2 3\n", "1 2 3\n", "1 2 3 4 5\n", "0 1 2 3\n", "99999999999 1 2 3\n", "1 a b \xff\n", "\n"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct error err = {0};
        AUTO(telemetry_reader_free) struct telemetry_reader *reader = telemetry_reader_new(fixture->recording.folder);
        AUTO(free_text) char *path = mem_format("%s/arms", fixture->recording.folder);
        unlink(path);
        recording_arm(&fixture->recording, wrong[i]);
        assert_int_equal(telemetry_refresh(reader, &err), -ERROR_INVALID);
        assert_non_null(strstr(err.message, "/arms"));
    }
}

static void cursors_are_text_and_back(void **state)
{
    (void)state;
    struct telemetry_cursor cursor = {0};
    char buffer[TELEMETRY_CURSOR_SIZE];
    assert_true(telemetry_cursor_parse("12.4096", &cursor));
    assert_string_equal(telemetry_cursor_format(cursor, buffer), "12.4096");
    static const char *const wrong[] = {"", "1", ".", "1.", ".1", "1.2.3", "-1.2", "1.-2", "4294967295.1", "1.99999999999", "a.b"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(telemetry_cursor_parse(wrong[i], &cursor));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_missing_or_empty_folder_has_nothing),
        TEST(what_came_since_is_given_once),
        TEST(a_torn_tail_is_not_there_yet),
        TEST(a_range_of_time_is_found_in_unsorted_records),
        TEST(arms_are_told_apart_and_gaps_pass_always),
        TEST(an_index_that_is_missing_or_short_is_made_anew),
        TEST(blocks_and_segments_out_of_range_are_not_read),
        TEST(a_segment_of_another_version_is_refused_by_name),
        TEST(a_segment_that_was_removed_is_passed_over),
        TEST(it_stops_where_it_is_told_and_goes_on_there),
        TEST(a_million_records_in_two_segments),
        TEST(arms_are_read_as_they_come),
        TEST(a_wrong_arm_is_refused),
        TEST(cursors_are_text_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

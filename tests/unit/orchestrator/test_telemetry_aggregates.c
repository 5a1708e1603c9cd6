/* test_telemetry_aggregates.c: quantiles within a hundredth of the exact ones, counts by arm and step, merging, and moments in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "orchestrator/telemetry/aggregates.h"
#include "orchestrator/telemetry/instant.h"
#include "orchestrator/telemetry/reader.h"

#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void expect_near(uint32_t found, uint32_t exact)
{
    uint64_t off = found > exact ? found - exact : exact - found;
    if (off * 100 > exact) fail_msg("%u instead of %u", found, exact);
}

static void quantiles_are_within_a_hundredth(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static const unsigned quantiles[] = {5000, 9000, 9500, 9900, 9990};
    AUTO(free_text) char *block = mem_alloc(COUNT * sizeof(uint32_t));
    uint32_t *values = (uint32_t *)(void *)block;
    for (unsigned shift = 0; shift < 64; shift += 9) { /* from all the range to a few microseconds */
        struct histogram histogram = {0};
        uint64_t seed = 88172645463325252ULL;
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t drawn = next_random(&seed), bits = drawn >> 58; /* spread over the powers of two */
            values[i] = (uint32_t)(drawn >> 6) >> ((shift + bits) % 32);
            histogram_add(&histogram, values[i]);
        }
        qsort(values, COUNT, sizeof *values, by_value);
        for (size_t i = 0; i < COUNT_OF(quantiles); i++)
            expect_near(histogram_quantile(&histogram, quantiles[i]), values[(size_t)COUNT * quantiles[i] / 10000 - 1]);
        assert_int_equal(histogram_quantile(&histogram, 10000), values[COUNT - 1]);
    }
}

static void small_and_extreme_values_are_exact(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    assert_int_equal(histogram_quantile(&histogram, 5000), 0);
    for (uint32_t i = 1; i <= 100; i++)
        histogram_add(&histogram, i);
    assert_int_equal(histogram_quantile(&histogram, 5000), 50);
    assert_int_equal(histogram_quantile(&histogram, 9900), 99);
    assert_int_equal(histogram_quantile(&histogram, 9990), 100);
    struct histogram one = {0};
    histogram_add(&one, UINT32_MAX);
    assert_int_equal(histogram_quantile(&one, 5000), UINT32_MAX);
    histogram_add(&one, 0);
    assert_int_equal(histogram_quantile(&one, 5000), 0);
}

static void a_merged_histogram_is_that_of_all_values(void **state)
{
    (void)state;
    struct histogram all = {0}, parts[2] = {0}, merged = {0};
    uint64_t seed = 42;
    for (size_t i = 0; i < 5000; i++) {
        uint32_t value = (uint32_t)(next_random(&seed) % 3000000);
        histogram_add(&all, value);
        histogram_add(&parts[i % 3 == 0], value);
    }
    histogram_merge(&merged, &parts[0]);
    histogram_merge(&merged, &parts[1]);
    histogram_merge(&merged, &(struct histogram){0});
    assert_memory_equal(&merged, &all, sizeof all);
}

static struct telemetry_record record(int64_t time_us, uint32_t arm, uint16_t status, uint16_t flags)
{
    return (struct telemetry_record){.time_us = time_us, .duration_us = 100, .status = status, .flags = flags, .arm = arm, .bytes = 10};
}

static void add(struct telemetry_aggregates *aggregates, struct telemetry_record one)
{
    struct error err = {0};
    assert_int_equal(telemetry_aggregates_add(aggregates, &one, &err), 0);
}

static void errors_are_the_services_and_those_who_left_are_apart(void **state)
{
    (void)state;
    AUTO(telemetry_aggregates_release) struct telemetry_aggregates aggregates;
    assert_int_equal(telemetry_aggregates_begin(&aggregates, 0, 0, 0, NULL), 0);
    add(&aggregates, record(10, 1, 200, 0));
    add(&aggregates, record(20, 1, 500, 0));
    add(&aggregates, record(30, 1, 503, TELEMETRY_NO_SERVER));
    add(&aggregates, record(40, 1, 0, TELEMETRY_NO_SERVER));
    add(&aggregates, record(50, 1, 502, TELEMETRY_ABORTED));
    add(&aggregates, record(60, 1, 404, TELEMETRY_RETRIED));
    add(&aggregates, record(70, 2, 200, 0));
    add(&aggregates, (struct telemetry_record){.time_us = 5, .flags = TELEMETRY_GAP, .bytes = 7});
    assert_int_equal(aggregates.series_count, 2);
    const struct telemetry_cell *cell = aggregates.series[0].total;
    assert_int_equal(cell->requests, 6);
    assert_int_equal(cell->errors, 3);
    assert_int_equal(cell->aborted, 1);
    assert_int_equal(cell->no_server, 2);
    assert_int_equal(cell->retried, 1);
    assert_int_equal(cell->classes[2], 1);
    assert_int_equal(cell->classes[5], 3);
    assert_int_equal(cell->bytes, 60);
    assert_int_equal(cell->latency_us.count, 5);
    assert_int_equal(aggregates.gaps.count, 1);
    assert_int_equal(aggregates.gaps.lost, 7);
    assert_int_equal(aggregates.first_us, 10);
    assert_int_equal(aggregates.last_us, 70);
}

static void fill(struct telemetry_aggregates *aggregates, unsigned part, unsigned parts)
{
    for (unsigned i = 0; i < 1000; i++) {
        if (i % parts != part && parts > 1) continue;
        add(aggregates, record(1000 + i * 13 % 900, 5 - i % 4, i % 50 ? 200 : 500, i % 70 ? 0 : TELEMETRY_GAP));
    }
}

static void steps_add_up_and_merge(void **state)
{
    (void)state;
    AUTO(telemetry_reader_free) struct telemetry_reader *reader = telemetry_reader_new("/nowhere");
    AUTO(telemetry_aggregates_release) struct telemetry_aggregates all = {0};
    AUTO(telemetry_aggregates_release) struct telemetry_aggregates part = {0};
    AUTO(telemetry_aggregates_release) struct telemetry_aggregates merged = {0};
    assert_int_equal(telemetry_aggregates_begin(&all, 1000, 1950, 100, NULL), 0);
    assert_int_equal(telemetry_aggregates_begin(&part, 1000, 1950, 100, NULL), 0);
    assert_int_equal(telemetry_aggregates_begin(&merged, 1000, 1950, 100, NULL), 0);
    assert_int_equal(all.step_count, 10);
    fill(&all, 0, 1);
    fill(&part, 0, 2);
    fill(&merged, 1, 2);
    assert_int_equal(telemetry_aggregates_merge(&merged, &part, NULL), 0);
    AUTO(free_json) json_t *expected = telemetry_aggregates_json(&all, reader, 2);
    AUTO(free_json) json_t *found = telemetry_aggregates_json(&merged, reader, 2);
    assert_true(json_equal(expected, found));
    uint64_t stepped = 0;
    for (size_t series = 0; series < all.series_count; series++)
        for (size_t step = 0; step < all.step_count; step++)
            stepped += all.series[series].steps[step] ? all.series[series].steps[step]->requests : 0;
    assert_int_equal(stepped + all.gaps.count, 1000);
    AUTO(telemetry_aggregates_release) struct telemetry_aggregates other;
    assert_int_equal(telemetry_aggregates_begin(&other, 0, 1950, 100, NULL), 0);
    assert_int_equal(telemetry_aggregates_merge(&other, &all, NULL), -ERROR_INVALID);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    AUTO(telemetry_aggregates_release) struct telemetry_aggregates aggregates = {0};
    struct error err = {0};
    assert_int_equal(telemetry_aggregates_begin(&aggregates, INT64_MIN, INT64_MAX, 1000, &err), -ERROR_LIMIT);
    assert_int_equal(telemetry_aggregates_begin(&aggregates, 0, 2001, 1, &err), -ERROR_LIMIT);
    assert_int_equal(telemetry_aggregates_begin(&aggregates, 0, 2000, 1, &err), 0);
    int failed = 0;
    for (uint32_t i = 0; i < 3000 && !failed; i++) {
        struct telemetry_record one = record(i % 2000, i, 200, 0);
        failed = telemetry_aggregates_add(&aggregates, &one, &err);
    }
    assert_int_equal(failed, -ERROR_LIMIT);
    assert_true(aggregates.cell_count <= AGGREGATES_MAX_CELLS);
}

static void moments_in_words_and_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"1970-01-01T00:00:00Z", 0}, {"2026-11-27T09:00:00Z", 1795770000000000}, {"2026-11-27T10:00:00.25+01:00", 1795770000250000},
        {"2026-11-27T10:00:00 01:00", 1795770000000000}, {"2026-11-27t03:30:00.123456789-05:30", 1795770000123456},
        {"2024-02-29T23:59:60Z", 1709251200000000}, {"2000-02-29 00:00:00z", 951782400000000}, {"1969-12-31T23:59:59.999999Z", -1},
        {"1795770000000000", 1795770000000000}, {"0", 0}};
    static const char *const wrong[] = {"", "T", "yesterday", "2026-11-27", "2026-11-27T09:00Z", "2026-02-29T09:00:00Z",
        "2026-13-01T00:00:00Z", "2026-11-27T24:00:00Z", "2026-11-27T09:00:00", "2026-11-27T09:00:00.Z", "2026-11-27T09:00:00+1:00",
        "2026-11-27T09:00:00Zx", "2026-1-27T09:00:00Z", "0000-01-01T00:00:00Z", "99999999999999999999", "253402300800000000", "-1", "1.5",
        "2026-00-10T00:00:00Z", "2026-11-27"};
    int64_t us;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (!instant_parse(good[i].text, &us) || us != good[i].us) fail_msg("%s is %lld", good[i].text, (long long)us);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (instant_parse(wrong[i], &us)) fail_msg("'%s' is taken", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_a_hundredth),
        cmocka_unit_test(small_and_extreme_values_are_exact),
        cmocka_unit_test(a_merged_histogram_is_that_of_all_values),
        cmocka_unit_test(errors_are_the_services_and_those_who_left_are_apart),
        cmocka_unit_test(steps_add_up_and_merge),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(moments_in_words_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

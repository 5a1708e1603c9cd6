/* test_when.c: times in words. */
#include "base/mem.h"
#include "cli/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define NOW_MS 1769846400000LL /* 2026-01-31T08:00:00Z */

static void words(int64_t age_ms, const char *expected)
{
    AUTO(text_release) struct text out = {0};
    when_add(&out, NOW_MS - age_ms, NOW_MS);
    assert_string_equal(text_view(&out), expected);
}

static void test_words(void **state)
{
    (void)state;
    words(0, "now");
    words(12 * 1000, "12 s ago");
    words(61 * 1000, "1 m ago");
    words(5 * 3600 * 1000, "5 h ago");
    words(3 * 24 * 3600 * 1000LL, "3 d ago");
    words(400 * 24 * 3600 * 1000LL, "2024-12-27");
    words(NOW_MS, ""); /* never */
}

static void latency(int64_t us, const char *expected)
{
    AUTO(text_release) struct text out = {0};
    when_add_latency(&out, us);
    assert_string_equal(text_view(&out), expected);
}

static void test_latency(void **state)
{
    (void)state;
    latency(812, "812 us");
    latency(20432, "20.4 ms");
    latency(28704800, "28.7 s");
}

static void took(int64_t begin_ms, int64_t end_ms, const char *expected)
{
    AUTO(text_release) struct text out = {0};
    when_add_took(&out, begin_ms, end_ms, NOW_MS);
    assert_string_equal(text_view(&out), expected);
}

static void test_took(void **state)
{
    (void)state;
    took(0, 0, "");
    took(NOW_MS - 5000, NOW_MS - 3800, "1.2 s");
    took(NOW_MS - 5000, 0, "5 s");
    took(NOW_MS, NOW_MS - 1, ""); /* two clocks */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

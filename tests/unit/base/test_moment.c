/* test_moment.c: RFC 3339 as our own core, other peers and people write it. */
#include "base/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void moments_are_written_in_utc(void **state)
{
    (void)state;
    char buffer[MOMENT_TEXT_SIZE];
    assert_string_equal(moment_format(0, buffer), "1970-01-01T00:00:00.000Z");
    assert_string_equal(moment_format(1769846400007, buffer), "2026-01-31T08:00:00.007Z");
    assert_string_equal(moment_format(-1, buffer), "1969-12-31T23:59:59.999Z");
}

static void moments_are_read_as_peers_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"1970-01-01T00:00:00Z", 0}, {"2026-11-22T12:44:49.672427031Z", 1795351489672427},
        {"2026-11-22T12:44:49.6Z", 1795351489600000}, {"2026-11-22T13:44:49+01:00", 1795351489000000},
        {"2026-11-22T07:14:49.000-0530", 1795351489000000}, {"2026-11-27t03:30:00.123456789-05:30", 1795770000123456},
        {"2024-02-29T23:59:60Z", 1709251200000000}, {"2000-02-29T00:00:00z", 951782400000000}, {"1969-12-31T23:59:59.999999Z", -1}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t us = 0;
        if (!moment_read(good[i].text, &us) || us != good[i].us) fail_msg("%s is %lld", good[i].text, (long long)us);
    }
}

static void what_is_no_moment_is_not_taken(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "T", "yesterday", "2026-11-27", "2026-11-27T09:00Z", "2026-02-29T09:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z", "2026-11-27T24:00:00Z", "2026-11-27T09:00:00", "2026-11-27 09:00:00Z",
        "2026-11-27T09:00:00.Z", "2026-11-27T09:00:00.1234567890Z", "2026-11-27T09:00:00+1:00", "2026-11-27T09:00:00+1",
        "2026-11-27T09:00:00Zulu", "2026-1-27T09:00:00Z", "0000-01-01T00:00:00Z"};
    int64_t us = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (moment_read(wrong[i], &us)) fail_msg("'%s' is taken", wrong[i]);
    assert_false(moment_read(NULL, &us));
    assert_int_equal(us, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_written_in_utc),
        cmocka_unit_test(moments_are_read_as_peers_write_them),
        cmocka_unit_test(what_is_no_moment_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

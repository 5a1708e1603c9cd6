/* test_offerings.c: which offering a name means. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/offerings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_versions(void **state)
{
    (void)state;
    assert_true(version_compare("1.10.0", "1.9.3") > 0);
    assert_true(version_compare("1.9.3", "1.10.0") < 0);
    assert_int_equal(version_compare("1.0.0", "1.0.0"), 0);
    assert_int_equal(version_compare("1.01", "1.1"), 0);
    assert_true(version_compare("1.0.1", "1.0") > 0);
    assert_true(version_compare("2", "1.99999999999999999999999999") > 0);
    assert_true(version_compare("1.0-b", "1.0-a") > 0);
    assert_true(version_compare("", "1") < 0);
}

static void means(const json_t *offerings, const char *name, const char *version, const char *id)
{
    const json_t *found = offering_choose(offerings, name, version);
    assert_string_equal(json_text(found, "id", "none"), id);
}

static void test_choose(void **state)
{
    (void)state;
    const char *text = "[{\"id\":\"1\",\"name\":\"hello\",\"version\":\"1.9.0\",\"lifecycleStatus\":\"Active\"},"
                       "{\"id\":\"2\",\"name\":\"hello\",\"version\":\"1.10.0\",\"lifecycleStatus\":\"Active\"},"
                       "{\"id\":\"3\",\"name\":\"hello\",\"version\":\"2.0.0\",\"lifecycleStatus\":\"Retired\"},"
                       "{\"id\":\"4\",\"name\":\"gone\",\"version\":\"1\",\"lifecycleStatus\":\"Retired\"},{\"id\":\"5\"}, 7]";
    AUTO(free_json) json_t *offerings = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &offerings, NULL), 0);
    means(offerings, "hello", NULL, "2");
    means(offerings, "hello", "1.9.0", "1");
    means(offerings, "hello", "2.0.0", "3"); /* what was asked for, whatever its status: the core refuses it */
    means(offerings, "gone", NULL, "4");
    means(offerings, "hello", "3", "none");
    means(offerings, "nobody", NULL, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_versions), cmocka_unit_test(test_choose)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

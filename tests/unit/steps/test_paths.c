/* test_paths.c: which paths and links stay inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../steps/paths.h"

static void paths_inside(void **state)
{
    static const char *const good[] = {"a", "a/b", "a/b/", "..a", ".hidden", "a/..b/c"};
    static const char *const bad[] = {"", "/", "/a", "..", "../a", "a/..", "a/../b", "a//b", "./a", "a/./b", "."};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(path_stays_inside(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(path_stays_inside(bad[i]));
}

static void parts(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", ".git", ".GIT", ".Git"};
    (void)state;
    assert_true(path_part_is_safe(".gitignore"));
    assert_true(path_part_is_safe("..."));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(path_part_is_safe(bad[i]));
}

static void links(void **state)
{
    (void)state;
    assert_true(link_stays_inside("b", 0));
    assert_true(link_stays_inside("../b", 1));
    assert_true(link_stays_inside("./../../x", 2));
    assert_false(link_stays_inside("../b", 0));
    assert_false(link_stays_inside("../../b", 1));
    assert_false(link_stays_inside("/etc/passwd", 5));
    assert_false(link_stays_inside("", 1));
    assert_false(link_stays_inside("a/../b", 3)); /* a may be a link to elsewhere */
    assert_int_equal(path_depth("a"), 0);
    assert_int_equal(path_depth("a/b/c"), 2);
    assert_int_equal(path_depth("a/"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths_inside), cmocka_unit_test(parts), cmocka_unit_test(links)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_table.c: aligned columns, cut to the terminal. */
#include "base/mem.h"
#include "cli/display.h"
#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct column columns[] = {{"RUN", .right = true}, {"NAME", .keep = 4}, {"STATE", .keep = 6}};

static struct table *sample(void)
{
    struct table *table = table_new(columns, COUNT_OF(columns));
    table_add(table, STYLE_PLAIN, "7");
    table_add(table, STYLE_PLAIN, "日本語 name");
    table_add(table, STYLE_GOOD, "succeeded");
    table_add_format(table, STYLE_PLAIN, "%d", 1234);
    table_add(table, STYLE_PLAIN, "a\x1b[2Jb\nc");
    table_add(table, STYLE_PLAIN, NULL);
    return table;
}

static void check(unsigned width, bool colour, const char *expected)
{
    struct table *table = sample();
    struct text out = {0};
    table_print(table, width, colour, &out);
    assert_string_equal(text_view(&out), expected);
    text_release(&out);
    table_free(&table);
}

static void test_alignment(void **state)
{
    (void)state;
    check(0, false, " RUN  NAME         STATE\n   7  日本語 name  succeeded\n1234  ab c\n");
    check(200, false, " RUN  NAME         STATE\n   7  日本語 name  succeeded\n1234  ab c\n");
}

static void test_cut(void **state)
{
    (void)state;
    check(20, false, " RUN  NAME    STATE\n   7  日本…   succe…\n1234  ab c\n");
    check(5, false, " RUN  NAME  STATE\n   7  日…   succe…\n1234  ab c\n"); /* never below what a column keeps */
}

/* order's table: what may be missed goes, the least first, as soon as cutting does not help; what is left is as wide as it may be. */
static void check_dropped(unsigned width, const char *expected)
{
    static const struct column some[] = {{"ID"}, {"NAME", .keep = 4, .drop = 2}, {"WHEN", .drop = 1}, {"WHAT", .keep = 4}};
    struct table *table = table_new(some, COUNT_OF(some));
    struct text out = {0};
    const char *const cells[] = {"12.1", "hello-service", "5 min ago", "undo add hello"};
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        table_add(table, STYLE_PLAIN, cells[i]);
    table_print(table, width, false, &out);
    assert_string_equal(text_view(&out), expected);
    text_release(&out);
    table_free(&table);
}

static void test_drop(void **state)
{
    (void)state;
    check_dropped(0, "ID    NAME           WHEN       WHAT\n12.1  hello-service  5 min ago  undo add hello\n");
    check_dropped(27, "ID    NAME  WHEN       WHAT\n12.1  hel…  5 min ago  und…\n"); /* cutting is enough */
    check_dropped(26, "ID    NAME       WHAT\n12.1  hello-se…  undo add…\n");
    check_dropped(16, "ID    NAME  WHAT\n12.1  hel…  und…\n");
    check_dropped(15, "ID    WHAT\n12.1  undo add…\n");
    check_dropped(3, "ID    WHAT\n12.1  und…\n");
}

/* What is empty goes before what holds something, and what fits behind a wide one that went comes back. */
static void test_room(void **state)
{
    (void)state;
    static const struct column some[] = {{"ID"}, {"AT", .drop = 1}, {"MESSAGE", .keep = 3}, {"ADDRESS", .drop = 2}};
    const char *const cells[] = {"1", "now", "", "http://127.0.0.1:80"};
    static const struct {
        unsigned width;
        const char *expected;
    } cases[] = {{0, "ID  AT   MESSAGE  ADDRESS\n1   now           http://127.0.0.1:80\n"},
        {28, "ID  AT   ADDRESS\n1   now  http://127.0.0.1:80\n"}, {27, "ID  ADDRESS\n1   http://127.0.0.1:80\n"}, {22, "ID  AT\n1   now\n"},
        {2, "ID\n1\n"}};
    struct table *table = table_new(some, COUNT_OF(some));
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        table_add(table, STYLE_PLAIN, cells[i]);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text out = {0};
        table_print(table, cases[i].width, false, &out);
        assert_string_equal(text_view(&out), cases[i].expected);
        text_release(&out);
    }
    table_free(&table);
}

static void test_colour(void **state)
{
    (void)state;
    struct table *table = sample();
    struct text plain = {0}, coloured = {0}, stripped = {0};
    table_print(table, 24, false, &plain);
    table_print(table, 24, true, &coloured);
    assert_non_null(strstr(text_view(&coloured), "\x1b[32msucc"));
    display_add(&stripped, text_view(&coloured), DISPLAY_LINES);
    size_t lines = 0;
    for (const char *at = text_view(&stripped); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 3);
    text_release(&plain);
    text_release(&coloured);
    text_release(&stripped);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

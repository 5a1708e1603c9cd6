/* test_diagnose_line.c: a line as a terminal shows it, and where the caret stands: wide characters, tabs, control characters, long lines.
 */
#include "base/mem.h"
#include "spec/diagnose_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct line_case {
    const char *line;
    unsigned column, width; /* in characters, from 1 */
    const char *shown;
    size_t caret, cells;
};

static void check(const struct line_case *given)
{
    const struct source source = {"f", given->line, strlen(given->line)};
    const struct source_set sources = {&source, 1};
    struct shown_line shown;
    assert_true(diagnose_show_line(&sources, (struct location){"f", 1, given->column}, given->width, &shown));
    if (strcmp(text_view(&shown.text), given->shown) != 0) fail_msg("\"%s\" is shown as \"%s\"", given->shown, text_view(&shown.text));
    if (shown.caret != given->caret || shown.width != given->cells)
        fail_msg(
            "%s: the mark stands at %zu, %zu wide; expected %zu, %zu", given->line, shown.caret, shown.width, given->caret, given->cells);
    text_release(&shown.text);
}

static void cells_are_not_characters(void **state)
{
    (void)state;
    static const struct line_case cases[] = {{"abc def", 5, 3, "abc def", 4, 3}, {"\tkey: x", 2, 3, "    key: x", 4, 3},
        {"a\tb\tc", 5, 1, "a    b    c", 10, 1}, {"\t", 1, 1, "    ", 0, 4}, {"日本: x", 5, 1, "日本: x", 6, 1},
        {"日本", 1, 2, "日本", 0, 4}, {"e\xcc\x81x", 3, 1, "e\xcc\x81x", 1, 1}, {"αβγ", 3, 1, "αβγ", 2, 1},
        {"a\033b", 3, 1, "a\\x1bb", 5, 1},
        {"a\xff"
         "b",
            3, 1, "a\\xffb", 5, 1},
        {"abc", 4, 0, "abc", 3, 1}, {"abc", 2, 99, "abc", 1, 2}, {"one\ntwo", 2, 1, "one", 1, 1}, {"", 1, 1, "", 0, 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(&cases[i]);
}

/* size letters, the last of them z. */
static char *letters(size_t size)
{
    char *line = mem_alloc(size + 1);
    memset(line, 'a', size);
    line[size - 1] = 'z';
    return line;
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    AUTO(free_text) char *fits = letters(120), *longer = letters(121), *longest = letters(1000);
    check(&(struct line_case){fits, 120, 1, fits, 119, 1});
    check(&(struct line_case){fits, 121, 0, fits, 120, 1});
    check(&(struct line_case){fits, 1, 120, fits, 0, 120});
    AUTO(free_text) char *head = mem_format("%.120s...", longer), *end = mem_format("...%s", longest + 939);
    check(&(struct line_case){longer, 1, 1, head, 0, 1});
    check(&(struct line_case){longer, 1, 121, head, 0, 120});
    check(&(struct line_case){longest, 1000, 1, end, 63, 1});
}

static void places_that_are_not_there(void **state)
{
    (void)state;
    const struct source source = {"f", "one\n", 4};
    const struct source_set sources = {&source, 1};
    struct shown_line shown;
    assert_false(diagnose_show_line(&sources, (struct location){"other", 1, 1}, 1, &shown));
    assert_false(diagnose_show_line(&sources, (struct location){"f", 9, 1}, 1, &shown));
    assert_false(diagnose_show_line(&sources, NOWHERE, 1, &shown));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_not_characters), cmocka_unit_test(long_lines_are_cut), cmocka_unit_test(places_that_are_not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_logs.c: the last lines of what instances printed: across the file that was turned over, of several, cut to whole lines. */
#include "orchestrator/logs.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int begin(void **state)
{
    char *folder = mem_copy_text("/tmp/crescendo-logs-XXXXXX");
    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    int failed = file_remove_tree(*state, NULL);
    free(*state);
    return failed;
}

static void write_file(const char *folder, const char *name, const char *content)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_read(const char *folder, int64_t number, int64_t lines, const char *wanted)
{
    struct text text = {0};
    struct error err = {0};
    assert_int_equal(logs_read(folder, number, lines, &text, &err), 0);
    assert_string_equal(text_view(&text), wanted);
    text_release(&text);
}

static void the_last_lines_are_whole(void **state)
{
    write_file(*state, "1.log", "one\ntwo\nthree\n");
    assert_read(*state, 1, 2, "two\nthree\n");
    assert_read(*state, 1, 3, "one\ntwo\nthree\n");
    assert_read(*state, 1, 100, "one\ntwo\nthree\n");
    write_file(*state, "1.log", "one\ntwo");
    assert_read(*state, 1, 1, "two\n");
    write_file(*state, "1.log", "");
    assert_read(*state, 1, 10, "");
}

static void lines_go_on_in_the_file_before(void **state)
{
    write_file(*state, "1.log.1", "cut\none\ntw");
    write_file(*state, "1.log", "o\nthree\n");
    assert_read(*state, 1, 2, "two\nthree\n");
    assert_read(*state, 1, 100, "one\ntwo\nthree\n"); /* what was turned over begins anywhere */
    assert_read(*state, 0, 2, "two\nthree\n");
}

static void several_are_named(void **state)
{
    write_file(*state, "10.log", "ten\n");
    write_file(*state, "2.log", "two\n");
    write_file(*state, "x.log", "none\n");
    write_file(*state, "-1.log", "none\n");
    assert_read(*state, 0, 5, "==> instance 2 <==\ntwo\n==> instance 10 <==\nten\n");
    assert_read(*state, 10, 5, "ten\n");
}

static void one_that_is_not_there_is_said(void **state)
{
    struct text text = {0};
    struct error err = {0};
    write_file(*state, "1.log", "one\n");
    assert_int_equal(logs_read(*state, 2, 5, &text, &err), -ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "instance 2"));
    assert_int_equal(logs_read("/nonexistent", 0, 5, &text, &err), -ERROR_NOT_FOUND);
    text_release(&text);
}

/* The keeper bounds its files; a reader does not rely on it. */
static void the_answer_has_a_bound(void **state)
{
    AUTO(free_text) char *content = mem_alloc(LOGS_ANSWER_BYTES + 101);
    memset(content, 'x', LOGS_ANSWER_BYTES + 100);
    content[99] = content[LOGS_ANSWER_BYTES] = '\n';
    write_file(*state, "1.log", content);
    struct text text = {0};
    struct error err = {0};
    assert_int_equal(logs_read(*state, 1, 100, &text, &err), 0);
    assert_int_equal(text.size, 100); /* the last line; the one before it is longer than all that is read */
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_lines_are_whole, begin, end),
        cmocka_unit_test_setup_teardown(lines_go_on_in_the_file_before, begin, end),
        cmocka_unit_test_setup_teardown(several_are_named, begin, end),
        cmocka_unit_test_setup_teardown(one_that_is_not_there_is_said, begin, end),
        cmocka_unit_test_setup_teardown(the_answer_has_a_bound, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

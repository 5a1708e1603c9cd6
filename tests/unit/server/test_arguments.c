/* test_arguments.c: the words behind `crescendo-server`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "server/arguments.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static int read_words(const char *option, const char *value, struct arguments *ret, struct error *err)
{
    char name[] = "crescendo-server", data[] = "--data=/d";
    char *argv[] = {name, data, (char *)option, (char *)value, NULL};
    optind = 0;
    return arguments_read(option ? value ? 4 : 3 : 2, argv, ret, err);
}

static void jobs_are_bounded(void **state)
{
    (void)state;
    static const char *const wrong[] = {"0", "-1", "1001", "", "many", "99999999999999999999"};
    struct error err;
    struct arguments arguments;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(read_words("--jobs", wrong[i], &arguments, &err), -ERROR_INVALID);
        assert_non_null(strstr(err.message, "1 to 1000"));
        free(arguments.data);
    }
    assert_int_equal(read_words("--jobs", "1000", &arguments, &err), ARGUMENTS_RUN);
    assert_int_equal(arguments.jobs, 1000);
    free(arguments.data);
    assert_int_equal(read_words(NULL, NULL, &arguments, &err), ARGUMENTS_RUN);
    assert_int_equal(arguments.jobs, 0); /* the machine's processors */
    assert_string_equal(arguments.data, "/d");
    free(arguments.data);
}

static void tcp_needs_tokens(void **state)
{
    (void)state;
    struct error err;
    struct arguments arguments;
    assert_int_equal(read_words("--listen", "127.0.0.1:0", &arguments, &err), -ERROR_INVALID);
    assert_non_null(strstr(err.message, "--token-file"));
    free(arguments.data);
}

static void help_lists_exit_codes(void **state)
{
    (void)state;
    static const char *const codes[] = {"Exit codes:", " 0 ", " 64 ", " 69 ", " 74 "};
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        assert_non_null(strstr(arguments_help, codes[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_bounded), cmocka_unit_test(tcp_needs_tokens), cmocka_unit_test(help_lists_exit_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

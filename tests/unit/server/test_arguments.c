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

/* `core` with these two words; what it says. */
static int read_core(const char *first, const char *second, struct error *err)
{
    char name[] = "crescendo-server", word[] = "core", data[] = "--data=/d";
    char *argv[] = {name, word, data, (char *)first, (char *)second, NULL};
    struct arguments arguments;
    optind = 0;
    int code = arguments_read(first ? second ? 5 : 4 : 3, argv, &arguments, err);
    assert_true(code < 0 || arguments.core);
    free(arguments.data);
    return code;
}

static void a_core_needs_a_token_file_only_beyond_this_machine(void **state)
{
    (void)state;
    static const char *const own[] = {"127.0.0.1:80", "127.9.0.1:0", "localhost:80", "[::1]:80"};
    static const char *const others[] = {
        "0.0.0.0:80", "192.168.1.1:80", "[::]:80", "127.0.0.1.example.org:80", "example.org:80", "128.0.0.1:80"};
    struct error err;
    assert_int_equal(read_core(NULL, NULL, &err), ARGUMENTS_RUN);
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        assert_int_equal(read_core("--listen", own[i], &err), ARGUMENTS_RUN);
        struct arguments arguments;
        assert_int_equal(read_words("--listen", own[i], &arguments, &err), -ERROR_INVALID); /* a server runs anybody's pipelines */
        free(arguments.data);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(read_core("--listen", others[i], &err), -ERROR_INVALID);
        assert_non_null(strstr(err.message, "--token-file"));
    }
    assert_int_equal(read_core("--token-file=/t", "--listen=0.0.0.0:80", &err), ARGUMENTS_RUN);
}

static void a_core_has_no_pipelines_options_and_no_usual_folder(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(read_core("--jobs", "4", &err), -ERROR_INVALID);
    assert_int_equal(read_core("--allow-no-sandbox", NULL, &err), -ERROR_INVALID);
    assert_int_equal(read_core("--exit-when-idle", NULL, &err), -ERROR_INVALID);
    char name[] = "crescendo-server", word[] = "core", *argv[] = {name, word, NULL};
    struct arguments arguments;
    optind = 0;
    assert_int_equal(arguments_read(2, argv, &arguments, &err), -ERROR_INVALID);
    assert_non_null(strstr(err.message, "--data"));
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(jobs_are_bounded),
        cmocka_unit_test(a_core_needs_a_token_file_only_beyond_this_machine),
        cmocka_unit_test(a_core_has_no_pipelines_options_and_no_usual_folder), cmocka_unit_test(tcp_needs_tokens),
        cmocka_unit_test(help_lists_exit_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

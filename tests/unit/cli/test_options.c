/* test_options.c: the command line as a table. */
#include "base/mem.h"
#include "base/text.h"
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct option_spec own[] = {{"param", 'p', "NAME=VALUE", ""}, {"follow", 'f', NULL, ""}, {"limit", 'n', "N", ""}, OPTION_END};
static const struct option_spec common[] = {{"server", 0, "URL", ""}, {"help", 'h', NULL, ""}, OPTION_END};

#define PARSE(options, err, ...) \
    options_parse((int)COUNT_OF(((char *[]){__VA_ARGS__})), (char *[]){__VA_ARGS__}, own, common, false, options, NULL, err)

static void test_forms(void **state)
{
    (void)state;
    struct options options = {0};
    struct error err = {0};
    assert_int_equal(
        PARSE(&options, &err, "12", "--param", "a=1", "--param=b=2", "-pc=3", "-p", "d=4", "-f", "--server", "unix:/x", "build"), 0);
    assert_string_equal(options_nth(&options, "param", 0), "a=1");
    assert_string_equal(options_nth(&options, "param", 1), "b=2");
    assert_string_equal(options_nth(&options, "param", 2), "c=3");
    assert_string_equal(options_nth(&options, "param", 3), "d=4");
    assert_null(options_nth(&options, "param", 4));
    assert_string_equal(options_value(&options, "param"), "d=4");
    assert_true(options_flag(&options, "follow"));
    assert_false(options_flag(&options, "help"));
    assert_string_equal(options_value(&options, "server"), "unix:/x");
    assert_int_equal(options.argument_count, 2);
    assert_string_equal(options_argument(&options, 1), "build");
    assert_null(options_argument(&options, 2));
    options_release(&options);
}

static void test_end_of_options(void **state)
{
    (void)state;
    struct options options = {0};
    assert_int_equal(PARSE(&options, NULL, "-", "--", "--follow", "-f"), 0);
    assert_int_equal(options.argument_count, 3);
    assert_string_equal(options_argument(&options, 0), "-");
    assert_string_equal(options_argument(&options, 1), "--follow");
    assert_false(options_flag(&options, "follow"));
    options_release(&options);
}

static void test_first_only(void **state)
{
    (void)state;
    struct options options = {0};
    int used = -1;
    char *words[] = {"--server", "unix:/x", "runs", "--limit", "3"};
    assert_int_equal(options_parse(5, words, common, NULL, true, &options, &used, NULL), 0);
    assert_int_equal(used, 2);
    assert_int_equal(options.argument_count, 0);
    options_release(&options);
}

static void check_refused(const char *message, const char *hint, int argc, char **argv)
{
    struct options options = {0};
    struct error err = {0};
    assert_int_equal(options_parse(argc, argv, own, common, false, &options, NULL, &err), -ERROR_INVALID);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    options_release(&options);
}

static void test_refusals(void **state)
{
    (void)state;
    check_refused("there is no option --folow", "did you mean --follow?", 1, (char *[]){"--folow"});
    check_refused("there is no option --serv", "did you mean --server?", 1, (char *[]){"--serv=x"});
    check_refused("there is no option --zzzzzzzzzzzz", "", 1, (char *[]){"--zzzzzzzzzzzz"});
    check_refused("--limit needs a value: --limit N", "", 1, (char *[]){"--limit"});
    check_refused("--limit needs a value: --limit N", "", 1, (char *[]){"-n"});
    check_refused("--follow takes no value", "", 1, (char *[]){"--follow=yes"});
    check_refused("there is no option -x", "behind `--` everything is an argument", 1, (char *[]){"-x"});
}

static void test_numbers(void **state)
{
    (void)state;
    struct options options = {0};
    struct error err = {0};
    int64_t value = 0;
    assert_int_equal(PARSE(&options, NULL, "-n7"), 0);
    assert_int_equal(options_number(&options, "limit", 1, 20, &value, &err), 0);
    assert_int_equal(value, 7);
    assert_int_equal(options_number(&options, "limit", 8, 20, &value, &err), -ERROR_INVALID);
    assert_string_equal(err.message, "--limit wants a whole number of at least 8, not '7'");
    options_release(&options);
    assert_int_equal(options_number(&options, "limit", 1, 20, &value, &err), 0);
    assert_int_equal(value, 20);
}

static void test_choices(void **state)
{
    (void)state;
    static const char *const choices[] = {"text", "json", "sarif", NULL};
    struct options options = {0};
    struct error err = {0};
    size_t choice = 2;
    assert_int_equal(options_choice(&options, "server", choices, &choice, &err), 0);
    assert_int_equal(choice, 2);
    assert_int_equal(PARSE(&options, NULL, "--server", "json"), 0);
    assert_int_equal(options_choice(&options, "server", choices, &choice, &err), 0);
    assert_int_equal(choice, 1);
    assert_int_equal(PARSE(&options, NULL, "--server", "sariff"), 0);
    assert_int_equal(options_choice(&options, "server", choices, &choice, &err), -ERROR_INVALID);
    assert_string_equal(err.message, "there is no server 'sariff'");
    assert_string_equal(err.hint, "did you mean sarif?");
    assert_int_equal(PARSE(&options, NULL, "--server", "picture"), 0);
    assert_int_equal(options_choice(&options, "server", choices, &choice, &err), -ERROR_INVALID);
    assert_string_equal(err.hint, "it may be text, json or sarif");
    assert_int_equal(choice, 1);
    options_release(&options);
}

static void test_unknown_letters(void **state)
{
    (void)state;
    struct options options = {0};
    struct error err = {0};
    assert_int_equal(PARSE(&options, &err, "-1"), -ERROR_INVALID);
    assert_string_equal(err.message, "-1 is no option, and no run");
    assert_non_null(strstr(err.hint, "crescendo runs"));
    assert_int_equal(PARSE(&options, &err, "-x"), -ERROR_INVALID);
    assert_null(strstr(err.hint, "two dashes"));
    assert_int_equal(PARSE(&options, &err, "-limit"), -ERROR_INVALID);
    assert_non_null(strstr(err.hint, "two dashes: --limit"));
    assert_int_equal(PARSE(&options, &err, "--limit", "-1"), 0); /* a value, whatever it is */
    assert_string_equal(options_value(&options, "limit"), "-1");
    options_release(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_unknown_letters),
        cmocka_unit_test(test_end_of_options),
        cmocka_unit_test(test_first_only),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

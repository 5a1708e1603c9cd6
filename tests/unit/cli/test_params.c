/* test_params.c: --param NAME=VALUE becomes an object of texts. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct option_spec own[] = {{"param", 'p', "NAME=VALUE", "a value"}, OPTION_END};

static int read_words(int argc, char **argv, json_t **ret, struct error *err)
{
    struct options options = {0};
    assert_int_equal(options_parse(argc, argv, own, NULL, false, &options, NULL, NULL), 0);
    int failed = params_read(&options, ret, err);
    options_release(&options);
    return failed;
}

static void test_values(void **state)
{
    (void)state;
    AUTO(free_json) json_t *params = NULL;
    char *words[] = {"-p", "a=1", "--param=b=x=y", "-p", "empty=", "-p", "a=2"};
    assert_int_equal(read_words(7, words, &params, NULL), 0);
    assert_int_equal(json_object_size(params), 3);
    assert_string_equal(json_text(params, "a", ""), "2");
    assert_string_equal(json_text(params, "b", ""), "x=y");
    assert_string_equal(json_text(params, "empty", "?"), "");
}

static void test_none(void **state)
{
    (void)state;
    AUTO(free_json) json_t *params = NULL;
    assert_int_equal(read_words(0, NULL, &params, NULL), 0);
    assert_true(json_is_object(params) && json_object_size(params) == 0);
}

static void check_refused(char *word, const char *message)
{
    json_t *params = NULL;
    struct error err = {0};
    char *words[] = {"-p", "good=1", "-p", word};
    assert_int_equal(read_words(4, words, &params, &err), -ERROR_INVALID);
    assert_null(params);
    assert_string_equal(err.message, message);
}

static void test_refusals(void **state)
{
    (void)state;
    check_refused("name", "--param name has no value");
    check_refused("=value", "--param =value has no value");
    check_refused("name=\xff", "--param name is not UTF-8 text");
    check_refused("\xff=value", "--param \xff is not UTF-8 text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_forms.c: which form of a command is meant, and what it may be told. */
#include "base/mem.h"
#include "cli/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static int show(struct cli *cli, struct error *err)
{
    (void)err;
    return text_equal(form_argument(cli, 0), "17") && !form_argument(cli, 1) ? 17 : 18;
}

static int list(struct cli *cli, struct error *err)
{
    (void)cli, (void)err;
    return 1;
}

static const struct form forms[] = {
    {"list", "", "all", .options = "domain all", .run = list}, {"show", "ID", "one", 1, 1, .run = show}, {.name = NULL}};
static const struct option_spec own[] = {
    {"domain", 0, "NAME", "x"}, {"all", 0, NULL, "x"}, {"al", 0, NULL, "x"}, {"json", 0, NULL, "x"}, OPTION_END};
static const struct command command = {.name = "thing", .options = own, .forms = forms};

static int run(char **words, struct error *err)
{
    struct cli cli = {.command = &command};
    int count = 0;
    while (words[count])
        count++;
    assert_int_equal(options_parse(count, words, own, common_options, false, &cli.options, NULL, err), 0);
    int code = form_run(&cli, err);
    options_release(&cli.options);
    return code;
}
#define RUN(...) run((char *[]){__VA_ARGS__, NULL}, &err)

static void test_right(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(run((char *[]){NULL}, &err), 1);
    assert_int_equal(RUN("list", "--domain", "here", "--json"), 1);
    assert_int_equal(RUN("--all"), 1);
    assert_int_equal(RUN("show", "17", "--json", "--no-color"), 17);
}

static void test_wrong(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(RUN("shwo", "17"), -ERROR_INVALID);
    assert_string_equal(err.hint, "did you mean `crescendo thing show`?");
    assert_int_equal(RUN("show"), -ERROR_INVALID);
    assert_string_equal(err.message, "thing show wants more: crescendo thing show ID");
    assert_int_equal(RUN("show", "17", "18"), -ERROR_INVALID);
    assert_string_equal(err.message, "'18' is too much: crescendo thing show ID");
    assert_int_equal(RUN("list", "x"), -ERROR_INVALID);
    assert_int_equal(RUN("show", "17", "--domain", "x"), -ERROR_INVALID);
    assert_string_equal(err.message, "`crescendo thing show` takes no --domain");
    assert_int_equal(RUN("list", "--al"), -ERROR_INVALID); /* a part of a word is not the word */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

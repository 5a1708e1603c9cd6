/* test_help.c: every command explains itself, and what is generated from the table is whole. */
#include "base/mem.h"
#include "cli/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct terminal plain = {.columns = 80};

static void test_rows(void **state)
{
    (void)state;
    for (const struct command *command = commands; command->name; command++) {
        assert_true(text_is_name(command->name));
        assert_true(command->summary && command->usage && command->about && command->group);
        assert_true(command->examples && command->examples->line);
        assert_non_null(command->run);
        assert_true(command->arguments_min <= command->arguments_max);
        assert_ptr_equal(command_find(command->name), command);
        for (const char *at = command->exits; *at; at += strcspn(at, " "), at += strspn(at, " "))
            assert_non_null(exit_code_meaning((int)strtol(at, NULL, 10)));
    }
    assert_null(command_find("nothing"));
    assert_string_equal(command_nearest("shwo"), "show");
    assert_string_equal(command_nearest("rusn"), "runs"); /* `run` is as near, but two letters changed places */
    assert_string_equal(command_nearest("rnu"), "run");
    assert_string_equal(command_nearest("wacth"), "watch");
    assert_string_equal(command_nearest("repo"), "repository");
    assert_null(command_nearest("x"));
    assert_null(command_nearest(""));
}

/* What stands in the table in lines of source is text here, broken where the line is full. */
static void test_about_is_one_paragraph(void **state)
{
    (void)state;
    AUTO(text_release) struct text out = {0};
    help_command(command_find("evidence"), &plain, &out);
    assert_non_null(strstr(text_view(&out), "the shares, and how the evidence\ngrew from tick to tick."));
}

static bool exits_with(const char *name, const char *code)
{
    AUTO(free_text) char *all = mem_format(" %s ", command_find(name)->exits);
    AUTO(free_text) char *one = mem_format(" %s ", code);
    return strstr(all, one) != NULL;
}

static void test_exit_codes(void **state)
{
    (void)state;
    assert_true(exits_with("serve", "69") && exits_with("serve", "74"));
    assert_true(exits_with("run", "130") && exits_with("watch", "130") && exits_with("logs", "130"));
    for (const struct command *command = commands; command->name; command++) {
        assert_true(exits_with(command->name, "1")); /* a full disk */
        assert_true(exits_with(command->name, "64"));
        bool is_server = text_equal(command->name, "serve") || text_equal(command->name, "core");
        if (exits_with(command->name, "69") && !is_server) assert_true(exits_with(command->name, "4"));
    }
}

/* A letter or name means one thing within a command. */
static void test_options_are_distinct(void **state)
{
    (void)state;
    for (const struct command *command = commands; command->name; command++) {
        for (const struct option_spec *own = command->options; own && own->name; own++) {
            assert_true(own->help && *own->help);
            for (const struct option_spec *other = own + 1; other->name; other++) {
                assert_string_not_equal(own->name, other->name);
                assert_true(!own->letter || own->letter != other->letter);
            }
            for (const struct option_spec *common = common_options; common->name; common++) {
                assert_string_not_equal(own->name, common->name);
                assert_true(!own->letter || own->letter != common->letter);
            }
        }
    }
}

static void assert_lines_fit(const struct text *text)
{
    for (const char *at = text_view(text), *end; (end = strchr(at, '\n')); at = end + 1)
        if (text_columns(at, (size_t)(end - at)) > 80) fail_msg("too long for 80 columns: %.*s", (int)(end - at), at);
}

static void test_help_fits_a_terminal(void **state)
{
    (void)state;
    struct text out = {0};
    help_overview(&plain, &out);
    assert_non_null(strstr(text_view(&out), "  logs        print what the steps printed\n"));
    assert_lines_fit(&out);
    text_release(&out);
    for (const struct command *command = commands; command->name; command++) {
        help_command(command, &plain, &out);
        assert_lines_fit(&out);
        assert_non_null(strstr(text_view(&out), "Exit codes\n  0    done\n"));
        for (const struct option_spec *option = command->options; option && option->name; option++)
            assert_non_null(strstr(text_view(&out), option->name));
        text_release(&out);
    }
}

static void test_generated(void **state)
{
    (void)state;
    struct text markdown = {0}, bash = {0};
    help_markdown(&markdown);
    help_completion_bash(&bash);
    for (const struct command *command = commands; command->name; command++) {
        AUTO(free_text) char *title = mem_format("\n## crescendo %s\n", command->name);
        AUTO(free_text) char *choice = mem_format("\n    %s) words=\"", command->name);
        assert_non_null(strstr(text_view(&markdown), title));
        assert_non_null(strstr(text_view(&bash), choice));
    }
    text_release(&markdown);
    text_release(&bash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_about_is_one_paragraph),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_options_are_distinct),
        cmocka_unit_test(test_help_fits_a_terminal),
        cmocka_unit_test(test_generated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

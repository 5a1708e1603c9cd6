/* test_failures.c: which failed step is shown first, and how much of its log. */
#include "base/mem.h"
#include "cli/display.h"
#include "cli/failures.h"
#include "cli/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static const char *path_of(const json_t *step)
{
    return json_text(step, "path", "?");
}

static const char plan_text[] =
    "{\"stages\": [{\"path\": \"a\", \"steps\": [{\"id\": \"one\", \"allow_failure\": true}, {\"id\": \"two\"}, {\"id\": \"tw\"}]},"
    "{\"path\": \"b\", \"allow_failure\": true, \"steps\": [{\"id\": \"three\"}]}]}";
static const char run_text[] = "{\"state\": \"failed\", \"message\": \"a/two failed: exit 1\", \"steps\": ["
                               "{\"path\": \"a/one\", \"state\": \"failed\"}, {\"path\": \"a/tw\", \"state\": \"failed\"}, {\"path\": "
                               "\"b/three\", \"state\": \"failed\"},"
                               "{\"path\": \"c/four\", \"state\": \"succeeded\"}, {\"path\": \"a/two\", \"state\": \"failed\"}]}";

static void test_fatal_first(void **state)
{
    (void)state;
    AUTO(free_json) json_t *plan = parse(plan_text), *run = parse(run_text);
    AUTO(failures_release) struct failures failures = {0};
    failures_sort(run, plan, &failures);
    assert_int_equal(failures.counted_count, 2);
    assert_string_equal(path_of(failures.counted[0]), "a/two");
    assert_string_equal(path_of(failures.counted[1]), "a/tw");
    assert_int_equal(failures.allowed_count, 2);
    assert_string_equal(path_of(failures.allowed[0]), "a/one");
    assert_string_equal(path_of(failures.allowed[1]), "b/three");
}

/* Without its plan all failures count, and the fatal one may have been cancelled. */
static void test_without_plan(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *run = parse("{\"message\": \"x/y was cancelled: timeout\", \"steps\": [{\"path\": \"x/a\", \"state\": \"failed\"},"
                        "{\"path\": \"x/z\", \"state\": \"cancelled\"}, {\"path\": \"x/y\", \"state\": \"cancelled\"}]}");
    AUTO(failures_release) struct failures failures = {0};
    failures_sort(run, NULL, &failures);
    assert_int_equal(failures.counted_count, 2);
    assert_string_equal(path_of(failures.counted[0]), "x/y");
    assert_int_equal(failures.allowed_count, 0);
}

static void test_no_steps(void **state)
{
    (void)state;
    AUTO(free_json) json_t *run = json_object();
    AUTO(failures_release) struct failures failures = {0};
    failures_sort(run, NULL, &failures);
    assert_int_equal(failures.counted_count + failures.allowed_count, 0);
}

/* Prints the size_bytes of `é` as one line, in pieces. */
static size_t columns_of_long_line(const struct terminal *terminal)
{
    struct tail tail = {0};
    struct text out = {0};
    tail_add(&tail, "\x1b[31m", 5);
    for (int i = 0; i < 3000; i++)
        tail_add(&tail, "\xc3\xa9", 2);
    tail_add(&tail, "\n", 1);
    tail_print(&tail, terminal, &out);
    assert_true(text_ends(text_view(&out), "…\n"));
    assert_null(strstr(text_view(&out), "\xef\xbf\xbd"));
    out.bytes[out.size - 1] = '\0';
    size_t width = display_width(text_view(&out));
    text_release(&out);
    return width;
}

static void test_long_lines_are_cut(void **state)
{
    (void)state;
    assert_int_equal(columns_of_long_line(&(struct terminal){0}), 6 + 200);
    assert_int_equal(columns_of_long_line(&(struct terminal){.is_tty = true, .colour = true, .columns = 80}), 80);
    assert_int_equal(columns_of_long_line(&(struct terminal){.is_tty = true, .columns = 2}), 7); /* absurd, but whole */
}

static void test_short_lines_stay(void **state)
{
    (void)state;
    struct tail tail = {0};
    struct text out = {0};
    for (int i = 0; i < TAIL_LINES + 5; i++)
        tail_add(&tail, "10%\r100%\n", 9);
    tail_add(&tail, "\x1b[31mred\x1b[0m", 12);
    tail_print(&tail, &(struct terminal){.columns = 80}, &out);
    assert_true(text_starts(text_view(&out), "    … more before\n    │ 100%\n"));
    assert_true(text_ends(text_view(&out), "    │ red\n"));
    text_release(&out);
}

static void test_judge(void **state)
{
    (void)state;
    AUTO(free_json) json_t *judge = parse("{\"path\": \"lab/release/judge\", \"type\": \"kpi\", \"state\": \"failed\"}");
    AUTO(free_json) json_t *other = parse("{\"path\": \"build/make\", \"type\": \"run\", \"state\": \"failed\"}");
    assert_true(failure_is_of_judge(judge));
    assert_false(failure_is_of_judge(other));
}

static void assert_verb(const char *run_json, const char *wanted)
{
    AUTO(free_json) json_t *run = parse(run_json);
    AUTO(free_text) char *verb = report_verb(run);
    assert_string_equal(verb, wanted);
}

static void test_verbs(void **state)
{
    (void)state;
    assert_verb("{\"state\": \"succeeded\", \"reason\": \"ok\"}", "succeeded");
    assert_verb("{\"state\": \"failed\", \"reason\": \"timeout\"}", "failed (timeout)");
    assert_verb("{\"state\": \"cancelled\", \"reason\": \"cancelled\"}", "was cancelled");
    assert_verb("{\"state\": \"waiting\", \"waiting_for\": \"approval\"}", "is waiting for approval");
    assert_verb("{\"state\": \"waiting\", \"waiting_for\": \"timer\", \"message\": \"judging\"}", "is judging");
    assert_verb("{\"state\": \"parked\", \"waiting_for\": \"timer\", \"type\": \"kpi\", \"message\": \"tick 3\"}", "is judging");
    assert_verb("{\"state\": \"running\"}", "is running");
    assert_verb("{\"state\": \"needs_person\"}", "needs a person");
}

static void test_server_words(void **state)
{
    (void)state;
    struct client client = {.typed = true, .data = (char *)(uintptr_t) "/x/with space"};
    AUTO(free_text) char *words = report_server_words(&client);
    assert_string_equal(words, " --data '/x/with space'");
    client = (struct client){.typed = true, .server = (char *)(uintptr_t) "http://h:1"};
    AUTO(free_text) char *server = report_server_words(&client);
    assert_string_equal(server, " --server http://h:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fatal_first),
        cmocka_unit_test(test_without_plan),
        cmocka_unit_test(test_no_steps),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_short_lines_stay),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_server_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_complaint.c: what went wrong, in words and in JSON. */
#include "base/mem.h"
#include "cli/complaint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void check_text(const struct client *client, const struct error *err, const char *expected)
{
    struct text out = {0};
    complaint_add_text(client, err, false, &out);
    assert_string_equal(text_view(&out), expected);
    text_release(&out);
}

static void check_json(const struct client *client, const struct error *err, const char *expected)
{
    AUTO(free_json) json_t *json = complaint_json(client, err);
    AUTO(free_text) char *bytes = json_canonical(json);
    assert_string_equal(bytes, expected);
}

static void test_error(void **state)
{
    (void)state;
    const struct client client = {0};
    struct error err = {.code = ERROR_NOT_FOUND, .message = "there is no \x1b[2Jorder 9"};
    check_text(&client, &err, "crescendo: there is no order 9\n");
    assert_int_equal(error_hint(&err, "`crescendo order` lists them"), -ERROR_NOT_FOUND);
    check_text(&client, &err, "crescendo: there is no order 9\n  `crescendo order` lists them\n");
    check_json(&client, &(struct error){.code = ERROR_DENIED, .message = "no"}, "{\"error\":{\"code\":\"DENIED\",\"message\":\"no\"}}");
    check_json(&client, &(struct error){.code = ERROR_DENIED, .message = "no", .hint = "ask ada"},
        "{\"error\":{\"code\":\"DENIED\",\"hint\":\"ask ada\",\"message\":\"no\"}}");
}

static void test_mistakes(void **state)
{
    (void)state;
    struct cli cli = {0};
    struct error err = {0};
    const struct source source = {"here.yaml", "prots: 1\n", 9};
    AUTO(diagnostics_release) struct diagnostics list = {0};
    diagnostics_add(&list, "unknown-key", (struct location){"here.yaml", 1, 1}, 5, "did you mean ports?", "there is no key 'prots'");
    for (int again = 0; again < 2; again++)
        assert_int_equal(complaint_keep(&cli, &list, &(struct source_set){&source, 1}, &err), -ERROR_INVALID);
    check_text(&cli.client, &err,
        "here.yaml:1:1: error: there is no key 'prots' [unknown-key]\n    1 | prots: 1\n      | ^~~~~\n"
        "      = hint: did you mean ports?\n\n1 error\n");
    check_json(&cli.client, &err,
        "{\"error\":{\"code\":\"INVALID\",\"diagnostics\":[{\"code\":\"unknown-key\",\"column\":1,\"file\":\"here.yaml\",\"hint\":\"did "
        "you mean "
        "ports?\",\"line\":1,\"message\":\"there is no key 'prots'\",\"severity\":\"error\",\"width\":5}],\"message\":\"here.yaml has "
        "mistakes\"}}");
    client_release(&cli.client);
}

static void test_json_is_wanted(void **state)
{
    (void)state;
    char *json[] = {"crescendo", "--bogus", "--json"}, *words[] = {"crescendo", "logs", "--", "--json"};
    assert_true(complaint_wants_json(3, json));
    assert_false(complaint_wants_json(4, words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_json_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

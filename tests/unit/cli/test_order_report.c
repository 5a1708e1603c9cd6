/* test_order_report.c: what is said of an order. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/order_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct terminal plain = {0};

static json_t *parsed(const char *text)
{
    json_t *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &json, NULL), 0);
    return json;
}

static void exits(const char *text, bool at_rest, int code)
{
    AUTO(free_json) json_t *order = parsed(text);
    assert_int_equal(order_is_at_rest(order), at_rest);
    assert_int_equal(order_exit_code(order), code);
}

static void test_exit_codes(void **state)
{
    (void)state;
    exits("{\"state\":\"completed\"}", true, 0);
    exits("{\"state\":\"inProgress\"}", false, 0);
    exits("{\"state\":\"assessingCancellation\"}", false, 0);
    exits("{\"state\":\"failed\"}", true, 1);
    exits("{\"state\":\"partial\"}", true, 1);
    exits("{\"state\":\"cancelled\"}", true, 1);
    exits("{\"state\":\"rejected\"}", true, 4);
    exits("{\"state\":\"held\"}", true, 7);
    exits("{\"state\":\"failed\",\"errorMessage\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}", true, 4);
    exits("{}", false, 0);
    exits("[]", false, 0);
}

#define ITEM(id, state, more) "{\"id\":\"" id "\",\"action\":\"add\",\"state\":\"" state "\",\"service\":{\"name\":\"s" id "\"}" more "}"
#define FAILED_ORDER \
    "{\"id\":\"9\",\"state\":\"failed\",\"orderDate\":\"2026-01-31T08:00:00Z\",\"completionDate\":\"2026-01-31T08:00:03Z\"," \
    "\"errorMessage\":[{\"message\":\"port 80 is taken\",\"serviceOrderItem\":[{\"itemId\":\"3\"}]}],\"serviceOrderItem\":[" ITEM("1", \
        "completed", \
        "") "," ITEM("2", "failed", "") "," ITEM("3", "failed", ",\"errorMessage\":[{\"message\":\"port 80 is taken\"}]") "]}"

static void test_decisive_first(void **state)
{
    (void)state;
    AUTO(free_json) json_t *order = parsed(FAILED_ORDER);
    const json_t *items[3];
    order_items_sort(order, items);
    assert_string_equal(json_text(items[0], "id", ""), "3");
    assert_string_equal(json_text(items[1], "id", ""), "2");
    assert_string_equal(json_text(items[2], "id", ""), "1");
    assert_int_equal(order_items_done(order), 1);
}

static void test_end(void **state)
{
    (void)state;
    AUTO(free_json) json_t *order = parsed(FAILED_ORDER);
    AUTO(text_release) struct text out = {0};
    order_add_end(order, &plain, &out);
    assert_string_equal(text_view(&out), "order 9 failed after 3.0 s: port 80 is taken\n");
}

/* Who is asked is told what to type. */
static void test_held(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *unknown =
        parsed("{\"id\":\"9\",\"state\":\"held\",\"errorMessage\":[{\"code\":\"effect_unknown\",\"message\":\"nobody can tell\"}]}");
    AUTO(free_json)
    json_t *left = parsed("{\"id\":\"9\",\"state\":\"held\",\"errorMessage\":[{\"code\":\"failed\",\"message\":\"it is gone\"}]}");
    AUTO(text_release) struct text out = {0};
    order_add_end(unknown, &plain, &out);
    assert_string_equal(text_view(&out), "order 9 is held: a person must look at it: nobody can tell\n"
                                         "Look at the domain, then: crescendo order resolve 9 --done SERVICE, or --not-done\n");
    text_release(&out);
    order_add_way_on(left, &out);
    assert_non_null(strstr(text_view(&out), "crescendo order resolve 9 --undone"));
    assert_non_null(strstr(text_view(&out), "crescendo order cancel 9"));
}

/* Only what is new is said, and nothing that could take the terminal over. */
static void test_news(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *before = parsed("{\"id\":\"9\",\"state\":\"inProgress\",\"serviceOrderItem\":[" ITEM("1", "acknowledged", "") "]}");
    AUTO(free_json)
    json_t *after = parsed("{\"id\":\"9\",\"state\":\"inProgress\",\"serviceOrderItem\":[" ITEM(
        "1", "failed", ",\"errorMessage\":[{\"message\":\"bad\\u001b[2J luck\"}]") "]}");
    AUTO(text_release) struct text out = {0}, none = {0};
    order_add_news(NULL, before, &plain, &out);
    assert_string_equal(text_view(&out), "order 9  inProgress\n");
    order_add_news(before, after, &plain, &out);
    assert_string_equal(text_view(&out), "order 9  inProgress\norder 9  add s1: failed: bad luck\n");
    order_add_news(after, after, &plain, &none);
    assert_string_equal(text_view(&none), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exit_codes), cmocka_unit_test(test_decisive_first), cmocka_unit_test(test_end),
        cmocka_unit_test(test_held), cmocka_unit_test(test_news)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

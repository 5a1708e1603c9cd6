/* test_select.c: filters and fields of a query over one document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/tmf/select.h"

#include <string.h>

static const char document_text[] =
    "{\"active\":true,\"count\":3,\"gone\":null,\"href\":\"/x/7\",\"id\":\"7\",\"name\":\"caf\xc3\xa9 \\\"a\\\"\","
    "\"place\":[{\"id\":\"north\",\"role\":\"domain\"},{\"id\":\"south\",\"spot\":{\"x\":1.5}}],\"tags\":[\"a\",\"b\"]}";

static bool matches(const char *path, const char *values)
{
    AUTO(free_json) json_t *document = json_loads(document_text, 0, NULL);
    AUTO(select_release) struct selection selection = {0};
    assert_int_equal(select_add_filter(&selection, path, values, NULL), 0);
    bool found = select_matches(&selection, document);
    AUTO(free_text) char *hint = select_hint(&selection);
    if (found && hint) assert_non_null(strstr(document_text, hint)); /* it must never hide a match */
    return found;
}

static void filters_compare_what_is_written(void **state)
{
    (void)state;
    assert_true(matches("id", "7"));
    assert_true(matches("name", "caf\xc3\xa9 \"a\""));
    assert_true(matches("count", "3"));
    assert_true(matches("active", "true"));
    assert_true(matches("id", "6,7"));
    assert_true(matches("place.id", "south"));
    assert_true(matches("place.spot.x", "1.5"));
    assert_true(matches("tags", "b"));
    assert_false(matches("id", "77"));
    assert_false(matches("id", ""));
    assert_false(matches("count", "3.0"));
    assert_false(matches("gone", "null"));
    assert_false(matches("place", "north"));
    assert_false(matches("place.name", "north"));
    assert_false(matches("place.id.id", "north"));
    assert_false(matches("", "7"));
    assert_false(matches(".", "7"));
    assert_false(matches("nothing", "7"));
    assert_false(matches("id", "\xff"));
}

static void expect_hint(const char *value, const char *expected)
{
    AUTO(select_release) struct selection selection = {0};
    assert_int_equal(select_add_filter(&selection, "a", value, NULL), 0);
    AUTO(free_text) char *hint = select_hint(&selection);
    if (!expected) assert_null(hint);
    if (expected) assert_string_equal(hint, expected);
}

static void a_hint_is_what_the_text_must_hold(void **state)
{
    (void)state;
    expect_hint("x", "\"x\"");
    expect_hint("a \"b\"", "\"a \\\"b\\\"\"");
    expect_hint("7", "7");
    expect_hint("1.5", "1.5");
    expect_hint("true", "true");
    expect_hint("", NULL);
    expect_hint("a,b", NULL);
    expect_hint("\xff", NULL);
}

static void all_filters_must_hold(void **state)
{
    (void)state;
    AUTO(free_json) json_t *document = json_loads(document_text, 0, NULL);
    AUTO(select_release) struct selection selection = {0};
    assert_true(select_matches(&selection, document));
    assert_int_equal(select_add_filter(&selection, "id", "7", NULL), 0);
    assert_int_equal(select_add_filter(&selection, "tags", "a", NULL), 0);
    assert_true(select_matches(&selection, document));
    assert_int_equal(select_add_filter(&selection, "tags", "c", NULL), 0);
    assert_false(select_matches(&selection, document));
}

static void expect_shown(const char *fields, const char *expected)
{
    AUTO(free_json) json_t *document = json_loads(document_text, 0, NULL);
    AUTO(select_release) struct selection selection = {0};
    assert_int_equal(select_add_fields(&selection, fields, NULL), 0);
    AUTO(free_json) json_t *shown = select_show(&selection, document);
    AUTO(free_text) char *text = json_canonical(shown);
    assert_string_equal(text, expected);
}

static void fields_show_members_and_members_of_members(void **state)
{
    (void)state;
    expect_shown("", document_text);
    expect_shown("count", "{\"count\":3,\"href\":\"/x/7\",\"id\":\"7\"}");
    expect_shown("nothing,,", "{\"href\":\"/x/7\",\"id\":\"7\"}");
    expect_shown(
        "place.id,tags", "{\"href\":\"/x/7\",\"id\":\"7\",\"place\":[{\"id\":\"north\"},{\"id\":\"south\"}],\"tags\":[\"a\",\"b\"]}");
    expect_shown("place.spot.x", "{\"href\":\"/x/7\",\"id\":\"7\",\"place\":[{},{\"spot\":{\"x\":1.5}}]}");
    expect_shown("count.more", "{\"href\":\"/x/7\",\"id\":\"7\"}");
    expect_shown("place.spot.x,place.spot", "{\"href\":\"/x/7\",\"id\":\"7\",\"place\":[{},{\"spot\":{\"x\":1.5}}]}");
    expect_shown("tags.x", "{\"href\":\"/x/7\",\"id\":\"7\",\"tags\":[]}");
}

static void what_is_too_much_is_refused(void **state)
{
    (void)state;
    AUTO(select_release) struct selection selection = {0};
    struct error err;
    char commas[SELECT_FIELDS_MAX + 1], dots[SELECT_DEPTH_MAX + 1], name[SELECT_PATH_BYTES + 2];
    memset(commas, ',', sizeof commas);
    commas[SELECT_FIELDS_MAX] = '\0';
    memset(dots, '.', sizeof dots);
    dots[SELECT_DEPTH_MAX] = '\0';
    memset(name, 'a', sizeof name);
    name[SELECT_PATH_BYTES + 1] = '\0';
    assert_int_equal(select_add_fields(&selection, commas, &err), -ERROR_INVALID);
    assert_int_equal(select_add_fields(&selection, dots, &err), -ERROR_INVALID);
    assert_int_equal(select_add_fields(&selection, name, &err), -ERROR_INVALID);
    assert_int_equal(select_add_filter(&selection, name, "x", &err), -ERROR_INVALID);
    struct selection asked = {0};
    assert_int_equal(select_add_filter(&asked, "lastUpdate.gt", "2020-01-01", &err), -ERROR_INVALID);
    assert_non_null(strstr(err.message, "lastUpdate.gt: filters with an operator"));
    assert_int_equal(select_add_filter(&asked, "gt", "1", &err), 0); /* an attribute may be called so */
    select_release(&asked);
    for (int i = 0; i < SELECT_FILTERS_MAX; i++)
        assert_int_equal(select_add_filter(&selection, "a", "b", &err), 0);
    assert_int_equal(select_add_filter(&selection, "a", "b", &err), -ERROR_INVALID);
    for (int i = 0; i < 3; i++)
        assert_int_equal(select_add_fields(&selection, "a,b", &err), 0);
    assert_int_equal(selection.field_count, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_compare_what_is_written),
        cmocka_unit_test(a_hint_is_what_the_text_must_hold),
        cmocka_unit_test(all_filters_must_hold),
        cmocka_unit_test(fields_show_members_and_members_of_members),
        cmocka_unit_test(what_is_too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

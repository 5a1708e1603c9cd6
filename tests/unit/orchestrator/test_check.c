/* test_check.c: required members, types, places of mistakes, what stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "orchestrator/tmf/check.h"

#include <string.h>

static const char *const colours[] = {"red", "blue", NULL};
static const struct tmf_field part_fields[] = {
    {.name = "id", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "value", .type = TMF_ANY, .flags = TMF_REQUIRED},
    {.name = "at", .type = TMF_TIME},
    TMF_END,
};
static const struct tmf_field fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "colour", .type = TMF_TEXT, .choices = colours},
    {.name = "count", .type = TMF_INTEGER, .flags = TMF_FIXED},
    {.name = "amount", .type = TMF_NUMBER},
    {.name = "on", .type = TMF_BOOLEAN},
    {.name = "part", .type = TMF_OBJECT, .fields = part_fields},
    {.name = "parts", .type = TMF_LIST, .fields = part_fields},
    {.name = "free", .type = TMF_LIST},
    {.name = "words", .type = TMF_TEXT_LIST},
    {.name = "made", .type = TMF_TIME, .flags = TMF_SERVER},
    {.name = "since", .type = TMF_CLOCK},
    TMF_END,
};

static int check(const char *text, struct error *err)
{
    AUTO(free_json) json_t *document = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(document);
    return tmf_check(document, fields, err);
}

static void what_fits_passes(void **state)
{
    (void)state;
    static const char *const right[] = {
        "{\"name\":\"x\"}",
        "{\"name\":\"x\",\"unknown\":[1],\"@type\":\"Own\",\"@schemaLocation\":null}",
        "{\"name\":\"x\",\"colour\":\"blue\",\"count\":-1,\"amount\":1,\"on\":false,\"words\":[\"a\"],\"free\":[{\"b\":1}]}",
        "{\"name\":\"x\",\"colour\":null,\"count\":null,\"part\":null,\"parts\":[]}",
        "{\"name\":\"x\",\"amount\":1.5,\"parts\":[{\"id\":\"1\",\"value\":null},{\"id\":\"2\",\"value\":{}}]}",
        "{\"name\":\"x\",\"part\":{\"id\":\"1\",\"value\":1,\"at\":\"2026-01-31T08:00:00Z\"}}",
        "{\"name\":\"x\",\"part\":{\"id\":\"1\",\"value\":1,\"at\":\"2026-01-31T08:00:00.123456789+05:30\"}}",
        "{\"name\":\"x\",\"since\":\"2017-08-23T00:00\"}",
        "{\"name\":\"x\",\"since\":\"2017-08-23T00:00Z\"}",
        "{\"name\":\"x\",\"since\":\"2017-08-23T00:00:30.5\"}",
        "{\"name\":\"x\",\"since\":\"2017-08-23T00:00:30-05:00\"}",
    };
    struct error err = {0};
    for (size_t i = 0; i < COUNT_OF(right); i++)
        if (check(right[i], &err)) fail_msg("%s: %s", right[i], err.message);
}

static void a_mistake_names_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"[]", "the body must be a JSON object"},
        {"{}", "name is missing"},
        {"{\"name\":null}", "name is missing"},
        {"{\"name\":1}", "name must be text"},
        {"{\"name\":\"x\",\"colour\":\"green\"}", "colour has a value that is not possible here"},
        {"{\"name\":\"x\",\"count\":1.0}", "count must be a whole number"},
        {"{\"name\":\"x\",\"count\":\"1\"}", "count must be a whole number"},
        {"{\"name\":\"x\",\"amount\":\"1\"}", "amount must be a number"},
        {"{\"name\":\"x\",\"on\":0}", "on must be true or false"},
        {"{\"name\":\"x\",\"part\":[]}", "part must be an object"},
        {"{\"name\":\"x\",\"part\":{\"value\":1}}", "part.id is missing"},
        {"{\"name\":\"x\",\"parts\":{}}", "parts must be a list"},
        {"{\"name\":\"x\",\"parts\":[{\"id\":\"1\",\"value\":1},{\"id\":\"1\"}]}", "parts[1].value is missing"},
        {"{\"name\":\"x\",\"parts\":[7]}", "parts[0] must be an object"},
        {"{\"name\":\"x\",\"free\":[7]}", "free[0] must be an object"},
        {"{\"name\":\"x\",\"words\":[\"a\",7]}", "words[1] must be text"},
        {"{\"name\":\"x\",\"@type\":7}", "@type must be text"},
        {"{\"name\":\"x\",\"part\":{\"id\":\"1\",\"value\":1,\"@type\":{}}}", "part.@type must be text"},
        {"{\"name\":\"x\",\"made\":\"2026-01-31\"}", "made must be a time (2026-01-31T08:00:00Z)"},
        {"{\"name\":\"x\",\"made\":\"2026-01-31T08:00:00\"}", "made must be a time (2026-01-31T08:00:00Z)"},
        {"{\"name\":\"x\",\"made\":\"2026-01-31T08:00:00Z!\"}", "made must be a time (2026-01-31T08:00:00Z)"},
        {"{\"name\":\"x\",\"made\":\"2026-01-31T08:00:00+1\"}", "made must be a time (2026-01-31T08:00:00Z)"},
        {"{\"name\":\"x\",\"made\":\"2026-01-31T08:00Z\"}", "made must be a time (2026-01-31T08:00:00Z)"},
        {"{\"name\":\"x\",\"since\":\"2026-01-31\"}", "since must be a time (2026-01-31T08:00:00Z)"},
        {"{\"name\":\"x\",\"since\":\"2026-01-31T08:00:0\"}", "since must be a time (2026-01-31T08:00:00Z)"},
        {"{\"name\":\"x\",\"since\":\"2026-01-31T08:00+\"}", "since must be a time (2026-01-31T08:00:00Z)"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct error err = {0};
        assert_int_equal(check(wrong[i].text, &err), -ERROR_INVALID);
        assert_string_equal(err.message, wrong[i].message);
    }
    struct error err = {0};
    assert_true(check(wrong[4].text, &err) < 0);
    assert_string_equal(err.hint, "possible: red, blue");
}

static int check_fixed(const char *before, const char *after, struct error *err)
{
    AUTO(free_json) json_t *stored = json_loads(before, 0, NULL);
    AUTO(free_json) json_t *patched = json_loads(after, 0, NULL);
    return tmf_check_fixed(stored, patched, fields, err);
}

static void what_is_fixed_stays(void **state)
{
    (void)state;
    struct error err = {0};
    static const char stored[] = "{\"id\":\"1\",\"href\":\"/1\",\"name\":\"x\",\"count\":1}";
    assert_int_equal(check_fixed(stored, stored, &err), 0);
    assert_int_equal(check_fixed(stored, "{\"id\":\"1\",\"href\":\"/1\",\"name\":\"y\",\"count\":1}", &err), 0);
    assert_int_equal(check_fixed(stored, "{\"id\":\"2\",\"href\":\"/1\",\"count\":1}", &err), -ERROR_INVALID);
    assert_string_equal(err.message, "id cannot be changed");
    assert_int_equal(check_fixed(stored, "{\"id\":\"1\",\"count\":1}", &err), -ERROR_INVALID);
    assert_string_equal(err.message, "href cannot be changed");
    assert_int_equal(check_fixed(stored, "{\"id\":\"1\",\"href\":\"/1\",\"count\":2}", &err), -ERROR_INVALID);
    assert_int_equal(check_fixed(stored, "{\"id\":\"1\",\"href\":\"/1\",\"count\":1,\"made\":\"now\"}", &err), -ERROR_INVALID);
    assert_string_equal(err.message, "made cannot be changed");
}

static void depth_is_counted_in_levels(void **state)
{
    (void)state;
    AUTO(free_json) json_t *three = json_loads("{\"a\":[{}]}", 0, NULL);
    assert_false(tmf_is_shallow(three, 2));
    assert_true(tmf_is_shallow(three, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_passes),
        cmocka_unit_test(a_mistake_names_its_place),
        cmocka_unit_test(what_is_fixed_stays),
        cmocka_unit_test(depth_is_counted_in_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

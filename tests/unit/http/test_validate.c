/* test_validate.c: JSON bodies against tables of fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "http/validate.h"

#include <string.h>

static const char *const colours[] = {"red", "green", NULL};
static const struct field inner[] = {
    {.name = "deep", .type = FIELD_TEXT, .flags = FIELD_REQUIRED},
    FIELD_END,
};
static const struct field fields[] = {
    {.name = "text", .type = FIELD_TEXT, .flags = FIELD_REQUIRED},
    {.name = "name", .type = FIELD_NAME},
    {.name = "flag", .type = FIELD_BOOLEAN},
    {.name = "count", .type = FIELD_INTEGER, .min = 1, .max = 9},
    {.name = "ratio", .type = FIELD_NUMBER},
    {.name = "wait", .type = FIELD_DURATION, .min = 1000, .max = 60000},
    {.name = "size", .type = FIELD_SIZE},
    {.name = "colour", .type = FIELD_CHOICE, .choices = colours},
    {.name = "list", .type = FIELD_TEXT_LIST},
    {.name = "names", .type = FIELD_NAME_LIST},
    {.name = "map", .type = FIELD_TEXT_MAP},
    {.name = "object", .type = FIELD_OBJECT, .fields = inner},
    {.name = "objects", .type = FIELD_OBJECT_MAP, .fields = inner},
    {.name = "shares", .type = FIELD_PERCENT_LIST},
    {.name = "many", .type = FIELD_OBJECT_LIST, .fields = inner},
    {.name = "any", .type = FIELD_ANY},
    FIELD_END,
};

static int validate(const char *text, struct error *err)
{
    json_t *body = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &body, err), 0);
    int code = validate_body(body, fields, err);
    json_decref(body);
    return code;
}

static void test_what_is_right(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"text\":\"x\"}",
        "{\"text\":\"\",\"name\":\"a-b\",\"flag\":false,\"count\":9,\"ratio\":1.5,\"wait\":\"30s\",\"size\":\"64KiB\",\"colour\":\"red\"}",
        "{\"text\":\"x\",\"wait\":1000,\"size\":5,\"ratio\":2,\"list\":[],\"names\":[\"a\"],\"map\":{\"A\":\"b\"}}",
        "{\"text\":\"x\",\"object\":{\"deep\":\"y\"},\"objects\":{\"k\":{\"deep\":\"z\"}},\"any\":[null,{}]}",
        "{\"text\":\"x\",\"shares\":[5,12.5],\"many\":[{\"deep\":\"y\"},{\"deep\":\"z\"}]}",
    };
    struct error err;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_int_equal(validate(bodies[i], &err), 0);
}

static void test_what_is_wrong_names_the_member(void **state)
{
    (void)state;
    static const struct {
        const char *body, *member;
    } cases[] = {
        {"[]", "object"},
        {"{}", "'text' is missing"},
        {"{\"text\":null}", "'text'"},
        {"{\"text\":1}", "'text'"},
        {"{\"text\":\"x\",\"name\":\"A\"}", "'name'"},
        {"{\"text\":\"x\",\"flag\":\"true\"}", "'flag'"},
        {"{\"text\":\"x\",\"count\":10}", "'count' must be between 1 and 9"},
        {"{\"text\":\"x\",\"count\":1.5}", "'count'"},
        {"{\"text\":\"x\",\"wait\":\"90s\"}", "'wait'"},
        {"{\"text\":\"x\",\"wait\":\"soon\"}", "'wait'"},
        {"{\"text\":\"x\",\"size\":[]}", "'size'"},
        {"{\"text\":\"x\",\"colour\":\"blue\"}", "one of red, green"},
        {"{\"text\":\"x\",\"list\":\"x\"}", "'list'"},
        {"{\"text\":\"x\",\"list\":[1]}", "'list'"},
        {"{\"text\":\"x\",\"names\":[\"A\"]}", "'names'"},
        {"{\"text\":\"x\",\"map\":{\"a\":1}}", "'map.a'"},
        {"{\"text\":\"x\",\"object\":{}}", "'object.deep' is missing"},
        {"{\"text\":\"x\",\"shares\":[5,\"6\"]}", "'shares[1]' must be a number"},
        {"{\"text\":\"x\",\"shares\":5}", "'shares' must be a list"},
        {"{\"text\":\"x\",\"many\":[{\"deep\":\"y\"},{}]}", "'many[1].deep' is missing"},
        {"{\"text\":\"x\",\"objects\":{\"k\":{\"depp\":1}}}", "'objects.k.depp'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        assert_int_equal(validate(cases[i].body, &err), -ERROR_INVALID);
        if (!strstr(err.message, cases[i].member)) fail_msg("%s: %s", cases[i].body, err.message);
    }
}

static void test_an_unknown_member_is_told_its_neighbour(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(validate("{\"text\":\"x\",\"colur\":\"red\"}", &err), -ERROR_INVALID);
    assert_string_equal(err.hint, "did you mean 'colour'?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_right),
        cmocka_unit_test(test_what_is_wrong_names_the_member),
        cmocka_unit_test(test_an_unknown_member_is_told_its_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

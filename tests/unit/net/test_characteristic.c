/* test_characteristic.c: lists of names and values as several peers write them. */
#include "net/tmf/characteristic.h"

#include "base/json.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &json, NULL), 0);
    return json;
}

static void values_are_read_out_of_their_wrapping(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *list =
        parse("[{\"name\": \"a\", \"value\": 2}, {\"name\": \"b\", \"value\": {\"value\": \"2.5\", \"alias\": \"\"}},"
              "{\"name\": \"c\", \"value\": {\"x\": 1, \"value\": 2, \"y\": 3}}, {\"name\": \"d\"}, 7,"
              "{\"name\": \"e\", \"value\": \"much\"}, {\"name\": \"f\", \"value\": \"inf\"}, {\"name\": \"g\", \"value\": 1e300}]");
    assert_true(characteristic_number(list, "a", -1) == 2);
    assert_true(characteristic_number(list, "b", -1) == 2.5);
    assert_string_equal(characteristic_text(list, "b", "none"), "2.5");
    assert_int_equal(json_object_size(characteristic_find(list, "c")), 3);
    assert_null(characteristic_find(list, "d"));
    for (const char *const *name = (const char *const[]){"c", "d", "e", "f", "z", NULL}; *name; name++)
        assert_true(characteristic_number(list, *name, -1) == -1);
    assert_int_equal(characteristic_whole(list, "a", 7), 2);
    assert_int_equal(characteristic_whole(list, "g", 7), 7); /* no whole number is so large */
    assert_null(characteristic_find(NULL, "a"));
    assert_string_equal(characteristic_text(list, "a", "none"), "none");
}

static void specifications_say_values_in_three_ways(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *own = parse("{\"specCharacteristic\": [{\"name\": \"a\", \"characteristicValueSpecification\": [{\"value\": 1}]},"
                        "{\"name\": \"b\", \"value\": {\"value\": \"2\"}}, {\"name\": \"c\"}]}");
    AUTO(free_json)
    json_t *older = parse("{\"serviceSpecCharacteristic\": [{\"name\": \"a\", \"serviceSpecCharacteristicValue\": [{\"value\": "
                          "{\"value\": \"3\", \"alias\": null}}]}]}");
    double number = 0;
    assert_int_equal(json_integer_value(specification_value(own, "a")), 1);
    assert_true(value_to_number(specification_value(own, "b"), &number) && number == 2);
    assert_true(value_to_number(specification_value(older, "a"), &number) && number == 3);
    assert_null(specification_value(own, "c"));
    assert_null(specification_value(NULL, "a"));
}

static void entries_are_replaced_added_and_removed(void **state)
{
    (void)state;
    AUTO(free_json) json_t *list = parse("[{\"name\": \"a\", \"value\": \"1\", \"valueType\": \"string\"}]");
    characteristic_set(list, "a", json_integer(2));
    characteristic_set(list, "b", json_real(0.5));
    AUTO(free_text) char *text = json_canonical(list);
    assert_string_equal(
        text, "[{\"name\":\"a\",\"value\":2,\"valueType\":\"integer\"},{\"name\":\"b\",\"value\":0.5,\"valueType\":\"number\"}]");
    characteristic_set(list, "a", NULL);
    assert_null(characteristic_find(list, "a"));
    assert_int_equal(json_array_size(list), 1);
}

static void names_are_found_by_role(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *parties = parse("[{\"role\": \"submitter\", \"id\": \"1\", \"name\": \"ada\"}, 7, {\"role\": \"requester\", \"id\": \"eve\"}, "
                            "{\"role\": \"requester\"}]");
    assert_string_equal(name_by_role(parties, "requester"), "eve");
    assert_string_equal(name_by_role(parties, "submitter"), "ada");
    assert_null(name_by_role(parties, "owner"));
    assert_null(name_by_role(NULL, "owner"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_read_out_of_their_wrapping),
        cmocka_unit_test(specifications_say_values_in_three_ways), cmocka_unit_test(entries_are_replaced_added_and_removed),
        cmocka_unit_test(names_are_found_by_role)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_value.c: one text → a value, as the field's type says: units, bounds, and what is said of a wrong one. */
#include "base/json.h"
#include "base/mem.h"
#include "spec/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct value_case {
    enum field_type type;
    const char *text, *expected; /* expected: JSON, or "MESSAGE | HINT" */
    int64_t min, max;
};

static void check(const struct value_case *given, const char *const *choices)
{
    const struct field field = {.name = "f", .type = given->type, .min = given->min, .max = given->max, .choices = choices};
    AUTO(free_json) json_t *value = NULL;
    struct error err = {0};
    int failed = value_from_text(&field, given->text, &value, &err);
    assert_int_equal(failed != 0, value == NULL);
    AUTO(free_text) char *got = failed ? mem_format("%s | %s", err.message, err.hint) : json_canonical(value);
    if (strcmp(got, given->expected) != 0) fail_msg("\"%s\": %s\nexpected: %s", given->text, got, given->expected);
}

#define WRONG_DURATION(text) "\"f\" must be a duration, not \"" text "\" | write a number and its unit: 500ms, 30s, 10m, 2h or 1d"
#define WRONG_SIZE(text) "\"f\" must be a size, not \"" text "\" | write bytes, or a number and its unit: 512, 64KiB, 1GiB, 10MB"
#define WRONG_WHOLE(text) "\"f\" must be a whole number, not \"" text "\" | write digits only, like 3"

static void units_count(void **state)
{
    (void)state;
    static const struct value_case cases[] = {{FIELD_DURATION, "500ms", "500", 0, 0}, {FIELD_DURATION, "30s", "30000", 0, 0},
        {FIELD_DURATION, "10m", "600000", 0, 0}, {FIELD_DURATION, "2h", "7200000", 0, 0}, {FIELD_DURATION, "1d", "86400000", 0, 0},
        {FIELD_DURATION, "1.5s", "1500", 0, 0}, {FIELD_DURATION, "0s", "0", 0, 0}, {FIELD_DURATION, "5", WRONG_DURATION("5"), 0, 0},
        {FIELD_DURATION, "", WRONG_DURATION(""), 0, 0}, {FIELD_DURATION, "5 s", WRONG_DURATION("5 s"), 0, 0},
        {FIELD_DURATION, "-5s", WRONG_DURATION("-5s"), 0, 0}, {FIELD_DURATION, "5S", WRONG_DURATION("5S"), 0, 0},
        {FIELD_DURATION, "99999999999999999999d", WRONG_DURATION("99999999999999999999d"), 0, 0}, {FIELD_SIZE, "512", "512", 0, 0},
        {FIELD_SIZE, "64KiB", "65536", 0, 0}, {FIELD_SIZE, "1GiB", "1073741824", 0, 0}, {FIELD_SIZE, "10MB", "10000000", 0, 0},
        {FIELD_SIZE, "1kB", "1000", 0, 0}, {FIELD_SIZE, "0.5KiB", "512", 0, 0}, {FIELD_SIZE, "1 GiB", WRONG_SIZE("1 GiB"), 0, 0},
        {FIELD_SIZE, "1G", WRONG_SIZE("1G"), 0, 0}, {FIELD_SIZE, "99999999TiB", WRONG_SIZE("99999999TiB"), 0, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(&cases[i], NULL);
}

#define WRONG_CPU(text) "\"f\" must be a number of processors, not \"" text "\" | write processors, or thousandths and m: 2, 0.5 or 500m"
#define WRONG_PERCENT(text) "\"f\" must be a percentage, not \"" text "\" | write a number and %: 5% or 99.9%"

static void services_are_measured(void **state)
{
    (void)state;
    static const struct value_case cases[] = {{FIELD_PERCENT, "5%", "5.0", 0, 0}, {FIELD_PERCENT, "99.5%", "99.5", 0, 100},
        {FIELD_PERCENT, "5", WRONG_PERCENT("5"), 0, 0}, {FIELD_PERCENT, "", WRONG_PERCENT(""), 0, 0},
        {FIELD_PERCENT, "-1%", WRONG_PERCENT("-1%"), 0, 0}, {FIELD_PERCENT, "1e2%", WRONG_PERCENT("1e2%"), 0, 0},
        {FIELD_PERCENT, "100.5%", "\"f\" is out of bounds: 100.5% | it may be 0 to 100%", 0, 100}, {FIELD_CPU, "500m", "500", 0, 0},
        {FIELD_CPU, "2", "2000", 0, 0}, {FIELD_CPU, "0.1", "100", 0, 0}, {FIELD_CPU, "0.0001", WRONG_CPU("0.0001"), 0, 0},
        {FIELD_CPU, "1.", WRONG_CPU("1."), 0, 0}, {FIELD_CPU, "1234567890123456789", WRONG_CPU("1234567890123456789"), 0, 0},
        {FIELD_CPU, "5000", "\"f\" is out of bounds: 5000 | it may be 1m to 4096", 1, 4096000},
        {FIELD_BITRATE, "100Mbps", "100000000", 0, 0}, {FIELD_BITRATE, "1.5Gbps", "1500000000", 0, 0}, {FIELD_RATE, "60/s", "60.0", 0, 0},
        {FIELD_RATE, "30/m", "0.5", 0, 0}, {FIELD_LATENCY, "10ms", "10.0", 0, 0}, {FIELD_LATENCY, "250us", "0.25", 0, 0},
        {FIELD_LATENCY, "1s", "1000.0", 0, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(&cases[i], NULL);
}

static void booleans_are_two_words(void **state)
{
    (void)state;
    static const char *const wrong[] = {"yes", "True", "1", "on", "", "true "};
    check(&(struct value_case){FIELD_BOOLEAN, "true", "true", 0, 0}, NULL);
    check(&(struct value_case){FIELD_BOOLEAN, "false", "false", 0, 0}, NULL);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        AUTO(free_text) char *expected = mem_format("\"f\" must be true or false, not \"%s\" | write true or false", wrong[i]);
        check(&(struct value_case){FIELD_BOOLEAN, wrong[i], expected, 0, 0}, NULL);
    }
}

static void bounds_are_said_in_their_units(void **state)
{
    (void)state;
    static const struct value_case cases[] = {{FIELD_INTEGER, "1", "1", 1, 9}, {FIELD_INTEGER, "9", "9", 1, 9},
        {FIELD_INTEGER, "10", "\"f\" is out of bounds: 10 | it may be 1 to 9", 1, 9},
        {FIELD_INTEGER, "0", "\"f\" is out of bounds: 0 | it may be 1 or more", 1, INT64_MAX},
        {FIELD_INTEGER, "5", "\"f\" is out of bounds: 5 | it may be at most 4", INT64_MIN, 4}, {FIELD_INTEGER, "-3", "-3", 0, 0},
        {FIELD_INTEGER, "1.0", WRONG_WHOLE("1.0"), 0, 0}, {FIELD_INTEGER, "9223372036854775807", "9223372036854775807", 0, 0},
        {FIELD_INTEGER, "9223372036854775808", WRONG_WHOLE("9223372036854775808"), 0, 0},
        {FIELD_DURATION, "3h", "\"f\" is out of bounds: 3h | it may be 1s to 2h", 1000, 7200000},
        {FIELD_SIZE, "1", "\"f\" is out of bounds: 1 | it may be 1MiB to 1GiB", 1 << 20, 1 << 30}, {FIELD_NUMBER, "0.5", "0.5", 0, 4},
        {FIELD_NUMBER, "4.5", "\"f\" is out of bounds: 4.5 | it may be 0 to 4", 0, 4},
        {FIELD_NUMBER, "1e999", "\"f\" must be a number, not \"1e999\" | write a decimal number, like 0.5", 0, 0},
        {FIELD_NUMBER, "nan", "\"f\" must be a number, not \"nan\" | write a decimal number, like 0.5", 0, 0},
        {FIELD_NUMBER, "0x10", "\"f\" must be a number, not \"0x10\" | write a decimal number, like 0.5", 0, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(&cases[i], NULL);
}

static void words_and_paths(void **state)
{
    (void)state;
    static const char *const choices[] = {"default", "none", NULL};
    static const char wrong_path[] =
        "\"f\" must be a path inside the workspace, not \"%s\" | write a relative path without '..', like src/main.c";
    static const char *const out[] = {"/etc", "../x", "a/../..", ".."}, *const in[] = {"a", "a/b", "..a/b..", "./a"};
    check(&(struct value_case){FIELD_CHOICE, "none", "\"none\"", 0, 0}, choices);
    check(&(struct value_case){FIELD_CHOICE, "nome", "\"f\" cannot be \"nome\" | did you mean \"none\"? It may be default or none", 0, 0},
        choices);
    check(&(struct value_case){FIELD_CHOICE, "off", "\"f\" cannot be \"off\" | it may be default or none", 0, 0}, choices);
    check(&(struct value_case){FIELD_TEXT_LIST, "none, default", "[\"none\",\"default\"]", 0, 0}, choices);
    check(&(struct value_case){FIELD_NAME_LIST, "a,b-2", "[\"a\",\"b-2\"]", 0, 0}, NULL);
    check(&(struct value_case){FIELD_TEXT, "0755", "\"0755\"", 0, 0}, NULL);
    for (size_t i = 0; i < COUNT_OF(out); i++) {
        AUTO(free_text) char *expected = mem_format(wrong_path, out[i]), *json = mem_format("\"%s\"", in[i]);
        check(&(struct value_case){FIELD_PATH, out[i], expected, 0, 0}, NULL);
        check(&(struct value_case){FIELD_PATH, in[i], json, 0, 0}, NULL);
    }
}

static void lists_of_percents(void **state)
{
    (void)state;
    check(&(struct value_case){FIELD_PERCENT_LIST, "5%, 12.5%", "[5.0,12.5]", 0, 100}, NULL);
    check(&(struct value_case){FIELD_PERCENT_LIST, "5%, 125%", "\"f\" is out of bounds: 125% | it may be 0 to 100%", 0, 100}, NULL);
    check(&(struct value_case){FIELD_PERCENT_LIST, "5", WRONG_PERCENT("5"), 0, 0}, NULL);
}

static void a_choice_of_later_is_told_as_such(void **state)
{
    (void)state;
    static const char *const now[] = {"rollback", "hold", NULL}, *const later[] = {"ask", NULL};
    const struct field field = {.name = "doubt", .type = FIELD_CHOICE, .choices = now, .later = later};
    json_t *value = NULL;
    struct error err = {0};
    assert_int_equal(value_from_text(&field, "ask", &value, &err), -ERROR_UNSUPPORTED);
    assert_string_equal(err.message, "\"doubt: ask\" is in the language, but not in this version");
    assert_string_equal(err.hint, "it may be rollback or hold");
    assert_int_equal(value_from_text(&field, "asks", &value, &err), -ERROR_INVALID);
}

static void objects_have_defaults_of_their_own(void **state)
{
    (void)state;
    static const struct field inner[] = {
        {.name = "wait", .type = FIELD_DURATION, .fallback = "2s"}, {.name = "none", .type = FIELD_TEXT}, FIELD_END};
    static const struct field outer[] = {{.name = "budget", .type = FIELD_OBJECT, .fallback = "{}", .fields = inner},
        {.name = "bare", .type = FIELD_OBJECT, .fields = inner}, FIELD_END};
    AUTO(free_json) json_t *defaults = value_defaults(outer);
    AUTO(free_text) char *text = json_canonical(defaults);
    assert_string_equal(text, "{\"budget\":{\"wait\":2000}}");
    json_t *value = NULL;
    struct error err;
    assert_int_equal(value_from_text(&outer[0], "{ a: b }", &value, &err), -ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(units_count), cmocka_unit_test(services_are_measured),
        cmocka_unit_test(booleans_are_two_words), cmocka_unit_test(bounds_are_said_in_their_units), cmocka_unit_test(words_and_paths),
        cmocka_unit_test(lists_of_percents), cmocka_unit_test(a_choice_of_later_is_told_as_such),
        cmocka_unit_test(objects_have_defaults_of_their_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

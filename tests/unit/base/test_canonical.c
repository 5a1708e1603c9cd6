/* test_canonical.c: the canonical text is what jansson would write, byte by byte: digests of stored plans depend on it. */
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const json_t *json)
{
    AUTO(free_text) char *ours = json_canonical(json), *theirs = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    assert_string_equal(ours, theirs);
    AUTO(text_release) struct text lines = {0};
    AUTO(free_text) char *indented = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_add_lines(&lines, ours);
    assert_string_equal(text_view(&lines), indented);
}

/* What is written is read again, and what is read is what jansson reads. */
static void check_reading(const char *text, bool by_ourselves)
{
    json_t *ours = json_from_canonical(text, strlen(text));
    AUTO(free_json) json_t *json = NULL, *theirs = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(ours != NULL, by_ourselves);
    assert_true(!ours || json_equal(ours, theirs));
    json_decref(ours);
    struct error err;
    int failed = json_parse_stored(text, strlen(text), "it", &json, &err);
    assert_int_equal(failed != 0, theirs == NULL);
    assert_true(failed || json_equal(json, theirs));
}

static void check_text(const char *text)
{
    AUTO(free_json) json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    check(json);
}

static void values_are_as_jansson_writes_them(void **state)
{
    (void)state;
    static const char *const texts[] = {"null", "true", "false", "0", "-9223372036854775808", "9223372036854775807", "0.1", "1e300", "-0.0",
        "1.0", "\"\"", "[]", "{}", "[[],{},[[1]],{\"a\":{\"a\":{}}}]", "{\"b\":1,\"a\":[true,null,\"x\"],\"ab\":2,\"\":3,\"B\":4}",
        "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8e\xb5 \\u0001 \\u001f \\u007f \\/ \\\\ \\\" \\b\\f\\n\\r\\t\"", "\"a\\u0000b\"",
        "{\"\\\"\\n\":\"\\u0000\",\"\xc3\xa4\":1,\"z\":2}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        check_text(texts[i]);
}

static void every_byte_of_a_string_is(void **state)
{
    (void)state;
    for (int first = 1; first < 0x80; first++) {
        char text[] = {'x', (char)first, 'y', (char)first, '\0'};
        AUTO(free_json) json_t *json = json_pack("{s:s, s:[s]}", text, "v", "k", text);
        check(json);
    }
}

static void the_canonical_text_is_read(void **state)
{
    (void)state;
    static const char *const ours[] = {"null", "true", "false", "0", "-1", "100000000000000000", "\"\"", "[]", "{}", "[[],{},[[1]]]",
        "{\"\":3,\"B\":4,\"a\":[true,null,\"x\"],\"ab\":2,\"b\":{\"a\":1}}", "\"\xc3\xa4\\u0001\\u001F\x7f/\\\\\\\"\\b\\f\\n\\r\\t\"",
        "{\"\\\"\\n\":\"a\\nb\",\"z\":\"\\t\"}"};
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        check_reading(ours[i], true);
}

static void what_is_not_canonical_is_left_to_jansson(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " ", "nul", "truex", "1 ", " 1", "01", "-", "-0", "+1", "1.0", "1e3", "1000000000000000000000",
        "\"", "\"a", "\"a\\", "\"\\", "\"\\u\"", "\"\\u00", "\"\\u000\"", "\"\\u0000\"", "\"\\u0041\"", "\"\\u001f\"", "\"\\/\"", "\"\\x\"",
        "\"\n\"", "\"\xff\"", "\"\xc3\"", "[", "[1", "[1,", "[1,]", "[,]", "[1 ]", "[1]]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
        "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{\"a\":1 }", "{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":2}", "{\"ab\":1,\"a\":2}", "{\"\xff\":1}",
        "{\"a\":1}{", "{1:1}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        check_reading(texts[i], false);
    AUTO(text_release) struct text deep = {0};
    text_add_repeated(&deep, '[', 65);
    text_add_repeated(&deep, ']', 65);
    check_reading(text_view(&deep), false);
}

/* Around the sizes at which sorting and the room for members change. */
static void large_objects_are_sorted(void **state)
{
    (void)state;
    for (unsigned size = 0; size < 70; size++) {
        AUTO(free_json) json_t *object = json_object();
        for (unsigned i = 0; i < size; i++) {
            AUTO(free_text) char *key = mem_format("%x", i * 2654435761u >> (i % 24));
            json_put_whole(object, key, i);
        }
        check(object);
    }
}

static void nothing_is_null_and_the_digest_is_that_of_the_text(void **state)
{
    (void)state;
    AUTO(free_text) char *text = json_canonical(NULL);
    assert_string_equal(text, "null");
    AUTO(free_json) json_t *json = json_pack("{s:i, s:s}", "b", 1, "a", "x");
    char digest[65], expected[SHA256_HEX];
    json_digest(json, digest);
    sha256_hex("{\"a\":\"x\",\"b\":1}", 15, expected);
    assert_string_equal(digest, expected);
}

static void parts_are_added_as_values_are(void **state)
{
    (void)state;
    AUTO(text_release) struct text out = {0};
    json_add_whole(&out, INT64_MIN);
    json_add_whole(&out, 0);
    json_add_text(&out, "a\"\xc3\xa4");
    json_add_text(&out, "a\xff");
    assert_string_equal(text_view(&out), "-92233720368547758080\"a\\\"\xc3\xa4\"\"a\xef\xbf\xbd\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_as_jansson_writes_them),
        cmocka_unit_test(every_byte_of_a_string_is),
        cmocka_unit_test(large_objects_are_sorted),
        cmocka_unit_test(the_canonical_text_is_read),
        cmocka_unit_test(what_is_not_canonical_is_left_to_jansson),
        cmocka_unit_test(parts_are_added_as_values_are),
        cmocka_unit_test(nothing_is_null_and_the_digest_is_that_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

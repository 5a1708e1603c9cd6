/* test_text.c: the questions about text, numbers and patterns; and JSON and times made of text. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_glob(const char *glob, const char *text, bool expected)
{
    if (text_matches_glob(text, glob) != expected) fail_msg("\"%s\" %s \"%s\"", glob, expected ? "does not match" : "matches", text);
}

static void globs_keep_to_parts_unless_doubled(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *yes, *no;
    } cases[] = {
        {"main", "main", "main2"},
        {"main", "main", "mai"},
        {"*", "main", "a/b"},
        {"*", "", "/"},
        {"**", "a/b/c", NULL},
        {"**", "", NULL},
        {"release/*", "release/1", "release/1/2"},
        {"release/*", "release/", "release"},
        {"release/**", "release/1/2", "release"},
        {"*.c", "a.c", "b/a.c"},
        {"**/*.c", "a.c", "a.h"},
        {"**/*.c", "x/y/a.c", "x/y/a.c/d"},
        {"src/**/test", "src/test", "srctest"},
        {"src/**/test", "src/a/b/test", "src/a/b/tests"},
        {"a?c", "abc", "a/c"},
        {"a?c", "a?c", "ac"},
        {"*a*b", "xaxbaab", "ab/b"},
        {"**/a/*/b", "x/a/a/y/b", "a/b"},
        {"**b", "a/ab", "ba"},
        {"a**b", "a/x/b", "a/x/bc"},
        {"", "", "a"},
        {"***", "a/b", NULL},
        {"a/**/b/**/c", "a/b/c", "a/c"},
        {"a/**/b/**/c", "a/1/b/2/b/3/c", "a/1/b/2/b/3/d"},
        {"**/x*/y", "xa/y/xb/y", "xa/b/y"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        check_glob(cases[i].glob, cases[i].yes, true);
        if (cases[i].no) check_glob(cases[i].glob, cases[i].no, false);
    }
}

static void a_hostile_glob_ends(void **state)
{
    (void)state;
    AUTO(free_text) char *stars = mem_alloc(200001);
    for (int i = 0; i < 200000; i++)
        stars[i] = i % 2 ? 'a' : '*';
    AUTO(free_text) char *text = mem_alloc(3001);
    memset(text, 'a', 3000);
    assert_false(text_matches_glob(text, stars));
    memset(stars, '*', 200000);
    assert_true(text_matches_glob(text, stars));
    assert_false(text_matches_glob(text, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"));
    assert_false(text_matches_glob(text, "**a**a**a**a**a**a**a**a**a**a**a**b"));
}

/* The published vectors of 64-bit FNV-1a. */
static void a_hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(text_hash(TEXT_HASH_SEED, "") == UINT64_C(0xcbf29ce484222325));
    assert_true(text_hash(TEXT_HASH_SEED, "a") == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(text_hash(text_hash(TEXT_HASH_SEED, "foo"), "bar") == UINT64_C(0x85944171f73967e8));
}

static void utf8_is_what_rfc_3629_says(void **state)
{
    (void)state;
    static const char *const right[] = {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"};
    static const char *const wrong[] = {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82"};
    for (size_t i = 0; i < COUNT_OF(right); i++)
        assert_true(text_is_utf8(right[i], strlen(right[i])));
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(text_is_utf8(wrong[i], strlen(wrong[i])));
    assert_int_equal(text_columns("a\xc3\xa9\xe2\x82\xac", 6), 3);
}

static void numbers_are_whole_texts(void **state)
{
    (void)state;
    int64_t value = 5;
    assert_true(text_to_integer("-9223372036854775808", &value) && value == INT64_MIN);
    assert_true(text_to_duration_ms("1.5s", &value) && value == 1500);
    assert_true(text_to_duration_ms("106751991166d", &value) && value == 106751991166 * 86400000);
    assert_true(text_to_size_bytes("64KiB", &value) && value == 65536);
    assert_true(text_to_size_bytes("512", &value) && value == 512);
    value = 5;
    static const char *const wrong[] = {"", "-", "1 ", " 1", "1x", "0x10", "9223372036854775808", "1.", ".5", "1e3", "5", "-5s", "s", "1.s",
        "106751991168d", "99999999999999999999s"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (text_to_duration_ms(wrong[i], &value)) fail_msg("%s is no duration", wrong[i]);
    assert_false(text_to_integer("9223372036854775808", &value));
    assert_false(text_to_integer("1 ", &value));
    assert_false(text_to_size_bytes("9999999999TiB", &value));
    assert_int_equal(value, 5);
}

static void the_nearest_is_near(void **state)
{
    (void)state;
    static const char *const names[] = {"stages", "steps", "timeout", NULL};
    assert_string_equal(text_nearest("stagse", names), "stages");
    assert_string_equal(text_nearest("timout", names), "timeout");
    assert_null(text_nearest("sandbox", names));
    assert_null(text_nearest("", names));
}

static void json_keeps_text_that_is_not_utf8(void **state)
{
    (void)state;
    AUTO(free_json) json_t *object = json_object();
    json_put_text(object, "author", "Ren\xe9 \xe2\x82\xac \xe2\x82");
    assert_string_equal(json_text(object, "author", ""), "Ren\xef\xbf\xbd \xe2\x82\xac \xef\xbf\xbd\xef\xbf\xbd");
    json_put_text(object, "plain", "caf\xc3\xa9");
    assert_string_equal(json_text(object, "plain", ""), "caf\xc3\xa9");
    json_put_text(object, "none", NULL);
    assert_null(json_object_get(object, "none"));
}

static void json_is_one_value_without_twins(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "{", "{} {}", "{\"a\":1,\"a\":2}", "nul", "\"\xff\"", "[1,]"};
    struct error err;
    json_t *json = NULL;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(json_parse(wrong[i], strlen(wrong[i]), "test", &json, &err), -ERROR_INVALID);
    assert_null(json);
    AUTO(free_text) char *deep = mem_alloc(100001);
    memset(deep, '[', 100000);
    assert_int_equal(json_parse(deep, 100000, "test", &json, &err), -ERROR_INVALID);
    static const char right[] = " {\"b\":[1,2.5],\"a\":null} ";
    assert_int_equal(json_parse(right, sizeof right - 1, "test", &json, &err), 0);
    AUTO(free_text) char *canonical = json_canonical(json);
    assert_string_equal(canonical, "{\"a\":null,\"b\":[1,2.5]}");
    json_decref(json);
}

static void top_level_values_are_found_in_lines(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"service: service.yaml\n", "service.yaml"},
        {"a: b\nservice:  x/y.yaml   # why\r\n", "x/y.yaml"}, {"service: \"a b.yaml\" # c\n", "a b.yaml"}, {"service : 'x'\n", "x"},
        {"stages:\n  - service: x\n", NULL}, {"services: x\n", NULL}, {"service:x\n", NULL}, {"service:\n", NULL}, {"", NULL},
        {"# service: x\nservice: y", "y"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(text_release) struct text found = {0};
        assert_int_equal(text_find_top_value(cases[i][0], "service", &found), cases[i][1] != NULL);
        assert_string_equal(text_view(&found), cases[i][1] ? cases[i][1] : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_level_values_are_found_in_lines),
        cmocka_unit_test(globs_keep_to_parts_unless_doubled),
        cmocka_unit_test(a_hostile_glob_ends),
        cmocka_unit_test(a_hash_is_fnv_1a),
        cmocka_unit_test(utf8_is_what_rfc_3629_says),
        cmocka_unit_test(numbers_are_whole_texts),
        cmocka_unit_test(the_nearest_is_near),
        cmocka_unit_test(json_keeps_text_that_is_not_utf8),
        cmocka_unit_test(json_is_one_value_without_twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

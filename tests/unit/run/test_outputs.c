/* test_outputs.c: what a step may write to $CRESCENDO_OUTPUT. */
#include "run/outputs.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static json_t *parsed(const char *text)
{
    struct error err;
    json_t *outputs = NULL;
    assert_int_equal(outputs_parse(text, strlen(text), &outputs, &err), 0);
    return outputs;
}

static void lines_and_blocks_are_read(void **state)
{
    (void)state;
    AUTO(free_json) json_t *outputs = parsed("name=value\n\nurl=http://a/?b=c<<d\nlong<<END\none\n\ntwo=2\nEND\nempty=\nname=last");
    assert_string_equal(json_text(outputs, "name", ""), "last");
    assert_string_equal(json_text(outputs, "url", ""), "http://a/?b=c<<d");
    assert_string_equal(json_text(outputs, "long", ""), "one\n\ntwo=2");
    assert_string_equal(json_text(outputs, "empty", "x"), "");
    assert_int_equal(json_object_size(outputs), 4);
}

static void an_empty_file_has_no_outputs(void **state)
{
    (void)state;
    assert_null(parsed(""));
}

static void assert_refused(const char *text, size_t size, const char *part)
{
    struct error err;
    json_t *outputs = NULL;
    assert_true(outputs_parse(text, size, &outputs, &err) < 0);
    assert_null(outputs);
    assert_non_null(strstr(err.message, part));
}

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    assert_refused("a=1\nno sign here\n", 17, "line 2");
    assert_refused("Bad Name=1\n", 11, "line 1");
    assert_refused("a<<END\nb\n", 9, "END");
    assert_refused("a=\xff\xfe\n", 5, "UTF-8");
    struct text large = {0};
    text_add(&large, "a=");
    text_add_repeated(&large, 'x', LIMIT_OUTPUT_BYTES + 1);
    assert_refused(large.bytes, large.size, "limit");
    text_release(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_blocks_are_read),
        cmocka_unit_test(an_empty_file_has_no_outputs),
        cmocka_unit_test(mistakes_are_named_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

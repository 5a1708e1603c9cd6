/* test_log_print.c: log pieces that are cut anywhere become whole lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exec/protocol.h"
#include "server/log_print.h"

#include <string.h>

static void add(struct log_printer *printer, uint32_t step, uint8_t stream, const char *bytes, struct text *out)
{
    struct log_piece piece = {.step = step, .attempt = 1, .stream = stream, .time_us = 5000, .bytes = bytes, .size = strlen(bytes)};
    log_printer_add(printer, &piece, out);
}

/* Two steps at once, cut within lines and letters. */
static void print(enum log_format format, bool one_step, struct text *out)
{
    static const struct plan_step steps[] = {{.path = "a/one"}, {.path = "b/two"}};
    const struct plan plan = {.steps = steps, .step_count = 2};
    struct log_printer *printer = log_printer_new(&plan, format, one_step);
    add(printer, 0, LOG_STDOUT, "h\xc3", out);
    add(printer, 1, LOG_STDERR, "x\n\ny", out);
    add(printer, 0, LOG_STDOUT, "\xa9\nrest", out);
    add(printer, 1, LOG_ENGINE, "ended\n", out);
    log_printer_finish(printer, out);
    log_printer_free(&printer);
}

static void test_lines_of_several_steps(void **state)
{
    (void)state;
    struct text out = {0};
    print(LOG_FORMAT_TEXT, false, &out);
    assert_non_null(strstr(out.bytes, "a/one | h\xc3\xa9\n"));
    assert_non_null(strstr(out.bytes, "b/two | x\nb/two | \n"));
    assert_non_null(strstr(out.bytes, "b/two | ended\n"));
    assert_non_null(strstr(out.bytes, "a/one | rest\n"));
    assert_non_null(strstr(out.bytes, "b/two | y\n"));
    text_release(&out);
}

static void test_bytes_of_one_step(void **state)
{
    (void)state;
    struct text out = {0};
    print(LOG_FORMAT_TEXT, true, &out);
    assert_string_equal(out.bytes, "h\xc3x\n\ny\xa9\nrestended\n");
    text_release(&out);
    print(LOG_FORMAT_RAW, false, &out);
    assert_string_equal(out.bytes, "h\xc3x\n\ny\xa9\nrest");
    text_release(&out);
}

static void test_json_lines(void **state)
{
    (void)state;
    struct text out = {0};
    print(LOG_FORMAT_JSON, false, &out);
    assert_non_null(strstr(out.bytes, "{\"step\":\"a/one\",\"attempt\":1,\"stream\":\"stdout\",\"time_ms\":5,\"text\":\"h\xc3\xa9\"}\n"));
    assert_non_null(strstr(out.bytes, "\"stream\":\"engine\""));
    text_release(&out);
    struct log_printer *printer = log_printer_new(NULL, LOG_FORMAT_JSON, false);
    add(printer, 3, LOG_STDOUT, "a\xff\xc3z\n", &out);
    assert_non_null(strstr(out.bytes, "\"step\":\"3\""));
    assert_non_null(strstr(out.bytes, "\"a\xef\xbf\xbd\xef\xbf\xbdz\""));
    log_printer_free(&printer);
    text_release(&out);
}

static void test_a_line_without_end_is_shown_in_parts(void **state)
{
    (void)state;
    static char bytes[200 * 1024 + 1];
    struct text out = {0};
    struct log_printer *printer = log_printer_new(NULL, LOG_FORMAT_TEXT, false);
    memset(bytes, 'x', sizeof bytes - 1);
    add(printer, 0, LOG_STDOUT, bytes, &out);
    log_printer_finish(printer, &out);
    log_printer_free(&printer);
    size_t lines = 0, letters = 0;
    for (const char *at = out.bytes; *at; at++)
        lines += *at == '\n', letters += *at == 'x';
    assert_int_equal(lines, 4);
    assert_int_equal(letters, sizeof bytes - 1);
    text_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_several_steps),
        cmocka_unit_test(test_bytes_of_one_step),
        cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_a_line_without_end_is_shown_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

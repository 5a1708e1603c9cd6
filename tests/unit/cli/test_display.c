/* test_display.c: nothing from outside takes the terminal over. */
#include "base/mem.h"
#include "cli/display.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct sample {
    const char *given, *line, *colour;
};

static const struct sample samples[] = {
    {"plain", "plain", "plain"},
    {"a\tb\nc", "a b c", "a\tb\nc"},
    {"\x1b[31mred\x1b[0m", "red", "\x1b[31mred\x1b[0m"},
    {"\x1b[1;38:2:1:2:3mx", "x", "\x1b[1;38:2:1:2:3mx\x1b[0m"}, /* left on: switched off */
    {"\x1b[31ma\nb", "a b", "\x1b[31ma\x1b[0m\nb"},             /* and at each line's end */
    {"\x1b[2J\x1b[Hx\x1b[?1049hy", "xy", "xy"},                 /* moves, clears, other screens */
    {"\x1b]0;title\x07x", "x", "x"},                            /* titles */
    {"\x1b]52;c;ZXZpbA==\x1b\\x", "x", "x"},                    /* the clipboard */
    {"\x1bPq#0\x1b\\x\x1b_apc\x1b\\y", "xy", "xy"},
    {"\x1b]0;never ended\nnext", " next", "\nnext"},
    {"a\rb\r\nc", "a b c", "a\nb\nc"}, /* overwriting a line */
    {"a\x08\x7f\x05"
     "b",
        "ab", "ab"},
    {"\xc2\x9b"
     "31mx",
        "31mx", "31mx"}, /* C1 as UTF-8 */
    {"\xe2\x80\xae"
     "evil",
        "evil", "evil"}, /* right-to-left override */
    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xe6\x97", "\xef\xbf\xbd", "\xef\xbf\xbd"}, /* cut short */
    {"\xe6\x97"
     "a",
        "\xef\xbf\xbd"
        "a",
        "\xef\xbf\xbd"
        "a"},
    {"\xed\xa0\x80", "\xef\xbf\xbd", "\xef\xbf\xbd"}, /* a surrogate */
    {"\x1b(Bx\x1b"
     "cy",
        "xy", "xy"}, /* character sets, reset */
    {"\x1b[31;31;31;31;31;31;31;31;31;31;31;31;31;31;31;31mx", "x", "x"},
    {"\x1b[>4;1mx\x1b[?1mx", "xx", "xx"}, /* private: not a colour */
    {"", "", ""},
};

static void test_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        struct text line = {0}, colour = {0};
        display_add(&line, samples[i].given, DISPLAY_LINE);
        display_add(&colour, samples[i].given, DISPLAY_COLOUR);
        assert_string_equal(text_view(&line), samples[i].line);
        assert_string_equal(text_view(&colour), samples[i].colour);
        text_release(&line);
        text_release(&colour);
    }
}

/* The pieces in which a stream comes make no difference. */
static void test_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        struct text out = {0};
        struct display_filter filter = {.keep = DISPLAY_COLOUR};
        for (const char *at = samples[i].given; *at; at++)
            display_filter_add(&filter, at, 1, &out);
        display_filter_end(&filter, &out);
        assert_string_equal(text_view(&out), samples[i].colour);
        text_release(&out);
    }
}

/* Whatever comes: no control character but line breaks, valid UTF-8, and clean twice is clean once. */
static void test_random_bytes(void **state)
{
    (void)state;
    static const char letters[] = "\x1b\x1b[]P0;mHJ\x07\n\r\\\xe2\x80\xae\xf0\x9f\x98\x80\xc2\x9b ax\x08";
    uint32_t seed = 1;
    for (int round = 0; round < 3000; round++) {
        char given[40] = {0};
        for (size_t i = 0; i < sizeof given - 1; i++) {
            seed = seed * 1664525 + 1013904223;
            given[i] = letters[(seed >> 16) % (sizeof letters - 1)];
        }
        struct text out = {0}, again = {0};
        display_add(&out, given, DISPLAY_LINES);
        for (size_t i = 0; i < out.size; i++)
            assert_true((unsigned char)out.bytes[i] >= 0x20 || out.bytes[i] == '\n');
        assert_true(text_is_utf8(text_view(&out), out.size));
        assert_null(strstr(text_view(&out), "\xc2\x9b"));
        display_add(&again, text_view(&out), DISPLAY_LINES);
        assert_string_equal(text_view(&again), text_view(&out));
        text_release(&out);
        text_release(&again);
    }
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(display_width("abc"), 3);
    assert_int_equal(display_width("日本語"), 6);
    assert_int_equal(display_width("e\xcc\x81"), 1);
    assert_int_equal(display_width("\x1b[31mred\x1b[0m"), 3);
    assert_int_equal(display_width("✓ ●"), 3);
    assert_int_equal(display_width("😀"), 2);
}

static void check_cut(const char *given, size_t columns, const char *expected)
{
    struct text out = {0};
    size_t width = display_add_cut(&out, given, columns);
    assert_string_equal(text_view(&out), expected);
    assert_int_equal(width, display_width(expected));
    assert_true(width <= columns);
    text_release(&out);
}

static void test_cut(void **state)
{
    (void)state;
    check_cut("hello", 5, "hello");
    check_cut("hello!", 5, "hell…");
    check_cut("日本語", 6, "日本語");
    check_cut("日本語", 5, "日本…");
    check_cut("日本語", 4, "日…"); /* a half character is none */
    check_cut("x", 0, "");
    check_cut("xy", 1, "…");
    check_cut("\x1b[31mred\x1b[0m", 3, "red");
}

static void lines_are_broken_at_blanks(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *expected;
        size_t columns, indent;
    } cases[] = {{"one two three", "one two three", 0, 4}, {"one two three", "one two\n    three", 12, 4},
        {"one two three", "one\n  two\n  three", 6, 2}, {"averyverylongword b", "averyverylongword\n b", 5, 1},
        {"\x1b[31mred\nline", "red line", 20, 0}, {"", "", 10, 2}, {"ä ö ü", "ä ö\nü", 4, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text out = {0};
        display_add_wrapped(&out, cases[i].text, cases[i].columns, cases[i].indent);
        assert_string_equal(text_view(&out), cases[i].expected);
        text_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(lines_are_broken_at_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

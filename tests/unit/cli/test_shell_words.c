/* test_shell_words.c: words that a person copies into a shell arrive there as they were. */
#include "base/mem.h"
#include "cli/shell_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_word(const char *word, const char *wanted)
{
    AUTO(free_text) char *got = shell_word(word);
    assert_string_equal(got, wanted);
}

static void test_words(void **state)
{
    (void)state;
    assert_word("/srv/crescendo", "/srv/crescendo");
    assert_word("http://127.0.0.1:8080", "http://127.0.0.1:8080");
    assert_word("build/test-2", "build/test-2");
    assert_word("/srv/été", "/srv/été");
    assert_word("", "''");
    assert_word("/x/with space", "'/x/with space'");
    assert_word("it's", "'it'\\''s'");
    assert_word("a\"b$(c)`d`\\", "'a\"b$(c)`d`\\'");
    assert_word("~/x", "'~/x'");
    assert_word("a;b|c&d>e*f?g[h]!#", "'a;b|c&d>e*f?g[h]!#'");
}

static void test_adds(void **state)
{
    (void)state;
    struct text out = {0};
    text_add(&out, "--data ");
    shell_add_word(&out, "a b");
    assert_string_equal(text_view(&out), "--data 'a b'");
    text_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_adds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

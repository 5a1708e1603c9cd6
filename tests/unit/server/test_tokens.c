/* test_tokens.c: the token file: what it lets in, what it refuses, and that a change counts at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "server/tokens.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/crescendo-tokens-XXXXXX";

static void write_file(const char *text)
{
    struct error err;
    assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
}

static void test_a_token_has_an_owner(void **state)
{
    (void)state;
    char digest[SHA256_HEX];
    struct tokens *tokens = NULL;
    struct error err;
    const char *user = NULL;
    const char *const *groups = NULL;
    sha256_hex("secret", 6, digest);
    AUTO(free_text) char *text = mem_format("# who may ask\n\nann  a,b %s # since May\nbob - %064d\n", digest, 0);
    write_file(text);
    assert_int_equal(tokens_open(path, &tokens, &err), 0);
    assert_true(tokens_find(tokens, "secret", &user, &groups));
    assert_string_equal(user, "ann");
    assert_string_equal(groups[0], "a");
    assert_string_equal(groups[1], "b");
    assert_null(groups[2]);
    assert_false(tokens_find(tokens, "secre", &user, &groups));
    assert_false(tokens_find(tokens, "", &user, &groups));
    write_file("# nobody\n");
    assert_false(tokens_find(tokens, "secret", &user, &groups));
    AUTO(free_text) char *again = mem_format("carl - %s\n", digest);
    write_file(again);
    assert_true(tokens_find(tokens, "secret", &user, &groups));
    assert_string_equal(user, "carl");
    assert_null(groups[0]);
    write_file("carl\n");
    assert_false(tokens_find(tokens, "secret", &user, &groups));
    tokens_free(&tokens);
}

static void test_a_wrong_line_is_named(void **state)
{
    (void)state;
    static const char *const texts[] = {"ok - 12\n", "ann\n", "ann a\n", "ann a b c\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct tokens *tokens = NULL;
        struct error err = {0};
        write_file(texts[i]);
        assert_int_equal(tokens_open(path, &tokens, &err), -ERROR_INVALID);
        assert_non_null(strstr(err.message, ":1:"));
    }
    struct tokens *tokens = NULL;
    struct error err = {0};
    assert_int_equal(tokens_open("/nonexistent/tokens", &tokens, &err), -ERROR_NOT_FOUND);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_token_has_an_owner), cmocka_unit_test(test_a_wrong_line_is_named)};
    return cmocka_run_group_tests(tests, make_path, remove_path);
}

/* test_secrets.c: where a secret is read from, and from where it is not. */
#include "run/secrets.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static char *path_of(const char *name)
{
    return mem_format("%s/secrets/%s", folder, name);
}

static void write_bytes(const char *name, const void *bytes, size_t size, mode_t mode)
{
    AUTO(free_text) char *path = path_of(name);
    assert_int_equal(file_replace(path, bytes, size, mode, NULL), 0);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/crescendo-secrets-XXXXXX");
    assert_non_null(mkdtemp(folder));
    AUTO(free_text) char *below = path_of("release");
    return file_make_folders(below, 0700, NULL);
}

static int remove_folder(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

static void expect_secret(const char *source, const char *wanted)
{
    AUTO(secret_wipe) char *value = NULL;
    struct error err = {0};
    if (secret_read(folder, source, &value, &err)) fail_msg("%s: %s", source, err.message);
    assert_string_equal(value, wanted);
}

static void expect_refusal(const char *source, enum error_code code, const char *words, const char *hint)
{
    char *value = NULL;
    struct error err = {0};
    assert_int_equal(secret_read(folder, source, &value, &err), -(int)code);
    assert_null(value);
    if (!strstr(err.message, words) || !strstr(err.hint, hint)) fail_msg("%s: %s | %s", source, err.message, err.hint);
}

static void files_are_read_without_their_line_end(void **state)
{
    (void)state;
    write_bytes("token", "hunter22\n", 9, 0600);
    write_bytes("release/key", "line 1\r\nline 2\r\n\n", 17, 0400);
    expect_secret("file:token", "hunter22");
    expect_secret("file:release/key", "line 1\r\nline 2");
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    AUTO(free_text) char *path = path_of("nothing");
    AUTO(free_text) char *message = mem_format("there is no secret in %s", path);
    AUTO(free_text) char *hint = mem_format("install -D -m 600 FILE %s", path);
    expect_refusal("file:nothing", ERROR_NOT_FOUND, message, hint);
    expect_refusal("file:nowhere/nothing", ERROR_NOT_FOUND, "there is no secret in", "install");
}

static void files_that_others_may_read_are_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0604, 0640, 0620, 0601, 0777};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        write_bytes("open", "hunter22", 8, 0600);
        AUTO(free_text) char *path = path_of("open");
        assert_int_equal(chmod(path, modes[i]), 0);
        expect_refusal("file:open", ERROR_DENIED, "is open to others than its owner", "chmod 600");
    }
}

static void links_lead_nowhere(void **state)
{
    (void)state;
    AUTO(free_text) char *link = path_of("link");
    AUTO(free_text) char *linked_folder = path_of("folder");
    assert_int_equal(symlink("/etc/hostname", link), 0);
    assert_int_equal(symlink("/etc", linked_folder), 0);
    expect_refusal("file:link", ERROR_DENIED, "is behind a link", "not a link");
    expect_refusal("file:folder/hostname", ERROR_DENIED, "is behind a link", "not a link");
    expect_refusal("file:release", ERROR_DENIED, "is no regular file", "");
}

static void what_cannot_be_a_variable_or_be_hidden_is_refused(void **state)
{
    (void)state;
    AUTO(free_text) char *large = mem_alloc(LIMIT_SECRET_BYTES + 2);
    memset(large, 'x', LIMIT_SECRET_BYTES + 1);
    write_bytes("large", large, LIMIT_SECRET_BYTES + 1, 0600);
    expect_refusal("file:large", ERROR_LIMIT, "is larger than 64 KiB", "");
    write_bytes("binary", "hunt\0r22", 8, 0600);
    expect_refusal("file:binary", ERROR_INVALID, "is binary", "base64");
    write_bytes("short", "abc\n", 4, 0600);
    expect_refusal("file:short", ERROR_INVALID, "has 3 bytes: less than 4", "longer");
    write_bytes("empty", "", 0, 0600);
    expect_refusal("file:empty", ERROR_INVALID, "has 0 bytes", "longer");
}

static void variables_are_named_for_it(void **state)
{
    (void)state;
    setenv("CRESCENDO_SECRET_CHAT", "https://chat.example.org/x", 1);
    expect_secret("env:CRESCENDO_SECRET_CHAT", "https://chat.example.org/x");
    expect_refusal("env:CRESCENDO_SECRET_NONE", ERROR_NOT_FOUND, "no environment variable CRESCENDO_SECRET_NONE", "start it with one");
    expect_refusal("env:HOME", ERROR_INVALID, "begin with CRESCENDO_SECRET_", "env:CRESCENDO_SECRET_HOME");
    expect_refusal("env:CRESCENDO_SECRET_", ERROR_INVALID, "begin with CRESCENDO_SECRET_", "");
}

static void sources_are_checked(void **state)
{
    (void)state;
    static const char *const names[] = {"", "/etc/passwd", "..", "../token", "a/../token", "a//b", "a/", ".hidden", "a/.b", "a b", "a\nb"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(free_text) char *source = mem_format("file:%s", names[i]);
        expect_refusal(source, ERROR_INVALID, "is no file below the server's secrets/", "file:release/key");
    }
    expect_refusal("vault:nancy/chat#url", ERROR_UNSUPPORTED, "not in this version", "file:NAME");
    expect_refusal("token", ERROR_INVALID, "does not say where", "file:NAME");
    expect_refusal("valt:x", ERROR_INVALID, "does not say where", "did you mean \"vault:x\"?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_without_their_line_end),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(files_that_others_may_read_are_refused),
        cmocka_unit_test(links_lead_nowhere),
        cmocka_unit_test(what_cannot_be_a_variable_or_be_hidden_is_refused),
        cmocka_unit_test(variables_are_named_for_it),
        cmocka_unit_test(sources_are_checked),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* test_artifacts_check.c: a package that is not what its name says is found, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "orchestrator/artifacts_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct found {
    unsigned count;
    char name[SHA256_HEX], what[256];
};

static void on_complaint(void *context, const char *name, const char *what)
{
    struct found *found = context;
    found->count++;
    snprintf(found->name, sizeof found->name, "%s", name);
    snprintf(found->what, sizeof found->what, "%s", what);
}

static void put(const char *folder, const char *name, const char *content)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    assert_int_equal(file_replace(path, content, strlen(content), 0600, NULL), 0);
}

static void only_what_has_another_digest_is_found(void **state)
{
    (void)state;
    char folder[] = "/tmp/crescendo-test-XXXXXX", good[SHA256_HEX], bad[SHA256_HEX], other[SHA256_HEX];
    struct found found = {0};
    assert_non_null(mkdtemp(folder));
    sha256_hex("a package", 9, good);
    sha256_hex("another one", 11, bad);
    sha256_hex("another 0ne", 11, other);
    AUTO(free_text) char *part = mem_format("%s.part", bad);
    put(folder, good, "a package");
    put(folder, part, "anoth");
    artifacts_check(folder, on_complaint, &found);
    assert_int_equal(found.count, 0);
    put(folder, bad, "another 0ne");
    artifacts_check(folder, on_complaint, &found);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.name, bad);
    assert_non_null(strstr(found.what, other));
    assert_int_equal(file_remove_tree(folder, NULL), 0);
    artifacts_check(folder, on_complaint, &found); /* none were ever uploaded */
    assert_int_equal(found.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_has_another_digest_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

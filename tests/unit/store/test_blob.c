/* test_blob.c: bytes by their digest. */
#include "fixture.h"

#include "store/blob.h"

static int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture_prepare(fixture);
    *state = fixture;
    return 0;
}

static void bytes_come_back_as_they_were(void **state)
{
    struct fixture *fixture = *state;
    static const char bytes[] = "a\0b\n";
    char digest[SHA256_HEX], again[SHA256_HEX];
    assert_int_equal(blob_put(fixture->folder, bytes, sizeof bytes, digest, NULL), 0);
    assert_int_equal(blob_put(fixture->folder, bytes, sizeof bytes, again, NULL), 0);
    assert_string_equal(digest, again);
    AUTO(free_text) char *back = NULL;
    size_t size = 0;
    assert_int_equal(blob_get(fixture->folder, digest, &back, &size, NULL), 0);
    assert_int_equal(size, sizeof bytes);
    assert_memory_equal(back, bytes, size);
}

static void the_empty_blob_is_a_blob(void **state)
{
    struct fixture *fixture = *state;
    char digest[SHA256_HEX];
    AUTO(free_text) char *back = NULL;
    size_t size = 9;
    assert_int_equal(blob_put(fixture->folder, "", 0, digest, NULL), 0);
    assert_int_equal(blob_get(fixture->folder, digest, &back, &size, NULL), 0);
    assert_int_equal(size, 0);
}

static void a_blob_that_was_changed_is_not_handed_out(void **state)
{
    struct fixture *fixture = *state;
    char digest[SHA256_HEX];
    assert_int_equal(blob_put(fixture->folder, "one", 3, digest, NULL), 0);
    AUTO(free_text) char *path = mem_format("%s/blobs/%.2s/%s", fixture->folder, digest, digest + 2);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(file_replace(path, "two", 3, 0600, NULL), 0);
    AUTO(free_text) char *back = NULL;
    struct error err = {0};
    assert_int_equal(blob_get(fixture->folder, digest, &back, NULL, &err), -ERROR_CONFLICT);
    assert_non_null(strstr(err.message, path));
    assert_null(back);
}

static void what_is_not_there_or_no_digest_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char digest[SHA256_HEX];
    AUTO(free_text) char *back = NULL;
    sha256_hex("x", 1, digest);
    assert_int_equal(blob_get(fixture->folder, digest, &back, NULL, NULL), -ERROR_NOT_FOUND);
    static const char *const wrong[] = {"", "ab", "../../../../../../../../../../../../../../../../../../../../etc/passwd",
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) assert_int_equal(blob_get(fixture->folder, wrong[i], &back, NULL, NULL), -ERROR_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(bytes_come_back_as_they_were),
        TEST(the_empty_blob_is_a_blob),
        TEST(a_blob_that_was_changed_is_not_handed_out),
        TEST(what_is_not_there_or_no_digest_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

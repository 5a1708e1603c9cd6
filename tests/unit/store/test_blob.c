/* test_blob.c: bytes by their digest, written with the events that name them. */
#include "fixture.h"

#include "base/sha256.h"

static void put(struct fixture *fixture, const char *digest, const char *bytes, size_t size)
{
    journal_append(fixture->journal, &(struct journal_batch){.blob = &(struct blob){digest, bytes, size}}, NULL, NULL);
}

static void bytes_come_back_as_they_were(void **state)
{
    struct fixture *fixture = *state;
    static const char bytes[] = "a\0b\n";
    char digest[SHA256_HEX];
    AUTO(free_text) char *back = NULL;
    size_t size = 0;
    sha256_hex(bytes, sizeof bytes, digest);
    put(fixture, digest, bytes, sizeof bytes);
    put(fixture, digest, bytes, sizeof bytes);
    fixture_reopen(fixture);
    assert_int_equal(journal_get_blob(fixture->journal, digest, &back, &size, NULL), 0);
    assert_int_equal(size, sizeof bytes);
    assert_memory_equal(back, bytes, size);
}

static void the_empty_blob_is_a_blob(void **state)
{
    struct fixture *fixture = *state;
    char digest[SHA256_HEX];
    AUTO(free_text) char *back = NULL;
    size_t size = 9;
    sha256_hex("", 0, digest);
    put(fixture, digest, "", 0);
    fixture_reopen(fixture);
    assert_int_equal(journal_get_blob(fixture->journal, digest, &back, &size, NULL), 0);
    assert_int_equal(size, 0);
}

static void what_is_not_there_or_damaged_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char digest[SHA256_HEX];
    AUTO(free_text) char *back = NULL;
    struct error err = {0};
    sha256_hex("one", 3, digest);
    assert_int_equal(journal_get_blob(fixture->journal, digest, &back, NULL, &err), -ERROR_NOT_FOUND);
    put(fixture, digest, "two", 3);
    fixture_reopen(fixture);
    assert_int_equal(journal_get_blob(fixture->journal, digest, &back, NULL, &err), -ERROR_CONFLICT);
    assert_non_null(strstr(err.message, digest));
    assert_null(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_come_back_as_they_were, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(the_empty_blob_is_a_blob, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(what_is_not_there_or_damaged_is_refused, fixture_begin, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_encode.c: base64 and percent-encoding, the vectors of their RFCs and what is not one. */
#include "base/encode.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_base64(const char *plain, const char *encoded)
{
    AUTO(text_release) struct text out = {0};
    base64_encode(plain, strlen(plain), &out);
    assert_string_equal(text_view(&out), encoded);
    AUTO(text_release) struct text back = {0};
    assert_true(base64_decode(encoded, strlen(encoded), &back));
    assert_string_equal(text_view(&back), plain);
    AUTO(text_release) struct text bare = {0};
    assert_true(base64_decode(encoded, strcspn(encoded, "="), &bare));
    assert_string_equal(text_view(&bare), plain);
}

static void base64_knows_the_vectors_of_rfc_4648(void **state)
{
    (void)state;
    check_base64("", "");
    check_base64("f", "Zg==");
    check_base64("fo", "Zm8=");
    check_base64("foo", "Zm9v");
    check_base64("foob", "Zm9vYg==");
    check_base64("fooba", "Zm9vYmE=");
    check_base64("foobar", "Zm9vYmFy");
}

static void base64_carries_every_byte(void **state)
{
    (void)state;
    unsigned char all[256];
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)i;
    for (size_t size = 0; size <= sizeof all; size++) {
        AUTO(text_release) struct text out = {0};
        AUTO(text_release) struct text back = {0};
        base64_encode(all, size, &out);
        assert_true(base64_decode(text_view(&out), out.size, &back));
        assert_int_equal(back.size, size);
        if (size) assert_memory_equal(back.bytes, all, size);
    }
}

static void base64_takes_the_url_alphabet(void **state)
{
    (void)state;
    AUTO(text_release) struct text out = {0};
    assert_true(base64_decode("-_8", 3, &out));
    assert_int_equal(out.size, 2);
    assert_memory_equal(out.bytes, "\xfb\xff", 2);
}

static void base64_refuses_what_is_not_base64(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "Z", "Zg=", "Zg===", "Zm9vY", "Zm 9v", "Zm9v\n", "=", "==", "====", "Z===", "Zg==Zg==", "Zh==", "Zm9=", "Zm\x80v"};
    AUTO(text_release) struct text out = {0};
    text_add(&out, "kept");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (base64_decode(wrong[i], strlen(wrong[i]), &out)) fail_msg("\"%s\" was taken", wrong[i]);
        assert_string_equal(out.bytes, "kept");
        assert_int_equal(out.size, 4);
    }
}

static void percent_goes_there_and_back(void **state)
{
    (void)state;
    AUTO(text_release) struct text out = {0};
    AUTO(text_release) struct text back = {0};
    percent_encode("a/b c%~-._+\xc3\xa9", &out);
    assert_string_equal(out.bytes, "a%2Fb%20c%25~-._%2B%C3%A9");
    assert_true(percent_decode(out.bytes, &back));
    assert_string_equal(back.bytes, "a/b c%~-._+\xc3\xa9");
    AUTO(text_release) struct text lower = {0};
    assert_true(percent_decode("%c3%a9+", &lower));
    assert_string_equal(lower.bytes, "\xc3\xa9+");
}

static void percent_refuses_broken_sequences(void **state)
{
    (void)state;
    static const char *const wrong[] = {"%", "a%2", "%zz", "%2g", "%%41", "%00", "a%"};
    AUTO(text_release) struct text out = {0};
    text_add(&out, "kept");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (percent_decode(wrong[i], &out)) fail_msg("\"%s\" was taken", wrong[i]);
        assert_string_equal(out.bytes, "kept");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_knows_the_vectors_of_rfc_4648),
        cmocka_unit_test(base64_carries_every_byte),
        cmocka_unit_test(base64_takes_the_url_alphabet),
        cmocka_unit_test(base64_refuses_what_is_not_base64),
        cmocka_unit_test(percent_goes_there_and_back),
        cmocka_unit_test(percent_refuses_broken_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sha256.c: the vectors of FIPS 180-4 (NIST's examples and CAVS), and every way of cutting the input. */
#include "base/mem.h"
#include "base/sha256.h"
#include "base/sha256_blocks.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, const char *expected)
{
    char hex[SHA256_HEX];
    sha256_hex(text, strlen(text), hex);
    assert_string_equal(hex, expected);
}

static void nist_examples(void **state)
{
    (void)state;
    check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void a_million_letters(void **state)
{
    (void)state;
    AUTO(free_text) char *text = mem_alloc(1000000);
    memset(text, 'a', 1000000);
    char hex[SHA256_HEX];
    sha256_hex(text, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Around the padding's borders (55, 56, 63, 64, ...) the input in any two parts gives what it gives whole. */
static void parts_give_what_the_whole_gives(void **state)
{
    (void)state;
    unsigned char bytes[200], whole[SHA256_BYTES], parts[SHA256_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct sha256 hash;
        sha256_init(&hash);
        sha256_add(&hash, bytes, size);
        sha256_finish(&hash, whole);
        for (size_t cut = 0; cut <= size; cut++) {
            sha256_init(&hash);
            sha256_add(&hash, bytes, cut);
            sha256_add(&hash, NULL, 0);
            sha256_add(&hash, bytes + cut, size - cut);
            sha256_finish(&hash, parts);
            assert_memory_equal(whole, parts, SHA256_BYTES);
        }
    }
}

static void borders_of_the_padding(void **state)
{
    (void)state;
    char text[65] = "";
    static const struct {
        size_t size;
        const char *hex;
    } known[] = {
        /* of so many letters 'a'; from coreutils' sha256sum */
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        memset(text, 'a', known[i].size);
        text[known[i].size] = '\0';
        check(text, known[i].hex);
    }
}

/* Where the processor has instructions of its own, the others' way would be tested by nobody. */
static void the_plain_way_gives_the_same(void **state)
{
    (void)state;
    static const unsigned char blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq\x80\0\0\0\0\0\0\0"
                                          "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                          "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xc0";
    static const uint32_t expected[8] = {0x248d6a61, 0xd20638b8, 0xe5c02693, 0x0c3e6039, 0xa33ce459, 0x64ff2167, 0xf6ecedd4, 0x19db06c1};
    struct sha256 hash;
    sha256_init(&hash);
    sha256_plainly(hash.state, blocks, 2);
    assert_memory_equal(hash.state, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nist_examples),
        cmocka_unit_test(a_million_letters),
        cmocka_unit_test(parts_give_what_the_whole_gives),
        cmocka_unit_test(borders_of_the_padding),
        cmocka_unit_test(the_plain_way_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_mask.c: secrets in what a step prints: their forms; every way to cut a text into pieces, against a masker that is plainly right. */
#include "base/mem.h"
#include "base/text.h"
#include "exec/shim/mask.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void free_mask(struct mask **mask)
{
    mask_free(mask);
}

static struct mask *mask_of(const char *const *secrets)
{
    struct mask *mask = mask_new();
    for (; *secrets; secrets++)
        assert_true(mask_add(mask, *secrets, strlen(*secrets)));
    return mask;
}

/* Pieces of `first`, `then`, `then`... bytes; 0 = all that is left. */
static char *masked_in_pieces(struct mask *mask, const char *text, size_t size, size_t first, size_t then)
{
    struct text out = {0};
    struct carry carry = {0};
    text_add(&out, "");
    for (size_t at = 0, piece = first; at < size; at += piece, piece = then) {
        if (!piece || piece > size - at) piece = size - at;
        if (piece > MASK_PIECE_BYTES) piece = MASK_PIECE_BYTES;
        memcpy(mask_room(mask, &carry), text + at, piece);
        struct masked masked = mask_take(mask, &carry, piece);
        text_add_bytes(&out, masked.bytes, masked.size);
    }
    struct masked rest = mask_end(mask, &carry);
    text_add_bytes(&out, rest.bytes, rest.size);
    return text_take(&out);
}

static void expect(const char *const *secrets, const char *text, const char *wanted)
{
    AUTO(free_mask) struct mask *mask = mask_of(secrets);
    AUTO(free_text) char *got = masked_in_pieces(mask, text, strlen(text), 0, 0);
    assert_string_equal(got, wanted);
}
#define HIDE(secret, text, wanted) expect((const char *const[]){secret, NULL}, text, wanted)

/* --- the one that is plainly right --- */
struct marks {
    const char *text;
    size_t size;
    unsigned char *hidden;
};

static void mark_form(void *context, const char *bytes, size_t size)
{
    struct marks *marks = context;
    for (size_t at = 0; size >= 4 && at + size <= marks->size; at++)
        if (memcmp(marks->text + at, bytes, size) == 0) memset(marks->hidden + at, 1, size);
}

static char *masked_plainly(const char *const *secrets, const char *text, size_t size)
{
    struct marks marks = {text, size, mem_alloc(size + 1)};
    struct text out = {0};
    for (; *secrets; secrets++)
        forms_of(*secrets, strlen(*secrets) - text_ends(*secrets, "\n"), mark_form, &marks);
    text_add(&out, "");
    for (size_t at = 0; at < size; at++)
        if (!marks.hidden[at])
            text_add_char(&out, text[at]);
        else if (!at || !marks.hidden[at - 1])
            text_add(&out, "***");
    free(marks.hidden);
    return text_take(&out);
}

static void check_every_cut(const char *const *secrets, const char *text, size_t size)
{
    AUTO(free_mask) struct mask *mask = mask_of(secrets);
    AUTO(free_text) char *wanted = masked_plainly(secrets, text, size);
    for (size_t then = 0; then < 8; then++)
        for (size_t first = 0; first <= size; first++) {
            AUTO(free_text) char *got = masked_in_pieces(mask, text, size, first, then);
            if (strcmp(got, wanted) != 0) fail_msg("%s\ncut at %zu, then %zu:\n%s\nnot\n%s", text, first, then, got, wanted);
        }
}

static void the_forms_of_a_secret_are_hidden(void **state)
{
    (void)state;
    HIDE("hunter22", "a hunter22 b", "a *** b");
    HIDE("hunter22", "aGVsbG8=", "aGVsbG8=");
    HIDE("hunter22", "\"aHVudGVyMjI=\"", "\"***\"");
    HIDE("hunter22", "eGh1bnRlcjIyeA==", "eG***eA=="); /* "xhunter22x" */
    HIDE("hunter22", "eHhodW50ZXIyMnh4", "eHh***nh4"); /* "xxhunter22xx" */
    HIDE("hunter22", "68756e7465723232 68756E7465723232", "*** ***");
    HIDE("\xfb\xff\xfe/ab", "+//+L2Fi -__-L2Fi", "*** ***");
    HIDE("a b/c+d", "a%20b%2Fc%2Bd a%20b%2fc%2bd a%20b/c%2Bd a+b%2Fc%2Bd a b/c+d", "*** *** *** *** ***");
    HIDE("it's (ok)!", "it's%20(ok)! it%27s%20%28ok%29%21", "*** ***");
    HIDE("say \"hi\"\\\n\x01z", "\"say \\\"hi\\\"\\\\\\n\\u0001z\"", "\"***\"");
    HIDE("gr\xc3\xbc\xc3\x9f"
         "e/\xf0\x9f\x98\x80",
        "gr\\u00fc\\u00dfe/\\ud83d\\ude00 gr\xc3\xbc\xc3\x9f"
        "e\\/\xf0\x9f\x98\x80",
        "*** ***");
    HIDE("<b>&</b>", "\\u003cb\\u003e\\u0026\\u003c/b\\u003e", "***");
}

static void lines_of_a_secret_are_hidden_one_by_one(void **state)
{
    (void)state;
    const char *key = "-----BEGIN KEY-----\r\nMIIEvQIBADANBg\n}\nkqhkiG9w0BAQ\n";
    HIDE(key, "> kqhkiG9w0BAQ\n> }\n> MIIEvQIBADANBg\n", "> ***\n> }\n> ***\n");
    HIDE(key, "x-----BEGIN KEY-----\r\nMIIEvQIBADANBg\n}\nkqhkiG9w0BAQ\ny", "x***\ny");
}

static void long_base64_is_hidden_where_it_is_wrapped(void **state)
{
    (void)state;
    const char *secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!.";
    HIDE(secret, "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVGR0hJSktMTU5PUFFSU1RV\nVldYWVohLg==\n", "***\n***g==\n");
    HIDE(secret, "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVGR0hJSktM\nTU5PUFFSU1RVVldYWVohLg==\n", "***\n***g==\n");
}

static void what_is_too_short_is_refused(void **state)
{
    (void)state;
    AUTO(free_mask) struct mask *mask = mask_new();
    assert_false(mask_add(mask, "abc", 3));
    assert_false(mask_add(mask, "abc\n\n", 5));
    assert_false(mask_add(mask, "", 0));
    assert_true(mask_is_empty(mask));
    assert_false(mask_finds(mask, "abc", 3));
    assert_true(mask_add(mask, "abcd\n", 5));
    assert_false(mask_is_empty(mask));
    assert_true(mask_finds(mask, "xabcdx", 6));
    assert_true(mask_finds(mask, "616263640a", 10));
    assert_false(mask_finds(mask, "abc", 3));
}

static void a_secret_may_come_late(void **state)
{
    (void)state;
    AUTO(free_mask) struct mask *mask = mask_new();
    struct carry carry = {0};
    assert_true(mask_add(mask, "first-secret", 12));
    memcpy(mask_room(mask, &carry), "- first-sec", 11);
    struct masked masked = mask_take(mask, &carry, 11);
    assert_int_equal(masked.size, 2);
    assert_true(mask_add(mask, "a-much-longer-second-secret", 27));
    memcpy(mask_room(mask, &carry), "ret a-much-longer-second-secret", 31);
    masked = mask_take(mask, &carry, 31);
    assert_int_equal(masked.size, 7);
    assert_memory_equal(masked.bytes, "*** ***", 7);
    assert_int_equal(mask_end(mask, &carry).size, 0);
}

static void what_cannot_become_a_secret_is_not_held_back(void **state)
{
    (void)state;
    AUTO(free_mask) struct mask *mask = mask_of((const char *const[]){"hunter22", NULL});
    struct carry carry = {0};
    assert_true(mask_add(mask, "\r\nsecond-one\n", 13)); /* a line's end may not begin it */
    memcpy(mask_room(mask, &carry), "a line\n", 7);
    assert_int_equal(mask_take(mask, &carry, 7).size, 7);
    memcpy(mask_room(mask, &carry), "password? hun", 13);
    assert_int_equal(mask_take(mask, &carry, 13).size, 10);
    memcpy(mask_room(mask, &carry), "ger", 3);
    struct masked masked = mask_take(mask, &carry, 3);
    assert_int_equal(masked.size, 6);
    assert_memory_equal(masked.bytes, "hunger", 6);
    assert_int_equal(mask_end(mask, &carry).size, 0);
}

static void overlaps_are_one(void **state)
{
    (void)state;
    const char *const secrets[] = {"abcdef", "defghi", "aaaa", NULL};
    expect(secrets, "-abcdefghi-", "-***-");
    expect(secrets, "abcdefdefghi", "***");
    expect(secrets, "aaaaaaaaaaaaaaa", "***");
    expect(secrets, "aaa", "aaa");
    check_every_cut(secrets, "-abcdefghi-aaaaaaa-abcdedefghiabcde-aaa", 39);
}

/* Texts made of parts of the secrets' forms, so that beginnings, ends and overlaps abound. */
struct parts {
    char *texts[256];
    size_t count;
};

static void keep_part(void *context, const char *bytes, size_t size)
{
    struct parts *parts = context;
    if (parts->count < COUNT_OF(parts->texts)) parts->texts[parts->count++] = mem_copy_bytes(bytes, size);
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % below;
}

static void check_drawn(const char *const *secrets, uint32_t seed)
{
    struct parts parts = {0};
    AUTO(text_release) struct text text = {0};
    for (size_t i = 0; secrets[i]; i++)
        forms_of(secrets[i], strlen(secrets[i]) - text_ends(secrets[i], "\n"), keep_part, &parts);
    while (text.size < 70) {
        const char *part = parts.texts[draw(&seed, (uint32_t)parts.count)];
        size_t size = strlen(part), from = draw(&seed, 3) ? 0 : draw(&seed, (uint32_t)size), most = size - from;
        text_add_bytes(&text, part + from, draw(&seed, 3) ? most : draw(&seed, (uint32_t)most + 1));
        if (!draw(&seed, 4)) text_add_char(&text, "-\n a"[draw(&seed, 4)]);
    }
    check_every_cut(secrets, text.bytes, text.size);
    for (size_t i = 0; i < parts.count; i++)
        free(parts.texts[i]);
}

static void every_cut_gives_the_same(void **state)
{
    (void)state;
    static const char *const cases[][5] = {{"abab", "babab", NULL}, {"aaaa", "aaaaaaaa", "aaab", NULL},
        {"hunter22", "22hunter", "ter22hun", NULL}, {"first line\nsecond line\n3\n", "line\nsecond", NULL},
        {"0123456789abcdefghij", "456789abcdefghijklmnop", NULL}, {"a \"b\"/c\\d", "b%22", NULL}, {"abcdefghijkl", "bcdefg", NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (uint32_t seed = 1; seed <= 12; seed++)
            check_drawn(cases[i], seed);
}

static void a_large_secret_spans_pieces(void **state)
{
    (void)state;
    enum { SECRET = 64 * 1024 };
    AUTO(free_mask) struct mask *mask = mask_new();
    AUTO(text_release) struct text secret = {0}, text = {0};
    uint32_t seed = 7;
    while (secret.size < SECRET)
        text_add_char(&secret, (char)draw(&seed, 256));
    secret.bytes[SECRET - 1] = 'x';
    assert_true(mask_add(mask, secret.bytes, SECRET));
    text_add(&text, "<");
    text_add_bytes(&text, secret.bytes, SECRET);
    text_add(&text, "><");
    text_add_bytes(&text, secret.bytes, SECRET);
    text_add_bytes(&text, secret.bytes, SECRET);
    text_add(&text, ">");
    for (size_t piece = 1000; piece < 100 * 1000; piece += 9777) {
        AUTO(free_text) char *got = masked_in_pieces(mask, text.bytes, text.size, piece, piece);
        assert_string_equal(got, "<***><***>");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_of_a_secret_are_hidden),
        cmocka_unit_test(lines_of_a_secret_are_hidden_one_by_one),
        cmocka_unit_test(long_base64_is_hidden_where_it_is_wrapped),
        cmocka_unit_test(what_is_too_short_is_refused),
        cmocka_unit_test(a_secret_may_come_late),
        cmocka_unit_test(what_cannot_become_a_secret_is_not_held_back),
        cmocka_unit_test(overlaps_are_one),
        cmocka_unit_test(every_cut_gives_the_same),
        cmocka_unit_test(a_large_secret_spans_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

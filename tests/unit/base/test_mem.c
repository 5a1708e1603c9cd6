/* test_mem.c: memory, ownership and arenas. */
#include "base/arena.h"
#include "base/mem.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void growing_keeps_what_is_there(void **state)
{
    (void)state;
    uint32_t *numbers = NULL;
    size_t capacity = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        numbers = mem_grow(numbers, &capacity, i + 1, sizeof *numbers);
        assert_true(capacity > i);
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(numbers[i], i);
    assert_ptr_equal(mem_grow(numbers, &capacity, 1, sizeof *numbers), numbers);
    free(numbers);
}

static void copies_are_ended(void **state)
{
    (void)state;
    AUTO(free_text) char *bytes = mem_copy_bytes("abc", 2);
    AUTO(free_text) char *empty = mem_copy_bytes(NULL, 0);
    AUTO(free_text) char *formatted = mem_format("%s-%d", "x", 7);
    assert_string_equal(bytes, "ab");
    assert_string_equal(empty, "");
    assert_string_equal(formatted, "x-7");
    assert_null(mem_copy_text(NULL));
}

static void ownership_moves_with_take(void **state)
{
    (void)state;
    AUTO(free_text) char *second = NULL;
    {
        AUTO(free_text) char *first = mem_copy_text("kept");
        second = take(&first);
        assert_null(first);
    }
    assert_string_equal(second, "kept");
    int opened = open("/dev/null", O_RDONLY | O_CLOEXEC), copy;
    {
        AUTO(close_fd) int fd = opened;
        copy = take_fd(&fd);
        assert_int_equal(fd, -1);
    }
    assert_true(fcntl(copy, F_GETFD) >= 0);
    {
        AUTO(close_fd) int fd = copy;
    }
    assert_int_equal(fcntl(opened, F_GETFD), -1);
}

/* Sizes around the chunk's: zeroed, aligned, and none overlaps another. */
static void an_arena_gives_blocks_of_their_own(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 17, 4095, 4096, 4097, 5000, 16383, 16384, 16385, 100000, 3};
    AUTO(arena_free) struct arena *arena = arena_new();
    unsigned char *blocks[10 * COUNT_OF(sizes)];
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        size_t size = sizes[i % COUNT_OF(sizes)];
        blocks[i] = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        for (size_t at = 0; at < size; at++)
            assert_int_equal(blocks[i][at], 0);
        memset(blocks[i], (int)i + 1, size);
    }
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
        for (size_t at = 0; at < sizes[i % COUNT_OF(sizes)]; at++)
            assert_int_equal(blocks[i][at], (unsigned char)(i + 1));
}

static void an_arena_copies_and_formats(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *arena = arena_new();
    assert_string_equal(arena_copy_text(arena, "text"), "text");
    assert_null(arena_copy_text(arena, NULL));
    assert_string_equal(arena_copy_bytes(arena, "text", 2), "te");
    assert_string_equal(arena_format(arena, "%05d", 42), "00042");
    uint64_t *numbers = arena_alloc_array(arena, 1000, sizeof *numbers);
    assert_int_equal(numbers[999], 0);
}

static void an_arena_releases_its_json(void **state)
{
    (void)state;
    json_t *json = json_string("x");
    json_incref(json);
    struct arena *arena = arena_new();
    assert_ptr_equal(arena_own_json(arena, json), json);
    assert_null(arena_own_json(arena, NULL));
    assert_int_equal(json->refcount, 2);
    arena_free(&arena);
    assert_null(arena);
    assert_int_equal(json->refcount, 1);
    json_decref(json);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_keeps_what_is_there),
        cmocka_unit_test(copies_are_ended),
        cmocka_unit_test(ownership_moves_with_take),
        cmocka_unit_test(an_arena_gives_blocks_of_their_own),
        cmocka_unit_test(an_arena_copies_and_formats),
        cmocka_unit_test(an_arena_releases_its_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

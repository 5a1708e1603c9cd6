/* arena.c: many small things that end together: chunks in a list, each filled from the front. The first is small, for there are thousands
   of small plans in the memory of a busy server; each next one is twice as large, up to a bound. */
#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
    struct chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

struct arena {
    struct chunk *chunks;
    json_t *owned; /* an array: what arena_own_json was given */
};

enum { CHUNK_MIN_BYTES = 1024, CHUNK_MAX_BYTES = 16 * 1024 };

struct arena *arena_new(void)
{
    return mem_alloc(sizeof(struct arena));
}

void arena_free(struct arena **arena)
{
    if (!*arena) return;
    json_decref((*arena)->owned);
    for (struct chunk *chunk = (*arena)->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(*arena);
    *arena = NULL;
}

/* Large enough that a block of this size is a small part of it, where the bound allows that. */
static size_t next_chunk_bytes(const struct chunk *last, size_t size)
{
    size_t bytes = last ? 2 * last->size : CHUNK_MIN_BYTES;
    if (bytes < CHUNK_MIN_BYTES) bytes = CHUNK_MIN_BYTES;
    while (bytes < CHUNK_MAX_BYTES && bytes / 4 < size)
        bytes *= 2;
    return bytes < CHUNK_MAX_BYTES ? bytes : CHUNK_MAX_BYTES;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t next = next_chunk_bytes(chunk, size), room = size > next / 4 ? size : next;
        struct chunk *fresh = mem_alloc(sizeof *fresh + room);
        fresh->size = room;
        if (chunk && room == size) { /* a large block goes behind, so that the current chunk stays in use */
            fresh->used = size;
            fresh->next = chunk->next;
            chunk->next = fresh;
            return fresh->bytes;
        }
        fresh->next = chunk;
        arena->chunks = chunk = fresh;
    }
    void *block = (char *)chunk->bytes + chunk->used;
    chunk->used += size;
    return block;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size) abort(); /* no caller can hold that many: a fault of ours */
    return arena_alloc(arena, count * size);
}

char *arena_copy_bytes(struct arena *arena, const char *bytes, size_t size)
{
    char *copy = arena_alloc(arena, size + 1);
    if (size) memcpy(copy, bytes, size);
    return copy;
}

char *arena_copy_text(struct arena *arena, const char *text)
{
    return text ? arena_copy_bytes(arena, text, strlen(text)) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    AUTO(free_text) char *text = mem_format_list(format, arguments);
    va_end(arguments);
    return arena_copy_text(arena, text);
}

json_t *arena_own_json(struct arena *arena, json_t *json)
{
    if (!json) return NULL;
    if (!arena->owned) arena->owned = json_array();
    json_array_append_new(arena->owned, json);
    return json;
}

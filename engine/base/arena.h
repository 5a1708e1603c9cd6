/* arena.h: many small things that end together. */
#ifndef CRESCENDO_BASE_ARENA_H
#define CRESCENDO_BASE_ARENA_H

#include <jansson.h>
#include <stddef.h>

/* An arena: many small things that end together. All of it is freed by arena_free. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena **arena);
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for anything */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
char *arena_copy_text(struct arena *arena, const char *text); /* NULL gives NULL */
char *arena_copy_bytes(struct arena *arena, const char *bytes, size_t size);
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Ties a JSON reference to the arena's life: it is released with the arena. Steals the reference; returns it. */
json_t *arena_own_json(struct arena *arena, json_t *json);

#endif

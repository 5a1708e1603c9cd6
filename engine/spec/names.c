/* names.c: name → number: open addressing, at most half full. */
#include "spec/names.h"

#include "base/text.h"

#include <string.h>

static uint32_t name_hash(const char *name)
{
    return (uint32_t)text_hash(TEXT_HASH_SEED, name);
}

void names_init(struct name_table *table, struct arena *arena, size_t count)
{
    uint32_t capacity = 8;
    while (capacity < count * 2 + 1)
        capacity *= 2;
    *table = (struct name_table){.slots = arena_alloc_array(arena, capacity, sizeof *table->slots), .mask = capacity - 1};
}

/* The slot that holds name, or the free one where it belongs. */
static struct name_slot *slot_of(const struct name_table *table, const char *name, uint32_t hash)
{
    for (uint32_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        struct name_slot *slot = &table->slots[at];
        if (!slot->name || (slot->hash == hash && strcmp(slot->name, name) == 0)) return slot;
    }
}

bool names_add(struct name_table *table, const char *name, uint32_t value)
{
    uint32_t hash = name_hash(name);
    struct name_slot *slot = slot_of(table, name, hash);
    if (slot->name) return false;
    *slot = (struct name_slot){name, hash, value};
    return true;
}

void names_set(struct name_table *table, const char *name, uint32_t value)
{
    if (!names_add(table, name, value)) slot_of(table, name, name_hash(name))->value = value;
}

bool names_find(const struct name_table *table, const char *name, uint32_t *ret_value)
{
    if (!table->slots) return false;
    const struct name_slot *slot = slot_of(table, name, name_hash(name));
    if (!slot->name) return false;
    if (ret_value) *ret_value = slot->value;
    return true;
}

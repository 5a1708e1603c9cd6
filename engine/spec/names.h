/* names.h: name → number, for files with thousands of names: a hash table that lives in an arena. */
#ifndef CRESCENDO_SPEC_NAMES_H
#define CRESCENDO_SPEC_NAMES_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct name_table {
    struct name_slot {
        const char *name; /* NULL: free */
        uint32_t hash, value;
    } * slots;
    uint32_t mask;
};

/* Room for count names, no more; the names are borrowed. */
void names_init(struct name_table *table, struct arena *arena, size_t count);

/* false: the name is there already and keeps its value. */
bool names_add(struct name_table *table, const char *name, uint32_t value);

/* As names_add, but a name that is there gets the value. */
void names_set(struct name_table *table, const char *name, uint32_t value);

/* false: not there. ret_value may be NULL. */
bool names_find(const struct name_table *table, const char *name, uint32_t *ret_value);

#endif

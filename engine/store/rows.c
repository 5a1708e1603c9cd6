/* rows.c: the last version of each projection row in a transaction: an open-addressed index over a list in the order of
   first mention. */
#include "store/journal_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct row_set {
    struct row *rows;
    size_t count, capacity;
    uint32_t *slots;   /* index in rows + 1; 0 = free */
    size_t slot_count; /* a power of two, at least twice count */
};

struct row_set *row_set_new(void)
{
    struct row_set *set = mem_alloc(sizeof *set);
    set->slot_count = 256;
    set->slots = mem_alloc_array(set->slot_count, sizeof *set->slots);
    return set;
}

void row_set_free(struct row_set **set)
{
    if (!*set) return;
    free((*set)->rows);
    free((*set)->slots);
    free(*set);
    *set = NULL;
}

void row_set_clear(struct row_set *set)
{
    set->count = 0;
    memset(set->slots, 0, set->slot_count * sizeof *set->slots);
}

size_t row_set_count(const struct row_set *set)
{
    return set->count;
}

struct row row_set_at(const struct row_set *set, size_t index)
{
    return set->rows[index];
}

static bool same_row(struct row a, struct row b)
{
    if (a.run) return b.run && a.run->run == b.run->run;
    if (a.document)
        return b.document && text_equal(a.document->id, b.document->id) && text_equal(a.document->collection, b.document->collection);
    return b.step && a.step->run == b.step->run && a.step->step == b.step->step;
}

static uint64_t key_of(struct row row)
{
    if (row.document) return text_hash(TEXT_HASH_SEED, row.document->id); /* collections are few, so that the id is enough */
    if (row.run) return row.run->run << 20 | 0xfffff;
    return row.step ? row.step->run << 20 ^ row.step->step : 0;
}

static size_t slot_of(const struct row_set *set, struct row row)
{
    size_t slot = (size_t)(key_of(row) * 0x9e3779b97f4a7c15ULL >> 20) & (set->slot_count - 1);
    while (set->slots[slot] && !same_row(set->rows[set->slots[slot] - 1], row))
        slot = (slot + 1) & (set->slot_count - 1);
    return slot;
}

static void grow(struct row_set *set)
{
    free(set->slots);
    set->slot_count *= 2;
    set->slots = mem_alloc_array(set->slot_count, sizeof *set->slots);
    for (size_t i = 0; i < set->count; i++)
        set->slots[slot_of(set, set->rows[i])] = (uint32_t)i + 1;
}

/* Returns the row that was there before. */
static struct row put(struct row_set *set, struct row row)
{
    if (2 * (set->count + 1) > set->slot_count) grow(set);
    size_t slot = slot_of(set, row);
    if (set->slots[slot]) {
        struct row before = set->rows[set->slots[slot] - 1];
        set->rows[set->slots[slot] - 1] = row;
        return before;
    }
    set->rows = mem_grow(set->rows, &set->capacity, set->count + 1, sizeof *set->rows);
    set->rows[set->count++] = row;
    set->slots[slot] = (uint32_t)set->count;
    return (struct row){0};
}

void row_set_add_run(struct row_set *set, struct run_row *row)
{
    struct row before = put(set, (struct row){.run = row});
    if (before.run && !row->key) row->key = before.run->key; /* the key may be given with the first row only */
}

void row_set_add_step(struct row_set *set, const struct step_row *row)
{
    put(set, (struct row){.step = row});
}

void row_set_add_document(struct row_set *set, const struct document *document)
{
    struct row row = {.document = document, .document_key = document->key};
    size_t slot = slot_of(set, row);
    const struct row *before = set->slots[slot] ? &set->rows[set->slots[slot] - 1] : NULL;
    if (before) row.anew = before->anew || !before->document->body;
    if (before && before->document->body) row.document_key = before->document_key;
    put(set, row);
}

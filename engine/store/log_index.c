/* log_index.c: which frames hold records of which step. Steps that print at the same time come up thousands of times in a frame, so what
   was gathered is put together whenever it has doubled. */
#include "store/log_index.h"

#include "base/mem.h"

#include <stdlib.h>

enum { FIRST_SORT = 4096 };

static int compare_ranges(const void *a, const void *b)
{
    const struct index_range *left = a, *right = b;
    if (left->step != right->step) return left->step < right->step ? -1 : 1;
    return left->first < right->first ? -1 : left->first > right->first;
}

static void put_together(struct log_index *index)
{
    size_t kept = 0;
    if (!index->count) return;
    qsort(index->ranges, index->count, sizeof *index->ranges, compare_ranges);
    for (size_t i = 1; i < index->count; i++) {
        struct index_range *last = &index->ranges[kept], next = index->ranges[i];
        if (next.step == last->step && next.first <= last->last + 1)
            last->last = next.last > last->last ? next.last : last->last;
        else
            index->ranges[++kept] = next;
    }
    index->count = index->sorted = kept + 1;
    if (index->count <= INDEX_RANGES_MAX / 2) return;
    index->overfull = true;
    index->count = index->sorted = 0;
}

void log_index_add(struct log_index *index, uint32_t step, uint32_t frame)
{
    struct index_range *last = index->count > index->sorted ? &index->ranges[index->count - 1] : NULL;
    if (index->overfull || (last && last->step == step && last->last == frame)) return;
    index->ranges = mem_grow(index->ranges, &index->capacity, index->count + 1, sizeof *index->ranges);
    index->ranges[index->count++] = (struct index_range){step, frame, frame};
    if (index->count >= 2 * index->sorted + FIRST_SORT) put_together(index);
}

void log_index_finish(struct log_index *index)
{
    put_together(index);
}

void log_index_release(struct log_index *index)
{
    free(index->ranges);
    *index = (struct log_index){0};
}

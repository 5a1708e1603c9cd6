/* mask_index.c: the filter, the groups of four bytes behind it, and the sorted forms. */
#include "mask_index.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { STRIDE_MOST = 16, FILTER_BITS_LEAST = 13, FILTER_BITS_MOST = 22, FILTER_PER_GRAM = 16, GRAMS_PER_BUCKET_BITS = 4 };

/* Four bytes of a form, at one of its first `stride` places. */
struct gram {
    uint32_t value, form, offset;
};
struct index {
    const struct forms *forms;
    size_t longest, stride, gram_count;
    unsigned filter_shift, bucket_shift; /* of a hash of 32 bits */
    uint8_t *filter;
    uint32_t *buckets;  /* where each begins in grams; one more at the end */
    struct gram *grams; /* by bucket */
    uint8_t first[256 / 8];
    uint8_t first_two[65536 / 8];
};

void forms_add(struct forms *forms, const char *bytes, size_t size)
{
    forms->items = mem_grow(forms->items, &forms->capacity, forms->count + 1, sizeof *forms->items);
    forms->items[forms->count++] = (struct form){(unsigned char *)mem_copy_bytes(bytes, size), size};
}

static void form_wipe(struct form *form)
{
    explicit_bzero(form->bytes, form->size);
    free(form->bytes);
}

void forms_wipe(struct forms *forms)
{
    for (size_t i = 0; i < forms->count; i++)
        form_wipe(&forms->items[i]);
    free(forms->items);
    *forms = (struct forms){0};
}

static int compare(const void *left, const void *right)
{
    const struct form *a = left, *b = right;
    int order = memcmp(a->bytes, b->bytes, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static void sort(struct forms *forms)
{
    size_t kept = 0;
    qsort(forms->items, forms->count, sizeof *forms->items, compare);
    for (size_t i = 0; i < forms->count; i++)
        if (kept && compare(&forms->items[kept - 1], &forms->items[i]) == 0)
            form_wipe(&forms->items[i]);
        else
            forms->items[kept++] = forms->items[i];
    forms->count = kept;
}

static inline uint32_t gram_at(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint32_t hash(uint32_t gram)
{
    return gram * 0x9e3779b1U;
}

static inline bool bit(const uint8_t *bits, uint32_t number)
{
    return bits[number >> 3] >> (number & 7) & 1;
}

static inline void set_bit(uint8_t *bits, uint32_t number)
{
    bits[number >> 3] = (uint8_t)(bits[number >> 3] | 1U << (number & 7));
}

static unsigned two(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static void choose_sizes(struct index *index)
{
    size_t shortest = SIZE_MAX;
    for (size_t i = 0; i < index->forms->count; i++) {
        size_t size = index->forms->items[i].size;
        if (size < shortest) shortest = size;
        if (size > index->longest) index->longest = size;
    }
    index->stride = shortest - MASK_GRAM_BYTES + 1;
    if (index->stride > STRIDE_MOST) index->stride = STRIDE_MOST;
    index->gram_count = index->forms->count * index->stride;
    unsigned bits = FILTER_BITS_LEAST;
    while (bits < FILTER_BITS_MOST && (1U << bits) < index->gram_count * FILTER_PER_GRAM)
        bits++;
    index->filter_shift = 32 - bits;
    index->bucket_shift = index->filter_shift + GRAMS_PER_BUCKET_BITS;
}

/* Counts, then fills, from the back of each bucket. */
static void fill(struct index *index)
{
    const struct forms *forms = index->forms;
    size_t buckets = (size_t)1 << (32 - index->bucket_shift), grams = index->gram_count;
    index->filter = mem_alloc((size_t)1 << (32 - index->filter_shift - 3));
    index->buckets = mem_alloc_array(buckets + 1, sizeof *index->buckets);
    index->grams = mem_alloc_array(grams, sizeof *index->grams);
    for (size_t i = 0; i < grams; i++)
        index->buckets[hash(gram_at(forms->items[i / index->stride].bytes + i % index->stride)) >> index->bucket_shift]++;
    for (size_t i = 1; i <= buckets; i++)
        index->buckets[i] += index->buckets[i - 1];
    for (size_t i = 0; i < grams; i++) {
        struct gram gram = {.form = (uint32_t)(i / index->stride), .offset = (uint32_t)(i % index->stride)};
        gram.value = gram_at(forms->items[gram.form].bytes + gram.offset);
        index->grams[--index->buckets[hash(gram.value) >> index->bucket_shift]] = gram;
        set_bit(index->filter, hash(gram.value) >> index->filter_shift);
    }
    for (size_t i = 0; i < forms->count; i++) {
        set_bit(index->first, forms->items[i].bytes[0]);
        set_bit(index->first_two, two(forms->items[i].bytes));
    }
}

struct index *index_new(struct forms *forms)
{
    struct index *index = mem_alloc(sizeof *index);
    sort(forms);
    index->forms = forms;
    choose_sizes(index);
    fill(index);
    return index;
}

void index_free(struct index **index)
{
    if (!*index) return;
    explicit_bzero((*index)->grams, (*index)->gram_count * sizeof(struct gram));
    free((*index)->filter);
    free((*index)->buckets);
    free((*index)->grams);
    free(*index);
    *index = NULL;
}

size_t index_longest(const struct index *index)
{
    return index->longest;
}

/* All forms that stand around the four bytes at `at`: they overlap there, so together they are one span. The text may end within one. */
static struct span look(const struct index *index, const unsigned char *text, size_t size, struct scan *scan)
{
    size_t at = scan->at;
    uint32_t value = gram_at(text + at), bucket = hash(value) >> index->bucket_shift;
    struct span span = {SIZE_MAX, 0};
    for (uint32_t i = index->buckets[bucket]; i < index->buckets[bucket + 1]; i++) {
        const struct gram *gram = &index->grams[i];
        if (gram->value != value || gram->offset > at) continue;
        const struct form *form = &index->forms->items[gram->form];
        size_t start = at - gram->offset, end = start + form->size, left = size - start;
        bool whole = form->size <= left;
        if ((!whole && scan->last) || memcmp(text + start, form->bytes, whole ? form->size : left) != 0) continue;
        if (whole && start < span.start) span.start = start;
        if (whole && end > span.end) span.end = end;
        if (!whole && (!scan->held || start < scan->hold)) scan->hold = start;
        if (!whole) scan->held = true;
    }
    return span;
}

/* Is tail the beginning of a form, and shorter? The first form that does not sort before it is one, or is the tail itself and the next is.
 */
static bool begins_form(const struct index *index, const unsigned char *tail, size_t size)
{
    const struct form wanted = {(unsigned char *)(uintptr_t)tail, size}, *items = index->forms->items;
    size_t low = 0, high = index->forms->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&items[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < index->forms->count && items[low].size == size && memcmp(items[low].bytes, tail, size) == 0) low++;
    return low < index->forms->count && items[low].size > size && memcmp(items[low].bytes, tail, size) == 0;
}

/* What the walk does not see: beginnings that are too short to hold four bytes at one of its places. */
static size_t hold_of_tail(const struct index *index, const unsigned char *text, size_t size)
{
    size_t most = index->stride + MASK_GRAM_BYTES - 2, place = size < most ? 0 : size - most;
    for (; place + 2 <= size; place++)
        if (bit(index->first_two, two(text + place)) && begins_form(index, text + place, size - place)) return place;
    return place < size && bit(index->first, text[place]) ? place : size;
}

bool index_next(const struct index *index, const unsigned char *text, size_t size, struct scan *scan, struct span *ret)
{
    const uint8_t *filter = index->filter;
    unsigned shift = index->filter_shift;
    size_t stride = index->stride, place = scan->at;
    for (; !scan->held && place + MASK_GRAM_BYTES <= size; place += stride) {
        if (!bit(filter, hash(gram_at(text + place)) >> shift)) continue;
        scan->at = place;
        struct span span = look(index, text, size, scan);
        scan->at = place + stride;
        if (!span.end || (scan->held && span.start >= scan->hold)) continue;
        *ret = span;
        return true;
    }
    scan->at = place;
    if (!scan->held) scan->hold = scan->last ? size : hold_of_tail(index, text, size);
    return false;
}

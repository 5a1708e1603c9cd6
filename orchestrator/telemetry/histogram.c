/* histogram.c: a value's bucket is its power of two and the six bits behind the highest. */
#include "orchestrator/telemetry/histogram.h"

enum { SUB_BUCKETS = 1 << HISTOGRAM_SUB_BITS };

static unsigned bucket_of(uint32_t value)
{
    unsigned high = value < 2 * SUB_BUCKETS ? HISTOGRAM_SUB_BITS : 31 - (unsigned)__builtin_clz(value);
    unsigned shift = high - HISTOGRAM_SUB_BITS;
    return shift * SUB_BUCKETS + (value >> shift);
}

static uint32_t middle_of(unsigned bucket)
{
    unsigned shift = bucket < 2 * SUB_BUCKETS ? 0 : bucket / SUB_BUCKETS - 1;
    uint32_t low = (uint32_t)(bucket - shift * SUB_BUCKETS) << shift;
    return low + (shift ? 1U << (shift - 1) : 0);
}

void histogram_add(struct histogram *histogram, uint32_t value)
{
    if (!histogram->count || value < histogram->min) histogram->min = value;
    if (value > histogram->max) histogram->max = value;
    histogram->count++;
    histogram->sum += value;
    histogram->buckets[bucket_of(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (!from->count) return;
    if (!into->count || from->min < into->min) into->min = from->min;
    if (from->max > into->max) into->max = from->max;
    into->count += from->count;
    into->sum += from->sum;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

uint32_t histogram_quantile(const struct histogram *histogram, unsigned of_10000)
{
    uint64_t rank = histogram->count / 10000 * of_10000 + (histogram->count % 10000 * of_10000 + 9999) / 10000, below = 0;
    if (rank >= histogram->count) return histogram->max;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += histogram->buckets[i];
        if (below < rank || !below) continue;
        uint32_t value = middle_of(i);
        return value < histogram->min ? histogram->min : value > histogram->max ? histogram->max : value;
    }
    return histogram->max;
}

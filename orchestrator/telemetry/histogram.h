/* histogram.h: how long requests took, in a fixed room: buckets as wide as 1/64 of what is in them, so that a quantile is at most 1/128
   (0.8 %) off. The layout is that of HdrHistogram (Gil Tene, http://hdrhistogram.org) with 64 sub-buckets a power of two; values below 128
   are exact. Two histograms merge by adding. Pure. */
#ifndef CRESCENDO_TELEMETRY_HISTOGRAM_H
#define CRESCENDO_TELEMETRY_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB_BITS = 6, HISTOGRAM_BUCKETS = (32 - HISTOGRAM_SUB_BITS) * 64 + 64 };

struct histogram { /* starts as {0} */
    uint64_t count, sum;
    uint32_t min, max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint32_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The least value that at least of_10000 / 10000 of all values do not exceed (nearest rank): 9900 is p99. 0 when it is empty. */
uint32_t histogram_quantile(const struct histogram *histogram, unsigned of_10000);

#endif

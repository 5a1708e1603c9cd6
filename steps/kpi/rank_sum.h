/* rank_sum.h: the sequential rank sum: counting the pairs in which the canary's value is the larger, and betting on their number. Exact
   whatever the distribution: it only needs that without harm every order of a tick's values is equally likely. Pure. */
#ifndef CRESCENDO_STEPS_KPI_RANK_SUM_H
#define CRESCENDO_STEPS_KPI_RANK_SUM_H

#include <stddef.h>
#include <stdint.h>

enum { RANK_BETS = 16 };

/* One arm's values in ascending order. */
struct arm {
    const double *values;
    size_t count;
};

/* Pairs in which canary / divisor is larger than baseline. Each order of equal values is equally likely, drawn from the seed. O(m + n). */
uint64_t rank_sum_count(const struct arm *canary, const struct arm *baseline, double divisor, uint64_t seed);

/* Bets on the number of pairs U among m and n values, neither of them 0: bet i multiplies its wealth by exp(slopes[i] (U - m n / 2) -
   costs[i]), whose mean over all orders is 1. The costs are even in the slope, so the same bets serve those who hope for few pairs.
   O(min(m, n)). */
struct rank_bets {
    double slopes[RANK_BETS], costs[RANK_BETS];
};
void rank_sum_bets(uint64_t m, uint64_t n, struct rank_bets *ret);

/* The logarithms of the factors for `pairs` of m n pairs. */
void rank_sum_factors(const struct rank_bets *bets, uint64_t m, uint64_t n, uint64_t pairs, double ret[RANK_BETS]);

#endif

/* rank_sum.c: counting pairs: one walk over both arms, ties by lot. */
#include "steps/kpi/rank_sum.h"

#include <stdbool.h>

/* splitmix64: Steele, Lea and Flood 2014. */
static uint64_t next_bits(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Whether an event of probability part / whole happens. */
static bool draw(uint64_t *seed, uint64_t part, uint64_t whole)
{
    return (uint64_t)(((unsigned __int128)next_bits(seed) * whole) >> 64) < part;
}

/* Equal values, put in an order by lot, the smallest first: the pairs among them in which the canary's is the larger. */
static uint64_t break_ties(uint64_t canary, uint64_t baseline, uint64_t *seed)
{
    uint64_t below = 0, pairs = 0;
    while (canary && baseline) {
        if (draw(seed, canary, canary + baseline)) {
            canary--;
            pairs += below;
        } else {
            baseline--;
            below++;
        }
    }
    return pairs + canary * below;
}

uint64_t rank_sum_count(const struct arm *canary, const struct arm *baseline, double divisor, uint64_t seed)
{
    uint64_t pairs = 0, bits = next_bits(&seed); /* mixed once, so that seeds a step apart are not one sequence a step apart */
    for (size_t i = 0, below = 0; i < canary->count;) {
        double value = canary->values[i] / divisor;
        size_t equal = 0, ties = 0;
        while (i < canary->count && canary->values[i] / divisor <= value)
            equal++, i++;
        while (below < baseline->count && baseline->values[below] < value)
            below++;
        while (below + ties < baseline->count && baseline->values[below + ties] <= value)
            ties++;
        pairs += equal * below + (ties ? break_ties(equal, ties, &bits) : 0);
        below += ties;
    }
    return pairs;
}

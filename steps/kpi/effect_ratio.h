/* effect_ratio.h: by how much the canary is slower: the ratio to the baseline with its standard error, of one tick. It describes and
 * decides nothing. Pure. */
#ifndef CRESCENDO_STEPS_KPI_EFFECT_RATIO_H
#define CRESCENDO_STEPS_KPI_EFFECT_RATIO_H

#include "steps/kpi/rank_sum.h"

#include <stdbool.h>

/* Hodges and Lehmann 1963, on logarithms: the median of all ratios canary / baseline, found as the divisor at which the rank sum balances;
   its standard error from the divisors at which it is off by 1.96 of its own standard deviations (normal approximation). O((m + n) log(1 /
   precision)). false: too few values, or so many zeros that there is no ratio. */
bool effect_ratio(const struct arm *canary, const struct arm *baseline, double *ret_log_ratio, double *ret_error);

#endif

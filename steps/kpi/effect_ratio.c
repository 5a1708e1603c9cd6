/* effect_ratio.c: the rank sum falls as the divisor grows, so each of its values is found by halving. */
#include "steps/kpi/effect_ratio.h"

#include <math.h>

static const double WIDEST = 12, PRECISION = 1e-4; /* of the logarithm of a ratio */
static const double Z = 1.959963984540054;         /* 95 % of a normal distribution lie within */
static const double LEAST_ERROR = 1e-3;            /* values as coarse as milliseconds agree by chance; nothing is known better than this */

/* Twice the number of pairs in which the canary's value is the larger after division, a tie as half a pair. */
static double count_twice(const struct arm *canary, const struct arm *baseline, double divisor)
{
    size_t below = 0, upto = 0, pairs = 0;
    for (size_t i = 0; i < canary->count; i++) {
        double value = canary->values[i] / divisor;
        while (below < baseline->count && baseline->values[below] < value)
            below++;
        if (upto < below) upto = below;
        while (upto < baseline->count && baseline->values[upto] <= value)
            upto++;
        pairs += below + upto;
    }
    return (double)pairs;
}

/* The logarithm of the divisor at which the count falls to `twice`, between low and high. */
static double find_divisor(const struct arm *canary, const struct arm *baseline, double twice, double low, double high)
{
    while (high - low > PRECISION) {
        double middle = (low + high) / 2, count = count_twice(canary, baseline, exp(middle));
        if (count > twice)
            low = middle;
        else if (count < twice)
            high = middle;
        else
            return middle;
    }
    return (low + high) / 2;
}

bool effect_ratio(const struct arm *canary, const struct arm *baseline, double *ret_log_ratio, double *ret_error)
{
    double m = (double)canary->count, n = (double)baseline->count, half = m * n / 2;
    double off = Z * sqrt(m * n * (m + n + 1) / 12);
    if (half - off < 0.5) return false;
    double middle = find_divisor(canary, baseline, 2 * half, -WIDEST, WIDEST);
    double low = find_divisor(canary, baseline, 2 * (half + off), -WIDEST, middle);
    double high = find_divisor(canary, baseline, 2 * (half - off), middle, WIDEST);
    if (low < PRECISION - WIDEST || high > WIDEST - PRECISION) return false;
    *ret_log_ratio = middle;
    *ret_error = fmax((high - low) / (2 * Z), LEAST_ERROR);
    return true;
}

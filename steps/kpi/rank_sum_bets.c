/* rank_sum_bets.c: what a bet on the number of pairs costs: the logarithm of the mean of exp(slope U) over all orders of m + n values.

   That mean is a Gaussian binomial coefficient over an ordinary one (Mann and Whitney 1947): the product over i = 1..m of
   expm1(l (n + i)) / expm1(l i), divided by C(m + n, m) = the product of (n + i) / i. With h(x) = log(sinh(x / 2) / (x / 2)) it is
   exp(l m n / 2) times exp(sum of h(l (n + i)) - h(l i)): the slope itself and the large powers cancel, so nothing is lost for small slopes
   or many values. */
#include "steps/kpi/rank_sum.h"

#include <math.h>

enum { TERMS = 12 };

/* Up to here the terms of the series fall by 1/15 each, so that the first one left out is below the last bit. */
static const double SERIES_UP_TO = 1.6;

/* h(x) = the sum of SERIES[k - 1] x^2k: B_2k / (2k (2k)!), the Bernoulli numbers. */
static const double SERIES[TERMS] = {1.0 / 24, -1.0 / 2880, 1.0 / 181440, -1.0 / 9676800, 1.0 / 479001600, -4.4034917822395777e-11,
    9.5589546647747697e-13, -2.1185501852016142e-14, 4.770034475709914e-16, -1.0874343492790309e-17, 2.5040921947091955e-19,
    -5.8143602857552179e-21};

/* For x^2, and what stands for its powers: powers[k] x^(2k+2). */
static double sum_series(double square, const double *powers)
{
    double sum = 0;
    for (int k = TERMS - 1; k >= 0; k--)
        sum = (sum + SERIES[k] * powers[k]) * square;
    return sum;
}

static double log_sinh_ratio(double x)
{
    static const double ones[TERMS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    if (x < SERIES_UP_TO) return sum_series(x * x, ones);
    return x / 2 + log1p(-exp(-x)) - log(x);
}

/* ret[k] = the sum over i = 1..few of ((many + i) / all)^(2k+2) - (i / all)^(2k+2), which all slopes share. */
static void sum_powers(uint64_t few, uint64_t many, double ret[TERMS])
{
    double all = (double)(many + few);
    for (int k = 0; k < TERMS; k++)
        ret[k] = 0;
    for (uint64_t i = 1; i <= few; i++) {
        double high = (double)(many + i) / all, low = (double)i / all;
        double high_power = 1, low_power = 1;
        for (int k = 0; k < TERMS; k++) {
            high_power *= high * high;
            low_power *= low * low;
            ret[k] += high_power - low_power;
        }
    }
}

static double sum_exactly(double slope, uint64_t few, uint64_t many)
{
    double sum = 0;
    for (uint64_t i = 1; i <= few; i++)
        sum += log_sinh_ratio(slope * (double)(many + i)) - log_sinh_ratio(slope * (double)i);
    return sum;
}

void rank_sum_bets(uint64_t m, uint64_t n, struct rank_bets *ret)
{
    uint64_t few = m < n ? m : n, many = m < n ? n : m;
    double all = (double)(m + n), deviation = sqrt((double)m * (double)n * (all + 1) / 12), powers[TERMS];
    sum_powers(few, many, powers);
    for (int i = 0; i < RANK_BETS; i++) {
        double slope = 0.1 * pow(25, i / (RANK_BETS - 1.0)) / deviation, widest = slope * all;
        ret->slopes[i] = slope;
        ret->costs[i] = widest <= SERIES_UP_TO ? sum_series(widest * widest, powers) : sum_exactly(slope, few, many);
    }
}

void rank_sum_factors(const struct rank_bets *bets, uint64_t m, uint64_t n, uint64_t pairs, double ret[RANK_BETS])
{
    double beyond = (double)pairs - (double)m * (double)n / 2;
    for (int i = 0; i < RANK_BETS; i++)
        ret[i] = bets->slopes[i] * beyond - bets->costs[i];
}

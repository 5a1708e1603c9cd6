/* odds.h: bets on failed requests. Given how many of a tick's requests failed in both arms together, how many of them were the canary's
   depends on the odds ratio alone (Fisher 1935; the non-central hypergeometric distribution): whatever drift both arms share drops out.
   Pure. */
#ifndef CRESCENDO_STEPS_KPI_ODDS_H
#define CRESCENDO_STEPS_KPI_ODDS_H

#include <stdint.h>

enum { ODDS_BETS = 24, RATE_BETS = 5 };

/* a of m requests of the canary failed, b of n of the baseline; a <= m, b <= n. */
struct odds_table {
    uint64_t a, m, b, n;
};

/* The logarithm of the probability of a, given a + b, m and n, when the true odds ratio of canary to baseline is odds > 0. At most O(min(m,
 * a + b)). */
double odds_log_probability(const struct odds_table *table, double odds);

/* The logarithms of likelihood ratios against `odds`, of odds ratios that are 1.1 to 16 times as high (up), or as many times as low. Their
   means are at most 1 when the true odds ratio is at most (at least) `odds`. */
void odds_factors_up(const struct odds_table *table, double odds, double ret[ODDS_BETS]);
void odds_factors_down(const struct odds_table *table, double odds, double ret[ODDS_BETS]);

/* The same for the canary's own rate of errors, of rates from a half of `rate` down to next to nothing, against `rate`: means at most 1
   when the true rate is at least `rate`; 0 < rate < 1. */
void rate_factors_down(const struct odds_table *table, double rate, double ret[RATE_BETS]);

#endif

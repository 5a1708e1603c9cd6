/* odds.c: the probability of a is 1 / (the sum of all terms, each as a multiple of a's own): no factorial is ever computed, so nothing is
 * lost for many requests. */
#include "steps/kpi/odds.h"

#include <stdbool.h>
#include <math.h>

/* Terms as multiples of one of them, in units of exp(log_unit). */
struct terms {
    double sum, term, log_unit;
};

/* Adds the next term. false: what is left adds nothing, as terms fall ever faster once they fall. */
static bool add_term(struct terms *terms, double ratio)
{
    static const double LARGE = 0x1p500;
    terms->term *= ratio;
    terms->sum += terms->term;
    if (terms->sum > LARGE) {
        terms->sum /= LARGE;
        terms->term /= LARGE;
        terms->log_unit += log(LARGE);
    }
    return ratio >= 1 || terms->term > terms->sum * 0x1p-60;
}

/* The terms above a: from k to k + 1 of the failed requests among the canary's. */
static void add_above(struct terms *terms, const struct odds_table *table, double odds)
{
    uint64_t failed = table->a + table->b, top = failed < table->m ? failed : table->m;
    for (uint64_t k = table->a; k < top; k++) {
        double ways = (double)(table->m - k) * (double)(failed - k), ways_back = (double)(k + 1) * (double)(table->n - (failed - k) + 1);
        if (!add_term(terms, odds * ways / ways_back)) return;
    }
}

static void add_below(struct terms *terms, const struct odds_table *table, double odds)
{
    uint64_t failed = table->a + table->b, bottom = failed > table->n ? failed - table->n : 0;
    for (uint64_t k = table->a; k > bottom; k--) {
        double ways = (double)(table->m - k + 1) * (double)(failed - k + 1), ways_back = (double)k * (double)(table->n - (failed - k));
        if (!add_term(terms, ways_back / (odds * ways))) return;
    }
}

double odds_log_probability(const struct odds_table *table, double odds)
{
    struct terms above = {.term = 1}, below = {.term = 1};
    add_above(&above, table, odds);
    add_below(&below, table, odds);
    double log_above = log(above.sum) + above.log_unit, log_below = log(below.sum) + below.log_unit;
    double largest = fmax(0, fmax(log_above, log_below));
    return -(largest + log(exp(-largest) + exp(log_above - largest) + exp(log_below - largest)));
}

static void factors(const struct odds_table *table, double odds, int direction, double ret[ODDS_BETS])
{
    double against = odds_log_probability(table, odds);
    for (int i = 0; i < ODDS_BETS; i++) {
        double step = 1.1 * pow(16 / 1.1, i / (ODDS_BETS - 1.0));
        ret[i] = odds_log_probability(table, direction > 0 ? odds * step : odds / step) - against;
    }
}

void odds_factors_up(const struct odds_table *table, double odds, double ret[ODDS_BETS])
{
    factors(table, odds, 1, ret);
}

void odds_factors_down(const struct odds_table *table, double odds, double ret[ODDS_BETS])
{
    factors(table, odds, -1, ret);
}

void rate_factors_down(const struct odds_table *table, double rate, double ret[RATE_BETS])
{
    /* The lowest is not 0: a single error would end that bet for ever. */
    static const double parts[RATE_BETS] = {1.0 / 1024, 1.0 / 16, 1.0 / 8, 1.0 / 4, 1.0 / 2};
    double failed = (double)table->a, served = (double)(table->m - table->a);
    for (int i = 0; i < RATE_BETS; i++)
        ret[i] = failed * log(parts[i]) + served * (log1p(-rate * parts[i]) - log1p(-rate));
}

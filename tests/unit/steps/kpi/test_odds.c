/* test_odds.c: Fisher's probabilities sum to 1, and bets on failed requests are fair under their null and worse than fair inside of it. */
#include "support.h"

#include "steps/kpi/odds.h"

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* Each way in which `failed` requests may fall to m and n. */
struct split {
    uint64_t low, high;
};
static struct split splits(uint64_t m, uint64_t n, uint64_t failed)
{
    return (struct split){failed > n ? failed - n : 0, failed < m ? failed : m};
}

static void probabilities_sum_to_one(void **state)
{
    (void)state;
    static const uint64_t cases[][3] = {
        {1, 1, 1}, {5, 9, 4}, {60, 60, 3}, {60, 60, 117}, {10, 200, 30}, {500, 300, 400}, {7, 3, 10}, {7, 3, 0}};
    static const double odds[] = {0.01, 0.5, 1, 1.25, 20, 1000};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t m = cases[i][0], n = cases[i][1], failed = cases[i][2];
        struct split split = splits(m, n, failed);
        for (size_t j = 0; j < sizeof odds / sizeof *odds; j++) {
            double sum = 0;
            for (uint64_t a = split.low; a <= split.high; a++)
                sum += exp(odds_log_probability(&(struct odds_table){a, m, failed - a, n}, odds[j]));
            assert_near(sum, 1, 1e-12);
        }
    }
}

static void a_probability_is_ways_times_odds(void **state)
{
    (void)state;
    double terms[31], all = 0;
    for (int a = 0; a <= 30; a++)
        all += terms[a] = exp(log_choose(80, a) + log_choose(120, 30 - a) + a * log(2.5));
    for (uint64_t a = 0; a <= 30; a++)
        assert_near(odds_log_probability(&(struct odds_table){a, 80, 30 - a, 120}, 2.5), log(terms[a] / all), 1e-9);
}

typedef void factors_of(const struct odds_table *table, double odds, double ret[ODDS_BETS]);

/* The largest mean of a bet against `null` when the truth is `truth`. */
static double largest_mean(factors_of *factors_for, double null, double truth)
{
    enum { M = 40, N = 70, FAILED = 25 };
    double means[ODDS_BETS] = {0}, factors[ODDS_BETS], largest = 0;
    for (uint64_t a = 0; a <= FAILED; a++) {
        const struct odds_table table = {a, M, FAILED - a, N};
        factors_for(&table, null, factors);
        for (int i = 0; i < ODDS_BETS; i++)
            means[i] += exp(odds_log_probability(&table, truth) + factors[i]);
    }
    for (int i = 0; i < ODDS_BETS; i++)
        largest = fmax(largest, means[i]);
    return largest;
}

static void bets_are_fair_at_the_null_and_worse_inside(void **state)
{
    (void)state;
    assert_near(largest_mean(odds_factors_up, 1.25, 1.25), 1, 1e-11);
    assert_true(largest_mean(odds_factors_up, 1.25, 1.1) < 1);
    assert_true(largest_mean(odds_factors_up, 1.25, 1.5) > 1);
    assert_near(largest_mean(odds_factors_down, 2.5, 2.5), 1, 1e-11);
    assert_true(largest_mean(odds_factors_down, 2.5, 3) < 1);
    assert_true(largest_mean(odds_factors_down, 2.5, 2) > 1);
}

static void arms_swapped_and_odds_turned_is_the_same(void **state)
{
    (void)state;
    double up[ODDS_BETS], down[ODDS_BETS];
    odds_factors_up(&(struct odds_table){9, 60, 3, 80}, 1.25, up);
    odds_factors_down(&(struct odds_table){3, 80, 9, 60}, 1 / 1.25, down);
    for (int i = 0; i < ODDS_BETS; i++)
        assert_near(up[i], down[i], 1e-12);
}

static void no_error_at_all_tells_nothing_about_the_odds(void **state)
{
    (void)state;
    double factors[ODDS_BETS];
    odds_factors_up(&(struct odds_table){0, 60, 0, 60}, 1.25, factors);
    for (int i = 0; i < ODDS_BETS; i++)
        assert_true(factors[i] == 0);
    odds_factors_down(&(struct odds_table){60, 60, 60, 60}, 2.5, factors); /* all failed: no more */
    for (int i = 0; i < ODDS_BETS; i++)
        assert_true(factors[i] == 0);
}

/* Whatever is far from what is likely needs thousands of units of the terms' scale. */
static void many_requests_stay_finite_and_right(void **state)
{
    (void)state;
    static const struct odds_table tables[] = {
        {0, 50000, 50000, 50000}, {50000, 50000, 0, 50000}, {1000, 50000, 1000, 50000}, {9, 1000000, 900000, 10000000}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        double up[ODDS_BETS], down[ODDS_BETS];
        odds_factors_up(&tables[i], 1.25, up);
        odds_factors_down(&tables[i], 2.5, down);
        for (int k = 0; k < ODDS_BETS; k++)
            assert_true(isfinite(up[k]) && isfinite(down[k]));
    }
    /* The other way round: all of the canary's and none of the baseline's, at odds 1: 1 / C(100000, 50000). */
    assert_near(odds_log_probability(&tables[1], 1), -log_choose(100000, 50000), 1e-6);
}

static double rate_mean(double null, double truth, int bet)
{
    double mean = 0;
    for (uint64_t a = 0; a <= 60; a++) {
        double factors[RATE_BETS];
        rate_factors_down(&(struct odds_table){a, 60, 0, 1}, null, factors);
        mean += exp(log_choose(60, (double)a) + (double)a * log(truth) + (double)(60 - a) * log1p(-truth) + factors[bet]);
    }
    return mean;
}

static void a_rate_above_the_negligible_one_never_pays(void **state)
{
    (void)state;
    for (int bet = 0; bet < RATE_BETS; bet++) {
        assert_near(rate_mean(0.01, 0.01, bet), 1, 1e-11);
        assert_true(rate_mean(0.01, 0.02, bet) < 1);
        assert_true(rate_mean(0.01, 0.001, bet) > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_sum_to_one),
        cmocka_unit_test(a_probability_is_ways_times_odds),
        cmocka_unit_test(bets_are_fair_at_the_null_and_worse_inside),
        cmocka_unit_test(arms_swapped_and_odds_turned_is_the_same),
        cmocka_unit_test(no_error_at_all_tells_nothing_about_the_odds),
        cmocka_unit_test(many_requests_stay_finite_and_right),
        cmocka_unit_test(a_rate_above_the_negligible_one_never_pays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

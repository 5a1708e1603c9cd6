/* test_rank_sum.c: pairs are counted right, ties fall by fair lot, and each bet's mean over all orders is 1. */
#include "support.h"

#include "base/mem.h"
#include "steps/kpi/rank_sum.h"

static void pairs_are_counted_as_one_by_one(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t m = 1; m < 30; m += 7) {
        for (size_t n = 1; n < 60; n += 13) {
            double canary[30], baseline[60];
            uint64_t expected = 0;
            for (size_t i = 0; i < m; i++)
                canary[i] = next_fraction(&seed);
            for (size_t j = 0; j < n; j++)
                baseline[j] = next_fraction(&seed);
            for (size_t i = 0; i < m; i++)
                for (size_t j = 0; j < n; j++)
                    expected += canary[i] / 1.3 > baseline[j];
            qsort(canary, m, sizeof *canary, compare_doubles);
            qsort(baseline, n, sizeof *baseline, compare_doubles);
            assert_int_equal(rank_sum_count(&(struct arm){canary, m}, &(struct arm){baseline, n}, 1.3, 7), expected);
        }
    }
}

static void every_order_of_equal_values_is_equally_likely(void **state)
{
    (void)state;
    const double same[] = {5, 5};
    static const int orders[5] = {1, 1, 2, 1, 1}; /* of the 6 orders of 2 and 2 values, those with 0 to 4 pairs */
    int seen[5] = {0};
    for (uint64_t seed = 0; seed < 60000; seed++)
        seen[rank_sum_count(&(struct arm){same, 2}, &(struct arm){same, 2}, 1, seed)]++;
    for (int pairs = 0; pairs < 5; pairs++)
        assert_near(seen[pairs], 10000 * orders[pairs], 500);
}

static void ties_beside_other_values_only_move_their_own_pairs(void **state)
{
    (void)state;
    const double canary[] = {0, 2, 2, 9}, baseline[] = {1, 2, 2, 3};
    bool seen[5] = {false};
    for (uint64_t seed = 0; seed < 300; seed++) {
        uint64_t pairs = rank_sum_count(&(struct arm){canary, 4}, &(struct arm){baseline, 4}, 1, seed);
        assert_in_range(pairs, 6, 10); /* 9 over four, each 2 over the 1, and the ties' own */
        seen[pairs - 6] = true;
    }
    for (int i = 0; i < 5; i++)
        assert_true(seen[i]);
}

static void the_same_seed_breaks_ties_the_same(void **state)
{
    (void)state;
    double same[100] = {0};
    const struct arm arm = {same, 100};
    assert_int_equal(rank_sum_count(&arm, &arm, 1.05, 42), rank_sum_count(&arm, &arm, 1.05, 42));
    assert_int_not_equal(rank_sum_count(&arm, &arm, 1.05, 42), rank_sum_count(&arm, &arm, 1.05, 43));
}

/* ways[u] = orders of m and n values with u pairs: the largest value is the canary's (over all n of the baseline) or is not. */
static void count_orders(size_t m, size_t n, double *ways)
{
    size_t most = m * n;
    for (size_t u = 0; u <= most; u++)
        ways[u] = 0;
    if (!m || !n) {
        ways[0] = 1;
        return;
    }
    double *with = mem_alloc_array(most + 1, sizeof *with), *without = mem_alloc_array(most + 1, sizeof *without);
    count_orders(m - 1, n, with);
    count_orders(m, n - 1, without);
    for (size_t u = 0; u <= most; u++)
        ways[u] = (u >= n ? with[u - n] : 0) + (u <= m * (n - 1) ? without[u] : 0);
    free(with);
    free(without);
}

static void check_means(size_t m, size_t n)
{
    struct rank_bets bets;
    double means[RANK_BETS] = {0}, factors[RANK_BETS], all = 0;
    double *ways = mem_alloc_array(m * n + 1, sizeof *ways);
    count_orders(m, n, ways);
    rank_sum_bets(m, n, &bets);
    for (size_t u = 0; u <= m * n; u++) {
        rank_sum_factors(&bets, m, n, u, factors);
        all += ways[u];
        for (int i = 0; i < RANK_BETS; i++)
            means[i] += ways[u] * exp(factors[i]);
    }
    for (int i = 0; i < RANK_BETS; i++)
        assert_near(means[i] / all, 1, 1e-12);
    free(ways);
}

static void each_bet_is_fair_over_all_orders(void **state)
{
    (void)state;
    for (size_t m = 1; m <= 7; m++)
        for (size_t n = 1; n <= 7; n++)
            check_means(m, n);
    check_means(1, 300);
    check_means(300, 1);
    check_means(2, 60);
    check_means(10, 10);
}

/* The recursion above is itself checked against every order as a set of bits. */
static void the_orders_are_all_orders(void **state)
{
    (void)state;
    double ways[17], seen[17] = {0};
    count_orders(4, 4, ways);
    for (unsigned order = 0; order < 256; order++) {
        if (__builtin_popcount(order) != 4) continue;
        unsigned pairs = 0, below = 0;
        for (unsigned bit = 0; bit < 8; bit++)
            if (order >> bit & 1)
                pairs += below;
            else
                below++;
        seen[pairs]++;
    }
    for (int u = 0; u <= 16; u++)
        assert_near(seen[u], ways[u], 0);
}

/* As docs/explanation/judge.md has the formula, in long double, less the slope's half of all pairs. */
static long double reference_cost(long double slope, double m, double n)
{
    long double sum = -slope * m * n / 2;
    for (double i = 1; i <= m; i++)
        sum += logl(expm1l(slope * (n + i)) / (n + i)) - logl(expm1l(slope * i) / i);
    return sum;
}

static void costs_are_right_for_many_values(void **state)
{
    (void)state;
    static const uint64_t sizes[][2] = {{60, 60}, {50000, 50000}, {5000, 95000}, {3, 99997}, {1, 100000}, {100000, 10}, {6, 120}};
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        struct rank_bets bets;
        rank_sum_bets(sizes[k][0], sizes[k][1], &bets);
        for (int i = 0; i < RANK_BETS; i += 3) {
            double expected = (double)reference_cost(bets.slopes[i], (double)sizes[k][0], (double)sizes[k][1]);
            assert_near(bets.costs[i], expected, 1e-9 + 1e-10 * expected);
        }
    }
}

static void who_hopes_for_few_pairs_has_the_same_bets(void **state)
{
    (void)state;
    struct rank_bets bets, swapped;
    double few[RANK_BETS], many[RANK_BETS];
    rank_sum_bets(12, 31, &bets);
    rank_sum_bets(31, 12, &swapped);
    rank_sum_factors(&bets, 12, 31, 100, few);
    rank_sum_factors(&swapped, 31, 12, 100, many);
    assert_memory_equal(few, many, sizeof few);
    rank_sum_factors(&bets, 12, 31, 12 * 31 - 100, many);
    for (int i = 0; i < RANK_BETS; i++)
        assert_near(few[i] + bets.costs[i], -(many[i] + bets.costs[i]), 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_counted_as_one_by_one),
        cmocka_unit_test(every_order_of_equal_values_is_equally_likely),
        cmocka_unit_test(ties_beside_other_values_only_move_their_own_pairs),
        cmocka_unit_test(the_same_seed_breaks_ties_the_same),
        cmocka_unit_test(each_bet_is_fair_over_all_orders),
        cmocka_unit_test(the_orders_are_all_orders),
        cmocka_unit_test(costs_are_right_for_many_values),
        cmocka_unit_test(who_hopes_for_few_pairs_has_the_same_bets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

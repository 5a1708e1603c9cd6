/* test_effects.c: the effects that a verdict tells of: the ratio of latencies is the median of all ratios, the odds ratio is Mantel and
 * Haenszel's. */
#include "support.h"

#include "steps/kpi/common_odds.h"
#include "steps/kpi/effect_ratio.h"

enum { M = 40, N = 50 };

static void make_arms(double ratio, double *canary, double *baseline)
{
    uint64_t seed = 3;
    for (int i = 0; i < M; i++)
        canary[i] = ratio * exp(next_fraction(&seed));
    for (int j = 0; j < N; j++)
        baseline[j] = exp(next_fraction(&seed));
    qsort(canary, M, sizeof *canary, compare_doubles);
    qsort(baseline, N, sizeof *baseline, compare_doubles);
}

static void the_ratio_is_the_median_of_all_ratios(void **state)
{
    (void)state;
    double canary[M], baseline[N], ratios[M * N], log_ratio, error;
    make_arms(1.5, canary, baseline);
    for (int i = 0; i < M * N; i++)
        ratios[i] = log(canary[i % M] / baseline[i / M]);
    qsort(ratios, M * N, sizeof *ratios, compare_doubles);
    assert_true(effect_ratio(&(struct arm){canary, M}, &(struct arm){baseline, N}, &log_ratio, &error));
    assert_near(log_ratio, (ratios[M * N / 2 - 1] + ratios[M * N / 2]) / 2, 2e-3);
    double off = 1.959963984540054 * sqrt(M * N * (M + N + 1) / 12.0);
    double low = ratios[(int)(M * N / 2 - off)], high = ratios[(int)(M * N / 2 + off)];
    assert_near(error, (high - low) / (2 * 1.959963984540054), 2e-3);
    assert_near(log_ratio, log(1.5), 3 * error);
}

static void a_ratio_of_arms_swapped_is_its_inverse(void **state)
{
    (void)state;
    double canary[M], baseline[N], one, other, error, other_error;
    make_arms(1.3, canary, baseline);
    assert_true(effect_ratio(&(struct arm){canary, M}, &(struct arm){baseline, N}, &one, &error));
    assert_true(effect_ratio(&(struct arm){baseline, N}, &(struct arm){canary, M}, &other, &other_error));
    assert_near(one, -other, 4e-4);
    assert_near(error, other_error, 4e-4);
}

static void equal_values_have_the_ratio_one_and_no_perfect_certainty(void **state)
{
    (void)state;
    double same[60], log_ratio, error;
    for (int i = 0; i < 60; i++)
        same[i] = 20;
    assert_true(effect_ratio(&(struct arm){same, 60}, &(struct arm){same, 60}, &log_ratio, &error));
    assert_near(log_ratio, 0, 1e-4);
    assert_near(error, 1e-3, 1e-12);
}

static void few_values_or_zeros_have_no_ratio(void **state)
{
    (void)state;
    double zeros[60] = {0}, values[60], log_ratio, error;
    for (int i = 0; i < 60; i++)
        values[i] = 1 + i;
    assert_false(effect_ratio(&(struct arm){values, 1}, &(struct arm){values, 3}, &log_ratio, &error));
    assert_false(effect_ratio(&(struct arm){zeros, 60}, &(struct arm){zeros, 60}, &log_ratio, &error));
    assert_false(effect_ratio(&(struct arm){values, 60}, &(struct arm){zeros, 60}, &log_ratio, &error));
    assert_false(effect_ratio(&(struct arm){zeros, 60}, &(struct arm){values, 60}, &log_ratio, &error));
}

/* Of one table both are known: the cross product, and Woolf's variance. */
static void the_odds_of_one_table_are_its_cross_product(void **state)
{
    (void)state;
    const struct odds_table table = {12, 60, 5, 80};
    double sums[ODDS_SUMS] = {0}, log_odds, error;
    common_odds_add(sums, &table);
    assert_true(common_odds(sums, &table, &log_odds, &error));
    assert_near(log_odds, log(12.0 * 75 / (48.0 * 5)), 1e-12);
    assert_near(error, sqrt(1 / 12.0 + 1 / 48.0 + 1 / 5.0 + 1 / 75.0), 1e-12);
}

/* Both arms fail ten times as often in one tick, and the canary has most of its requests there: pooled, it would look worse. */
static void a_drift_of_both_arms_is_no_effect(void **state)
{
    (void)state;
    double sums[ODDS_SUMS] = {0}, log_odds, error;
    common_odds_add(sums, &(struct odds_table){10, 1000, 90, 9000});
    common_odds_add(sums, &(struct odds_table){900, 9000, 100, 1000});
    assert_true(common_odds(sums, &(struct odds_table){910, 10000, 190, 10000}, &log_odds, &error));
    assert_near(log_odds, 0, 1e-12);
}

static void one_arm_without_errors_still_has_odds(void **state)
{
    (void)state;
    const struct odds_table table = {0, 100, 7, 100}, none = {0, 100, 0, 100};
    double sums[ODDS_SUMS] = {0}, log_odds, error;
    assert_false(common_odds(sums, &none, &log_odds, &error));
    common_odds_add(sums, &table);
    assert_true(common_odds(sums, &table, &log_odds, &error));
    assert_true(log_odds < -2 && error > 1 && isfinite(error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ratio_is_the_median_of_all_ratios),
        cmocka_unit_test(a_ratio_of_arms_swapped_is_its_inverse),
        cmocka_unit_test(equal_values_have_the_ratio_one_and_no_perfect_certainty),
        cmocka_unit_test(few_values_or_zeros_have_no_ratio),
        cmocka_unit_test(the_odds_of_one_table_are_its_cross_product),
        cmocka_unit_test(a_drift_of_both_arms_is_no_effect),
        cmocka_unit_test(one_arm_without_errors_still_has_odds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_evidence.c: what ticks make of a KPI's evidence: harm and harmlessness are found, what was not measured counts for nothing, earlier
 * waves count in part. */
#include "fixture.h"

static void feed_latency(struct evidence *evidence, double ratio, int ticks)
{
    uint64_t seed = 11;
    for (int i = 0; i < ticks; i++) {
        struct kpi_tick tick = latency_tick(ratio, &seed);
        evidence_feed(evidence, &LATENCY, &tick);
    }
}

static void feed_errors(struct evidence *evidence, const struct kpi_rules *rules, uint64_t canary, uint64_t baseline, int ticks)
{
    struct kpi_tick tick = errors_tick(canary, baseline);
    for (int i = 0; i < ticks; i++)
        evidence_feed(evidence, rules, &tick);
}

static void it_begins_with_no_evidence(void **state)
{
    (void)state;
    struct evidence evidence;
    double effect, low, high;
    const struct kpi_rules *both[] = {&LATENCY, &ERRORS};
    for (int i = 0; i < 2; i++) {
        evidence_init(&evidence, both[i]);
        assert_near(evidence_harm(&evidence, both[i]), 0, 1e-12);
        assert_near(evidence_clear(&evidence, both[i]), 0, 1e-12);
        assert_false(evidence_effect(&evidence, both[i], &effect, &low, &high));
    }
    assert_near(evidence_harm_bar(&LATENCY), log(200), 1e-12);
    assert_near(evidence_clear_bar(&LATENCY), log(20), 1e-12);
}

static void a_slow_canary_is_harm(void **state)
{
    (void)state;
    struct evidence evidence;
    double effect, low, high;
    evidence_init(&evidence, &LATENCY);
    feed_latency(&evidence, 1.5, 10);
    assert_true(evidence_harm(&evidence, &LATENCY) > evidence_harm_bar(&LATENCY));
    assert_true(evidence_clear(&evidence, &LATENCY) < 0);
    assert_true(evidence_effect(&evidence, &LATENCY, &effect, &low, &high));
    assert_true(low < log(1.5) && log(1.5) < high && high - low < 0.15);
    assert_int_equal(evidence.canary, 10 * VALUES);
}

static void an_equal_canary_is_clear(void **state)
{
    (void)state;
    struct evidence evidence;
    evidence_init(&evidence, &LATENCY);
    feed_latency(&evidence, 1, 20);
    assert_true(evidence_harm(&evidence, &LATENCY) < 0);
    assert_true(evidence_clear(&evidence, &LATENCY) > evidence_clear_bar(&LATENCY));
}

static void errors_of_the_canary_alone_are_harm(void **state)
{
    (void)state;
    struct evidence evidence;
    evidence_init(&evidence, &ERRORS);
    feed_errors(&evidence, &ERRORS, 8, 1, 10);
    assert_true(evidence_harm(&evidence, &ERRORS) > evidence_harm_bar(&ERRORS));
    assert_true(evidence_clear(&evidence, &ERRORS) < evidence_clear_bar(&ERRORS));
}

static void errors_of_both_alike_are_clear(void **state)
{
    (void)state;
    struct evidence evidence;
    evidence_init(&evidence, &ERRORS);
    feed_errors(&evidence, &ERRORS, 10, 10, 20);
    assert_true(evidence_harm(&evidence, &ERRORS) < 0);
    assert_true(evidence_clear(&evidence, &ERRORS) > evidence_clear_bar(&ERRORS));
}

static void no_error_at_all_is_clear_by_the_rate_alone(void **state)
{
    (void)state;
    struct kpi_rules odds_only = ERRORS;
    struct evidence evidence;
    odds_only.negligible = 0;
    evidence_init(&evidence, &ERRORS);
    feed_errors(&evidence, &ERRORS, 0, 0, 6);
    assert_true(evidence_clear(&evidence, &ERRORS) > evidence_clear_bar(&ERRORS));
    static const double parts[] = {1024, 16, 8, 4, 2};
    double rate = 0;
    for (int i = 0; i < 5; i++)
        rate += pow((1 - 0.01 / parts[i]) / (1 - 0.01), 600) / 5;
    assert_near(evidence_clear(&evidence, &ERRORS), log((1 + rate) / 2), 1e-12); /* the mean of both, the odds' being 1 */
    evidence_init(&evidence, &odds_only);
    feed_errors(&evidence, &odds_only, 0, 0, 1000);
    assert_near(evidence_clear(&evidence, &odds_only), 0, 1e-12);
}

/* Three in a hundred fail, which is not negligible, against one: the rate must not clear it. */
static void a_rate_that_matters_is_not_cleared_by_the_rate(void **state)
{
    (void)state;
    struct evidence evidence;
    evidence_init(&evidence, &ERRORS);
    feed_errors(&evidence, &ERRORS, 3, 1, 30);
    assert_true(evidence_clear(&evidence, &ERRORS) < evidence_clear_bar(&ERRORS));
}

static void an_empty_arm_changes_nothing(void **state)
{
    (void)state;
    double some[] = {1, 2, 3};
    struct evidence evidence, before;
    struct kpi_tick tick;
    evidence_init(&evidence, &LATENCY);
    feed_latency(&evidence, 1.2, 3);
    before = evidence;
    const struct kpi_sample samples[] = {{some, NULL, 3, 0, 0, 0}, {NULL, some, 0, 3, 0, 0}, {NULL, NULL, 0, 0, 0, 0}};
    for (int i = 0; i < 3; i++) {
        evidence_measure(&LATENCY, &samples[i], 1, &tick);
        assert_true(tick.m == 0 || tick.n == 0);
        evidence_feed(&evidence, &LATENCY, &tick);
        assert_memory_equal(&evidence, &before, sizeof evidence);
    }
    evidence_init(&evidence, &ERRORS);
    before = evidence;
    evidence_measure(&ERRORS, &(struct kpi_sample){NULL, NULL, 50, 0, 50, 0}, 1, &tick);
    evidence_feed(&evidence, &ERRORS, &tick);
    assert_memory_equal(&evidence, &before, sizeof evidence);
}

static void what_is_no_latency_is_left_out_and_not_counted(void **state)
{
    (void)state;
    const double canary[] = {NAN, 3, -1, INFINITY, 1, -INFINITY}, baseline[] = {2, NAN};
    struct kpi_tick tick;
    evidence_measure(&LATENCY, &(struct kpi_sample){canary, baseline, 6, 2, 0, 0}, 1, &tick);
    assert_int_equal(tick.m, 2);
    assert_int_equal(tick.n, 1);
    assert_int_equal(tick.u, 1);
    assert_int_equal(tick.v, 1);
}

static void the_statistics_are_pairs_beyond_each_end(void **state)
{
    (void)state;
    const double canary[] = {104, 106, 119, 121}, baseline[] = {100};
    struct kpi_tick tick;
    evidence_measure(&LATENCY, &(struct kpi_sample){canary, baseline, 4, 1, 0, 0}, 1, &tick);
    assert_int_equal(tick.u, 3); /* above 105 */
    assert_int_equal(tick.v, 3); /* below 120 */
}

static void values_that_are_all_equal_tell_nothing(void **state)
{
    (void)state;
    struct kpi_rules rules = LATENCY;
    double zeros[VALUES] = {0};
    struct evidence evidence;
    struct kpi_tick tick;
    rules.tolerate = 1;
    evidence_init(&evidence, &rules);
    for (uint64_t i = 0; i < 60; i++) {
        evidence_measure(&rules, &(struct kpi_sample){zeros, zeros, VALUES, VALUES, 0, 0}, i, &tick);
        evidence_feed(&evidence, &rules, &tick);
        assert_true(evidence_harm(&evidence, &rules) < evidence_harm_bar(&rules));
    }
}

static void a_tick_that_is_far_too_large_counts_for_nothing(void **state)
{
    (void)state;
    struct kpi_tick tick;
    evidence_measure(&ERRORS, &(struct kpi_sample){NULL, NULL, KPI_TICK_MAX + 1, 5, 0, 0}, 0, &tick);
    assert_int_equal(tick.m, 0);
    evidence_measure(&ERRORS, &(struct kpi_sample){NULL, NULL, 5, 5, 9, 7}, 0, &tick);
    assert_int_equal(tick.a, 5);
    assert_int_equal(tick.b, 5);
}

static void huge_arms_are_judged(void **state)
{
    (void)state;
    enum { MANY = 50000 };
    double *values = calloc(2 * MANY, sizeof *values);
    struct evidence evidence;
    struct kpi_tick tick;
    uint64_t seed = 5;
    for (int i = 0; i < 2 * MANY; i++)
        values[i] = exp(next_fraction(&seed)) * (i < MANY ? 1.1 : 1);
    evidence_init(&evidence, &LATENCY);
    evidence_measure(&LATENCY, &(struct kpi_sample){values, values + MANY, MANY, MANY, 0, 0}, 1, &tick);
    evidence_feed(&evidence, &LATENCY, &tick);
    assert_true(evidence_harm(&evidence, &LATENCY) > evidence_harm_bar(&LATENCY));
    assert_true(evidence_clear(&evidence, &LATENCY) > evidence_clear_bar(&LATENCY)); /* between both ends, either may come first */
    assert_near(tick.effect, log(1.1), 0.02);
    free(values);
}

static void an_earlier_wave_counts_half(void **state)
{
    (void)state;
    struct evidence evidence;
    evidence_init(&evidence, &LATENCY);
    evidence_carry(&evidence, log(9));
    assert_near(evidence_harm(&evidence, &LATENCY), log(5), 1e-12);
    assert_near(evidence_clear(&evidence, &LATENCY), 0, 1e-12);
    evidence_carry(&evidence, -500);
    assert_near(evidence_harm(&evidence, &LATENCY), -log(2), 1e-12);
}

/* It can only bring half of what decides: this wave must find something itself. */
static void an_earlier_wave_is_bounded(void **state)
{
    (void)state;
    struct evidence evidence;
    const double hostile[] = {log(200), 100, 1e300, INFINITY};
    for (int i = 0; i < 4; i++) {
        evidence_init(&evidence, &LATENCY);
        evidence_carry(&evidence, hostile[i]);
        assert_near(evidence_harm(&evidence, &LATENCY), log(100.5), 1e-9); /* at an alpha of 1/200 */
    }
    evidence_init(&evidence, &LATENCY);
    evidence_carry(&evidence, NAN);
    assert_near(evidence_harm(&evidence, &LATENCY), 0, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_with_no_evidence),
        cmocka_unit_test(a_slow_canary_is_harm),
        cmocka_unit_test(an_equal_canary_is_clear),
        cmocka_unit_test(errors_of_the_canary_alone_are_harm),
        cmocka_unit_test(errors_of_both_alike_are_clear),
        cmocka_unit_test(no_error_at_all_is_clear_by_the_rate_alone),
        cmocka_unit_test(a_rate_that_matters_is_not_cleared_by_the_rate),
        cmocka_unit_test(an_empty_arm_changes_nothing),
        cmocka_unit_test(what_is_no_latency_is_left_out_and_not_counted),
        cmocka_unit_test(the_statistics_are_pairs_beyond_each_end),
        cmocka_unit_test(values_that_are_all_equal_tell_nothing),
        cmocka_unit_test(a_tick_that_is_far_too_large_counts_for_nothing),
        cmocka_unit_test(huge_arms_are_judged),
        cmocka_unit_test(an_earlier_wave_counts_half),
        cmocka_unit_test(an_earlier_wave_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

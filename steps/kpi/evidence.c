/* evidence.c: what a tick's statistic is worth, for one KPI. Each factor has a mean of at most 1 given the past under its null, so their
 * product is an e-process. */
#include "steps/kpi/evidence.h"

#include "base/mem.h"
#include "steps/kpi/common_odds.h"
#include "steps/kpi/effect_ratio.h"
#include "steps/kpi/mixture.h"
#include "steps/kpi/odds.h"
#include "steps/kpi/rank_sum.h"

#include <math.h>
#include <stdlib.h>

_Static_assert(sizeof(struct evidence) <= 1024, "docs/explanation/judge.md promises at most 1 KiB");
_Static_assert((int)RANK_BETS <= (int)EVIDENCE_WEIGHTS && (int)ODDS_BETS <= (int)EVIDENCE_WEIGHTS, "a mixture holds them");
_Static_assert((int)RATE_BETS <= (int)ODDS_BETS, "the same room serves both");

static bool has_rate(const struct kpi_rules *rules)
{
    return rules->measure == KPI_ERRORS && rules->negligible > 0 && rules->negligible < 1;
}

void evidence_init(struct evidence *evidence, const struct kpi_rules *rules)
{
    bool is_errors = rules->measure == KPI_ERRORS;
    *evidence = (struct evidence){.canary = 0};
    mixture_init(&evidence->harm, is_errors ? ODDS_BETS : RANK_BETS);
    mixture_init(&evidence->clear, is_errors ? ODDS_BETS : RANK_BETS);
    if (is_errors) mixture_init(&evidence->rate, RATE_BETS);
}

void evidence_carry(struct evidence *evidence, double log_harm)
{
    static const double FARTHEST = 1e6;
    if (!isnan(log_harm)) evidence->carried = log_mean(0, fmax(-FARTHEST, fmin(FARTHEST, log_harm)));
}

static int compare_values(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Those that can be compared, in ascending order. */
static struct arm sort_values(const double *values, size_t count, double *room)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]) && values[i] >= 0) room[used++] = values[i];
    qsort(room, used, sizeof *room, compare_values);
    return (struct arm){room, used};
}

static void free_doubles(double **values)
{
    free(*values);
}

static void measure_latency(const struct kpi_rules *rules, const struct kpi_sample *sample, uint64_t seed, struct kpi_tick *ret)
{
    AUTO(free_doubles) double *room = mem_alloc_array(sample->canary_count + sample->baseline_count, sizeof *room);
    struct arm canary = sort_values(sample->canary, sample->canary_count, room);
    struct arm baseline = sort_values(sample->baseline, sample->baseline_count, room + sample->canary_count);
    *ret = (struct kpi_tick){.m = canary.count, .n = baseline.count};
    if (!ret->m || !ret->n) return;
    ret->u = rank_sum_count(&canary, &baseline, rules->tolerate, seed);
    ret->v = ret->m * ret->n - rank_sum_count(&canary, &baseline, rules->clear, ~seed);
    if (!effect_ratio(&canary, &baseline, &ret->effect, &ret->error)) ret->effect = ret->error = 0;
}

void evidence_measure(const struct kpi_rules *rules, const struct kpi_sample *sample, uint64_t seed, struct kpi_tick *ret)
{
    size_t m = sample->canary_count, n = sample->baseline_count;
    *ret = (struct kpi_tick){.m = 0};
    if (m > KPI_TICK_MAX || n > KPI_TICK_MAX) return;
    if (rules->measure == KPI_LATENCY)
        measure_latency(rules, sample, seed, ret);
    else
        *ret = (struct kpi_tick){.m = m,
            .n = n,
            .a = sample->canary_errors < m ? sample->canary_errors : m,
            .b = sample->baseline_errors < n ? sample->baseline_errors : n};
}

static void feed_latency(struct evidence *evidence, const struct kpi_tick *tick)
{
    struct rank_bets bets;
    double factors[RANK_BETS];
    rank_sum_bets(tick->m, tick->n, &bets);
    rank_sum_factors(&bets, tick->m, tick->n, tick->u, factors);
    mixture_add(&evidence->harm, factors);
    rank_sum_factors(&bets, tick->m, tick->n, tick->v, factors);
    mixture_add(&evidence->clear, factors);
    if (!(tick->error > 0)) return;
    double weight = 1 / (tick->error * tick->error);
    evidence->effect_weight += weight;
    evidence->effect_sum += weight * tick->effect;
}

static void feed_errors(struct evidence *evidence, const struct kpi_rules *rules, const struct kpi_tick *tick)
{
    const struct odds_table table = {tick->a, tick->m, tick->b, tick->n};
    double factors[ODDS_BETS];
    odds_factors_up(&table, rules->tolerate, factors);
    mixture_add(&evidence->harm, factors);
    odds_factors_down(&table, rules->clear, factors);
    mixture_add(&evidence->clear, factors);
    if (has_rate(rules)) {
        rate_factors_down(&table, rules->negligible, factors);
        mixture_add(&evidence->rate, factors);
    }
    evidence->canary_errors += tick->a;
    evidence->baseline_errors += tick->b;
    common_odds_add(evidence->odds_sums, &table);
}

void evidence_feed(struct evidence *evidence, const struct kpi_rules *rules, const struct kpi_tick *tick)
{
    if (!tick->m || !tick->n) return;
    evidence->canary += tick->m;
    evidence->baseline += tick->n;
    if (rules->measure == KPI_LATENCY)
        feed_latency(evidence, tick);
    else
        feed_errors(evidence, rules, tick);
}

double evidence_harm(const struct evidence *evidence, const struct kpi_rules *rules)
{
    return mixture_log(&evidence->harm) + fmin(evidence->carried, log_mean(0, evidence_harm_bar(rules)));
}

/* Errors: harm means high odds and a rate that matters, so evidence against either clears; the mean of two e-processes is one
 * (docs/adr/0017). */
double evidence_clear(const struct evidence *evidence, const struct kpi_rules *rules)
{
    double clear = mixture_log(&evidence->clear);
    return !has_rate(rules) ? clear : log_mean(clear, mixture_log(&evidence->rate));
}

double evidence_harm_bar(const struct kpi_rules *rules)
{
    return -log(rules->alpha);
}

double evidence_clear_bar(const struct kpi_rules *rules)
{
    return -log(rules->beta);
}

static bool effect_of(const struct evidence *evidence, const struct kpi_rules *rules, double *ret_effect, double *ret_error)
{
    if (rules->measure == KPI_ERRORS) {
        const struct odds_table all = {evidence->canary_errors, evidence->canary, evidence->baseline_errors, evidence->baseline};
        return common_odds(evidence->odds_sums, &all, ret_effect, ret_error);
    }
    if (!(evidence->effect_weight > 0)) return false;
    *ret_effect = evidence->effect_sum / evidence->effect_weight;
    *ret_error = 1 / sqrt(evidence->effect_weight);
    return true;
}

bool evidence_effect(const struct evidence *evidence, const struct kpi_rules *rules, double *ret_effect, double *ret_low, double *ret_high)
{
    static const double Z = 1.959963984540054; /* 95 % of a normal distribution lie within */
    double effect, error;
    if (!effect_of(evidence, rules, &effect, &error)) return false;
    *ret_effect = effect;
    *ret_low = effect - Z * error;
    *ret_high = effect + Z * error;
    return true;
}

/* fixture.h: rules and ticks for the tests of a KPI's evidence. */
#ifndef CRESCENDO_TESTS_KPI_FIXTURE_H
#define CRESCENDO_TESTS_KPI_FIXTURE_H

#include "support.h"

#include "steps/kpi/evidence.h"

enum { VALUES = 60 };

static const struct kpi_rules LATENCY = {
    .measure = KPI_LATENCY, .tolerate = 1.05, .clear = 1.20, .critical = true, .alpha = 0.005, .beta = 0.05};
static const struct kpi_rules ERRORS = {
    .measure = KPI_ERRORS, .tolerate = 1.25, .clear = 2.5, .negligible = 0.01, .critical = true, .alpha = 0.005, .beta = 0.05};

/* A tick of 60 values an arm; the canary's are `ratio` times as large as the baseline's, all else equal. */
UNUSED static struct kpi_tick latency_tick(double ratio, uint64_t *seed)
{
    double canary[VALUES], baseline[VALUES];
    struct kpi_tick tick;
    for (int i = 0; i < VALUES; i++) {
        canary[i] = 0.02 * ratio * exp(next_fraction(seed));
        baseline[i] = 0.02 * exp(next_fraction(seed));
    }
    evidence_measure(&LATENCY, &(struct kpi_sample){canary, baseline, VALUES, VALUES, 0, 0}, *seed, &tick);
    return tick;
}

UNUSED static struct kpi_tick errors_tick(uint64_t canary, uint64_t baseline)
{
    struct kpi_tick tick;
    evidence_measure(&ERRORS, &(struct kpi_sample){NULL, NULL, 100, 100, canary, baseline}, 0, &tick);
    return tick;
}

#endif

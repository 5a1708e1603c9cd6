/* evidence.h: the evidence of one KPI over a whole canary: two e-processes, one against "no harm beyond what is tolerated", one against
   "harm as great as must be excluded", fed with ticks. Anytime-valid: it may be looked at after every tick. Pure: no clock, no I/O;
   randomness comes in as a seed.

   Raw values become a tick's statistic (evidence_measure), a statistic becomes evidence (evidence_feed). Only statistics are stored, so a
   stored decision can be computed again to the same bits. What is decided for a tick depends on ticks before it only.

   Sources. Ville's inequality for non-negative supermartingales; sequential rank sum: exponential tilting of the Mann-Whitney U under
   exchangeability; errors: Fisher's non-central hypergeometric distribution. docs/explanation/judge.md derives them. */
#ifndef CRESCENDO_STEPS_KPI_EVIDENCE_H
#define CRESCENDO_STEPS_KPI_EVIDENCE_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kpi_measure { KPI_LATENCY, KPI_ERRORS };

/* How one KPI is judged. */
struct kpi_rules {
    enum kpi_measure measure;
    double tolerate;   /* latency: the worst true ratio canary/baseline that is fine (1.05); errors: the worst odds ratio (1.25) */
    double clear;      /* the ratio (1.20) or odds ratio (2.5) that must be excluded before promotion; above tolerate */
    double negligible; /* errors: a true rate of the canary below this (0.01) may be promoted whatever the odds; 0 = none */
    bool critical;     /* the others are reported and never decide */
    double alpha;      /* its part of the budget of false rollbacks (0.005); critical ones only */
    double beta;       /* of false clearing (0.05) */
};

/* What one tick measured. Values of latency in any unit; what is not finite or negative is left out and not counted. A failed request
   counts as an error and has a latency. */
struct kpi_sample {
    const double *canary, *baseline;
    size_t canary_count, baseline_count;
    size_t canary_errors, baseline_errors;
};

/* What a KPI is fed with for one tick; the members of docs/formats/evidence.md. */
struct kpi_tick {
    uint64_t m, n;        /* values, or requests, of canary and baseline */
    uint64_t u, v;        /* latency */
    uint64_t a, b;        /* errors */
    double effect, error; /* latency: log ratio and its standard error; error 0: none */
};

enum { EVIDENCE_WEIGHTS = 24, ODDS_SUMS = 5 };

/* Values or requests of one arm in a tick; a tick of more is fed as one of none. */
enum { KPI_TICK_MAX = 10 * 1000 * 1000 };

/* One e-process: a mixture of bets. */
struct mixture {
    unsigned count;
    double log_weights[EVIDENCE_WEIGHTS];
};

/* One KPI's state; at most 1 KiB. */
struct evidence {
    struct mixture harm, clear;
    struct mixture rate;                     /* errors: against "the canary's rate is at least negligible" */
    double effect_weight, effect_sum;        /* latency: inverse variances, and these times the effects */
    uint64_t canary, baseline;               /* what was used so far */
    uint64_t canary_errors, baseline_errors; /* of these */
    double odds_sums[ODDS_SUMS];             /* errors: for the Mantel-Haenszel odds ratio (steps/kpi/common_odds.h) */
    double carried; /* log of the factor that an earlier wave's evidence of harm gives, before it is bounded; 0 = none */
};

void evidence_init(struct evidence *evidence, const struct kpi_rules *rules);

/* An earlier wave's log E of harm: half of the stake goes on from it, half starts anew, so harm that three short waves miss one by one is
   found together, and a wave that went well cannot hide it. More than 1/alpha is taken as that. Before the first tick. */
void evidence_carry(struct evidence *evidence, double log_harm);

/* Sorts nothing in place, allocates m + n doubles. *ret has m = 0 or n = 0 where an arm is empty; feeding that changes nothing. */
void evidence_measure(const struct kpi_rules *rules, const struct kpi_sample *sample, uint64_t seed, struct kpi_tick *ret);

void evidence_feed(struct evidence *evidence, const struct kpi_rules *rules, const struct kpi_tick *tick);

/* Natural logarithms of E. */
double evidence_harm(const struct evidence *evidence, const struct kpi_rules *rules);
double evidence_clear(const struct evidence *evidence, const struct kpi_rules *rules);

/* Where they decide: log(1/alpha), log(1/beta); infinite where that is 0. */
double evidence_harm_bar(const struct kpi_rules *rules);
double evidence_clear_bar(const struct kpi_rules *rules);

/* The effect seen so far: natural logarithm of the ratio or odds ratio with an interval of 95 % that describes, and decides nothing.
   false: nothing is known. */
bool evidence_effect(const struct evidence *evidence, const struct kpi_rules *rules, double *ret_effect, double *ret_low, double *ret_high);

/* There and back to the same bits, also through text of 17 digits. -ERROR_INVALID: a number is not finite or out of range, or the KPI is
   of another kind. */
json_t *evidence_to_json(const struct evidence *evidence);
int evidence_from_json(const json_t *json, const struct kpi_rules *rules, struct evidence *ret, struct error *err) MUST_CHECK;
json_t *kpi_tick_to_json(const struct kpi_rules *rules, const struct kpi_tick *tick);
int kpi_tick_from_json(const json_t *json, const struct kpi_rules *rules, struct kpi_tick *ret, struct error *err) MUST_CHECK;

#endif

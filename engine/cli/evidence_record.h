/* evidence_record.h: the evidence of one canary, read from what its step put on record (docs/formats/evidence.md). Pure. */
#ifndef CRESCENDO_CLI_EVIDENCE_RECORD_H
#define CRESCENDO_CLI_EVIDENCE_RECORD_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tick_record {
    int64_t number, at_ms, lasted_ms;
    double share; /* percent */
    bool used;
    const char *because;      /* why it was not; borrowed from the records */
    int64_t canary, baseline; /* requests */
};

/* Logarithms are natural, and of E. */
struct kpi_record {
    const char *name, *measure;
    bool critical;
    double harm_bar, clear_bar; /* where they decide; harm_bar 0: it decides nothing */
    double *harm, *clear;       /* by tick; one that was not used keeps what was before; owned */
    int64_t canary, baseline;   /* values that were used */
    int64_t canary_errors, baseline_errors;
    bool has_effect;
    double effect, low, high; /* logarithms of the ratio, or of the odds ratio */
};

struct evidence_record {
    const char *step, *family, *policy, *canary,
        *baseline;   /* versions where they are known, else ids; baseline: NULL = none; borrowed from the records */
    json_t *records; /* as they were recorded, in their order; owned */
    struct tick_record *ticks;
    struct kpi_record *kpis;
    size_t tick_count, kpi_count;
    const json_t *verdict; /* NULL: not yet */
};

/* records: [{step, record}, ...] of one step, in order; stolen. What a record lacks is as if it were 0; it never fails. */
void evidence_record_read(json_t *records, struct evidence_record *ret);
void evidence_record_release(struct evidence_record *evidence);

double kpi_harm(const struct evidence_record *evidence, const struct kpi_record *kpi); /* after the last tick */
double kpi_clear(const struct evidence_record *evidence, const struct kpi_record *kpi);

#endif

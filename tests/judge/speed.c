/* speed.c: what judging costs, beside sorting the same values, which any comparison of two samples must do. */
#include "tests/judge/judge.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VALUES = 1200000, DIFFERENT = 64 }; /* an arm, in all ticks */

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double time_judging(const struct scenario *scenario, struct stream *streams, unsigned rounds)
{
    struct evidence evidence;
    struct kpi_tick tick;
    double begun = processor_seconds();
    evidence_init(&evidence, &scenario->rules);
    for (unsigned i = 0; i < rounds; i++) {
        evidence_measure(&scenario->rules, &streams[i % DIFFERENT].sample, i, &tick);
        evidence_feed(&evidence, &scenario->rules, &tick);
        if (evidence_harm(&evidence, &scenario->rules) > 1e9 || evidence_clear(&evidence, &scenario->rules) > 1e9) abort();
    }
    return processor_seconds() - begun;
}

static double time_sorting(struct stream *streams, unsigned rounds, unsigned values)
{
    double room[ARM_MOST], begun = processor_seconds();
    for (unsigned i = 0; i < rounds; i++) {
        for (int arm = 0; arm < 2; arm++) {
            memcpy(room, streams[i % DIFFERENT].values[arm], values * sizeof *room);
            qsort(room, values, sizeof *room, compare);
        }
    }
    return processor_seconds() - begun;
}

void measure_speed(unsigned values, double *ret_judged, double *ret_sorted)
{
    struct truth truth = scenarios[0].truth;
    unsigned rounds = VALUES / values;
    struct stream *streams = calloc(DIFFERENT, sizeof *streams);
    if (!streams) abort();
    truth.values = truth.against = values;
    for (unsigned i = 0; i < DIFFERENT; i++) {
        stream_begin(&streams[i], &truth, i);
        stream_next(&streams[i]);
        streams[i].sample.canary = streams[i].values[0];
        streams[i].sample.baseline = streams[i].values[1];
    }
    *ret_judged = rounds / time_judging(&scenarios[0], streams, rounds);
    *ret_sorted = rounds / time_sorting(streams, rounds, values);
    free(streams);
}

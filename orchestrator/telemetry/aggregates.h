/* aggregates.h: what many records come to: counts, errors, bytes and latency, for each arm and each step of time. Pure.

   An error is an answer of 500 and more, or none because no instance took the request; a client that left counts apart, and its
   request's latency nowhere, because it is the client's. Gaps are of no arm. Two that were begun alike merge by adding. */
#ifndef CRESCENDO_TELEMETRY_AGGREGATES_H
#define CRESCENDO_TELEMETRY_AGGREGATES_H

#include "crescendo/error.h"
#include "exec/telemetry.h"
#include "orchestrator/telemetry/histogram.h"

#include <jansson.h>
#include <stddef.h>

/* Some 14 KiB a cell, so at most 28 MiB. */
enum { AGGREGATES_MAX_STEPS = 2000, AGGREGATES_MAX_CELLS = 2048 };

struct telemetry_cell {
    uint64_t requests, errors, aborted, no_server, retried, bytes;
    uint64_t classes[6]; /* by the status' first digit; [0]: none */
    struct histogram latency_us;
};

struct telemetry_gaps {
    uint64_t count, lost; /* how often, how many records */
};

struct telemetry_series {
    uint32_t arm;                          /* 0: no service took these */
    struct telemetry_cell *total, **steps; /* a step's is NULL while nothing is in it; steps is NULL without steps */
};

struct telemetry_aggregates { /* made by _begin; _release frees */
    int64_t from_us, to_us, step_us;
    size_t step_count;         /* 0: no steps */
    int64_t first_us, last_us; /* of the requests that are in it */
    struct telemetry_gaps gaps, *step_gaps;
    struct telemetry_series *series; /* by arm, ascending */
    size_t series_count, series_capacity, cell_count;
};

/* step_us 0: no steps, else to_us > from_us. -ERROR_LIMIT: more than AGGREGATES_MAX_STEPS. */
int telemetry_aggregates_begin(
    struct telemetry_aggregates *ret, int64_t from_us, int64_t to_us, int64_t step_us, struct error *err) MUST_CHECK;
void telemetry_aggregates_release(struct telemetry_aggregates *aggregates);
/* -ERROR_LIMIT: more cells than AGGREGATES_MAX_CELLS. */
int telemetry_aggregates_add(struct telemetry_aggregates *aggregates, const struct telemetry_record *record, struct error *err) MUST_CHECK;
int telemetry_aggregates_merge(struct telemetry_aggregates *into, const struct telemetry_aggregates *from, struct error *err) MUST_CHECK;

struct telemetry_reader;
/* The answer of GET /telemetry/v1/aggregates; arms get their names from the reader. seconds: what throughput is taken over; 0: the time
   between the first and the last request. */
json_t *telemetry_aggregates_json(const struct telemetry_aggregates *aggregates, const struct telemetry_reader *reader, double seconds);

#endif

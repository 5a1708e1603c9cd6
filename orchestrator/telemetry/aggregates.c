/* aggregates.c: cells by arm and step, made when something is to be counted in them. */
#include "orchestrator/telemetry/aggregates.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int telemetry_aggregates_begin(struct telemetry_aggregates *ret, int64_t from_us, int64_t to_us, int64_t step_us, struct error *err)
{
    *ret = (struct telemetry_aggregates){.from_us = from_us, .to_us = to_us, .step_us = step_us};
    if (!step_us) return 0;
    uint64_t span = (uint64_t)to_us - (uint64_t)from_us, step = (uint64_t)step_us;
    uint64_t steps = span / step + (span % step != 0);
    if (steps > AGGREGATES_MAX_STEPS) {
        error_set(err, ERROR_LIMIT, NOWHERE, "that are %llu steps of time, more than %d", (unsigned long long)steps, AGGREGATES_MAX_STEPS);
        return error_hint(err, "ask for longer steps, or for less time");
    }
    ret->step_count = (size_t)steps;
    ret->step_gaps = mem_alloc_array(ret->step_count, sizeof *ret->step_gaps);
    return 0;
}

void telemetry_aggregates_release(struct telemetry_aggregates *aggregates)
{
    for (size_t i = 0; i < aggregates->series_count; i++) {
        struct telemetry_series *series = &aggregates->series[i];
        for (size_t step = 0; step < aggregates->step_count; step++)
            free(series->steps[step]);
        free(series->steps);
        free(series->total);
    }
    free(aggregates->series);
    free(aggregates->step_gaps);
    *aggregates = (struct telemetry_aggregates){0};
}

static int make_cell(struct telemetry_aggregates *aggregates, struct telemetry_cell **cell, struct error *err)
{
    if (*cell) return 0;
    if (aggregates->cell_count == AGGREGATES_MAX_CELLS) {
        error_set(err, ERROR_LIMIT, NOWHERE, "more than %d services and steps of time", AGGREGATES_MAX_CELLS);
        error_hint(err, "ask for longer steps, for less time, or for one service");
        return -ERROR_LIMIT;
    }
    aggregates->cell_count++;
    *cell = mem_alloc(sizeof **cell);
    return 0;
}

static int find_series(struct telemetry_aggregates *aggregates, uint32_t arm, struct telemetry_series **ret, struct error *err)
{
    size_t low = 0, high = aggregates->series_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (aggregates->series[middle].arm < arm)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == aggregates->series_count || aggregates->series[low].arm != arm) {
        struct telemetry_series fresh = {.arm = arm};
        int failed = make_cell(aggregates, &fresh.total, err);
        if (failed) return failed;
        if (aggregates->step_count) fresh.steps = mem_alloc_array(aggregates->step_count, sizeof(struct telemetry_cell *));
        aggregates->series =
            mem_grow(aggregates->series, &aggregates->series_capacity, aggregates->series_count + 1, sizeof *aggregates->series);
        struct telemetry_series *place = &aggregates->series[low];
        memmove(place + 1, place, (aggregates->series_count++ - low) * sizeof *place);
        *place = fresh;
    }
    *ret = &aggregates->series[low];
    return 0;
}

/* Which step of time; step_count: none. */
static size_t step_of(const struct telemetry_aggregates *aggregates, int64_t time_us)
{
    if (!aggregates->step_count || time_us < aggregates->from_us) return aggregates->step_count;
    uint64_t step = ((uint64_t)time_us - (uint64_t)aggregates->from_us) / (uint64_t)aggregates->step_us;
    return step < aggregates->step_count ? (size_t)step : aggregates->step_count;
}

static void count_gap(struct telemetry_gaps *gaps, uint64_t count, uint64_t lost)
{
    gaps->count += count;
    gaps->lost += lost;
}

static void count_request(struct telemetry_cell *cell, const struct telemetry_record *record)
{
    bool aborted = record->flags & TELEMETRY_ABORTED, no_server = record->flags & TELEMETRY_NO_SERVER;
    unsigned class = record->status / 100;
    cell->requests++;
    cell->aborted += aborted;
    cell->no_server += no_server;
    cell->retried += (record->flags & TELEMETRY_RETRIED) != 0;
    cell->errors += !aborted && (no_server || record->status >= 500);
    cell->classes[class < 6 ? class : 0]++;
    cell->bytes += record->bytes;
    if (!aborted) histogram_add(&cell->latency_us, record->duration_us);
}

static void widen(struct telemetry_aggregates *aggregates, int64_t first_us, int64_t last_us)
{
    bool empty = aggregates->series_count == 0;
    if (empty || first_us < aggregates->first_us) aggregates->first_us = first_us;
    if (empty || last_us > aggregates->last_us) aggregates->last_us = last_us;
}

int telemetry_aggregates_add(struct telemetry_aggregates *aggregates, const struct telemetry_record *record, struct error *err)
{
    size_t step = step_of(aggregates, record->time_us);
    bool stepped = step < aggregates->step_count;
    if (record->flags & TELEMETRY_GAP) {
        count_gap(&aggregates->gaps, 1, record->bytes);
        if (stepped) count_gap(&aggregates->step_gaps[step], 1, record->bytes);
        return 0;
    }
    widen(aggregates, record->time_us, record->time_us);
    struct telemetry_series *series;
    int failed = find_series(aggregates, record->arm, &series, err);
    if (!failed && stepped) failed = make_cell(aggregates, &series->steps[step], err);
    if (failed) return failed;
    count_request(series->total, record);
    if (stepped) count_request(series->steps[step], record);
    return 0;
}

static void merge_cell(struct telemetry_cell *into, const struct telemetry_cell *from)
{
    into->requests += from->requests;
    into->errors += from->errors;
    into->aborted += from->aborted;
    into->no_server += from->no_server;
    into->retried += from->retried;
    into->bytes += from->bytes;
    for (size_t i = 0; i < COUNT_OF(into->classes); i++)
        into->classes[i] += from->classes[i];
    histogram_merge(&into->latency_us, &from->latency_us);
}

static int merge_series(struct telemetry_aggregates *into, const struct telemetry_series *from, struct error *err)
{
    struct telemetry_series *series;
    int failed = find_series(into, from->arm, &series, err);
    if (failed) return failed;
    merge_cell(series->total, from->total);
    if (!series->steps || !from->steps) return 0;
    for (size_t step = 0; step < into->step_count; step++) {
        if (!from->steps[step]) continue;
        failed = make_cell(into, &series->steps[step], err);
        if (failed) return failed;
        merge_cell(series->steps[step], from->steps[step]);
    }
    return 0;
}

int telemetry_aggregates_merge(struct telemetry_aggregates *into, const struct telemetry_aggregates *from, struct error *err)
{
    if (into->from_us != from->from_us || into->step_us != from->step_us || into->step_count != from->step_count)
        return error_set(err, ERROR_INVALID, NOWHERE, "aggregates over other steps of time do not merge");
    if (from->series_count) widen(into, from->first_us, from->last_us);
    for (size_t i = 0; i < from->series_count; i++) {
        int failed = merge_series(into, &from->series[i], err);
        if (failed) return failed;
    }
    count_gap(&into->gaps, from->gaps.count, from->gaps.lost);
    for (size_t step = 0; step < into->step_count; step++)
        count_gap(&into->step_gaps[step], from->step_gaps[step].count, from->step_gaps[step].lost);
    return 0;
}

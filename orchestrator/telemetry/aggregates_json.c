/* aggregates_json.c: aggregates as the API tells them. */
#include "orchestrator/telemetry/aggregates.h"

#include "base/json.h"
#include "base/mem.h"
#include "orchestrator/telemetry/reader.h"

static json_t *latency_json(const struct histogram *latency)
{
    static const struct {
        const char *name;
        unsigned of_10000;
    } quantiles[] = {{"p50", 5000}, {"p90", 9000}, {"p95", 9500}, {"p99", 9900}, {"p99_9", 9990}};
    if (!latency->count) return NULL;
    json_t *json = json_object();
    for (size_t i = 0; i < COUNT_OF(quantiles); i++)
        json_put_whole(json, quantiles[i].name, histogram_quantile(latency, quantiles[i].of_10000));
    json_put_whole(json, "min", latency->min);
    json_put_whole(json, "max", latency->max);
    json_put_whole(json, "mean", (int64_t)(latency->sum / latency->count));
    return json;
}

static json_t *classes_json(const uint64_t classes[6])
{
    static const char *const names[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    json_t *json = json_object();
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (classes[i]) json_put_whole(json, names[i], (int64_t)classes[i]);
    return json;
}

static json_t *cell_json(const struct telemetry_cell *cell, uint32_t arm, const struct telemetry_reader *reader, double seconds)
{
    json_t *json = json_object();
    const struct telemetry_arm *named = telemetry_arm_find(reader, arm);
    json_put(json, "service", named ? json_string(named->service) : json_null());
    json_put(json, "family", named ? json_string(named->family) : json_null());
    json_put(json, "version", named ? json_string(named->version) : json_null());
    json_put_whole(json, "requests", (int64_t)cell->requests);
    json_put_whole(json, "errors", (int64_t)cell->errors);
    json_put_whole(json, "aborted", (int64_t)cell->aborted);
    json_put_whole(json, "no_server", (int64_t)cell->no_server);
    json_put_whole(json, "retried", (int64_t)cell->retried);
    json_put_whole(json, "bytes", (int64_t)cell->bytes);
    json_put(json, "status", classes_json(cell->classes));
    if (seconds > 0) json_put(json, "throughput", json_real((double)cell->requests / seconds));
    json_put(json, "latency_us", latency_json(&cell->latency_us));
    return json;
}

static void put_gaps(json_t *json, const struct telemetry_gaps *gaps)
{
    json_put_whole(json, "gaps", (int64_t)gaps->count);
    json_put_whole(json, "lost", (int64_t)gaps->lost);
}

static json_t *step_json(const struct telemetry_aggregates *aggregates, const struct telemetry_reader *reader, size_t step)
{
    json_t *json = json_object(), *services = json_array();
    int64_t from_us = aggregates->from_us + (int64_t)step * aggregates->step_us;
    int64_t to_us = aggregates->to_us - from_us < aggregates->step_us ? aggregates->to_us : from_us + aggregates->step_us;
    json_put_whole(json, "from", from_us);
    json_put_whole(json, "to", to_us);
    put_gaps(json, &aggregates->step_gaps[step]);
    for (size_t i = 0; i < aggregates->series_count; i++) {
        const struct telemetry_series *series = &aggregates->series[i];
        if (!series->steps[step]) continue;
        json_array_append_new(services, cell_json(series->steps[step], series->arm, reader, (double)(to_us - from_us) / 1e6));
    }
    json_put(json, "services", services);
    return json;
}

json_t *telemetry_aggregates_json(const struct telemetry_aggregates *aggregates, const struct telemetry_reader *reader, double seconds)
{
    json_t *json = json_object(), *services = json_array();
    if (seconds <= 0) seconds = ((double)aggregates->last_us - (double)aggregates->first_us) / 1e6;
    put_gaps(json, &aggregates->gaps);
    if (aggregates->series_count) {
        json_put_whole(json, "first", aggregates->first_us);
        json_put_whole(json, "last", aggregates->last_us);
    }
    for (size_t i = 0; i < aggregates->series_count; i++)
        json_array_append_new(services, cell_json(aggregates->series[i].total, aggregates->series[i].arm, reader, seconds));
    json_put(json, "services", services);
    if (!aggregates->step_count) return json;
    json_t *steps = json_array();
    for (size_t step = 0; step < aggregates->step_count; step++)
        json_array_append_new(steps, step_json(aggregates, reader, step));
    json_put(json, "steps", steps);
    return json;
}

/* routes_aggregates.c: GET /telemetry/v1/aggregates: one answer, when all that it is made of is read. */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "orchestrator/telemetry/aggregates.h"
#include "orchestrator/telemetry/job.h"

#include <stdlib.h>

struct aggregation {
    struct job job;
    struct request *request;
    struct telemetry_aggregates aggregates;
    struct error err;
    int failed;
};

static int on_record(void *context, const struct telemetry_record *record)
{
    struct aggregation *aggregation = context;
    aggregation->failed = telemetry_aggregates_add(&aggregation->aggregates, record, &aggregation->err);
    return aggregation->failed;
}

static void respond(struct aggregation *aggregation)
{
    const struct telemetry_query *query = &aggregation->job.query;
    const struct telemetry_filter *filter = &query->filter;
    double seconds = query->has_from && query->has_to ? (double)(filter->to_us - filter->from_us) / 1e6 : 0;
    json_t *json = telemetry_aggregates_json(&aggregation->aggregates, aggregation->job.reader, seconds);
    if (query->has_from) json_put_whole(json, "from", filter->from_us);
    if (query->has_to) json_put_whole(json, "to", filter->to_us);
    if (query->step_us) json_put_whole(json, "step", query->step_us);
    respond_json(aggregation->request, 200, json);
}

/* Reads on; true: it was the last piece, and the request is answered. */
static bool read_piece(struct aggregation *aggregation)
{
    struct job *job = &aggregation->job;
    bool at_end = false;
    int failed =
        telemetry_read(job->reader, &job->query.filter, &job->cursor, PIECE_RECORDS, on_record, aggregation, &at_end, &aggregation->err);
    if (failed || aggregation->failed)
        respond_error(aggregation->request, &aggregation->err);
    else if (at_end)
        respond(aggregation);
    return failed || aggregation->failed || at_end;
}

static void piece(struct job *job)
{
    if (read_piece((struct aggregation *)job)) job_end(job);
}

static void stop(struct job *job)
{
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, NOWHERE, "the server stops");
    respond_error(((struct aggregation *)job)->request, &err);
    job_end(job);
}

static void release(struct job *job)
{
    struct aggregation *aggregation = (struct aggregation *)job;
    telemetry_aggregates_release(&aggregation->aggregates);
    free(aggregation);
}

static void release_at_once(struct aggregation *aggregation)
{
    query_release(&aggregation->job.query);
    release(&aggregation->job);
}

void handle_aggregates(struct request *request, void *context)
{
    struct aggregation *aggregation = mem_alloc(sizeof *aggregation);
    struct telemetry_query *query = &aggregation->job.query;
    aggregation->request = request;
    if (!job_begin(request, context, &aggregation->job)) {
        release_at_once(aggregation);
        return;
    }
    int64_t to_us = query->has_to ? query->filter.to_us : clock_now_ms() * 1000; /* steps have an end, records need none */
    struct telemetry_aggregates *aggregates = &aggregation->aggregates;
    int64_t from_us = query->filter.from_us, last_us = to_us > from_us ? to_us : from_us + 1;
    if (telemetry_aggregates_begin(aggregates, from_us, last_us, query->step_us, &aggregation->err)) {
        respond_error(request, &aggregation->err);
        release_at_once(aggregation);
        return;
    }
    aggregation->job.piece = piece;
    aggregation->job.stop = stop;
    aggregation->job.release = release;
    if (read_piece(aggregation))
        release_at_once(aggregation);
    else
        job_run(&aggregation->job);
}

/* routes.c: the table of telemetry's routes, the readers of the domains that were asked for, and the jobs that are under way. */
#include "orchestrator/telemetry/routes.h"

#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/telemetry/job.h"

#include <stdlib.h>

/* A domain keeps its reader: what it learnt of the segments is not read again. */
struct telemetry_api {
    struct telemetry_context context;
    struct telemetry_reader **readers;
    size_t reader_count, reader_capacity;
    struct job *jobs;
    unsigned job_count;
};

static const struct route routes[] = {
    {.method = "GET",
        .path = "/telemetry/v1/samples",
        .handle = handle_samples,
        .summary = "One line of JSON for each recorded request, in the order in which they ended; the last line says where to go on: next"},
    {.method = "GET",
        .path = "/telemetry/v1/aggregates",
        .handle = handle_aggregates,
        .summary = "Counts, errors, throughput and quantiles of latency for each service, and for each step of time"},
    ROUTE_END,
};

struct telemetry_api *telemetry_api_open(const struct telemetry_context *context)
{
    struct telemetry_api *api = mem_alloc(sizeof *api);
    api->context = *context;
    return api;
}

struct http_mount telemetry_api_mount(struct telemetry_api *api)
{
    return (struct http_mount){.routes = routes, .context = api};
}

/* --- readers --- */

static struct telemetry_reader *reader_of(struct telemetry_api *api, const char *folder)
{
    for (size_t i = 0; i < api->reader_count; i++)
        if (text_equal(telemetry_reader_folder(api->readers[i]), folder)) return api->readers[i];
    api->readers = mem_grow(api->readers, &api->reader_capacity, api->reader_count + 1, sizeof(struct telemetry_reader *));
    return api->readers[api->reader_count++] = telemetry_reader_new(folder);
}

static int find_reader(struct telemetry_api *api, const char *domain, struct telemetry_reader **ret, struct error *err)
{
    const char *folder = api->context.folder(api->context.context, domain);
    if (!folder && domain) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no domain '%.60s' whose requests are recorded here", domain);
        return error_hint(err, "`crescendo domain` lists them");
    }
    if (!folder) {
        error_set(err, ERROR_INVALID, NOWHERE, "'domain' is missing, and there is not exactly one");
        return error_hint(err, "`crescendo domain` lists them");
    }
    AUTO(free_text) char *telemetry = mem_format("%s/telemetry", folder);
    *ret = reader_of(api, telemetry);
    return telemetry_refresh(*ret, err);
}

/* --- jobs --- */

bool job_begin(struct request *request, struct telemetry_api *api, struct job *job)
{
    struct error err = {0};
    const char *domain = request_query(request, "domain");
    int failed = 0;
    if (api->job_count >= JOBS_MAX) {
        failed = error_set(&err, ERROR_UNAVAILABLE, NOWHERE, "%u telemetry requests are being answered already", api->job_count);
        error_hint(&err, "ask again in a moment");
    }
    if (!failed) failed = find_reader(api, domain && *domain ? domain : NULL, &job->reader, &err);
    if (!failed) failed = query_read(request, job->reader, &job->query, &err);
    if (failed) respond_error(request, &err);
    job->api = api;
    job->cursor = job->query.after;
    return !failed;
}

static void on_idle(uv_idle_t *idle)
{
    struct job *job = idle->data;
    job->piece(job);
}

void job_run(struct job *job)
{
    struct telemetry_api *api = job->api;
    job->next = api->jobs;
    if (api->jobs) api->jobs->previous = job;
    api->jobs = job;
    api->job_count++;
    uv_idle_init(api->context.loop, &job->idle);
    job->idle.data = job;
    job_resume(job);
}

void job_pause(struct job *job)
{
    uv_idle_stop(&job->idle);
}

void job_resume(struct job *job)
{
    if (!job->ended && job->api) uv_idle_start(&job->idle, on_idle);
}

static void unlink_job(struct job *job)
{
    if (!job->api) return;
    if (job->previous)
        job->previous->next = job->next;
    else
        job->api->jobs = job->next;
    if (job->next) job->next->previous = job->previous;
    job->api->job_count--;
    job->api = NULL;
}

static void on_job_closed(uv_handle_t *handle)
{
    struct job *job = handle->data;
    query_release(&job->query);
    job->release(job);
}

void job_end(struct job *job)
{
    if (job->ended) return;
    job->ended = true;
    unlink_job(job);
    uv_close((uv_handle_t *)&job->idle, on_job_closed);
}

void telemetry_api_close(struct telemetry_api **api)
{
    if (!*api) return;
    while ((*api)->jobs) {
        struct job *job = (*api)->jobs;
        job_pause(job);
        unlink_job(job);
        job->stop(job);
    }
    for (size_t i = 0; i < (*api)->reader_count; i++)
        telemetry_reader_free(&(*api)->readers[i]);
    free((*api)->readers);
    free(*api);
    *api = NULL;
}

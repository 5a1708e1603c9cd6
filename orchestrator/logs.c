/* logs.c: the route of a service's own output: which service, whose keeper, how much; and a worker that reads it. */
#include "orchestrator/logs.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/fulfil/check.h"
#include "orchestrator/orders.h"
#include "orchestrator/tmf/resource.h"

#include <stdlib.h>
#include <string.h>

struct logs {
    uv_loop_t *loop;
    char *keepers;
    struct journal *journal;
};

struct reading {
    uv_work_t work;
    struct request *request;
    char *folder;
    int64_t instance, lines;
    struct text text;
    int failed;
    struct error err;
};

static void on_work(uv_work_t *work)
{
    struct reading *reading = work->data;
    reading->failed = logs_read(reading->folder, reading->instance, reading->lines, &reading->text, &reading->err);
}

static void on_read(uv_work_t *work, int status)
{
    struct reading *reading = work->data;
    (void)status;
    if (reading->failed)
        respond_error(reading->request, &reading->err);
    else
        respond_text(reading->request, 200, "text/plain; charset=utf-8", text_view(&reading->text), reading->text.size);
    text_release(&reading->text);
    free(reading->folder);
    free(reading);
}

static int read_number(const struct request *request, const char *name, int64_t most, int64_t fallback, int64_t *ret, struct error *err)
{
    const char *value = request_query(request, name);
    *ret = fallback;
    if (!value || (text_to_integer(value, ret) && *ret >= 1 && *ret <= most)) return 0;
    return error_set(err, ERROR_INVALID, NOWHERE, "`%s` must be a number from 1 to %lld, not '%.60s'", name, (long long)most, value);
}

/* A name that is part of a path: what is in a document, somebody outside may have written. */
static bool is_plain(const char *name)
{
    return name && *name && *name != '.' && !strchr(name, '/');
}

static int find_folder(const struct logs *logs, const char *id, char **ret, struct error *err)
{
    AUTO(free_json) json_t *service = NULL;
    int failed = tmf_read(logs->journal, SERVICE_COLLECTION, id, &service, err);
    if (failed) return failed;
    const char *domain = service_domain(service);
    if (!service_family(service) || !is_plain(domain) || !is_plain(id)) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "service %.60s has no instances that print anything", id);
        return error_hint(err, "the compute services of an order have; GET /tmf-api/serviceInventory/v4/service lists them");
    }
    *ret = mem_format("%s/%s/logs/%s", logs->keepers, domain, id);
    return 0;
}

static void handle_logs(struct request *request, void *context)
{
    struct logs *logs = context;
    struct reading *reading = mem_alloc(sizeof *reading);
    struct error *err = &reading->err;
    reading->work.data = reading;
    reading->request = request;
    int failed = read_number(request, "instance", INT32_MAX, 0, &reading->instance, err);
    if (!failed) failed = read_number(request, "tail", LOGS_LINES_MAX, LOGS_LINES, &reading->lines, err);
    if (!failed) failed = find_folder(logs, request_part(request, "service"), &reading->folder, err);
    if (!failed && uv_queue_work(logs->loop, &reading->work, on_work, on_read) == 0) return;
    reading->failed = failed ? failed : error_set(err, ERROR_UNAVAILABLE, NOWHERE, "it cannot be read now");
    on_read(&reading->work, 0);
}

static const struct route routes[] = {
    {"GET", "/logs/v1/services/{service}", handle_logs, "The last lines that a service's instances printed, as text", NULL},
    ROUTE_END,
};

struct logs *logs_open(uv_loop_t *loop, const char *keepers, struct journal *journal)
{
    struct logs *logs = mem_alloc(sizeof *logs);
    *logs = (struct logs){loop, mem_copy_text(keepers), journal};
    return logs;
}

void logs_close(struct logs **place)
{
    struct logs *logs = take(place);
    if (!logs) return;
    free(logs->keepers);
    free(logs);
}

struct http_mount logs_mount(struct logs *logs)
{
    return (struct http_mount){.routes = routes, .context = logs};
}

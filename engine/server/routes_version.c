/* routes_version.c: what this server is, and what its API holds. */
#include "base/clock.h"
#include "base/json.h"
#include "exec/protocol.h"
#include "server/server.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const rest_names[] = {
#define RUN_STATE(name, rest, help) (rest) ? #name : "",
#include "crescendo/states.def"
#undef RUN_STATE
    NULL,
};

static void handle_version(struct request *request, void *context)
{
    struct server *server = context;
    struct journal *journal = engine_journal(server->engine);
    struct journal_counts counts = journal_count(journal);
    uint64_t *runs = NULL;
    size_t run_count = 0;
    struct error err;
    if (journal_open_runs(journal, rest_names, &runs, &run_count, &err) < 0) {
        respond_error(request, &err);
        return;
    }
    free(runs);
    respond_json(request, 200,
        json_pack("{s:s, s:i, s:i, s:i, s:s, s:I, s:I, s:I, s:I}", "version", CRESCENDO_VERSION, "api", API_VERSION, "protocol",
            SHIM_PROTOCOL_VERSION, "pid", (int)getpid(), "data", server->data, "uptime_ms",
            (json_int_t)(clock_now_ms() - server->started_ms), "runs_open", (json_int_t)run_count, "events", (json_int_t)counts.events,
            "commits", (json_int_t)counts.commits));
}

static void handle_openapi(struct request *request, void *context)
{
    struct server *server = context;
    respond_json(request, 200, http_describe(server->mounts, "Crescendo", CRESCENDO_VERSION));
}

const struct route version_routes[] = {
    {"GET", "/v1/version", handle_version, "What this server is", NULL},
    {"GET", "/v1/openapi.json", handle_openapi, "This API as OpenAPI 3.0", NULL},
    ROUTE_END,
};

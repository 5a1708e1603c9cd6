/* routes_resolve.c: what a person says of an effect that the engine cannot tell of. */
#include "base/json.h"
#include "base/mem.h"
#include "server/server.h"

#include <stdlib.h>

struct resolving {
    struct server *server;
    struct request *request;
    uint64_t run;
};

static void on_resolved(void *context, const struct error *err)
{
    struct resolving *resolving = context;
    if (err)
        respond_error(resolving->request, err);
    else
        server_respond_run(resolving->server, resolving->request, 200, resolving->run);
    free(resolving);
}

/* Everybody who may cancel the run may. */
static void handle_resolve(struct request *request, void *context)
{
    struct server *server = context;
    uint64_t run;
    if (!server_read_run(request, &run)) return;
    const json_t *body = request_body(request);
    const struct resolution resolution = {.as = (enum resolved)resolved_from_name(json_text(body, "as", "")),
        .by = request_user(request),
        .effect = json_text(body, "effect", NULL),
        .id = json_text(body, "id", NULL),
        .comment = json_text(body, "comment", NULL)};
    struct resolving *resolving = mem_alloc(sizeof *resolving);
    *resolving = (struct resolving){server, request, run};
    engine_resolve(server->engine, run, request_part(request, "step"), &resolution, on_resolved, resolving);
}

static const char *const ways[] = {"done", "not_done", "undone", NULL};
static const struct field resolve_fields[] = {
    {.name = "as",
        .type = FIELD_CHOICE,
        .flags = FIELD_REQUIRED,
        .choices = ways,
        .help = "done: the effect happened, as `id`; not_done: it did not, and may be sent again; undone: what could not be undone was "
                "undone by hand"},
    {.name = "id", .type = FIELD_TEXT, .help = "Of done: what it is at the peer: the order's id"},
    {.name = "effect", .type = FIELD_TEXT, .help = "Where several effects of the step are unknown: which"},
    {.name = "comment", .type = FIELD_TEXT, .help = "Why; stands in the run's record"},
    FIELD_END,
};

const struct route resolve_routes[] = {
    {"POST", "/v1/runs/{run}/steps/{step}/resolve", handle_resolve,
        "Settles what the engine cannot tell; {step} is the step's path, - the only one", resolve_fields},
    ROUTE_END,
};

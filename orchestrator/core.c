/* core.c: the orchestration core put together and taken apart: an engine for its orders, artifacts, the TM Forum resources. */
#include "orchestrator/core_private.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "orchestrator/settle.h"
#include "orchestrator/tmf/catalogue.h"
#include "orchestrator/tmf/ordering.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct tmf_resource *const resources[] = {
    &service_specification_resource,
    &service_candidate_resource,
    &service_catalog_resource,
    &service_category_resource,
    &product_specification_resource,
    &product_offering_resource,
    &product_category_resource,
    &product_catalog_resource,
    &service_order_resource,
    &cancel_service_order_resource,
    &inventory_service_resource,
    NULL,
};

void core_mount(struct core *core, struct http_mount mount)
{
    size_t count = 0;
    while (core->mounts[count].routes)
        count++;
    assert(count + 1 < CORE_MOUNTS_MAX);
    core->mounts[count] = mount;
}

static void handle_openapi(struct request *request, void *context)
{
    struct core *core = context;
    respond_json(request, 200, http_describe(core->mounts, "Crescendo core", CRESCENDO_VERSION));
}

/* The engine's server, which answers the core's paths as well, has its own in front of it. */
static const struct route description_routes[] = {
    {"GET", "/v1/openapi.json", handle_openapi, "This API as OpenAPI 3.0", NULL},
    ROUTE_END,
};

static void mount_routes(struct core *core)
{
    for (const struct http_mount *mount = tmf_api_mounts(core->api); mount->routes; mount++)
        core_mount(core, *mount);
    core_mount(core, artifacts_mount(core->artifacts));
    core_mount(core, sites_mount(core->sites));
    core_mount(core, telemetry_api_mount(core->telemetry));
    core_mount(core, logs_mount(core->logs));
    core_mount(core, settle_mount(core));
    core_mount(core, (struct http_mount){.routes = description_routes, .context = core});
}

/* The records of one of the domains that it drives by itself; of the only one where none is named. */
static const char *telemetry_folder(void *context, const char *domain)
{
    struct core *core = context;
    const char *name, *found = NULL;
    json_t *facts;
    size_t count = 0;
    json_object_foreach((json_t *)sites_domains(core->sites), name, facts)
    {
        if (!json_object_get(facts, "site") || (domain && strcmp(domain, name) != 0)) continue;
        found = name;
        count++;
    }
    if (count != 1) return NULL;
    free(core->telemetry_folder);
    return core->telemetry_folder = mem_format("%s/%s", core->keepers, found);
}

/* Its steps are programs of its own, so that there is nobody to shut in. */
static int open_engine(struct core *core, struct error *err)
{
    struct engine_options options = {.data = core->data,
        .shim = core->shim,
        .step = core->step,
        .slots = core->options.slots ? core->options.slots : CORE_SLOTS,
        .allow_no_sandbox = true,
        .types = core->options.drivers,
        .failed = core->options.failed,
        .context = core->options.context,
        .domains = core->domains,
        .project = orders_project,
        .project_context = core->orders};
    return engine_open(core->loop, &options, &core->engine, err);
}

/* Absolute, since the drivers' steps and the keepers run elsewhere. */
static int open_places(struct core *core, struct error *err)
{
    AUTO(free_text) char *data = realpath(core->data, NULL);
    if (!data) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "%s vanished", core->data);
    core->keepers = mem_format("%s/keepers", data);
    core->packages = mem_format("%s/artifacts", data);
    const struct sites_options sites = {.domains = core->domains,
        .keepers = core->keepers,
        .shim = core->shim,
        .orders = core->orders,
        .journal = engine_journal(core->engine)};
    int failed = sites_open(core->loop, &sites, &core->sites, err);
    return failed ? failed : file_keep_folders(core->keepers, 0700, err);
}

static int open_parts(struct core *core, struct error *err)
{
    AUTO(free_text) char *artifacts = mem_format("%s/artifacts", core->data);
    core->orders = orders_new();
    int failed = open_engine(core, err);
    if (!failed) failed = orders_load(core->orders, core->engine, err);
    if (!failed) failed = open_places(core, err);
    if (!failed) failed = artifacts_open(core->loop, artifacts, &core->artifacts, err);
    if (failed) return failed;
    core->api = tmf_api_new(engine_journal(core->engine), resources, core);
    core->telemetry = telemetry_api_open(&(struct telemetry_context){.loop = core->loop, .folder = telemetry_folder, .context = core});
    core->logs = logs_open(core->loop, core->keepers, engine_journal(core->engine));
    mount_routes(core);
    return 0;
}

int core_open(uv_loop_t *loop, const struct core_options *options, struct core **ret, struct error *err)
{
    struct core *core = mem_alloc(sizeof *core);
    core->loop = loop;
    core->options = *options;
    core->data = mem_copy_text(options->data);
    core->domains = mem_copy_text(options->domains);
    core->shim = mem_copy_text(options->shim);
    core->step = mem_copy_text(options->step);
    int failed = open_parts(core, err);
    if (failed) {
        core_close(&core);
        return failed;
    }
    *ret = core;
    return 0;
}

/* The engine goes first: what it still commits may answer a call of the resources. */
void core_close(struct core **place)
{
    struct core *core = take(place);
    if (!core) return;
    sites_close(&core->sites);
    if (core->telemetry) telemetry_api_close(&core->telemetry);
    logs_close(&core->logs);
    if (core->engine) engine_close(&core->engine);
    tmf_api_free(&core->api);
    artifacts_close(&core->artifacts);
    orders_free(&core->orders);
    char *const owned[] = {core->data, core->domains, core->shim, core->step, core->keepers, core->packages, core->telemetry_folder};
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        free(owned[i]);
    free(core);
}

const struct http_mount *core_mounts(struct core *core)
{
    return core->mounts;
}

bool core_is_idle(const struct core *core)
{
    return engine_is_idle(core->engine);
}

struct engine *core_engine(struct core *core)
{
    return core->engine;
}

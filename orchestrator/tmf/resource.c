/* resource.c: the resources of a core with their routes: a mount for each, and one for each API's hub. */
#include "orchestrator/tmf/parts.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static void bind_resource(struct tmf_bound *bound, struct tmf_api *api, const struct tmf_resource *resource)
{
    *bound = (struct tmf_bound){.api = api, .resource = resource};
    bound->all = mem_format("%s/%s", resource->base, resource->name);
    bound->one = mem_format("%s/%s/{id}", resource->base, resource->name);
    const struct {
        unsigned verb;
        struct route route;
    } verbs[] = {
        {TMF_READ, {"GET", bound->all, tmf_handle_list, "A page of those that the filters leave", NULL}},
        {TMF_READ, {"GET", bound->one, tmf_handle_get, "One of them", NULL}},
        {TMF_CREATE, {"POST", bound->all, tmf_handle_create, "A new one", .raw_limit = TMF_BODY_BYTES}},
        {TMF_PATCH, {"PATCH", bound->one, tmf_handle_patch, "Changes one by a merge patch", .raw_limit = TMF_BODY_BYTES}},
        {TMF_DELETE, {"DELETE", bound->one, tmf_handle_delete, "Removes one", NULL}},
    };
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (resource->verbs & verbs[i].verb) bound->routes[count++] = verbs[i].route;
}

static void handle_hub(struct request *request, void *context)
{
    (void)context;
    struct error err;
    error_set(&err, ERROR_UNSUPPORTED, NOWHERE, "listeners cannot be registered here yet");
    error_hint(&err, "ask for the resource from time to time");
    respond_error(request, &err);
}

static void open_hub(struct tmf_hub *hub, const char *base)
{
    hub->base = base;
    hub->all = mem_format("%s/hub", base);
    hub->one = mem_format("%s/hub/{id}", base);
    hub->routes[0] = (struct route){"POST", hub->all, handle_hub, "Registers a listener: not yet", .raw_limit = TMF_BODY_BYTES};
    hub->routes[1] = (struct route){"DELETE", hub->one, handle_hub, "Ends it: not yet", NULL};
}

static void need_hub(struct tmf_api *api, const char *base)
{
    for (size_t i = 0; i < api->hub_count; i++)
        if (text_equal(api->hubs[i].base, base)) return;
    open_hub(&api->hubs[api->hub_count++], base);
}

static void mount_all(struct tmf_api *api)
{
    struct http_mount *mount = api->mounts = mem_alloc_array(api->bound_count + api->hub_count + 1, sizeof *mount);
    for (size_t i = 0; i < api->bound_count; i++)
        *mount++ = (struct http_mount){api->bound[i].routes, &api->bound[i], tmf_error_body};
    for (size_t i = 0; i < api->hub_count; i++)
        *mount++ = (struct http_mount){api->hubs[i].routes, api, tmf_error_body};
}

struct tmf_api *tmf_api_new(struct journal *journal, const struct tmf_resource *const *resources, void *context)
{
    struct tmf_api *api = mem_alloc(sizeof *api);
    api->journal = journal;
    api->context = context;
    while (resources[api->bound_count])
        api->bound_count++;
    api->bound = mem_alloc_array(api->bound_count + 1, sizeof *api->bound);
    api->hubs = mem_alloc_array(api->bound_count + 1, sizeof *api->hubs);
    for (size_t i = 0; i < api->bound_count; i++) {
        bind_resource(&api->bound[i], api, resources[i]);
        need_hub(api, resources[i]->base);
    }
    mount_all(api);
    return api;
}

void tmf_api_free(struct tmf_api **place)
{
    struct tmf_api *api = take(place);
    if (!api) return;
    calls_end(api);
    for (size_t i = 0; i < api->bound_count; i++) {
        free(api->bound[i].all);
        free(api->bound[i].one);
    }
    for (size_t i = 0; i < api->hub_count; i++) {
        free(api->hubs[i].all);
        free(api->hubs[i].one);
    }
    free(api->bound);
    free(api->hubs);
    free(api->mounts);
    free(api);
}

const struct http_mount *tmf_api_mounts(const struct tmf_api *api)
{
    return api->mounts;
}

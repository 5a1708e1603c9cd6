/* inventory638.c: TMF638 services: written by orders, read by everybody. Only what a service is called may be said here. */
#include "orchestrator/tmf/ordering.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/core_private.h"
#include "orchestrator/fulfil/project.h"

static const struct tmf_field service_fields[] = {
    {.name = "name", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "note", .type = TMF_LIST},
    {.name = "state", .type = TMF_TEXT},
    TMF_END,
};

static int refuse(struct error *err, const char *what)
{
    error_set(err, ERROR_CONFLICT, NOWHERE, "%s", what);
    return error_hint(err, "the inventory is written by orders: POST " ORDER_BASE "/serviceOrder with an item add, modify or delete");
}

static bool may_be_said(const char *member)
{
    return text_equal(member, "name") || text_equal(member, "description") || text_equal(member, "note");
}

/* The first member that the patch changes and may not; NULL = none. */
static const char *wrong_member(const json_t *before, const json_t *after)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)after, member, value)
    {
        const json_t *was = json_object_get(before, member);
        if (!may_be_said(member) && (!was || !json_equal(was, value))) return member;
    }
    json_object_foreach((json_t *)before, member, value)
    {
        if (!may_be_said(member) && !json_object_get(after, member)) return member;
    }
    return NULL;
}

static enum tmf_verdict on_patch(struct tmf_change *change, struct error *err)
{
    const struct core *core = tmf_context(change->call);
    const char *member = wrong_member(change->stored, change->document);
    if (member) {
        AUTO(free_text) char *what = mem_format("`%.60s` of a service cannot be patched", member);
        refuse(err, what);
        return TMF_REFUSED;
    }
    orders_keep_service(core->orders, change->document);
    return TMF_GO_ON;
}

static enum tmf_verdict on_create(struct tmf_change *change, struct error *err)
{
    (void)change;
    refuse(err, "a service is not made by a POST to the inventory");
    return TMF_REFUSED;
}

static enum tmf_verdict on_delete(struct tmf_change *change, struct error *err)
{
    (void)change;
    refuse(err, "a service is not ended by a DELETE from the inventory");
    return TMF_REFUSED;
}

const struct tmf_resource inventory_service_resource = {
    .base = INVENTORY_BASE,
    .name = SERVICE_COLLECTION,
    .type = "Service",
    .verbs = TMF_EVERY_VERB,
    .fields = service_fields,
    .on_create = on_create,
    .on_patch = on_patch,
    .on_delete = on_delete,
};

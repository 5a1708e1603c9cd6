/* order641.c: TMF641 service orders: one that is posted is checked, becomes a plan, and is answered when its run is on disk. What follows
   is the run's to say: items and states cannot be patched. */
#include "orchestrator/tmf/ordering.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/core_private.h"
#include "orchestrator/fulfil/check.h"
#include "orchestrator/fulfil/decompose.h"
#include "orchestrator/fulfil/project.h"
#include "orchestrator/tmf/fields.h"

#include <stdlib.h>
#include <string.h>

static const struct tmf_field reference_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "href", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "version", .type = TMF_TEXT},
    TMF_END,
};

static const struct tmf_field place_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "role", .type = TMF_TEXT},
    TMF_END,
};

static const struct tmf_field ordered_service_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "place", .type = TMF_LIST, .fields = place_fields},
    {.name = "relatedParty", .type = TMF_LIST, .fields = tmf_party_fields},
    {.name = "serviceCharacteristic", .type = TMF_LIST},
    {.name = "serviceSpecification", .type = TMF_OBJECT, .fields = reference_fields},
    TMF_END,
};

static const struct tmf_field item_fields[] = {
    {.name = "id", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "action", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "quantity", .type = TMF_INTEGER},
    {.name = "service", .type = TMF_OBJECT, .fields = ordered_service_fields},
    {.name = "serviceOrderItemRelationship", .type = TMF_LIST},
    TMF_END,
};

static const struct tmf_field order_fields[] = {
    {.name = "category", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "externalId", .type = TMF_TEXT, .flags = TMF_FIXED},
    {.name = "priority", .type = TMF_TEXT},
    {.name = "requestedCompletionDate", .type = TMF_TIME},
    {.name = "requestedStartDate", .type = TMF_TIME, .flags = TMF_FIXED},
    {.name = "expectedCompletionDate", .type = TMF_TIME},
    {.name = "notificationContact", .type = TMF_TEXT},
    {.name = "note", .type = TMF_LIST},
    {.name = "externalReference", .type = TMF_LIST},
    {.name = "relatedParty", .type = TMF_LIST, .flags = TMF_FIXED, .fields = tmf_party_fields},
    {.name = "serviceOrderItem", .type = TMF_LIST, .flags = TMF_REQUIRED | TMF_FIXED, .fields = item_fields},
    {.name = "state", .type = TMF_TEXT},
    {.name = "orderDate", .type = TMF_TIME, .flags = TMF_SERVER},
    {.name = "startDate", .type = TMF_TIME, .flags = TMF_SERVER},
    {.name = "completionDate", .type = TMF_TIME, .flags = TMF_SERVER},
    {.name = "cancellationDate", .type = TMF_TIME, .flags = TMF_SERVER},
    {.name = "cancellationReason", .type = TMF_TEXT, .flags = TMF_SERVER},
    {.name = "errorMessage", .type = TMF_LIST, .flags = TMF_SERVER},
    TMF_END,
};

bool order_state_is_final(const char *state)
{
    static const char *const final[] = {"completed", "failed", "partial", "cancelled", "rejected"};
    for (size_t i = 0; i < COUNT_OF(final); i++)
        if (text_equal(state, final[i])) return true;
    return false;
}

/* --- the world ------------------------------------------------------------------------------------------------------------------ */

/* Documents that the order names by ids: those that are there. */
static void gather(struct tmf_call *call, const char *collection, const char *id, json_t *found)
{
    json_t *document = NULL;
    struct error err;
    if (!id || json_object_get(found, id) || tmf_read(tmf_journal(call), collection, id, &document, &err)) return;
    json_put(found, id, document);
}

static int check(struct tmf_call *call, const json_t *order, const char *requester, json_t **ret, struct error *err)
{
    const struct core *core = tmf_context(call);
    AUTO(free_json) json_t *specifications = json_object();
    AUTO(free_json) json_t *services = json_copy((json_t *)orders_services(core->orders));
    const json_t *item;
    size_t index;
    json_array_foreach(json_object_get(order, "serviceOrderItem"), index, item)
    {
        const json_t *service = json_object_get(item, "service");
        if (index >= ORDER_ITEMS_MAX) break;
        gather(call, "serviceSpecification", json_text(json_object_get(service, "serviceSpecification"), "id", NULL), specifications);
        gather(call, SERVICE_COLLECTION, json_text(service, "id", NULL), services);
    }
    const struct order_world world = {sites_domains(core->sites), specifications, services, orders_open(core->orders), clock_now_ms()};
    return order_check(order, requester, &world, ret, err);
}

/* --- a new order ------------------------------------------------------------------------------------------------------------------ */

struct posting { /* waits until its run is on disk */
    struct tmf_call *call;
    char id[32];
};

/* As it was accepted: what its run has done meanwhile is for the next look. */
static void show_accepted(json_t *order)
{
    json_t *item;
    size_t index;
    json_put_text(order, "state", "acknowledged");
    json_object_del(order, "startDate");
    json_array_foreach(json_object_get(order, "serviceOrderItem"), index, item)
    {
        json_put_text(item, "state", "acknowledged");
    }
}

static void on_accepted(void *context, const struct error *err)
{
    struct posting *posting = context;
    struct error own;
    json_t *order = NULL;
    if (!err && tmf_read(tmf_journal(posting->call), ORDER_COLLECTION, posting->id, &order, &own)) err = &own;
    if (order) {
        show_accepted(order);
        tmf_answer(posting->call, 201, order);
    } else {
        tmf_refuse(posting->call, err);
    }
    free(posting);
}

static void wake_keepers(const struct core *core, const json_t *checked)
{
    const json_t *item;
    size_t index;
    json_array_foreach(json_object_get(checked, "items"), index, item)
    {
        if (json_text(item, "family", NULL)) sites_wake(core->sites, json_text(item, "domain", ""));
    }
}

static int submit(struct tmf_call *call, const json_t *checked, struct error *err)
{
    struct core *core = tmf_context(call);
    const json_t *order = json_object_get(checked, "order");
    const struct fulfil_places places = {core->keepers, core->packages};
    AUTO(free_json) json_t *plan = order_decompose(checked, &places);
    struct posting *posting = mem_alloc(sizeof *posting);
    uint64_t run = 0;
    bool known = false;
    posting->call = call;
    int failed = engine_submit_plan(core->engine,
        &(struct plan_submission){.trigger = "order",
            .author = json_text(checked, "requester", NULL),
            .title = json_text(order, "description", json_text(order, "externalId", NULL)),
            .extra_name = "order",
            .extra = checked,
            .plan = plan},
        on_accepted, posting, &run, &known, err);
    if (failed) {
        free(posting);
        return failed;
    }
    snprintf(posting->id, sizeof posting->id, "%llu", (unsigned long long)run);
    wake_keepers(core, checked);
    return 0;
}

/* --- the same order again ----------------------------------------------------------------------------------------------------------- */

/* What makes an order the same: all that its poster said. */
static void digest_of(const json_t *document, char ret_hex[65])
{
    AUTO(free_json) json_t *said = json_copy((json_t *)document);
    json_object_del(said, "id");
    json_object_del(said, "href");
    json_object_del(said, "@type");
    json_digest(said, ret_hex);
}

static char *key_of(const json_t *document, const char *requester)
{
    const char *external = json_text(document, "externalId", NULL);
    AUTO(free_json) json_t *both = external ? json_pack("[s, s]", requester, external) : NULL;
    return both ? json_canonical(both) : NULL;
}

static int answer_existing(struct tmf_call *call, const char *id, const char *digest, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    AUTO(free_json) json_t *posted = NULL;
    int failed = tmf_read(tmf_journal(call), ORDER_COLLECTION, id, &order, err);
    if (!failed) failed = tmf_read(tmf_journal(call), ORDER_DIGESTS, id, &posted, err);
    if (failed) return failed;
    if (!text_equal(json_text(posted, "digest", NULL), digest)) {
        error_set(err, ERROR_CONFLICT, NOWHERE, "order %.20s has the externalId %.80s, and says something else", id,
            json_text(order, "externalId", ""));
        return error_hint(err, "another order needs another externalId");
    }
    tmf_write_and_answer(call, NULL, 0, 201, take(&order)); /* behind what may still be on its way to the disk */
    return 0;
}

static enum tmf_verdict on_create(struct tmf_change *change, struct error *err)
{
    struct tmf_call *call = change->call;
    const char *user = request_user(tmf_request(call));
    const char *requester = order_requester(change->document, user ? user : "anonymous");
    AUTO(free_text) char *key = key_of(change->document, requester);
    AUTO(free_text) char *known = NULL;
    AUTO(free_json) json_t *checked = NULL;
    char digest[65];
    digest_of(change->document, digest);
    int failed = key ? journal_find_document(tmf_journal(call), ORDER_COLLECTION, key, &known, err) : -ERROR_NOT_FOUND;
    if (!failed) return answer_existing(call, known, digest, err) ? TMF_REFUSED : TMF_TAKEN;
    if (failed != -ERROR_NOT_FOUND || check(call, change->document, requester, &checked, err)) return TMF_REFUSED;
    json_put_text(checked, "key", key);
    json_put_text(checked, "digest", digest);
    return submit(call, checked, err) ? TMF_REFUSED : TMF_TAKEN;
}

/* --- patch, delete ------------------------------------------------------------------------------------------------------------------- */

static bool differs(const struct tmf_change *change, const char *member)
{
    const json_t *before = json_object_get(change->stored, member), *after = json_object_get(change->document, member);
    return before != after && !(before && after && json_equal(before, after));
}

static enum tmf_verdict on_patch(struct tmf_change *change, struct error *err)
{
    static const char *const fixed[] = {
        "errorMessage", "orderDate", "startDate", "completionDate", "cancellationDate", "cancellationReason"};
    if (differs(change, "state")) {
        error_set(err, ERROR_INVALID, NOWHERE, "an order's state follows from what is done, and cannot be patched");
        error_hint(err, "to end it, POST " ORDER_BASE "/cancelServiceOrder {\"serviceOrder\": {\"id\": ...}}");
        return TMF_REFUSED;
    }
    for (size_t i = 0; i < COUNT_OF(fixed); i++) {
        if (!differs(change, fixed[i])) continue;
        error_set(err, ERROR_INVALID, NOWHERE, "`%s` of an order cannot be patched", fixed[i]);
        return TMF_REFUSED;
    }
    return TMF_GO_ON;
}

static enum tmf_verdict on_delete(struct tmf_change *change, struct error *err)
{
    const char *state = json_text(change->stored, "state", "");
    if (order_state_is_final(state)) return TMF_GO_ON;
    error_set(
        err, ERROR_CONFLICT, NOWHERE, "order %.20s is %s: only one at rest can be deleted", json_text(change->stored, "id", ""), state);
    error_hint(err, "cancel it first, by cancelServiceOrder");
    return TMF_REFUSED;
}

const struct tmf_resource service_order_resource = {
    .base = ORDER_BASE,
    .name = ORDER_COLLECTION,
    .type = "ServiceOrder",
    .verbs = TMF_EVERY_VERB,
    .fields = order_fields,
    .on_create = on_create,
    .on_patch = on_patch,
    .on_delete = on_delete,
};

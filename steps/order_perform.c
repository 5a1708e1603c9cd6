/* order_perform.c: orders a service, its change or its end, and waits until it is so. What was ordered is judged by the services, never by
   the order alone. */
#include "ordering.h"
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "offer.h"
#include "describe.h"
#include "net/tmf/order_body.h"

#include <stdio.h>
#include <string.h>

/* --- what is sent ----------------------------------------------------------------------------------------------------------------------
 */

static const char *action_of(const json_t *body)
{
    return json_text(json_array_get(json_object_get(body, "serviceOrderItem"), 0), "action", "");
}

/* The item that the pipeline goes on with: the first compute's, else the first. */
static int64_t main_item(const json_t *descriptor)
{
    const json_t *components = json_object_get(descriptor, "components");
    for (size_t i = 0; i < json_array_size(components); i++)
        if (json_object_get(json_array_get(components, i), "compute")) return (int64_t)i;
    return 0;
}

/* The version is there, from an earlier run. With all requests it is what is wanted; else somebody has to end it. */
static int take_present(struct ordering *ordering, const json_t *specification, const json_t *there, json_t **ret_kept, struct error *err)
{
    const char *id = json_text(there, "id", ""), *name = json_text(specification, "name", "?"),
               *version = json_text(specification, "version", "?");
    double share = tmf_service_share(there);
    if (share >= 100) {
        printf("%s %s is in service on %s already: service %s\n", name, version, ordering->domain, id);
        *ret_kept = json_pack("{s:n, s:s}", "body", "present", id);
        return 0;
    }
    error_set(err, ERROR_CONFLICT, NOWHERE, "%.60s %.40s is on %.63s already and gets %.10g %% of the requests: service %.60s", name,
        version, ordering->domain, share, id);
    if (share > 0)
        return error_hint(err, "`crescendo inventory` shows it and the one beside it; end this one: crescendo order delete %.60s", id);
    return error_hint(err, "it is left over: end it, and run this again: crescendo order delete %.60s", id);
}

/* *ret_there NULL: no, or it cannot be told. */
static int find_present(
    struct ordering *ordering, const json_t *specification, const json_t *descriptor, json_t **ret_there, struct error *err)
{
    const json_t *components = json_object_get(descriptor, "components");
    const json_t *compute = json_object_get(json_array_get(components, (size_t)main_item(descriptor)), "compute");
    const struct tmf_wanted wanted = {.domain = ordering->domain,
        .component = json_text(compute, "name", NULL),
        .name = json_text(specification, "name", NULL),
        .specification = json_text(specification, "id", NULL)};
    if (!wanted.component || !wanted.name || !wanted.specification) return 0;
    return tmf_service_of(&ordering->client, &wanted, ret_there, err);
}

static int make_add(struct ordering *ordering, json_t **ret_kept, struct error *err)
{
    const json_t *with = step_with(ordering->step), *facts = step_facts(ordering->step);
    AUTO(free_json) json_t *specification = NULL, *found = NULL, *domain = json_string(ordering->domain), *there = NULL;
    int failed = offer_resolve(&ordering->client, json_text(with, "offering", ""), &specification, &found, err);
    const json_t *descriptor = found ? found : json_object_get(facts, "service");
    if (!failed) failed = find_present(ordering, specification, descriptor, &there, err);
    if (failed) return failed;
    if (there) return take_present(ordering, specification, there, ret_kept, err);
    const struct order_facts order = {.action = "add",
        .origin = facts,
        .domain = domain,
        .specification = specification,
        .descriptor = descriptor,
        .replicas = json_object_get(with, "replicas"),
        .share = json_object_get(with, "share")};
    *ret_kept = json_pack("{s:o, s:I}", "body", order_body(&order), "item", (json_int_t)main_item(order.descriptor));
    return 0;
}

/* What is undone later is read before it is changed. */
static int make_modify(struct ordering *ordering, json_t **ret_kept, struct error *err)
{
    const json_t *with = step_with(ordering->step);
    const struct ordering_change change = {.replicas = json_object_get(with, "replicas"), .share = json_object_get(with, "share")};
    AUTO(free_json) json_t *service = NULL;
    int failed = ordering_service(ordering, &service, err);
    if (!failed && change.share) failed = ordering_check_serving(ordering, service, err);
    if (failed) return failed;
    json_t *previous = json_object();
    if (change.replicas) json_put_whole(previous, "replicas", tmf_service_replicas(service));
    if (change.share) json_put(previous, "share", json_real(tmf_service_share(service)));
    json_t *body = ordering_change_body(ordering, json_text(service, "id", ""), &change);
    *ret_kept = json_pack("{s:o, s:o}", "body", body, "previous", previous);
    return 0;
}

static int make_delete(struct ordering *ordering, json_t **ret_kept, struct error *err)
{
    AUTO(free_json) json_t *service = NULL;
    int failed = ordering_service(ordering, &service, err);
    if (!failed) failed = ordering_check_serving(ordering, service, err);
    if (!failed) *ret_kept = json_pack("{s:o}", "body", ordering_delete_body(ordering, json_object_get(service, "id")));
    return failed;
}

/* lint refuses this where it is written down; an expression is known only now. */
static int check_share(const json_t *with, struct error *err)
{
    const json_t *share = json_object_get(with, "share");
    if (!share || !share_is_lent(share)) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "order: a share is 0%% or 100%%; what is in between is lent");
    return error_hint(err, "order it first, then `shift: { share: 5%% }`");
}

static int make_body(struct ordering *ordering, json_t **ret_kept, struct error *err)
{
    const json_t *with = step_with(ordering->step);
    const char *action = json_text(with, "action", "add");
    int failed = check_share(with, err);
    if (failed) return failed;
    if (strcmp(action, "modify") == 0) return make_modify(ordering, ret_kept, err);
    return strcmp(action, "delete") == 0 ? make_delete(ordering, ret_kept, err) : make_add(ordering, ret_kept, err);
}

/* --- what came of it -------------------------------------------------------------------------------------------------------------------
 */

static int output_service(struct ordering *ordering, const json_t *service, struct error *err)
{
    AUTO(free_json) json_t *other = NULL;
    int failed = tmf_service_other(&ordering->client, service, &other, err);
    if (failed) return failed;
    ordering_output(ordering, "service", json_text(service, "id", NULL));
    ordering_output(ordering, "address", tmf_service_address(service));
    ordering_output(ordering, "version", tmf_service_version(service));
    return step_output(ordering->step, "previous", other ? json_string(json_text(other, "id", "")) : json_null());
}

/* Every service that the order added must be there; the main one is handed over. */
static int judge_added(struct ordering *ordering, const json_t *order, size_t main, struct error *err)
{
    const json_t *items = tmf_order_items(ordering->client.dialect, order);
    AUTO(free_json) json_t *handed = NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        AUTO(free_json) json_t *service = NULL;
        const char *id = tmf_item_service(ordering->client.dialect, json_array_get(items, i));
        if (!id)
            return error_set(err, ERROR_PROTOCOL, NOWHERE, "%.40s: order %.60s is completed, but its item %zu names no service",
                ordering->domain, json_text(order, "id", "?"), i + 1);
        int failed = tmf_service_await_active(&ordering->client, id, ordering->wait_ms, &service, err);
        if (failed) return failed;
        if (i == main) handed = take(&service);
    }
    return handed ? output_service(ordering, handed, err) : 0;
}

static int judge_changed(struct ordering *ordering, struct error *err)
{
    AUTO(free_json) json_t *service = NULL;
    int failed = ordering_service(ordering, &service, err);
    return failed ? failed : output_service(ordering, service, err);
}

static int judge(struct ordering *ordering, const json_t *kept, const json_t *order, struct error *err)
{
    const char *action = action_of(json_object_get(kept, "body"));
    ordering_output(ordering, "order", json_text(order, "id", NULL));
    int failed = tmf_order_judge(&ordering->client, order, err);
    if (failed) return failed;
    if (strcmp(action, "add") == 0) return judge_added(ordering, order, (size_t)json_whole(kept, "item", 0), err);
    if (strcmp(action, "modify") == 0) return judge_changed(ordering, err);
    ordering_output(ordering, "service", json_text(step_with(ordering->step), "service", NULL));
    return 0;
}

/* Nothing is ordered, so there is nothing to take back. */
static int hand_over_present(struct ordering *ordering, const char *id, struct error *err)
{
    AUTO(free_json) json_t *service = NULL;
    int failed = tmf_service_get(&ordering->client, id, &service, err);
    return failed ? failed : output_service(ordering, service, err);
}

int order_perform(struct step *step, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *outcome = NULL, *order = NULL;
    const json_t *kept = NULL;
    int failed = ordering_open(step, &ordering, err);
    if (!failed) failed = ordering_keep(&ordering, make_body, &kept, err);
    const char *present = failed ? NULL : json_text(kept, "present", NULL);
    if (present) return hand_over_present(&ordering, present, err);
    if (!failed)
        failed = step_effect(step, "order", ordering.domain, json_object_get(kept, "body"), ordering_send, &ordering, &outcome, err);
    if (!failed) failed = ordering_wait(&ordering, json_text(outcome, "order", ""), &order, err);
    return failed ? failed : judge(&ordering, kept, order, err);
}

int order_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    bool is_undo = text_starts(json_text(intent, "name", ""), "undo ");
    return ordering_find(step, intent, is_undo, ret_seen, ret_outcome, err);
}

/* --- undoing ---------------------------------------------------------------------------------------------------------------------------
 */

static json_t *undo_body(const struct ordering *ordering, const json_t *asked, const json_t *outcome, const json_t *order)
{
    const char *action = action_of(asked);
    const json_t *previous = json_object_get(outcome, "previous");
    if (strcmp(action, "add") == 0) return ordering_end_body(ordering, asked, order, NULL);
    if (strcmp(action, "modify") != 0) return NULL;
    const struct ordering_change back = {.replicas = json_object_get(previous, "replicas"), .share = json_object_get(previous, "share")};
    return ordering_change_body(ordering, json_text(outcome, "service", ""), &back);
}

int order_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *order = NULL, *body = NULL, *undone = NULL;
    const json_t *asked = json_object_get(intent, "body");
    int failed = ordering_open(step, &ordering, err);
    if (!failed) failed = ordering_bring_to_rest(&ordering, json_text(outcome, "order", ""), &order, err);
    if (failed) return failed;
    enum tmf_order_state state = tmf_order_state_of(order);
    if (state != TMF_ORDER_COMPLETED && state != TMF_ORDER_PARTIAL) return 0; /* the domain undid it itself */
    ordering.ends_service = ordering.undoes = true;
    body = undo_body(&ordering, asked, outcome, order);
    if (body) return step_effect(step, "undo order", ordering.domain, body, ordering_send_and_wait, &ordering, &undone, err);
    (void)!step_annotate(step, "warning", NULL, 0, "the end of a service cannot be undone: order it anew");
    return 0;
}

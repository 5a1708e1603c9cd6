/* extras_perform.c: ending what an order added; and the orders too many of a peer that lost what makes a key unique: one is adopted, each
   other one is ended by an effect of its own, `end extra ID`, and told. */
#include "ordering.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tmf/order_body.h"

static const char end_extra[] = "end extra ";

/* --- what ends it ------------------------------------------------------------------------------------------------------------------ */

json_t *ordering_delete_body(const struct ordering *ordering, const json_t *service)
{
    AUTO(free_json) json_t *domain = json_string(ordering->domain);
    const json_t *origin = step_facts(ordering->step);
    return order_body(
        &(struct order_facts){.action = "delete", .origin = origin, .undoes = ordering->undoes, .domain = domain, .service = service});
}

/* Does another item of the order rely on this one? Then it ends with that. */
static bool is_relied_on(const json_t *items, const char *id)
{
    size_t i, j;
    json_t *item, *relation;
    json_array_foreach((json_t *)items, i, item) json_array_foreach(json_object_get(item, "serviceOrderItemRelationship"), j,
        relation) if (text_equal(json_text(json_object_get(relation, "orderItem"), "itemId", NULL), id)) return true;
    return false;
}

/* Is it a service of this order's? order may be NULL. */
static bool names_service(const struct ordering *ordering, const json_t *order, const char *id)
{
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)tmf_order_items(ordering->client.dialect, order), index, item)
    {
        if (text_equal(json_text(json_object_get(item, "service"), "id", NULL), id)) return true;
    }
    return false;
}

json_t *ordering_end_body(const struct ordering *ordering, const json_t *asked, const json_t *order, const json_t *kept)
{
    const json_t *items = tmf_order_items(ordering->client.dialect, order), *wanted = json_object_get(asked, "serviceOrderItem");
    json_t *body = NULL, *item;
    size_t index;
    json_array_foreach((json_t *)items, index, item)
    {
        const json_t *service = json_object_get(json_object_get(item, "service"), "id");
        bool failed = tmf_order_state_of(item) != TMF_ORDER_COMPLETED;
        if (failed || !json_is_string(service) || names_service(ordering, kept, json_string_value(service)) ||
            is_relied_on(wanted, json_text(item, "id", "")))
            continue;
        AUTO(free_json) json_t *one = ordering_delete_body(ordering, service);
        json_t *list = json_object_get(body ? body : one, "serviceOrderItem"),
               *first = json_array_get(json_object_get(one, "serviceOrderItem"), 0);
        AUTO(free_text) char *number = mem_format("%zu", body ? json_array_size(list) + 1 : 1);
        json_put_text(first, "id", number);
        if (body)
            json_array_append(list, first);
        else
            body = take(&one);
    }
    return body;
}

/* --- extras -------------------------------------------------------------------------------------------------------------------------- */

struct extra {
    struct ordering *ordering;
    const json_t *asked, *kept; /* the effect's body; the order that was adopted */
};

static bool has_done_something(const json_t *order)
{
    enum tmf_order_state state = tmf_order_state_of(order);
    return state == TMF_ORDER_COMPLETED || state == TMF_ORDER_PARTIAL;
}

static bool adds(const json_t *asked)
{
    return text_equal(json_text(json_array_get(json_object_get(asked, "serviceOrderItem"), 0), "action", ""), "add");
}

/* What still goes on is cancelled; where that comes too late, the services that it added are ended by an order. */
static int send_end(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    const struct extra *extra = context;
    AUTO(free_json) json_t *order = NULL, *end = NULL, *sent = NULL;
    const char *id = json_text(body, "order", "");
    int failed = ordering_bring_to_rest(extra->ordering, id, &order, err);
    if (!failed && has_done_something(order) && adds(extra->asked))
        end = ordering_end_body(extra->ordering, extra->asked, order, extra->kept);
    if (!failed && end) failed = ordering_send_and_wait(step, key, end, extra->ordering, &sent, err);
    if (failed) return failed;
    *ret_outcome = json_pack("{s:s}", "ended", id);
    json_put_text(*ret_outcome, "order", json_text(sent, "order", NULL));
    return 0;
}

bool ordering_is_extra(const char *effect)
{
    return text_starts(effect, end_extra);
}

/* That it is ended anew does no harm, so only what is at rest and did nothing counts as ended. */
int ordering_find_ended(struct ordering *ordering, const json_t *body, enum effect_seen *ret_seen, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    int failed = tmf_get(&ordering->client, TMF_SERVICE_ORDER, json_text(body, "order", ""), &order, err);
    if (failed) return failed;
    bool is_over = tmf_order_is_at_rest(tmf_order_state_of(order)) && !has_done_something(order);
    *ret_seen = is_over ? EFFECT_SEEN_DONE : EFFECT_SEEN_ABSENT;
    return 0;
}

static void tell(struct extra *extra, const char *id, const struct error *problem)
{
    const char *kept = json_text(extra->kept, "id", "?"), *domain = extra->ordering->domain;
    AUTO(free_text)
    char *words = problem ? mem_format("%s has order %s for what order %s did already, and it could not be ended: %s; end it there by hand",
                                domain, id, kept, problem->message)
                          : mem_format("%s had order %s, too, for what order %s did: it was ended", domain, id, kept);
    (void)!step_annotate(extra->ordering->step, problem ? "error" : "warning", NULL, 0, words);
}

/* A peer that is away is asked again by the step's next process; one that refuses is a person's matter, which does not hold up the rest. */
static int end_one(struct extra *extra, const char *id, struct error *err)
{
    AUTO(free_text) char *name = mem_format("%s%.60s", end_extra, id);
    AUTO(free_json) json_t *body = json_pack("{s:s}", "order", id), *outcome = NULL;
    struct error problem = {0};
    int failed = step_effect(extra->ordering->step, name, extra->ordering->domain, body, send_end, extra, &outcome, &problem);
    if (failed && problem.retryable) {
        if (err) *err = problem;
        return failed;
    }
    tell(extra, id, failed ? &problem : NULL);
    return 0;
}

static int rank(const json_t *order)
{
    enum tmf_order_state state = tmf_order_state_of(order);
    if (has_done_something(order)) return state == TMF_ORDER_COMPLETED ? 3 : 1;
    return tmf_order_is_at_rest(state) ? 0 : 2;
}

json_t *ordering_best(const json_t *orders)
{
    json_t *best = NULL, *order;
    size_t index;
    json_array_foreach((json_t *)orders, index, order) if (!best || rank(order) > rank(best)) best = order;
    return best;
}

int ordering_end_extras(struct ordering *ordering, const json_t *asked, const json_t *kept, const json_t *orders, struct error *err)
{
    struct extra extra = {.ordering = ordering, .asked = asked, .kept = kept};
    bool ended_service = ordering->ends_service, undid = ordering->undoes;
    size_t index;
    json_t *order;
    int failed = 0;
    ordering->ends_service = ordering->undoes = true;
    json_array_foreach((json_t *)orders, index, order)
    {
        if (!failed && order != kept && rank(order)) failed = end_one(&extra, json_text(order, "id", ""), err);
    }
    ordering->ends_service = ended_service;
    ordering->undoes = undid;
    return failed;
}

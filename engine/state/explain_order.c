/* explain_order.c: what an effect did, as facts: of a service order (docs/reference/steps-and-tmf.md) what was ordered, of any other its
 * name. */
#include "state/explain_parts.h"

#include "base/json.h"
#include "state/parts.h"

/* The value of a service's characteristic; NULL where there is none. */
static json_t *characteristic(const json_t *service, const char *name)
{
    size_t index;
    json_t *one;
    json_array_foreach(json_object_get(service, "serviceCharacteristic"), index, one)
    {
        if (text_equal(json_text(one, "name", NULL), name)) return json_object_get(one, "value");
    }
    return NULL;
}

json_t *order_facts(const struct effect_state *effect)
{
    const json_t *item = json_array_get(json_object_get(effect->intent, "serviceOrderItem"), 0),
                 *service = json_object_get(item, "service");
    const json_t *specification = json_object_get(service, "serviceSpecification");
    const char *action = json_text(item, "action", NULL);
    if (!action) return NULL;
    json_t *facts = json_object();
    json_put_text(facts, "did", action);
    json_put_text(facts, "name", json_text(specification, "name", NULL));
    json_put_text(facts, "version", json_text(specification, "version", NULL));
    json_put_text(facts, "service", json_text(service, "id", json_text(effect->outcome, "service", NULL)));
    json_put(facts, "share", json_incref(characteristic(service, "traffic.share")));
    json_put(facts, "replicas", json_incref(characteristic(service, "replicas")));
    json_put_text(facts, "order", json_text(effect->outcome, "order", NULL));
    json_put_text(facts, "target", effect->target);
    if (json_flag(effect->outcome, "gone", false)) json_put_flag(facts, "gone", true);
    return facts;
}

static void add_share(struct explanation *explanation, const struct event *event, json_t *order)
{
    struct link *link = link_find(explanation, LINK_shares, event->step);
    if (!link || !text_equal(json_text(link->facts, "service", NULL), json_text(order, "service", NULL))) {
        link = link_add(explanation, LINK_shares, event->step, event->time_ms);
        json_put_text(link->facts, "service", json_text(order, "service", NULL));
        json_put_text(link->facts, "target", json_text(order, "target", NULL));
        json_put(link->facts, "shares", json_array());
    }
    json_t *share = json_pack("{s:I, s:O}", "at_ms", (json_int_t)event->time_ms, "share", json_object_get(order, "share"));
    json_put_text(share, "order", json_text(order, "order", NULL));
    json_array_append_new(json_object_get(link->facts, "shares"), share);
    json_t *canary = explanation->seen[event->step].canary;
    if (canary) json_put_whole(canary, "share_ms", event->time_ms);
    if (canary) json_put(canary, "share", json_incref(json_object_get(order, "share")));
    link->last_at_ms = event->time_ms;
    json_decref(order);
}

static void add_other(struct explanation *explanation, const struct event *event, const struct effect_state *effect)
{
    struct link *link = link_find(explanation, LINK_did, event->step);
    if (!link) {
        link = link_add(explanation, LINK_did, event->step, event->time_ms);
        json_put(link->facts, "effects", json_array());
    }
    json_t *one = json_pack("{s:s}", "name", effect->name);
    json_put_text(one, "target", effect->target);
    json_array_append_new(json_object_get(link->facts, "effects"), one);
    link->last_at_ms = event->time_ms;
}

void explain_effect(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    const struct step_state *step = &state->steps[event->step];
    const struct effect_state *effect = effect_find(step, json_text(event->data, "name", ""));
    if (!effect || step->status == STEP_compensating) return; /* undoing is told as one thing, when it is done */
    json_t *order = order_facts(effect);
    if (!order) return add_other(explanation, event, effect);
    bool is_share = text_equal(json_text(order, "did", ""), "modify") && json_is_number(json_object_get(order, "share"));
    if (is_share && !text_equal(effect->name, "promotion")) return add_share(explanation, event, order);
    struct link *link = link_add(explanation, LINK_ordered, event->step, event->time_ms);
    if (is_share) json_put_flag(order, "promotion", true);
    json_decref(link->facts);
    link->facts = order;
}

json_t *undone_facts(const struct step_state *step)
{
    json_t *how = json_array(), *names = json_array();
    bool was_ordered = false;
    for (const struct effect_state *effect = step->effects; effect; effect = effect->next) {
        json_t *order = order_facts(effect);
        bool is_undo = text_starts(effect->name, "undo ") && effect->status == EFFECT_done;
        if (order && is_undo) json_array_append(how, order);
        was_ordered |= order && !is_undo;
        if (effect->status == EFFECT_compensated) json_array_append_new(names, json_string(effect->name));
        json_decref(order);
    }
    json_t *facts = json_pack("{s:o, s:o}", "names", names, "how", how);
    if (was_ordered && !json_array_size(how)) json_put_flag(facts, "settled", true); /* there was nothing left to undo */
    return facts;
}

/* lease.c: which leases a run holds, told from its effects' outcomes: {"lease": {"service", "ttl_ms", "url"}} holds one,
   {"lease": null, "service"} has none any more. Of all done effects that tell of a service's lease the latest counts. */
#include "state/parts.h"

#include "base/json.h"
#include "base/text.h"

const char *lease_service(const struct effect_state *effect)
{
    const json_t *lease = json_object_get(effect->outcome, "lease");
    if (!lease) return NULL;
    return json_is_object(lease) ? json_text(lease, "service", NULL) : json_text(effect->outcome, "service", NULL);
}

bool lease_is_held(const struct run_state *state, const struct effect_state *effect)
{
    const char *service = lease_service(effect);
    if (effect->status != EFFECT_done || !service || !json_is_object(json_object_get(effect->outcome, "lease"))) return false;
    uint32_t step = 0;
    for (const struct effect_state *other = effect_next(state, &step, NULL); other; other = effect_next(state, &step, other))
        if (other->status == EFFECT_done && other->order > effect->order && text_equal(lease_service(other), service)) return false;
    return true;
}

json_t *run_state_leases(const struct run_state *state)
{
    json_t *list = json_array();
    uint32_t step = 0;
    for (const struct effect_state *effect = effect_next(state, &step, NULL); effect; effect = effect_next(state, &step, effect))
        if (lease_is_held(state, effect)) json_array_append(list, json_object_get(effect->outcome, "lease"));
    return list;
}

bool run_state_has_open_effect(const struct run_state *state)
{
    uint32_t step = 0;
    for (const struct effect_state *effect = effect_next(state, &step, NULL); effect; effect = effect_next(state, &step, effect))
        if (effect_is_open(effect)) return true;
    return false;
}

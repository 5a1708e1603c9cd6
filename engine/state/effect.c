/* effect.c: finding a step's effects, and the key that names one to the world outside. */
#include "state/parts.h"

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"

struct effect_state *effect_find(const struct step_state *step, const char *name)
{
    for (struct effect_state *effect = step->effects; effect; effect = effect->next)
        if (text_equal(effect->name, name)) return effect;
    return NULL;
}

struct effect_state *effect_find_key(const struct step_state *step, const char *key)
{
    for (struct effect_state *effect = step->effects; effect; effect = effect->next)
        if (text_equal(effect->key, key)) return effect;
    return NULL;
}

bool effect_is_open(const struct effect_state *effect)
{
    return effect->status == EFFECT_intended || effect->status == EFFECT_sent || effect->status == EFFECT_acknowledged;
}

bool effect_is_unknown(const struct effect_state *effect)
{
    return effect->status == EFFECT_unknown;
}

bool effect_is_unsettled(const struct effect_state *effect)
{
    return effect_is_open(effect) || effect_is_unknown(effect);
}

bool step_has_effect(const struct step_state *step, bool (*test)(const struct effect_state *effect))
{
    for (const struct effect_state *effect = step->effects; effect; effect = effect->next)
        if (test(effect)) return true;
    return false;
}

const json_t *effect_planned(const struct plan_step *plan, const char *name)
{
    size_t index;
    json_t *planned;
    json_array_foreach(plan->effects, index, planned) if (text_equal(json_text(planned, "name", NULL), name)) return planned;
    return NULL;
}

void effect_put_sending(const struct effect_state *effect, json_t *line)
{
    if (!effect->sends) return;
    json_put_whole(line, "sent", effect->sent_ms);
    json_put_whole(line, "sends", effect->sends);
}

json_t *effect_outcome_by_word(const struct effect_state *effect, const char *id)
{
    json_t *outcome = effect->expects ? json_copy(effect->expects) : json_object();
    json_put_text(outcome, "order", id);
    return outcome;
}

const struct effect_state *effect_next(const struct run_state *state, uint32_t *step, const struct effect_state *effect)
{
    if (effect && effect->next) return effect->next;
    for (*step += effect != NULL; *step < state->plan->step_count; ++*step)
        if (state->steps[*step].effects) return state->steps[*step].effects;
    return NULL;
}

void effect_key(uint64_t run, const char *step_path, unsigned generation, const char *name, const char *target, char ret_key[65])
{
    struct text text = {0};
    text_add_format(&text, "%llu\n%s\n%u\n%s\n%s", (unsigned long long)run, step_path, generation, name, target);
    sha256_hex(text.bytes, text.size, ret_key);
    text_release(&text);
}

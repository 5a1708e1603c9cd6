/* reduce_effect.c: the part of reduce.c about effects: from an intent to its outcome. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"

static struct effect_state *add_effect(struct step_state *step, const struct event *event)
{
    struct effect_state *effect = mem_alloc(sizeof *effect);
    effect->name = mem_copy_text(json_text(event->data, "name", NULL));
    effect->key = mem_copy_text(json_text(event->data, "key", NULL));
    effect->digest = mem_copy_text(json_text(event->data, "digest", NULL));
    effect->target = mem_copy_text(json_text(event->data, "target", NULL));
    struct effect_state **end = &step->effects;
    while (*end)
        end = &(*end)->next;
    *end = effect;
    return effect;
}

static int check_effect(const struct run_state *state, const struct effect_state *effect, const struct event *event, struct error *err)
{
    if (run_status_at_rest(state->status)) return refuse_payload(event, "the run is over", err);
    if (!json_text(event->data, "name", NULL)) return refuse_payload(event, "the effect has no name", err);
    if (event->type == EVENT_effect_intended && (!json_text(event->data, "key", NULL) || !json_text(event->data, "digest", NULL)))
        return refuse_payload(event, "an intent has a key and a digest", err);
    if (event->type == EVENT_effect_adopted && !json_text(event->data, "id", NULL))
        return refuse_payload(event, "it does not say what the effect is at the peer", err);
    enum effect_status from = effect ? effect->status : EFFECT_planned;
    if (effect_move(from, event->type) < 0) return refuse_move(json_text(event->data, "name", ""), effect_status_name(from), event, err);
    return 0;
}

/* Who is told to find it is not told to go. */
static void fold_sending(struct effect_state *effect, const struct event *event)
{
    bool goes = effect->status == EFFECT_intended || json_flag(event->data, "again", false);
    if (event->type != EVENT_effect_sent || !goes) return;
    effect->sent_ms = event->time_ms;
    effect->sends++;
}

int reduce_effect(struct run_state *state, const struct event *event, struct error *err)
{
    struct step_state *step = &state->steps[event->step];
    struct effect_state *effect = effect_find(step, json_text(event->data, "name", NULL));
    int result = check_effect(state, effect, event, err);
    if (result) return result;
    if (!effect) effect = add_effect(step, event);
    fold_sending(effect, event);
    effect->status = (enum effect_status)effect_move(effect->status, event->type);
    if (event->type == EVENT_effect_intended) {
        effect->begun = state->event_count;
        replace_text(&effect->target, json_text(event->data, "target", NULL));
        replace_text(&effect->key, json_text(event->data, "key", NULL));
        replace_text(&effect->digest, json_text(event->data, "digest", NULL));
        replace_json(&effect->intent, json_object_get(event->data, "body"));
        replace_json(&effect->expects, json_object_get(event->data, "expects"));
    }
    fold_word(step, effect, event);
    if (event->type == EVENT_effect_done) effect->order = ++state->done_count;
    json_t *outcome = json_object_get(event->data, "outcome");
    if (outcome) replace_json(&effect->outcome, outcome);
    return 0;
}

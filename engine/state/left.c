/* left.c: what stands in the world after a run that ended badly: what it could have undone and did not, and what it promoted, which has no
   way back, with the version that stays beside it. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static json_t *describe(const struct run_state *state, uint32_t step, const struct effect_state *effect, const char *service)
{
    const char *planned = json_text(effect_planned(&state->plan->steps[step], effect->name), "target", NULL);
    json_t *left = json_object();
    json_put_text(left, "step", state->plan->steps[step].path);
    json_put_text(left, "effect", effect->name);
    json_put_text(left, "target", effect->target ? effect->target : planned);
    json_put_text(left, "order", json_text(effect->outcome, "order", NULL));
    json_put_text(left, "service", service);
    return left;
}

/* --- what was promoted --- */

/* The version of a service that a step of the run handed on; NULL: none did. */
static const char *version_of(const struct run_state *state, const char *service)
{
    for (uint32_t i = 0; i < state->plan->step_count; i++) {
        const json_t *outputs = state->steps[i].outputs;
        if (text_equal(json_text(outputs, "service", NULL), service) && json_text(outputs, "version", NULL))
            return json_text(outputs, "version", NULL);
    }
    return NULL;
}

static bool ends_services(const struct plan_step *plan)
{
    return text_equal(plan->type, "retire") ||
           (text_equal(plan->type, "order") && text_equal(json_text(plan->with, "action", NULL), "delete"));
}

static bool was_ended(const struct run_state *state, const char *service)
{
    uint32_t step = 0;
    for (const struct effect_state *effect = effect_next(state, &step, NULL); effect; effect = effect_next(state, &step, effect))
        if (effect->status == EFFECT_done && ends_services(&state->plan->steps[step]) &&
            text_equal(json_text(effect->outcome, "service", NULL), service))
            return true;
    return false;
}

static void add_staying(
    json_t *list, const struct run_state *state, uint32_t step, const struct effect_state *effect, const char *service, const char *stays)
{
    if (!service || was_ended(state, service)) return;
    json_t *left = describe(state, step, effect, service);
    json_put_text(left, "version", version_of(state, service));
    json_put_text(left, "stays", stays);
    json_array_append_new(list, left);
}

/* What was promoted, and the version before it, which a retirement would have ended. */
static void add_promoted(json_t *list, const struct run_state *state, uint32_t step, const struct effect_state *effect)
{
    if (!json_flag(effect_planned(&state->plan->steps[step], effect->name), "pivot", false) || effect->status != EFFECT_done) return;
    add_staying(list, state, step, effect, json_text(effect->outcome, "service", NULL), "in-service");
    add_staying(list, state, step, effect, json_text(state->steps[step].outputs, "previous", NULL), "unused");
}

json_t *run_state_left(const struct run_state *state)
{
    json_t *list = json_array();
    uint32_t step = 0;
    bool is_bad = (run_status_at_rest(state->status) && state->status != RUN_succeeded) || state->status == RUN_rollback_failed;
    if (!is_bad) return list;
    for (const struct effect_state *effect = effect_next(state, &step, NULL); effect; effect = effect_next(state, &step, effect)) {
        const char *service = json_text(effect->outcome, "service", json_text(state->steps[step].outputs, "service", NULL));
        if (undo_is_due(state, step, effect))
            json_array_append_new(list, describe(state, step, effect, service));
        else
            add_promoted(list, state, step, effect);
    }
    return list;
}

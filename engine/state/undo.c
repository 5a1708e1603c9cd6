/* undo.c: what a run that ends badly takes back, and in which order. Docs: docs/explanation/rolling-back.md.
   The scope of a stage is the innermost `use` that it stands in, or the stage alone. A run that failed takes back the scopes of the
   stages that failed; one that was cancelled those that are not finished; `on-failure: { rollback: run }`, or a step `rollback: { scope:
   run }`, everything. The order is the reverse of that in which effects were done, as the journal has it; what is in doubt counts as done
   after all of that, and of several in doubt the one that was intended last as the latest; a person's word that one is undone leaves the
   order of the others. Invariant: what is in reach does not change while it is being undone, so it is computed from the state each time. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

/* --- scopes --- */

/* Does what happens in stage `of` concern stage `other`: the same scope, or one inside of it? */
static bool scope_covers(const struct plan *plan, uint32_t of, uint32_t other)
{
    const char *outer = plan->stages[of].scope, *inner = plan->stages[other].scope;
    size_t size = strlen(outer);
    if (!size) return of == other;
    return !strncmp(inner, outer, size) && (!inner[size] || inner[size] == '/');
}

static bool step_is_finished(const struct plan_step *plan, const struct step_state *step, bool stage_may_fail)
{
    if (step->status == STEP_skipped) return step->reason != REASON_failed;
    if (step->status == STEP_failed) return plan->allow_failure || stage_may_fail;
    return step->status == STEP_succeeded || step->status == STEP_reused;
}

/* A lent share goes back by itself once nobody renews it, so a scope that holds one is not finished. */
bool stage_is_finished(const struct run_state *state, uint32_t stage)
{
    const struct plan_stage *plan = &state->plan->stages[stage];
    for (uint32_t i = plan->first_step; i < plan->first_step + plan->step_count; i++) {
        const struct step_state *step = &state->steps[i];
        if (!step_is_finished(&state->plan->steps[i], step, plan->allow_failure)) return false;
        for (const struct effect_state *effect = step->effects; effect; effect = effect->next)
            if (lease_is_held(state, effect)) return false;
    }
    return true;
}

static bool is_origin(const struct run_state *state, uint32_t stage, bool unfinished)
{
    if (unfinished) return !stage_is_finished(state, stage);
    return state->stages[stage].failed && !state->plan->stages[stage].allow_failure;
}

/* Did a step `rollback: { scope: run }` do its work? */
static bool is_run_rolled_back(const struct run_state *state)
{
    for (uint32_t i = 0; i < state->plan->step_count; i++) {
        const struct plan_step *plan = &state->plan->steps[i];
        bool asks = plan_step_is_rollback(plan) && text_equal(json_text(plan->with, "scope", NULL), "run");
        if (asks && state->steps[i].status == STEP_failed) return true;
    }
    return false;
}

static bool is_in_reach(const struct run_state *state, uint32_t stage, bool unfinished)
{
    if (state->plan->rollback_run || is_run_rolled_back(state)) return true;
    for (uint32_t i = 0; i < state->plan->stage_count; i++)
        if (scope_covers(state->plan, i, stage) && is_origin(state, i, unfinished)) return true;
    return false;
}

/* --- effects --- */

/* The order of the last pivot that concerns this stage: what was done before it has no way back. */
static uint64_t last_pivot(const struct run_state *state, uint32_t stage)
{
    uint64_t last = 0;
    uint32_t step = 0;
    for (const struct effect_state *effect = effect_next(state, &step, NULL); effect; effect = effect_next(state, &step, effect)) {
        const struct plan_step *plan = &state->plan->steps[step];
        if (effect->status != EFFECT_done || effect->order <= last || !scope_covers(state->plan, plan->stage, stage)) continue;
        if (json_flag(effect_planned(plan, effect->name), "pivot", false)) last = effect->order;
    }
    return last;
}

/* Nobody knows what became of it, and it matters: it could be undone, or is a point of no return. */
static bool is_in_doubt(const struct plan_step *plan, const struct effect_state *effect)
{
    const json_t *planned = effect_planned(plan, effect->name);
    if (!effect_is_open(effect) && !effect_is_unknown(effect)) return false;
    return json_text(planned, "compensation", NULL) || json_flag(planned, "pivot", false);
}

bool undo_finds_out(const struct run_state *state, uint32_t step)
{
    for (const struct effect_state *effect = state->steps[step].effects; effect; effect = effect->next) {
        bool is_open = effect_is_open(effect) || effect_is_unknown(effect);
        if (is_open && !is_in_doubt(&state->plan->steps[step], effect)) return false;
    }
    return true;
}

bool undo_is_due(const struct run_state *state, uint32_t step, const struct effect_state *effect)
{
    const struct plan_step *plan = &state->plan->steps[step];
    if (is_in_doubt(plan, effect)) return true;
    if (effect->status != EFFECT_done || !json_text(effect_planned(plan, effect->name), "compensation", NULL)) return false;
    return effect->order > last_pivot(state, plan->stage);
}

static bool may_be_compensated(const struct run_state *state, uint32_t step)
{
    enum step_status status = state->steps[step].status;
    return step_move(status, EVENT_step_compensating) >= 0 && step_status_at_rest(status);
}

/* No two are alike: a step is told of whatever comes after the one before. */
static uint64_t order_of(const struct run_state *state, const struct effect_state *effect)
{
    return effect_is_unsettled(effect) ? state->done_count + effect->begun : effect->order;
}

/* Asked from the cheap to the dear, since most effects are out of the question. */
uint32_t undo_next(const struct run_state *state, bool unfinished)
{
    uint32_t step = 0, next = NO_STEP;
    uint64_t latest = 0;
    for (const struct effect_state *effect = effect_next(state, &step, NULL); effect; effect = effect_next(state, &step, effect)) {
        if (order_of(state, effect) <= latest || !may_be_compensated(state, step) || !undo_is_due(state, step, effect)) continue;
        if (!is_in_reach(state, state->plan->steps[step].stage, unfinished)) continue;
        latest = order_of(state, effect);
        next = step;
    }
    return next;
}

/* --- what the step is told --- */

static json_t *describe_effect(const struct plan_step *plan, const struct effect_state *effect)
{
    json_t *object = json_object();
    const char *planned = json_text(effect_planned(plan, effect->name), "target", "");
    json_put_text(object, "name", effect->name);
    json_put_text(object, "target", effect->target ? effect->target : planned);
    json_put_text(object, "key", effect->key);
    json_put_text(object, "digest", effect->digest);
    json_put(object, "body", effect->intent ? json_incref(effect->intent) : json_null());
    json_put(object, "outcome", effect->outcome ? json_incref(effect->outcome) : json_null());
    if (!is_in_doubt(plan, effect)) return object;
    json_put_flag(object, "find", true);
    json_put_text(object, "adopt", effect->adopt);
    effect_put_sending(effect, object);
    if (!json_text(effect_planned(plan, effect->name), "compensation", NULL)) json_put_flag(object, "keep", true);
    return object;
}

json_t *run_state_undo(const struct run_state *state, uint32_t step)
{
    json_t *list = json_array();
    for (uint64_t below = UINT64_MAX;;) {
        const struct effect_state *newest = NULL;
        for (const struct effect_state *effect = state->steps[step].effects; effect; effect = effect->next)
            if (order_of(state, effect) < below && (!newest || order_of(state, effect) > order_of(state, newest)) &&
                undo_is_due(state, step, effect))
                newest = effect;
        if (!newest) return list;
        json_array_append_new(list, describe_effect(&state->plan->steps[step], newest));
        below = order_of(state, newest);
    }
}

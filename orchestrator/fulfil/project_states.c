/* project_states.c: a run's and a stage's state in TM Forum's words. */
#include "orchestrator/fulfil/project.h"

#include "base/json.h"
#include "base/text.h"

/* The step that waits for the order's start; NULL: it begins at once. */
static const struct step_state *start_step(const struct run_state *state)
{
    const struct plan *plan = state->plan;
    uint32_t count = order_item_count(plan);
    return count < plan->stage_count ? &state->steps[plan->stages[count].first_step] : NULL;
}

uint32_t order_item_count(const struct plan *plan)
{
    const struct plan_stage *last = plan->stage_count ? &plan->stages[plan->stage_count - 1] : NULL;
    return last && text_equal(plan->steps[last->first_step].type, "await") ? plan->stage_count - 1 : plan->stage_count;
}

int64_t order_begun_ms(const struct run_state *state)
{
    const struct step_state *start = start_step(state);
    if (!start) return state->started_ms;
    return start->status == STEP_succeeded ? start->ended_ms : 0;
}

bool order_is_ahead(const struct run_state *state)
{
    const struct step_state *start = start_step(state);
    return start && !step_status_at_rest(start->status);
}

bool order_is_undone(const struct run_state *state)
{
    return run_status_at_rest(state->status) && state->status != RUN_succeeded;
}

static bool is_first_failed(const struct run_state *state, uint32_t stage)
{
    if (state->first_failed == NO_STEP || state->plan->steps[state->first_failed].stage != stage) return false;
    return state->steps[state->first_failed].reason != REASON_operator; /* ended by a person, it did not fail */
}

/* What only the inventory records has no effect that would be undone: it ends with its order. */
static bool is_dropped(const struct run_state *state, uint32_t stage)
{
    const char *type = state->plan->steps[state->plan->stages[stage].first_step].type;
    return order_is_undone(state) && !order_is_past_pivot(state) && (text_equal(type, "reserve") || text_equal(type, "note"));
}

static bool is_pivot(const struct plan_step *step, const char *name)
{
    const json_t *effect;
    size_t index;
    json_array_foreach(step->effects, index, effect)
    {
        if (json_flag(effect, "pivot", false) && text_equal(json_text(effect, "name", NULL), name)) return true;
    }
    return false;
}

static bool has_pivot_done(const struct run_state *state, uint32_t stage)
{
    uint32_t step = state->plan->stages[stage].first_step;
    for (const struct effect_state *effect = state->steps[step].effects; effect; effect = effect->next)
        if (effect->status == EFFECT_done && is_pivot(&state->plan->steps[step], effect->name)) return true;
    return false;
}

/* But for a cancel that is under way. */
static const char *own_state(const struct run_state *state, uint32_t stage)
{
    switch (stage_status(state, stage)) {
    case STEP_pending:
    case STEP_ready: return order_is_undone(state) ? "cancelled" : "acknowledged";
    case STEP_starting:
    case STEP_running:
    case STEP_parked:
    case STEP_cancelling:
    case STEP_compensating: return "inProgress";
    case STEP_succeeded:
    case STEP_reused: return is_dropped(state, stage) ? "cancelled" : "completed";
    case STEP_failed: return "failed";
    case STEP_skipped:
    case STEP_cancelled: return "cancelled";
    case STEP_compensated:
        if (has_pivot_done(state, stage)) return "completed"; /* it was found to be done after all */
        return is_first_failed(state, stage) ? "failed" : "cancelled";
    case STEP_unknown:
    case STEP_compensation_failed: return "held";
    case STEP_STATUS_COUNT: break;
    }
    return "held";
}

bool item_is_done(const struct run_state *state, uint32_t stage)
{
    return text_equal(own_state(state, stage), "completed");
}

/* What it is that ended badly, and of which some may stand, because nothing undoes it. */
static const char *end_state(const struct run_state *state, const char *undone)
{
    uint32_t done = 0, count = order_item_count(state->plan);
    for (uint32_t stage = 0; stage < count; stage++)
        done += item_is_done(state, stage);
    return done == 0 ? undone : done == count ? "completed" : "partial";
}

/* Assessed while it is found out what became of what was under way; then what was done is undone. */
const char *order_state(const struct run_state *state)
{
    bool cancelled = state->cancelled_by != NULL;
    switch (state->status) {
    case RUN_queued: return "acknowledged";
    case RUN_running:
    case RUN_waiting: return order_is_ahead(state) ? "acknowledged" : "inProgress";
    case RUN_cancelling: return cancelled ? "assessingCancellation" : "inProgress";
    case RUN_rolling_back: return cancelled ? "pendingCancellation" : "inProgress";
    case RUN_succeeded: return "completed";
    case RUN_failed: return end_state(state, "failed");
    case RUN_rolled_back: return end_state(state, cancelled ? "cancelled" : "failed");
    case RUN_cancelled: return end_state(state, "cancelled");
    case RUN_rollback_failed:
    case RUN_needs_person: return "held";
    case RUN_STATUS_COUNT: break;
    }
    return "held";
}

/* A cancel is told of each item that it may still change. */
const char *item_state(const struct run_state *state, uint32_t stage)
{
    const char *own = own_state(state, stage);
    bool is_cancelling = state->cancelled_by && (state->status == RUN_cancelling || state->status == RUN_rolling_back);
    bool is_open = text_equal(own, "acknowledged") || text_equal(own, "inProgress");
    if (text_equal(own, "completed")) is_open = !order_is_past_pivot(state);
    return is_cancelling && is_open ? order_state(state) : own;
}

const struct effect_state *stage_effect(const struct run_state *state, uint32_t stage, const char *name)
{
    const struct step_state *step = &state->steps[state->plan->stages[stage].first_step];
    for (const struct effect_state *effect = step->effects; effect; effect = effect->next)
        if (text_equal(effect->name, name)) return effect;
    return NULL;
}

bool stage_effect_is_done(const struct run_state *state, uint32_t stage, const char *name)
{
    const struct effect_state *effect = stage_effect(state, stage, name);
    return effect && effect->status == EFFECT_done;
}

bool order_is_past_pivot(const struct run_state *state)
{
    for (uint32_t i = 0; i < state->plan->step_count; i++)
        for (const struct effect_state *effect = state->steps[i].effects; effect; effect = effect->next)
            if (effect->status != EFFECT_failed && effect->status != EFFECT_abandoned && is_pivot(&state->plan->steps[i], effect->name))
                return true;
    return false;
}

/* One that is held waits for a person, who may decide this: what is in doubt is found out, what was given up is tried anew. */
const char *order_cancel_denial(const struct run_state *state)
{
    if (state->status == RUN_needs_person || state->status == RUN_rollback_failed) return NULL;
    if (state->cancelled_by) return "is being cancelled already";
    return order_is_past_pivot(state) ? "has ended a service, which nothing brings back; it goes on to its end" : NULL;
}

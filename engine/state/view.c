/* view.c: what can be told from a run's state: a stage's status, the whole as JSON. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

bool plan_step_is_approval(const struct plan_step *step)
{
    return text_equal(step->type, "approve");
}

bool plan_step_is_rollback(const struct plan_step *step)
{
    return text_equal(step->type, "rollback");
}

bool stage_is_broken(const struct run_state *state, uint32_t stage)
{
    const struct stage_state *is = &state->stages[stage];
    return is->inherited || (is->failed && !state->plan->stages[stage].allow_failure);
}

/* The statuses of a stage's steps, most telling first: the first that any step has is the stage's while it is open. */
static const enum step_status open_order[] = {
    STEP_unknown, STEP_compensation_failed, STEP_compensating, STEP_cancelling, STEP_running, STEP_starting, STEP_parked, STEP_ready};

static enum step_status open_status(const struct run_state *state, uint32_t stage)
{
    const struct plan_stage *plan = &state->plan->stages[stage];
    unsigned seen = 0;
    for (uint32_t i = 0; i < plan->step_count; i++)
        seen |= 1u << state->steps[plan->first_step + i].status;
    for (size_t i = 0; i < sizeof open_order / sizeof open_order[0]; i++)
        if (seen & 1u << open_order[i]) return open_order[i];
    return state->stages[stage].begun ? STEP_running : STEP_pending; /* between two steps */
}

static enum step_status rest_status(const struct run_state *state, uint32_t stage)
{
    const struct plan_stage *plan = &state->plan->stages[stage];
    unsigned seen = 0;
    bool failed = false;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const struct step_state *step = &state->steps[plan->first_step + i];
        seen |= 1u << step->status;
        failed |= step->status == STEP_failed && !state->plan->steps[plan->first_step + i].allow_failure;
    }
    if (seen & 1u << STEP_compensated) return STEP_compensated;
    if (failed) return STEP_failed;
    if (seen & 1u << STEP_cancelled) return STEP_cancelled;
    if (state->stages[stage].inherited) return STEP_skipped;
    if (seen & (1u << STEP_succeeded | 1u << STEP_failed)) return STEP_succeeded;
    return seen & 1u << STEP_reused ? STEP_reused : STEP_skipped;
}

enum step_status stage_status(const struct run_state *state, uint32_t stage)
{
    return state->stages[stage].steps_open ? open_status(state, stage) : rest_status(state, stage);
}

static json_t *effects_to_json(const struct effect_state *effect)
{
    json_t *list = json_array();
    for (; effect; effect = effect->next) {
        json_t *item = json_object();
        json_put_text(item, "name", effect->name);
        json_put_text(item, "key", effect->key);
        json_put_text(item, "target", effect->target);
        json_put_text(item, "state", effect_status_name(effect->status));
        json_put_text(item, "adopt", effect->adopt);
        json_put(item, "outcome", json_incref(effect->outcome));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *votes_to_json(const struct vote *vote)
{
    json_t *list = json_array();
    for (; vote; vote = vote->next) {
        json_t *item = json_object();
        json_put_text(item, "by", vote->by);
        json_put_text(item, "decision", vote->approve ? "approve" : "reject");
        json_put_whole(item, "time_ms", vote->time_ms);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *resolution_to_json(const struct resolution *resolution)
{
    json_t *item = json_object();
    json_put_text(item, "by", resolution->by);
    json_put_text(item, "as", resolved_name(resolution->as));
    json_put_text(item, "effect", resolution->effect);
    json_put_text(item, "id", resolution->id);
    json_put_text(item, "comment", resolution->comment);
    json_put_whole(item, "time_ms", resolution->time_ms);
    return item;
}

static json_t *resolutions_to_json(const struct resolution *resolution)
{
    json_t *list = json_array();
    for (; resolution; resolution = resolution->next)
        json_array_append_new(list, resolution_to_json(resolution));
    return list;
}

json_t *run_state_settled(const struct run_state *state)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < state->plan->step_count; i++)
        for (const struct resolution *resolution = state->steps[i].resolutions; resolution; resolution = resolution->next) {
            json_t *item = resolution_to_json(resolution);
            AUTO(free_text) char *words = resolution_words(item);
            json_put_text(item, "step", state->plan->steps[i].path);
            json_put_text(item, "words", words);
            json_array_append_new(list, item);
        }
    return list;
}

static json_t *describe_extra(const struct run_state *state, uint32_t step, const struct effect_state *effect)
{
    json_t *item = json_object();
    json_put_text(item, "step", state->plan->steps[step].path);
    json_put_text(item, "target", effect->target);
    json_put_text(item, "order", json_text(effect->intent, "order", NULL));
    json_put_flag(item, "ended", effect->status == EFFECT_done);
    json_put_text(item, "message", json_text(effect->outcome, "message", NULL));
    return item;
}

json_t *run_state_extras(const struct run_state *state)
{
    json_t *list = json_array();
    uint32_t step = 0;
    for (const struct effect_state *effect = effect_next(state, &step, NULL); effect; effect = effect_next(state, &step, effect))
        if (text_starts(effect->name, "end extra ")) json_array_append_new(list, describe_extra(state, step, effect));
    return list;
}

static void put_nonzero(json_t *object, const char *key, int64_t value)
{
    if (value) json_put_whole(object, key, value);
}

static json_t *step_to_json(const struct plan_step *plan, const struct step_state *step)
{
    json_t *object = json_object();
    json_put_text(object, "path", plan->path);
    json_put_text(object, "state", step_status_name(step->status));
    if (step->reason) json_put_text(object, "reason", reason_name(step->reason));
    if (step->wait) json_put_text(object, "waiting_for", wait_name(step->wait));
    json_put_text(object, "message", step->message);
    put_nonzero(object, "attempt", step->attempt);
    put_nonzero(object, "retries", step->retries);
    put_nonzero(object, "finds", step->finds);
    put_nonzero(object, "losses", step->losses);
    put_nonzero(object, "started_ms", step->started_ms);
    put_nonzero(object, "ended_ms", step->ended_ms);
    put_nonzero(object, "undo_tries", step->undo_tries);
    if (step->undoing) json_put_flag(object, "undoing", true);
    if (step->status == STEP_parked || step->status == STEP_compensating) put_nonzero(object, "until_ms", step->until_ms);
    put_nonzero(object, "exit_code", step->exit_code);
    put_nonzero(object, "signal", step->signal);
    json_put(object, "outputs", json_incref(step->outputs));
    json_put(object, "checkpoint", json_incref(step->checkpoint));
    if (step->effects) json_put(object, "effects", effects_to_json(step->effects));
    if (step->votes) json_put(object, "votes", votes_to_json(step->votes));
    if (step->resolutions) json_put(object, "settled", resolutions_to_json(step->resolutions));
    return object;
}

json_t *run_state_to_json(const struct run_state *state)
{
    json_t *object = json_object();
    json_put_whole(object, "run", (int64_t)state->run);
    json_put_text(object, "state", run_status_name(state->status));
    if (state->reason) json_put_text(object, "reason", reason_name(state->reason));
    if (state->wait) json_put_text(object, "waiting_for", wait_name(state->wait));
    json_put_text(object, "message", state->message);
    json_put_text(object, "turn", state->turn_message);
    if (state->gave_back) json_put_flag(object, "gave_back", true);
    json_put_text(object, "author", state->author);
    json_put_text(object, "cancelled_by", state->cancelled_by);
    put_nonzero(object, "accepted_ms", state->accepted_ms);
    put_nonzero(object, "started_ms", state->started_ms);
    put_nonzero(object, "ended_ms", state->ended_ms);
    json_t *steps = json_array();
    for (uint32_t i = 0; i < state->plan->step_count; i++)
        json_array_append_new(steps, step_to_json(&state->plan->steps[i], &state->steps[i]));
    json_put(object, "steps", steps);
    return object;
}

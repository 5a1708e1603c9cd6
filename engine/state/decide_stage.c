/* decide_stage.c: what shall happen next in one stage: its steps run one after another in one slot (rules 6 and 9).
   A condition is evaluated over folded state only: when something was decided before it in the same call, it waits for the next. */
#include "state/decide_stage.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"

enum verdict { VERDICT_START, VERDICT_SKIP_CONDITION, VERDICT_SKIP_FAILED, VERDICT_CANCEL, VERDICT_INVALID };

static const struct plan_stage *stage_plan(const struct decision *decision, uint32_t stage)
{
    return &decision->state->plan->stages[stage];
}

static void add(struct decision *decision, enum event_type type, uint32_t step, json_t *data)
{
    event_list_add(decision->list, type, step, decision->now_ms, data);
}

static json_t *with_text(const char *key, const char *value)
{
    json_t *data = json_object();
    json_put_text(data, key, value);
    return data;
}

static json_t *with_reason(enum reason reason, const char *message)
{
    json_t *data = with_text("reason", reason_name(reason));
    json_put_text(data, "message", message);
    return data;
}

/* --- may it run? --- */

/* Of a stage that has begun only when a crash lost what its needs had come to, while the process that it led to went on. Decided anew,
   a need may turn out not to be over; until it is, nothing more begins. */
static bool waits_for_needs(const struct run_state *state, uint32_t stage)
{
    return state->stages[stage].needs_open > 0;
}

/* A cancelled run still runs what was written to clean up; asked a second time, or never begun, it runs nothing more. */
static bool runs_nothing_more(const struct run_state *state)
{
    return state->status == RUN_cancelling && (state->cancel_count > 1 || !state->started_ms);
}

struct question {
    const char *condition;
    bool overrides, failed, cancelled;
};

static enum verdict answer(const struct run_state *state, const struct question *question, struct error *err)
{
    if (question->cancelled && (!question->overrides || runs_nothing_more(state))) return VERDICT_CANCEL;
    if (question->failed && !question->overrides) return VERDICT_SKIP_FAILED;
    bool holds = true;
    if (condition_holds(state, question->condition, (struct circumstances){question->failed, question->cancelled}, &holds, err))
        return question->cancelled ? VERDICT_CANCEL : VERDICT_INVALID;
    if (holds) return VERDICT_START;
    if (question->cancelled) return VERDICT_CANCEL;
    return question->failed ? VERDICT_SKIP_FAILED : VERDICT_SKIP_CONDITION;
}

static enum verdict ask_stage(const struct run_state *state, uint32_t index, struct error *err)
{
    const struct plan_stage *stage = &state->plan->stages[index];
    struct question question = {.condition = stage->condition, .overrides = stage->condition_overrides};
    question.cancelled = state->status == RUN_cancelling;
    for (uint32_t i = 0; i < stage->need_count && !question.failed; i++)
        question.failed = stage_is_broken(state, stage->needs[i]);
    return answer(state, &question, err);
}

/* Does this stage go on although the run is cancelled? */
static bool stage_survives(const struct run_state *state, uint32_t stage)
{
    if (state->status != RUN_cancelling) return true;
    return state->plan->stages[stage].condition_overrides && ask_stage(state, stage, NULL) == VERDICT_START;
}

static enum verdict ask_step(const struct run_state *state, const struct plan_step *step, bool survives, struct error *err)
{
    struct question question = {.condition = step->condition, .overrides = step->condition_overrides};
    question.failed = state->stages[step->stage].failed;
    question.cancelled = !survives;
    return answer(state, &question, err);
}

/* --- deciding for one step --- */

static bool is_untold(const struct effect_state *effect)
{
    return effect_is_unsettled(effect) && !effect->adopt;
}

/* It waits to find out what became of an effect, and will not any more. What a person said of it stands: nobody is asked twice. */
static bool is_left_open(const struct step_state *step)
{
    bool waits = step->status == STEP_parked || step->status == STEP_pending || step->status == STEP_ready;
    return waits && step_has_effect(step, is_untold);
}

static void leave_open(struct decision *decision, uint32_t step)
{
    add(decision, EVENT_step_unknown, step, with_text("message", "it was ended while the outcome of an effect was open"));
}

static void refuse(struct decision *decision, uint32_t step, enum verdict verdict, const struct error *err)
{
    AUTO(free_text) char *message = NULL;
    if (verdict == VERDICT_SKIP_FAILED && is_left_open(&decision->state->steps[step])) return leave_open(decision, step);
    switch (verdict) {
    case VERDICT_START: break;
    case VERDICT_SKIP_CONDITION: add(decision, EVENT_step_skipped, step, with_text("because", "condition")); break;
    case VERDICT_SKIP_FAILED: add(decision, EVENT_step_skipped, step, with_text("because", "failed")); break;
    case VERDICT_CANCEL: add(decision, EVENT_step_cancelled, step, with_reason(decision->state->cancel_reason, NULL)); break;
    case VERDICT_INVALID:
        message = mem_format("its condition cannot be told: %s", err->message);
        add(decision, EVENT_step_failed, step, with_reason(REASON_invalid, message));
        break;
    }
}

static void park_for_approval(struct decision *decision, const struct plan_step *step)
{
    json_t *data = with_text("for", wait_name(WAIT_approval));
    int64_t expires_ms = json_whole(step->with, "expires", 0);
    if (expires_ms > 0) json_put_whole(data, "until", decision->now_ms + expires_ms);
    add(decision, EVENT_step_parked, step->index, data);
}

static void fail_on_purpose(struct decision *decision, const struct plan_step *step)
{
    AUTO(free_json) json_t *with = NULL;
    struct scope scope = run_state_scope(decision->state);
    struct error err = {0};
    int failed = plan_resolve(step->with, &scope, &with, &err);
    const char *because = failed ? err.message : json_text(with, "because", "the pipeline says so");
    add(decision, EVENT_step_failed, step->index, with_reason(REASON_failed, because));
}

static void start(struct decision *decision, uint32_t step)
{
    json_t *data = json_object();
    json_put_whole(data, "attempt", (int64_t)decision->state->steps[step].attempt + 1);
    add(decision, EVENT_step_starting, step, data);
}

/* May a step be handed over behind this one? Only where the shim alone can tell that this one succeeded. */
static bool may_be_followed(const struct plan_step *step)
{
    bool has_outputs = step->outputs && step->outputs[0];
    return !step->retry.times && !step->allow_failure && !has_outputs && !json_array_size(step->effects);
}

static bool has_process(const struct plan_step *step)
{
    return !plan_step_is_approval(step) && !plan_step_is_rollback(step);
}

/* Hands over the steps behind `from`, which is handed over as the `ahead`th beyond the one that lives. */
static void hand_ahead(struct decision *decision, uint32_t from, uint32_t ahead)
{
    const struct run_state *state = decision->state;
    const struct plan_step *steps = state->plan->steps;
    const struct plan_stage *stage = stage_plan(decision, steps[from].stage);
    if (decision->hold || state->status == RUN_cancelling || state->stages[steps[from].stage].failed) return;
    if (waits_for_needs(state, steps[from].stage)) return;
    for (uint32_t i = from; ahead < LIMIT_HANDED_AHEAD && i + 1 < stage->first_step + stage->step_count; i++, ahead++) {
        const struct plan_step *next = &steps[i + 1];
        if (!may_be_followed(&steps[i]) || !next->ready_ahead || !has_process(next)) return;
        if (state->steps[i + 1].status != STEP_pending || state->steps[i + 1].dropped) return;
        start(decision, i + 1);
    }
}

/* In batches: only when half of what was handed over is used up. */
static void refill(struct decision *decision, uint32_t stage)
{
    const struct stage_state *is = &decision->state->stages[stage];
    uint32_t front = stage_plan(decision, stage)->first_step + is->cursor;
    if (is->live - 1 <= LIMIT_HANDED_AHEAD / 2) hand_ahead(decision, front + is->live - 1, is->live - 1);
}

static void start_in_slot(struct decision *decision, uint32_t step)
{
    decision->free_slots--;
    start(decision, step);
    hand_ahead(decision, step, 0);
}

static void begin(struct decision *decision, const struct plan_step *step)
{
    const struct run_state *state = decision->state;
    const struct stage_state *stage = &state->stages[step->stage];
    bool others_first = state->queue_count && !stage->begun;
    if (state->steps[step->index].status == STEP_ready || stage->live || decision->hold) return;
    if (!decide_turn(decision, step)) return;
    if (plan_step_is_approval(step)) return park_for_approval(decision, step);
    if (plan_step_is_rollback(step)) return fail_on_purpose(decision, step);
    if (decision->free_slots && !others_first) return start_in_slot(decision, step->index);
    add(decision, EVENT_step_ready, step->index, NULL);
}

/* --- deciding for the stage --- */

static bool is_over_time(const struct decision *decision, uint32_t stage)
{
    const struct stage_state *is = &decision->state->stages[stage];
    int64_t timeout_ms = stage_plan(decision, stage)->timeout_ms;
    return timeout_ms && is->started_ms && !is->failed && decision->now_ms >= is->started_ms + timeout_ms;
}

static void end_for_timeout(struct decision *decision, uint32_t stage, uint32_t step)
{
    struct text message = {0};
    if (is_left_open(&decision->state->steps[step])) return leave_open(decision, step);
    text_add(&message, "its stage took longer than ");
    text_add_duration(&message, stage_plan(decision, stage)->timeout_ms);
    json_t *data = with_reason(REASON_timeout, text_view(&message));
    text_release(&message);
    enum step_status status = decision->state->steps[step].status;
    bool is_process = status == STEP_starting || status == STEP_running;
    add(decision, is_process ? EVENT_step_cancelling : EVENT_step_failed, step, data);
}

static void decide_parked(struct decision *decision, uint32_t index)
{
    const struct step_state *step = &decision->state->steps[index];
    if (!step->until_ms || !wait_is_over(step, decision->now_ms)) return;
    if (step->wait == WAIT_approval)
        add(decision, EVENT_step_failed, index, with_reason(REASON_expired, "nobody decided in time"));
    else
        add(decision, EVENT_step_woken, index, with_text("by", wait_name(step->wait)));
}

/* The shim began it before it heard that the step before it does not count as a success. */
static void stop_forerunner(struct decision *decision, const struct plan_step *step)
{
    bool runs = decision->state->steps[step->index].status == STEP_running;
    if (runs && decision->state->stages[step->stage].failed && !step->condition_overrides)
        add(decision, EVENT_step_cancelling, step->index, with_reason(REASON_failed, "a step before it failed"));
}

/* Pending and ready steps from the stage's front on: skips in one go what needs no asking, begins at most one. */
static void advance(struct decision *decision, uint32_t stage)
{
    const struct run_state *state = decision->state;
    const struct plan_stage *plan = stage_plan(decision, stage);
    bool survives = stage_survives(state, stage);
    size_t before = decision->list->count;
    for (uint32_t i = state->stages[stage].cursor; i < plan->step_count; i++) {
        const struct plan_step *step = &state->plan->steps[plan->first_step + i];
        enum step_status status = state->steps[step->index].status;
        if (step_status_at_rest(status)) continue;
        if (status != STEP_pending && status != STEP_ready) return;
        if (step->condition && decision->list->count != before) return;
        struct error err = {0};
        enum verdict verdict = ask_step(state, step, survives, &err);
        if (verdict == VERDICT_START) {
            if (decision->list->count == before) begin(decision, step);
            return;
        }
        refuse(decision, step->index, verdict, &err);
        if (verdict == VERDICT_SKIP_CONDITION || verdict == VERDICT_INVALID) return; /* what follows may depend on it */
    }
}

/* The stage as a whole is not to run: none of its steps has begun. */
static void refuse_stage(struct decision *decision, uint32_t stage, enum verdict verdict, const struct error *err)
{
    const struct plan_stage *plan = stage_plan(decision, stage);
    for (uint32_t i = decision->state->stages[stage].cursor; i < plan->step_count; i++) {
        if (step_status_at_rest(decision->state->steps[plan->first_step + i].status)) continue;
        refuse(decision, plan->first_step + i, verdict, err);
        if (verdict == VERDICT_INVALID) verdict = VERDICT_SKIP_FAILED;
    }
}

/* Also a cancelled stage waits for its needs: what is written to clean up behind it must not overtake them. */
static void decide_fresh(struct decision *decision, uint32_t stage)
{
    const struct run_state *state = decision->state;
    if (waits_for_needs(state, stage)) return;
    struct error err = {0};
    enum verdict verdict = ask_stage(state, stage, &err);
    if (verdict == VERDICT_START)
        advance(decision, stage);
    else
        refuse_stage(decision, stage, verdict, &err);
}

/* Who gives up takes the whole stage along. */
static void decide_parked_for_turn(struct decision *decision, const struct plan_step *step)
{
    bool is_cancelled = decision->state->status == RUN_cancelling;
    if (decide_waiting(decision, step)) refuse_stage(decision, step->stage, is_cancelled ? VERDICT_CANCEL : VERDICT_SKIP_FAILED, NULL);
}

static void decide_begun(struct decision *decision, uint32_t stage)
{
    const struct run_state *state = decision->state;
    const struct plan_step *front = &state->plan->steps[stage_plan(decision, stage)->first_step + state->stages[stage].cursor];
    switch ((int)state->steps[front->index].status) {
    case STEP_starting:
    case STEP_running:
        if (is_over_time(decision, stage)) return end_for_timeout(decision, stage, front->index);
        stop_forerunner(decision, front);
        return refill(decision, stage);
    case STEP_parked:
        if (state->steps[front->index].wait == WAIT_group) return decide_parked_for_turn(decision, front);
        if (is_over_time(decision, stage)) return end_for_timeout(decision, stage, front->index);
        return decide_parked(decision, front->index);
    case STEP_pending:
    case STEP_ready:
        if (is_over_time(decision, stage)) return end_for_timeout(decision, stage, front->index);
        if (!waits_for_needs(state, stage)) advance(decision, stage);
        return;
    case STEP_unknown:
        if (!state->steps[front->index].wait || (state->status == RUN_cancelling && undo_finds_out(state, front->index)))
            add(decision, EVENT_step_cancelled, front->index, with_reason(state->cancel_reason, state->steps[front->index].message));
        return;
    default: return;
    }
}

/* A cancelled run's stage: ends what is not written to clean up. Steps with an overriding condition wait for their turn. */
static void cancel_steps(struct decision *decision, uint32_t stage)
{
    const struct run_state *state = decision->state;
    const struct plan_stage *plan = stage_plan(decision, stage);
    for (uint32_t i = state->stages[stage].cursor; i < plan->step_count; i++) {
        const struct plan_step *step = &state->plan->steps[plan->first_step + i];
        const struct step_state *is = &state->steps[step->index];
        bool waits = is->status == STEP_pending && (i > state->stages[stage].cursor || waits_for_needs(state, stage));
        bool is_doomed = runs_nothing_more(state) || !step->condition_overrides;
        if (is->status == STEP_unknown) continue;
        if (!is_doomed && (waits || ask_step(state, step, false, NULL) == VERDICT_START)) continue;
        if (is_left_open(is) && !undo_finds_out(state, step->index)) {
            leave_open(decision, step->index);
            continue;
        }
        json_t *data = with_reason(state->cancel_reason, NULL);
        if (is->status == STEP_starting || is->status == STEP_running)
            add(decision, EVENT_step_cancelling, step->index, data);
        else if (!step_status_at_rest(is->status) && is->status != STEP_cancelling)
            add(decision, EVENT_step_cancelled, step->index, data);
        else
            json_decref(data);
    }
}

void decide_stage(struct decision *decision, uint32_t stage)
{
    const struct run_state *state = decision->state;
    if (!state->stages[stage].steps_open) return;
    if (!state->stages[stage].begun) return decide_fresh(decision, stage);
    size_t before = decision->list->count;
    if (state->status == RUN_cancelling && !stage_survives(state, stage)) cancel_steps(decision, stage);
    if (decision->list->count == before) decide_begun(decision, stage);
}

void decide_ready(struct decision *decision, uint32_t stage)
{
    const struct run_state *state = decision->state;
    const struct plan_stage *plan = stage_plan(decision, stage);
    if (state->stages[stage].cursor >= plan->step_count) return;
    uint32_t step = plan->first_step + state->stages[stage].cursor;
    if (state->steps[step].status != STEP_ready || state->stages[stage].live) return;
    bool survives = stage_survives(state, stage);
    if (!survives && ask_step(state, &state->plan->steps[step], false, NULL) != VERDICT_START) return;
    if (is_over_time(decision, stage)) return;
    start_in_slot(decision, step);
}

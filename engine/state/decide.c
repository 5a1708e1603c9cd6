/* decide.c: state, time → what shall happen next, for the run as a whole; decide_stage.c is the part about one stage.
   Reads the state but for its work lists. A stage leaves `dirty` only when nothing is to be done for it, so that asking twice
   without folding gives the same events, and asking again after folding them gives nothing. */
#include "state/decide_stage.h"

#include "base/json.h"
#include "base/mem.h"

#include <string.h>

static void add_run(const struct decision *decision, enum event_type type, json_t *data)
{
    event_list_add(decision->list, type, NO_STEP, decision->now_ms, data);
}

static int64_t run_deadline(const struct run_state *state)
{
    bool counts = state->status == RUN_running || state->status == RUN_waiting;
    return counts && state->plan->timeout_ms ? state->started_ms + state->plan->timeout_ms : INT64_MAX;
}

static void time_out(const struct decision *decision)
{
    struct text message = {0};
    text_add(&message, "the run took longer than its timeout of ");
    text_add_duration(&message, decision->state->plan->timeout_ms);
    json_t *data = json_object();
    json_put_text(data, "reason", reason_name(REASON_timeout));
    json_put_text(data, "comment", text_view(&message));
    text_release(&message);
    add_run(decision, EVENT_cancel_requested, data);
}

/* Of a run that is being cancelled, what can be found out is found out on the way back. */
static bool is_for_person(const struct run_state *state, uint32_t step)
{
    if (state->steps[step].status != STEP_unknown || state->steps[step].wait != WAIT_person) return false;
    return state->status != RUN_cancelling || !undo_finds_out(state, step);
}

static void ask_person(const struct decision *decision)
{
    const struct run_state *state = decision->state;
    uint32_t step = 0;
    while (!is_for_person(state, step))
        if (++step == state->plan->step_count) return;
    AUTO(free_text)
    char *message = mem_format("%s: %s; `crescendo explain %llu` says what to do", state->plan->steps[step].path,
        state->steps[step].message ? state->steps[step].message : reason_help(REASON_effect_unknown), (unsigned long long)state->run);
    json_t *data = json_object();
    json_put_text(data, "message", message);
    add_run(decision, EVENT_run_needs_person, data);
}

static char *failure_message(const struct run_state *state)
{
    const struct step_state *step = &state->steps[state->first_failed];
    const char *path = state->plan->steps[state->first_failed].path;
    const char *what = step->status == STEP_cancelled ? "was cancelled" : "failed";
    return mem_format("%s %s: %s", path, what, step->message ? step->message : reason_help(step->reason));
}

/* A run that ends badly ends as `worse`, unless there is something to undo first. */
static void end_badly(const struct decision *decision, enum event_type worse, enum reason reason, const char *message)
{
    const struct run_state *state = decision->state;
    bool has_effects = undo_next(state, state->status == RUN_cancelling) != NO_STEP;
    json_t *data = json_object();
    json_put_text(data, "reason", reason_name(reason));
    json_put_text(data, "message", message);
    add_run(decision, has_effects ? EVENT_run_rolling_back : worse, data);
}

static void end_cancelled(const struct decision *decision)
{
    enum reason reason = decision->state->cancel_reason;
    const char *comment = decision->state->cancel_comment; /* of an engine that cancels: what happened */
    bool tells = reason == REASON_lease_lost || reason == REASON_superseded;
    const char *message = comment && tells ? comment : reason_help(reason);
    end_badly(decision, reason == REASON_timeout ? EVENT_run_failed : EVENT_run_cancelled, reason, message);
}

static void end_failed(const struct decision *decision)
{
    enum reason reason = decision->state->steps[decision->state->first_failed].reason;
    AUTO(free_text) char *message = failure_message(decision->state);
    end_badly(decision, EVENT_run_failed, reason == REASON_ok ? REASON_failed : reason, message);
}

static void end_run(const struct decision *decision)
{
    const struct run_state *state = decision->state;
    if (state->status == RUN_waiting) return add_run(decision, EVENT_run_resumed, NULL);
    if (state->status == RUN_cancelling) return end_cancelled(decision);
    if (state->first_failed != NO_STEP) return end_failed(decision);
    add_run(decision, EVENT_run_succeeded, NULL);
}

/* What a run with several parked steps is said to wait for: people first, since only they can do something about it. */
static enum wait foremost_wait(const struct run_state *state)
{
    static const enum wait order[] = {WAIT_approval, WAIT_person, WAIT_window, WAIT_group, WAIT_peer, WAIT_timer, WAIT_retry};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        if (state->parked_count[order[i]]) return order[i];
    return WAIT_none;
}

/* Was more decided than to say anew what is waited for? */
static bool has_decided(const struct decision *decision)
{
    for (size_t i = decision->first; i < decision->list->count; i++)
        if (decision->list->items[i].type != EVENT_step_waits) return true;
    return false;
}

static void wait_or_resume(const struct decision *decision)
{
    const struct run_state *state = decision->state;
    bool moves = state->live_count || state->ready_count || has_decided(decision);
    enum wait wait = foremost_wait(state);
    if (state->status == RUN_waiting && moves) add_run(decision, EVENT_run_resumed, NULL);
    if (state->status != RUN_running || moves || wait == WAIT_none) return;
    json_t *data = json_object();
    json_put_text(data, "for", wait_name(wait));
    add_run(decision, EVENT_run_waiting, data);
}

static void decide_dirty(struct decision *decision)
{
    struct run_state *state = decision->state;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < state->dirty_count; i++) {
        uint32_t stage = state->dirty[i];
        size_t before = decision->list->count;
        decide_stage(decision, stage);
        if (decision->list->count != before || decision->hold)
            state->dirty[kept++] = stage;
        else
            state->stages[stage].is_dirty = false;
    }
    state->dirty_count = kept;
}

static void decide_queue(struct decision *decision)
{
    const struct run_state *state = decision->state;
    for (uint32_t i = 0; decision->free_slots && !decision->hold && i < state->queue_count; i++)
        decide_ready(decision, state->queue[(state->queue_head + i) % state->plan->stage_count]);
}

static void decide_steps(struct decision *decision)
{
    if (!decide_turns(decision)) return;
    timers_notice(decision->state, decision->now_ms);
    decide_dirty(decision);
    decide_queue(decision);
    if (!decision->state->open_count && !decision->hold)
        end_run(decision);
    else
        wait_or_resume(decision);
}

static bool is_asking(const struct run_state *state)
{
    if (!state->unknown_count) return false;
    for (uint32_t i = 0; i < state->plan->step_count; i++)
        if (is_for_person(state, i)) return true;
    return false;
}

void decide(struct run_state *state, const struct decide_input *input, struct event_list *list)
{
    struct decision decision = {.state = state,
        .now_ms = input->now_ms,
        .free_slots = input->free_slots,
        .turns = input->turns,
        .list = list,
        .first = list->count};
    decision.hold = input->hold && state->status != RUN_cancelling;
    switch ((int)state->status) {
    case RUN_queued:
        if (state->event_count) add_run(&decision, EVENT_run_started, NULL);
        return;
    case RUN_running:
    case RUN_waiting:
    case RUN_cancelling:
        if (is_asking(state)) return ask_person(&decision);
        if (run_deadline(state) <= input->now_ms) return time_out(&decision);
        return decide_steps(&decision);
    case RUN_needs_person:
        if (!is_asking(state)) add_run(&decision, state->cancel_count ? EVENT_run_cancelling : EVENT_run_resumed, NULL);
        return;
    case RUN_rolling_back: timers_notice(state, input->now_ms); return decide_undo(&decision);
    default: return;
    }
}

int64_t decide_next_time(const struct run_state *state)
{
    bool moves = state->status == RUN_running || state->status == RUN_waiting || state->status == RUN_cancelling;
    if (!moves && state->status != RUN_rolling_back) return INT64_MAX;
    int64_t soonest = state->timer_count ? state->timers[0].at_ms : INT64_MAX;
    return run_deadline(state) < soonest ? run_deadline(state) : soonest;
}

bool decide_wants_slot(const struct run_state *state)
{
    return state->ready_count > 0 && !run_status_at_rest(state->status) && state->status != RUN_needs_person;
}

/* reduce.c: event → state. With reduce_effect.c, reduce_undo.c, reduce_person.c and turn.c the only writer of struct run_state; decide and
   settle only read it. An event is checked whole before anything is written: a refused one changes nothing. The tables of states.def say
   which moves there are; the payload's keys are those of events.def. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

int refuse_move(const char *what, const char *status, const struct event *event, struct error *err)
{
    return error_set(err, ERROR_STATE, NOWHERE, "%s is %s: %s is no legal move", what, status, event_type_name(event->type));
}

int refuse_payload(const struct event *event, const char *what, struct error *err)
{
    return error_set(err, ERROR_STATE, NOWHERE, "%s: %s", event_type_name(event->type), what);
}

void replace_text(char **text, const char *with)
{
    free(*text);
    *text = mem_copy_text(with);
}

void replace_json(json_t **json, json_t *with)
{
    json_incref(with);
    json_decref(*json);
    *json = with;
}

static enum reason event_reason(const struct event *event)
{
    int reason = reason_from_name(json_text(event->data, "reason", NULL));
    return reason < 0 ? REASON_ok : (enum reason)reason;
}

static enum wait event_wait(const struct event *event)
{
    int wait = wait_from_name(json_text(event->data, "for", NULL));
    return wait < 0 ? WAIT_none : (enum wait)wait;
}

/* --- the run --- */

static int check_run(const struct run_state *state, const struct event *event, struct error *err)
{
    if (event->step != NO_STEP) return refuse_payload(event, "it belongs to the run, not to a step", err);
    if ((event->type == EVENT_run_accepted) != (state->event_count == 0))
        return refuse_payload(event, "run_accepted is the first event, and only the first", err);
    if (event->type == EVENT_run_failed && event_reason(event) == REASON_ok) return refuse_payload(event, "no reason is given", err);
    if (event->type == EVENT_run_waiting && event_wait(event) == WAIT_none)
        return refuse_payload(event, "it does not say what is waited for", err);
    return 0;
}

/* was_asked: the run waited for a person, so who cancels it says that nobody will look at what is unknown. */
static void fold_cancel(struct run_state *state, const struct event *event, bool was_asked)
{
    enum reason reason = event_reason(event);
    bool is_first = !state->cancel_count++;
    if (state->status == RUN_rolling_back) return; /* on its way back already */
    if (is_first) state->cancel_reason = reason == REASON_ok ? REASON_operator : reason;
    if (is_first) replace_text(&state->cancel_comment, json_text(event->data, "comment", NULL));
    if (!state->cancelled_by) replace_text(&state->cancelled_by, json_text(event->data, "by", NULL));
    for (uint32_t i = 0; was_asked && state->unknown_count && i < state->plan->step_count; i++)
        if (state->steps[i].status == STEP_unknown) state->steps[i].wait = WAIT_none;
    stage_mark_all_open_dirty(state);
}

static void fold_start(struct run_state *state, const struct event *event)
{
    state->started_ms = event->time_ms;
    for (uint32_t i = 0; i < state->plan->stage_count; i++)
        if (!state->stages[i].needs_open) stage_mark_dirty(state, i);
}

/* What only a remark does not change, it goes on waiting for. */
static enum wait wait_after(const struct run_state *state, const struct event *event, enum run_status to)
{
    if (event->type == EVENT_run_waiting) return event_wait(event);
    if (event->type == EVENT_run_waits) return WAIT_group;
    if (to == RUN_needs_person) return WAIT_person;
    return to == state->status && event->type != EVENT_run_granted ? state->wait : WAIT_none;
}

static void fold_run(struct run_state *state, const struct event *event, enum run_status to)
{
    bool was_asked = state->status == RUN_needs_person, was_back = state->status == RUN_rollback_failed;
    if (event->type == EVENT_run_rolling_back && !was_back) state->undoes_unfinished = state->status == RUN_cancelling;
    if (event->type == EVENT_cancel_requested && was_back) fold_undo_anew(state);
    state->wait = wait_after(state, event, to);
    state->status = to;
    fold_turn_again(state, event);
    if (event->type == EVENT_run_waits) return;
    if (event->type == EVENT_run_accepted) {
        state->accepted_ms = event->time_ms;
        state->run = (uint64_t)json_whole(event->data, "number", 0);
        replace_text(&state->author, json_text(event->data, "author", NULL));
    }
    if (event->type == EVENT_run_started) fold_start(state, event);
    if (event->type == EVENT_cancel_requested) fold_cancel(state, event, was_asked);
    if (event->type == EVENT_run_isolation) {
        replace_text(&state->isolation, json_text(event->data, "message", json_text(event->data, "degree", NULL)));
        return;
    }
    if (json_text(event->data, "reason", NULL) && event->type != EVENT_cancel_requested) state->reason = event_reason(event);
    if (json_text(event->data, "text", NULL)) replace_text(&state->diagnosis, json_text(event->data, "text", NULL));
    if (json_text(event->data, "message", NULL)) replace_text(&state->message, json_text(event->data, "message", NULL));
    if (run_status_at_rest(to)) state->ended_ms = event->time_ms;
}

static int reduce_run(struct run_state *state, const struct event *event, struct error *err)
{
    int to = run_move(state->status, event->type);
    if (to < 0) return refuse_move("the run", run_status_name(state->status), event, err);
    int result = check_run(state, event, err);
    if (result) return result;
    fold_run(state, event, (enum run_status)to);
    return 0;
}

/* --- steps --- */

static int check_attempt(const struct step_state *step, const struct event *event, struct error *err)
{
    bool begins = event->type == EVENT_step_starting || event->type == EVENT_step_compensating;
    if (begins && json_whole(event->data, "attempt", 0) != (int64_t)step->attempt + 1)
        return refuse_payload(event, "it is not the next attempt", err);
    bool tells = event->type == EVENT_step_running || event->type == EVENT_step_withdrawn || event->type == EVENT_step_compensation_paused;
    if (tells && json_whole(event->data, "attempt", step->attempt) != (int64_t)step->attempt)
        return refuse_payload(event, "it tells of another attempt", err);
    return 0;
}

static int check_step(const struct run_state *state, const struct step_state *step, const struct event *event, struct error *err)
{
    if (run_status_at_rest(state->status)) return refuse_payload(event, "the run is over", err);
    if (event->type == EVENT_step_failed && event_reason(event) == REASON_ok) return refuse_payload(event, "no reason is given", err);
    if (event->type == EVENT_step_parked && event_wait(event) == WAIT_none)
        return refuse_payload(event, "it does not say what is waited for", err);
    if (event->type == EVENT_step_output && !json_text(event->data, "name", NULL))
        return refuse_payload(event, "the output has no name", err);
    if (event->type == EVENT_step_vote && !json_text(event->data, "by", NULL))
        return refuse_payload(event, "it does not say who decided", err);
    if (event->type == EVENT_step_resolved && !resolution_is_whole(event))
        return refuse_payload(event, "it does not say who settled it, and how", err);
    return check_attempt(step, event, err);
}

static void fold_starting(struct step_state *step, const struct event *event)
{
    step->attempt++;
    if (!step->checkpoint) step->began_ms = 0;
    step->started_ms = step->ended_ms = step->until_ms = 0;
    step->exit_code = step->signal = 0;
    step->dropped = step->parks = step->speaks = step->took_word = false;
    step->wait = WAIT_none;
    step->reason = REASON_ok;
    replace_text(&step->message, NULL);
    replace_text(&step->fault, NULL);
    step->fault_reason = REASON_ok;
    (void)event;
}

static void keep_checkpoint(struct run_state *state, struct step_state *step, const struct event *event)
{
    json_t *checkpoint = json_object_get(event->data, "checkpoint");
    if (!checkpoint) return;
    replace_json(&step->checkpoint, checkpoint);
    state->has_checkpoint = true;
}

static void fold_parked(struct run_state *state, uint32_t index, struct step_state *step, const struct event *event)
{
    step->wait = event_wait(event);
    step->until_ms = json_whole(event->data, "until", 0);
    step->until_set_ms = event->time_ms;
    step->reason = event_reason(event);
    step->parks = false;
    replace_text(&step->message, json_text(event->data, "message", NULL));
    keep_checkpoint(state, step, event);
    state->parked_count[step->wait]++;
    if (step->wait == WAIT_group) state->stages[state->plan->steps[index].stage].asked_ms = event->time_ms;
    if (step->until_ms) timer_add(state, (struct timer){step->until_ms, state->plan->steps[index].stage, index});
    if (step->wait != WAIT_retry) return;
    replace_json(&step->outputs, NULL);
    if (json_flag(event->data, "find", false))
        step->finds++;
    else
        step->retries++;
}

static void fold_output(struct step_state *step, const struct event *event)
{
    json_t *merged = step->outputs ? json_copy(step->outputs) : json_object();
    json_object_set(merged, json_text(event->data, "name", ""), json_object_get(event->data, "value"));
    replace_json(&step->outputs, merged);
    json_decref(merged);
}

static void fold_checkpoint(struct run_state *state, struct step_state *step, const struct event *event)
{
    keep_checkpoint(state, step, event);
    step->parks = event_wait(event) != WAIT_none;
    step->park_wait = event_wait(event);
    step->park_until_ms = json_whole(event->data, "until", 0);
}

static void fold_end(struct step_state *step, const struct event *event)
{
    step->ended_ms = event->time_ms;
    step->exit_code = (int)json_whole(event->data, "exit", 0);
    step->signal = (int)json_whole(event->data, "signal", 0);
    step->reason = event_reason(event);
    if (event->type == EVENT_step_skipped && text_equal(json_text(event->data, "because", NULL), "failed")) step->reason = REASON_failed;
    replace_text(&step->message, json_text(event->data, "message", NULL));
    json_t *outputs = json_object_get(event->data, "outputs");
    if (outputs) replace_json(&step->outputs, outputs);
}

/* A compensating step stays what it is while its process is being ended. */
static void fold_cancelling(struct step_state *step, const struct event *event)
{
    step->ending = step->status == STEP_compensating;
    if (!step->ending) step->reason = event_reason(event);
    replace_text(&step->message, json_text(event->data, "message", NULL));
}

/* Does it come from a line of the step's? Its first one is hello, which is told as progress without words. */
static bool is_said(enum event_type type)
{
    return type == EVENT_step_progress || type == EVENT_step_output || type == EVENT_step_annotated || type == EVENT_step_checkpoint;
}

/* What is particular to one type of event; what all have in common is in fold_step. */
static void fold_kind(struct run_state *state, uint32_t index, const struct event *event)
{
    struct step_state *step = &state->steps[index];
    step->speaks |= is_said(event->type);
    switch ((int)event->type) {
    case EVENT_step_starting: fold_starting(step, event); break;
    case EVENT_step_running:
        step->started_ms = event->time_ms;
        if (!step->began_ms) step->began_ms = event->time_ms;
        step->losses = 0;
        break;
    case EVENT_step_withdrawn:
        step->dropped = true;
        step->losses += json_flag(event->data, "lost", false);
        break;
    case EVENT_step_parked: fold_parked(state, index, step, event); break;
    case EVENT_step_granted:
    case EVENT_step_waits: fold_turn(state, event); break;
    case EVENT_step_progress:
        if (!json_text(event->data, "fault", NULL)) break;
        replace_text(&step->fault, json_text(event->data, "fault", NULL));
        step->fault_reason = event_reason(event);
        break;
    case EVENT_step_output: fold_output(step, event); break;
    case EVENT_step_checkpoint: fold_checkpoint(state, step, event); break;
    case EVENT_step_vote: fold_vote(step, event); break;
    case EVENT_step_resolved: fold_resolved(step, event); break;
    case EVENT_step_cancelling: fold_cancelling(step, event); break;
    case EVENT_step_compensating:
    case EVENT_step_compensation_paused:
    case EVENT_step_compensated:
    case EVENT_step_compensation_failed: fold_undo(state, event); break;
    case EVENT_step_unknown:
        step->wait = WAIT_person;
        step->reason = REASON_effect_unknown;
        replace_text(&step->message, json_text(event->data, "message", NULL));
        break;
    case EVENT_step_succeeded:
    case EVENT_step_failed:
    case EVENT_step_skipped:
    case EVENT_step_cancelled:
    case EVENT_step_reused: fold_end(step, event); break;
    default: break;
    }
}

/* Does the end of this step count against its stage? */
static bool counts_as_failure(const struct plan_step *plan, enum step_status status)
{
    return status == STEP_cancelled || (status == STEP_failed && !plan->allow_failure);
}

static void note_stage(struct run_state *state, uint32_t index, const struct event *event)
{
    const struct plan_step *plan = &state->plan->steps[index];
    const struct plan_stage *stage_plan = &state->plan->stages[plan->stage];
    struct stage_state *stage = &state->stages[plan->stage];
    enum step_status status = state->steps[index].status;
    if (status == STEP_skipped) {
        if (state->steps[index].reason == REASON_failed && !stage->failed) stage->inherited = true;
        return;
    }
    stage->begun = true;
    bool is_turn = state->steps[index].wait == WAIT_group; /* the stage's time begins with its turn */
    if (!stage->started_ms && (status == STEP_starting || (status == STEP_parked && !is_turn))) {
        stage->started_ms = event->time_ms;
        if (stage_plan->timeout_ms) timer_add(state, (struct timer){event->time_ms + stage_plan->timeout_ms, plan->stage, NO_STEP});
    }
    if (!counts_as_failure(plan, status)) return;
    stage->failed = true;
    if (state->first_failed == NO_STEP && !stage_plan->allow_failure) state->first_failed = index;
}

static void fold_step(struct run_state *state, const struct event *event, enum step_status to)
{
    struct step_state *step = &state->steps[event->step];
    enum step_status from = step->status;
    if (from == STEP_parked && to != from) {
        state->parked_count[step->wait]--;
        step->wait = WAIT_none;
    }
    if (from == STEP_unknown && to != from) step->wait = WAIT_none;
    step->status = to;
    fold_kind(state, event->step, event);
    if (from == to) return;
    step->since_ms = event->time_ms;
    note_stage(state, event->step, event);
    count_step_move(state, event->step, from, to);
}

static int reduce_step(struct run_state *state, const struct event *event, struct error *err)
{
    struct step_state *step = &state->steps[event->step];
    int to = step_move(step->status, event->type);
    if (to < 0) return refuse_move(state->plan->steps[event->step].path, step_status_name(step->status), event, err);
    int result = check_step(state, step, event, err);
    if (result) return result;
    fold_step(state, event, (enum step_status)to);
    return 0;
}

/* --- all of it --- */

static int check_subject(const struct run_state *state, const struct event *event, struct error *err)
{
    if ((unsigned)event->type >= EVENT_TYPE_COUNT) return error_set(err, ERROR_STATE, NOWHERE, "unknown event %u", (unsigned)event->type);
    if (event->data && !json_is_object(event->data)) return refuse_payload(event, "its data are no JSON object", err);
    if (event_type_subject(event->type) == EVENT_SUBJECT_RUN) return 0;
    if (!state->event_count) return refuse_payload(event, "run_accepted is the first event", err);
    if (event->step >= state->plan->step_count) return refuse_payload(event, "the plan has no such step", err);
    return 0;
}

int reduce(struct run_state *state, const struct event *event, struct error *err)
{
    int result = check_subject(state, event, err);
    if (result) return result;
    switch (event_type_subject(event->type)) {
    case EVENT_SUBJECT_RUN: result = reduce_run(state, event, err); break;
    case EVENT_SUBJECT_STEP: result = reduce_step(state, event, err); break;
    case EVENT_SUBJECT_EFFECT: result = reduce_effect(state, event, err); break;
    }
    if (result) return result;
    state->effect_events += event_type_subject(event->type) == EVENT_SUBJECT_EFFECT;
    state->event_count++;
    timers_trim(state);
    return 0;
}

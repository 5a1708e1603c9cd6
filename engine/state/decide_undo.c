/* decide_undo.c: what shall happen next in a run that rolls back: its steps are compensated one at a time, in the reverse of the
   order in which their effects were done. */
#include "state/decide_stage.h"

#include "base/json.h"
#include "base/mem.h"

static json_t *with_reason(const struct decision *decision, const char *message)
{
    enum reason reason = decision->state->reason;
    json_t *data = json_object();
    json_put_text(data, "reason", reason_name(reason == REASON_ok ? REASON_failed : reason));
    json_put_text(data, "message", message);
    return data;
}

static void compensate(struct decision *decision, uint32_t step)
{
    if (!decide_turn_again(decision)) return;
    json_t *data = json_object();
    json_put_whole(data, "attempt", (int64_t)decision->state->steps[step].attempt + 1);
    event_list_add(decision->list, EVENT_step_compensating, step, decision->now_ms, data);
}

static void give_up(const struct decision *decision, uint32_t step)
{
    const struct run_state *state = decision->state;
    const char *why = state->steps[step].message;
    AUTO(free_text)
    char *message = mem_format(
        "%s could not be undone: %s; undo it by hand (`crescendo show %llu` says what is left), then `crescendo resolve %llu --undone`",
        state->plan->steps[step].path, why ? why : "no reason is on record", (unsigned long long)state->run,
        (unsigned long long)state->run);
    event_list_add(decision->list, EVENT_run_rollback_failed, NO_STEP, decision->now_ms, with_reason(decision, message));
}

static uint32_t step_under_way(const struct run_state *state)
{
    for (uint32_t i = 0; state->open_count && i < state->plan->step_count; i++)
        if (!step_status_at_rest(state->steps[i].status)) return i;
    return NO_STEP;
}

void decide_undo(struct decision *decision)
{
    const struct run_state *state = decision->state;
    uint32_t step = step_under_way(state);
    if (step == NO_STEP) {
        uint32_t next = undo_next(state, state->undoes_unfinished);
        if (next != NO_STEP) return compensate(decision, next);
        event_list_add(decision->list, EVENT_run_rolled_back, NO_STEP, decision->now_ms, with_reason(decision, NULL));
        return;
    }
    const struct step_state *is = &state->steps[step];
    if (is->status == STEP_compensation_failed && !is->again) return give_up(decision, step);
    if (!is->undoing && wait_is_over(is, decision->now_ms)) compensate(decision, step);
}

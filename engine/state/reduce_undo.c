/* reduce_undo.c: the part of reduce.c about a step that compensates: it keeps its state over all attempts and their pauses. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

static void begin(struct step_state *step)
{
    step->attempt++;
    step->undoing = true;
    step->again = false;
    step->speaks = step->parks = false;
    step->until_ms = 0;
}

static void set_message(struct step_state *step, const struct event *event)
{
    free(step->message);
    step->message = mem_copy_text(json_text(event->data, "message", NULL));
}

static void pause_for_next(struct run_state *state, const struct event *event)
{
    struct step_state *step = &state->steps[event->step];
    step->until_ms = json_whole(event->data, "until", 0);
    step->until_set_ms = event->time_ms;
    if (json_flag(event->data, "parked", false))
        step->undo_parks++;
    else if (json_flag(event->data, "lost", false))
        step->losses++;
    else
        step->undo_tries++;
    set_message(step, event);
    timer_add(state, (struct timer){step->until_ms, state->plan->steps[event->step].stage, event->step});
}

/* A person may have it tried anew, with all the tries that there are. */
static void give_up(struct step_state *step, const struct event *event)
{
    step->undo_tries = step->losses = step->undo_parks = 0;
    set_message(step, event);
}

void fold_undo(struct run_state *state, const struct event *event)
{
    struct step_state *step = &state->steps[event->step];
    step->undoing = step->ending = false;
    if (event->type == EVENT_step_compensating) state->gave_back = false; /* in journals from before it waited */
    if (event->type == EVENT_step_compensating) begin(step);
    if (event->type == EVENT_step_compensation_paused) pause_for_next(state, event);
    if (event->type == EVENT_step_compensation_failed) give_up(step, event);
}

void fold_turn_again(struct run_state *state, const struct event *event)
{
    if (event->type == EVENT_run_rollback_failed && state->lets_go) state->gave_back = state->plan->claim_count > 0;
    if (event->type == EVENT_run_granted) state->gave_back = false;
    bool keeps = state->gave_back && state->status == RUN_rolling_back && event->type != EVENT_run_waits;
    if (keeps) return;
    free(state->turn_message);
    state->turn_message = event->type == EVENT_run_waits ? mem_copy_text(json_text(event->data, "message", NULL)) : NULL;
}

void fold_undo_anew(struct run_state *state)
{
    state->lets_go = true; /* once this has failed, too */
    for (uint32_t i = 0; i < state->plan->step_count; i++)
        if (state->steps[i].status == STEP_compensation_failed) state->steps[i].again = true;
}

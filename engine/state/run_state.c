/* run_state.c: a run's state: its life, its counters and its work lists.
   Invariants: live, ready, parked, unknown and open counts equal what a scan over the steps would count; a stage is in
   dirty when something changed for it since decide found nothing to do there; it is in queue when its first open step is ready. */
#include "state/parts.h"

#include "base/mem.h"

#include <stdlib.h>

static const struct plan no_plan;

static void init_stages(struct run_state *state)
{
    const struct plan *plan = state->plan;
    state->stages = mem_alloc_array(plan->stage_count, sizeof *state->stages);
    state->dirty = mem_alloc_array(plan->stage_count, sizeof *state->dirty);
    state->queue = mem_alloc_array(plan->stage_count, sizeof *state->queue);
    for (uint32_t i = 0; i < plan->stage_count; i++)
        state->stages[i] = (struct stage_state){
            .needs_open = plan->stages[i].need_count,
            .steps_open = plan->stages[i].step_count,
        };
}

struct run_state *run_state_new(const struct plan *plan)
{
    struct run_state *state = mem_alloc(sizeof *state);
    state->plan = plan ? plan : &no_plan;
    state->status = RUN_queued;
    state->first_failed = NO_STEP;
    state->open_count = state->plan->step_count;
    state->steps = mem_alloc_array(state->plan->step_count, sizeof *state->steps);
    init_stages(state);
    return state;
}

static void release_effects(struct effect_state *effect)
{
    while (effect) {
        struct effect_state *next = effect->next;
        free(effect->name);
        free(effect->key);
        free(effect->digest);
        free(effect->target);
        free(effect->adopt);
        json_decref(effect->expects);
        json_decref(effect->intent);
        json_decref(effect->outcome);
        free(effect);
        effect = next;
    }
}

static void release_votes(struct vote *vote)
{
    while (vote) {
        struct vote *next = vote->next;
        free(vote->by);
        free(vote);
        vote = next;
    }
}

static void release_resolutions(struct resolution *resolution)
{
    while (resolution) {
        struct resolution *next = resolution->next;
        free((char *)resolution->by);
        free((char *)resolution->effect);
        free((char *)resolution->id);
        free((char *)resolution->comment);
        free(resolution);
        resolution = next;
    }
}

static void release_step(struct step_state *step)
{
    free(step->message);
    free(step->fault);
    json_decref(step->outputs);
    json_decref(step->checkpoint);
    release_effects(step->effects);
    release_votes(step->votes);
    release_resolutions(step->resolutions);
}

void run_state_free(struct run_state **state)
{
    struct run_state *run = *state;
    *state = NULL;
    if (!run) return;
    for (uint32_t i = 0; i < run->plan->step_count; i++)
        release_step(&run->steps[i]);
    free(run->steps);
    free(run->stages);
    free(run->dirty);
    free(run->queue);
    free(run->timers);
    free(run->cancelled_by);
    free(run->cancel_comment);
    free(run->author);
    free(run->message);
    free(run->isolation);
    free(run->diagnosis);
    free(run->turn_message);
    free(run);
}

/* --- work lists --- */

void stage_mark_dirty(struct run_state *state, uint32_t stage)
{
    if (state->stages[stage].is_dirty) return;
    state->stages[stage].is_dirty = true;
    state->dirty[state->dirty_count++] = stage;
}

void stage_mark_all_open_dirty(struct run_state *state)
{
    for (uint32_t i = 0; i < state->plan->stage_count; i++)
        if (state->stages[i].steps_open) stage_mark_dirty(state, i);
}

void queue_push(struct run_state *state, uint32_t stage)
{
    if (state->stages[stage].is_queued) return;
    state->stages[stage].is_queued = true;
    state->queue[(state->queue_head + state->queue_count++) % state->plan->stage_count] = stage;
}

static void queue_trim(struct run_state *state)
{
    while (state->queue_count) {
        uint32_t stage = state->queue[state->queue_head];
        const struct plan_stage *plan = &state->plan->stages[stage];
        uint32_t cursor = state->stages[stage].cursor;
        if (cursor < plan->step_count && state->steps[plan->first_step + cursor].status == STEP_ready) return;
        state->stages[stage].is_queued = false;
        state->queue_head = (state->queue_head + 1) % state->plan->stage_count;
        state->queue_count--;
    }
}

/* --- counters --- */

static bool is_live(enum step_status status)
{
    return status == STEP_starting || status == STEP_running || status == STEP_cancelling || status == STEP_compensating;
}

static void count_live(struct run_state *state, struct stage_state *stage, int change)
{
    if (change > 0) {
        state->live_count++;
        if (!stage->live++) state->live_stage_count++;
    } else {
        state->live_count--;
        if (!--stage->live) state->live_stage_count--;
    }
}

static void stage_came_to_rest(struct run_state *state, uint32_t stage)
{
    const struct plan_stage *plan = &state->plan->stages[stage];
    for (uint32_t i = 0; i < plan->user_count; i++)
        if (!--state->stages[plan->users[i]].needs_open) stage_mark_dirty(state, plan->users[i]);
}

/* What was at rest is to be compensated. */
static void count_unrest(struct run_state *state, uint32_t step)
{
    const struct plan_stage *plan = &state->plan->stages[state->plan->steps[step].stage];
    struct stage_state *counts = &state->stages[plan->index];
    state->open_count++;
    if (step - plan->first_step < counts->cursor) counts->cursor = step - plan->first_step;
    if (counts->steps_open++) return;
    for (uint32_t i = 0; i < plan->user_count; i++)
        state->stages[plan->users[i]].needs_open++;
}

static void count_rest(struct run_state *state, uint32_t stage)
{
    struct stage_state *counts = &state->stages[stage];
    const struct plan_stage *plan = &state->plan->stages[stage];
    state->open_count--;
    counts->steps_open--;
    while (counts->cursor < plan->step_count && step_status_at_rest(state->steps[plan->first_step + counts->cursor].status))
        counts->cursor++;
    if (!counts->steps_open) stage_came_to_rest(state, stage);
}

void count_step_move(struct run_state *state, uint32_t step, enum step_status from, enum step_status to)
{
    uint32_t stage = state->plan->steps[step].stage;
    struct stage_state *counts = &state->stages[stage];
    if (from == STEP_ready) state->ready_count--;
    if (from == STEP_unknown) state->unknown_count--;
    if (to == STEP_unknown) state->unknown_count++;
    if (is_live(from) != is_live(to)) count_live(state, counts, is_live(to) ? 1 : -1);
    if (!step_status_at_rest(from) && step_status_at_rest(to)) count_rest(state, stage);
    if (step_status_at_rest(from) && !step_status_at_rest(to)) count_unrest(state, step);
    if (to == STEP_ready) {
        state->ready_count++;
        queue_push(state, stage);
    }
    queue_trim(state);
    stage_mark_dirty(state, stage);
}

bool run_judges(const struct run_state *state)
{
    bool judges = false;
    if (state->status != RUN_running && state->status != RUN_waiting) return false;
    for (uint32_t i = 0; i < state->plan->step_count; i++) {
        const struct step_state *step = &state->steps[i];
        if (step->status == STEP_pending || step->status == STEP_ready || step_status_at_rest(step->status)) continue;
        if (!json_is_integer(json_object_get(step->checkpoint, "evidence"))) return false;
        judges = true;
    }
    return judges;
}

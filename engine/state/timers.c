/* timers.c: the times at which something is due, as a binary heap. A timer is not removed when its cause is gone: it is stale,
   and taken off when it reaches the top. */
#include "state/parts.h"

#include "base/mem.h"

static bool is_stale(const struct run_state *state, const struct timer *timer)
{
    if (timer->step != NO_STEP) {
        const struct step_state *step = &state->steps[timer->step];
        bool waits = step->status == STEP_parked || (step->status == STEP_compensating && !step->undoing);
        return !waits || step->until_ms != timer->at_ms;
    }
    if (state->status == RUN_rolling_back || state->status == RUN_rollback_failed) return true;
    return !state->stages[timer->stage].steps_open || state->stages[timer->stage].failed;
}

enum { CLOCK_SLACK_MS = 1000 }; /* clocks are put right by less than this all the time */

bool wait_is_over(const struct step_state *step, int64_t now_ms)
{
    bool is_of_later = now_ms + CLOCK_SLACK_MS < step->until_set_ms;
    return step->until_ms <= now_ms || (is_of_later && step->wait != WAIT_approval);
}

static bool is_due(const struct run_state *state, const struct timer *timer, int64_t now_ms)
{
    return timer->at_ms <= now_ms ||
           (timer->step != NO_STEP && !is_stale(state, timer) && wait_is_over(&state->steps[timer->step], now_ms));
}

static void swap(struct timer *a, struct timer *b)
{
    struct timer kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(struct run_state *state, size_t at)
{
    struct timer *heap = state->timers;
    for (;;) {
        size_t left = 2 * at + 1, right = left + 1, least = at;
        if (left < state->timer_count && heap[left].at_ms < heap[least].at_ms) least = left;
        if (right < state->timer_count && heap[right].at_ms < heap[least].at_ms) least = right;
        if (least == at) return;
        swap(&heap[at], &heap[least]);
        at = least;
    }
}

void timer_add(struct run_state *state, struct timer timer)
{
    state->timers = mem_grow(state->timers, &state->timer_capacity, state->timer_count + 1, sizeof timer);
    size_t at = state->timer_count++;
    state->timers[at] = timer;
    int64_t set_ms = timer.step == NO_STEP ? 0 : state->steps[timer.step].until_set_ms;
    if (set_ms > state->latest_set_ms) state->latest_set_ms = set_ms;
    while (at && state->timers[at].at_ms < state->timers[(at - 1) / 2].at_ms) {
        swap(&state->timers[at], &state->timers[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

void timers_trim(struct run_state *state)
{
    while (state->timer_count && is_stale(state, &state->timers[0])) {
        state->timers[0] = state->timers[--state->timer_count];
        sift_down(state, 0);
    }
}

static void timer_pop(struct run_state *state)
{
    state->timers[0] = state->timers[--state->timer_count];
    sift_down(state, 0);
    timers_trim(state);
}

/* Where the clock was set back, a step's wait may be over behind others that are not; else nobody has to look further than the top. */
static bool was_set_back(const struct run_state *state, int64_t now_ms)
{
    return now_ms + CLOCK_SLACK_MS < state->latest_set_ms;
}

void timers_notice(struct run_state *state, int64_t now_ms)
{
    while (state->timer_count && is_due(state, &state->timers[0], now_ms)) {
        stage_mark_dirty(state, state->timers[0].stage);
        timer_pop(state);
    }
    for (size_t i = 1; was_set_back(state, now_ms) && i < state->timer_count; i++)
        if (is_due(state, &state->timers[i], now_ms)) stage_mark_dirty(state, state->timers[i].stage);
}

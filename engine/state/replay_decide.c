/* replay_decide.c: which events decide alone can have made, and making them again.
   What decide is told besides the state is not recorded. The time is the events' own; all else that it can have been told is tried: how
   many stages may begin, whose turn it is (replay_turns.c), whether a lease is in doubt. The order in which it looks at stages is the
   events'. */
#include "state/parts.h"
#include "state/replay.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_at_rest_or_waits(enum step_status status)
{
    return status == STEP_pending || status == STEP_ready || status == STEP_parked || status == STEP_unknown;
}

/* What ends a wait is named like who ends it. */
static bool is_of_person(const struct event *event)
{
    const char *by = json_text(event->data, "by", NULL);
    int wait = by ? wait_from_name(by) : -1;
    if (event->type == EVENT_step_woken && wait >= 0 && wait != WAIT_person) return false;
    return by || json_object_get(event->data, "from_run");
}

static bool is_step_decision(const struct run_state *state, const struct event *event)
{
    enum step_status status = state->steps[event->step].status;
    switch ((int)event->type) {
    case EVENT_step_ready:
    case EVENT_step_starting:
    case EVENT_step_woken:
    case EVENT_step_granted:
    case EVENT_step_waits:
    case EVENT_step_skipped:
    case EVENT_step_compensating: return true;
    case EVENT_step_cancelling: return status == STEP_starting || status == STEP_running;
    case EVENT_step_parked:
    case EVENT_step_succeeded:
    case EVENT_step_failed:
    case EVENT_step_unknown:
    case EVENT_step_cancelled: return is_at_rest_or_waits(status);
    default: return false;
    }
}

static bool is_run_decision(const struct run_state *state, const struct event *event)
{
    switch ((int)event->type) {
    case EVENT_run_accepted:
    case EVENT_run_isolation: return false;
    case EVENT_run_failed: return state->status != RUN_queued; /* else its file is wrong */
    case EVENT_cancel_requested: return text_equal(json_text(event->data, "reason", NULL), reason_name(REASON_timeout));
    default: return true;
    }
}

bool replay_is_decision(const struct run_state *state, const struct event *event)
{
    if (is_of_person(event)) return false;
    if (event_type_subject(event->type) == EVENT_SUBJECT_RUN) return is_run_decision(state, event);
    if (event_type_subject(event->type) != EVENT_SUBJECT_STEP || event->step >= state->plan->step_count) return false;
    return is_step_decision(state, event);
}

/* --- what decide is told --- */

/* How many events from here on were made at the same time. */
static size_t count_of_instant(const struct replaying *replaying)
{
    const struct replay *replay = replaying->replay;
    size_t end = replaying->at;
    while (end < replay->count && replay->events[end].time_ms == replay->events[replaying->at].time_ms)
        end++;
    return end - replaying->at;
}

static uint32_t starts_in(const struct replaying *replaying, size_t count)
{
    uint32_t starts = 0;
    for (size_t i = 0; i < count; i++)
        starts += replaying->replay->events[replaying->at + i].type == EVENT_step_starting;
    return starts;
}

/* --- what decide keeps for itself --- */

/* What is due, and what waits for a turn, decide finds by itself; here it must be found before the order is told. */
static void mark_all(struct run_state *state, int64_t now_ms)
{
    for (uint32_t i = 0; state->parked_count[WAIT_group] && i < state->plan->stage_count; i++)
        if (stage_waits_for_turn(state, i)) stage_mark_dirty(state, i);
    timers_notice(state, now_ms);
}

/* In the order in which stages stand in the list of those to be looked at, they are decided, and slots are given. That order is of the
   server's history (when it was asked between two reports, when it was started anew), which no event tells. But those that something is
   decided for come in the order of these events, and where the others stand changes nothing. */
static void order_as_followed(const struct replaying *replaying, size_t count)
{
    struct run_state *state = replaying->state;
    const struct plan *plan = state->plan;
    uint32_t *order = mem_alloc_array(state->dirty_count, sizeof *order), placed = 0;
    bool *is_placed = mem_alloc_array(plan->stage_count, sizeof *is_placed);
    for (size_t i = 0; i < count + state->dirty_count; i++) {
        const struct event *event = i < count ? &replaying->replay->events[replaying->at + i] : NULL;
        if (event && event->step >= plan->step_count) continue;
        uint32_t stage = event ? plan->steps[event->step].stage : state->dirty[i - count];
        if (!state->stages[stage].is_dirty || is_placed[stage]) continue;
        is_placed[stage] = true;
        order[placed++] = stage;
    }
    memcpy(state->dirty, order, placed * sizeof *order);
    free(is_placed);
    free(order);
}

/* Timers are left as they were: what is not due at the time of an event that is no decision, or after the clock was set back, comes yet. */
static void ask(const struct replaying *replaying, size_t count, const struct decide_input *input, struct event_list *list)
{
    struct run_state *state = replaying->state;
    size_t timer_count = state->timer_count;
    struct timer *timers = timer_count ? mem_alloc_array(timer_count, sizeof *timers) : NULL;
    if (timers) memcpy(timers, state->timers, timer_count * sizeof *timers);
    mark_all(state, input->now_ms);
    if (state->dirty_count > 1) order_as_followed(replaying, count);
    decide(state, input, list);
    if (timers) memcpy(state->timers, timers, timer_count * sizeof *timers);
    state->timer_count = timer_count;
    free(timers);
}

/* --- all that it can have been told --- */

static bool try_input(struct replaying *replaying, size_t count, const struct decide_input *input)
{
    AUTO(event_list_release) struct event_list list = {0};
    ask(replaying, count, input, &list);
    return replay_follows(replaying, &list, REPLAY_DECIDED);
}

/* Stages that are ready begin when they may: more of them may have begun in this instant than at this decision. */
static bool try_slots(struct replaying *replaying, size_t count, const struct turn *turns)
{
    struct decide_input input = {.now_ms = replaying->replay->events[replaying->at].time_ms, .turns = turns};
    for (uint32_t slots = starts_in(replaying, count) + 1; slots-- > 0;) {
        input.free_slots = slots;
        if (try_input(replaying, count, &input)) return true;
    }
    input.hold = true; /* nothing begins */
    return try_input(replaying, count, &input);
}

bool replay_decide(struct replaying *replaying)
{
    size_t count = count_of_instant(replaying);
    bool found = false;
    for (uint32_t told = UINT32_MAX, most = UINT32_MAX; !found && told <= most; told--) {
        struct replay_turns turns;
        most = told = replay_turns_read(replaying, count, told, &turns);
        found = try_slots(replaying, count, turns.turns);
        replay_turns_release(replaying, &turns);
    }
    return found;
}

void replay_instead(struct replaying *replaying, struct event_list *list)
{
    size_t count = count_of_instant(replaying);
    struct replay_turns turns;
    replay_turns_read(replaying, count, UINT32_MAX, &turns);
    const struct decide_input input = {
        .now_ms = replaying->replay->events[replaying->at].time_ms, .free_slots = starts_in(replaying, count), .turns = turns.turns};
    ask(replaying, count, &input, list);
    replay_turns_release(replaying, &turns);
}

/* replay_decide.c: which events decide alone can have made, and making them again.
   What decide is told besides the state is not recorded, but seen in what followed: the time is the events' own; as many stages may begin
   as did; a stage is let into its group where it was, and a lease was in doubt where nothing was begun that could be. */
#include "state/replay.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

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

/* The event of this type and step among those of the instant; NULL: there is none. */
static const struct event *find_of_instant(const struct replaying *replaying, size_t count, const struct event *like)
{
    for (size_t i = 0; i < count; i++) {
        const struct event *event = &replaying->replay->events[replaying->at + i];
        if (event->type == like->type && event->step == like->step) return event;
    }
    return NULL;
}

/* Does it say whose turn it is? */
static bool is_of_group(const struct event *event)
{
    bool waits = text_equal(json_text(event->data, "for", NULL), wait_name(WAIT_group));
    bool rejected = event->type == EVENT_step_failed && text_equal(json_text(event->data, "reason", NULL), reason_name(REASON_denied));
    return event->type == EVENT_step_waits || event->type == EVENT_run_waits || waits || rejected;
}

static bool is_grant(const struct event *event)
{
    return event->type == EVENT_step_granted || event->type == EVENT_run_granted;
}

static uint32_t grants_in(const struct replaying *replaying, size_t count)
{
    uint32_t grants = 0;
    for (size_t i = 0; i < count; i++)
        grants += is_grant(&replaying->replay->events[replaying->at + i]);
    return grants;
}

static void free_all(struct turn *turns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        turns[i].group = NULL;
}

/* Let in are those that the first so many grants of this instant say. */
static struct turn *guess_turns(const struct replaying *replaying, size_t count, uint32_t grants)
{
    const struct plan *plan = replaying->replay->plan;
    if (!plan->claim_count) return NULL;
    struct turn *turns = mem_alloc_array(plan->claim_count, sizeof *turns);
    for (uint32_t i = 0; i < plan->claim_count; i++) {
        turn_begin(replaying->state, i, &turns[i]);
        turns[i].group = "?";
    }
    for (size_t i = 0; i < count; i++) {
        const struct event *event = &replaying->replay->events[replaying->at + i];
        if (event->type == EVENT_run_granted && grants && grants--) free_all(turns, plan->claim_count);
        uint32_t claim = event->step < plan->step_count ? plan->stages[plan->steps[event->step].stage].claim : NO_CLAIM;
        if (claim == NO_CLAIM) continue;
        if (event->type == EVENT_step_granted && grants && grants--) turns[claim].group = NULL;
        if (event->type == EVENT_step_failed && is_of_group(event)) turns[claim].queue = GROUP_REJECT;
    }
    return turns;
}

/* Whose turn it is, is in no event of this run: those words are taken as they stand. Words that stand nowhere were the same as before. */
static void borrow_words(const struct replaying *replaying, size_t count, struct event_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct event *made = &list->items[i];
        const struct event *told = is_of_group(made) ? find_of_instant(replaying, count, made) : NULL;
        if (told) json_put_text(made->data, "message", json_text(told->data, "message", NULL));
        if ((made->type == EVENT_step_waits || made->type == EVENT_run_waits) && !told)
            event_release(made);
        else
            list->items[kept++] = *made;
    }
    list->count = kept;
}

static void ask(
    const struct replaying *replaying, size_t count, uint32_t slots, bool hold, const struct turn *turns, struct event_list *list)
{
    const struct decide_input input = {replaying->replay->events[replaying->at].time_ms, slots, hold, turns};
    event_list_release(list);
    decide(replaying->state, &input, list);
    borrow_words(replaying, count, list);
}

struct guess { /* of what is not recorded */
    bool hold, any_order;
};

/* Stages that are ready begin when they may: more of them may have begun in this instant than at this decision. */
static size_t ask_for_slots(
    const struct replaying *replaying, size_t count, const struct turn *turns, struct guess guess, struct event_list *list)
{
    uint32_t starts = starts_in(replaying, count);
    for (uint32_t less = 0; less <= starts; less++) {
        ask(replaying, count, starts - less, guess.hold, turns, list);
        if (replay_matches(replaying, list, guess.any_order)) return list->count;
    }
    return 0;
}

static size_t first_of_stage(const struct replaying *replaying, size_t count, uint32_t stage)
{
    const struct plan *plan = replaying->replay->plan;
    size_t i = 0;
    for (; i < count; i++) {
        const struct event *event = &replaying->replay->events[replaying->at + i];
        if (event->step < plan->step_count && plan->steps[event->step].stage == stage) break;
    }
    return i;
}

/* In the order in which stages stand in the list of those to be looked at, they are decided, and slots are given. That order is of the
   server's history (when it was asked between two reports, when it was started anew), which no event tells; but what followed does. */
static void order_as_followed(const struct replaying *replaying)
{
    struct run_state *state = replaying->state;
    size_t count = count_of_instant(replaying);
    for (uint32_t i = 1; i < state->dirty_count; i++) {
        uint32_t stage = state->dirty[i], at = i;
        size_t first = first_of_stage(replaying, count, stage);
        for (; at && first < first_of_stage(replaying, count, state->dirty[at - 1]); at--)
            state->dirty[at] = state->dirty[at - 1];
        state->dirty[at] = stage;
    }
}

static size_t ask_with(const struct replaying *replaying, size_t count, const struct turn *turns, bool is_ordered, struct event_list *list)
{
    size_t found = is_ordered ? 0 : ask_for_slots(replaying, count, turns, (struct guess){false, false}, list);
    if (found || !is_ordered) return found;
    for (unsigned hold = 0; hold < 2 && !found; hold++)
        for (unsigned any_order = 0; any_order < 2 && !found; any_order++)
            found = ask_for_slots(replaying, count, turns, (struct guess){hold, any_order}, list);
    return found;
}

/* As many are let in as the instant tells of, before it is thought that some were so only at a later decision of it: the order is guessed
   within that. */
static size_t ask_for_turns(const struct replaying *replaying, size_t count, struct event_list *list)
{
    size_t found = 0;
    for (uint32_t less = 0, grants = grants_in(replaying, count); less <= grants && !found; less++) {
        struct turn *turns = guess_turns(replaying, count, grants - less);
        found = ask_with(replaying, count, turns, false, list);
        if (!found) order_as_followed(replaying);
        if (!found) found = ask_with(replaying, count, turns, true, list);
        free(turns);
    }
    return found;
}

size_t replay_decide(const struct replaying *replaying, struct event_list *ret_list)
{
    size_t count = count_of_instant(replaying), found = ask_for_turns(replaying, count, ret_list);
    if (found) return found;
    struct turn *turns = guess_turns(replaying, count, grants_in(replaying, count));
    ask(replaying, count, starts_in(replaying, count), false, turns, ret_list);
    free(turns);
    return 0;
}

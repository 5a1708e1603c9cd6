/* replay.c: the walk through a run's events, and what is compared. */
#include "state/replay.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* To the byte: as the journal has it. */
static bool same_event(const struct event *a, const struct event *b)
{
    if (a->type != b->type || a->step != b->step || a->time_ms != b->time_ms || !a->data != !b->data) return false;
    if (!a->data) return true;
    AUTO(free_text) char *one = json_canonical(a->data);
    AUTO(free_text) char *other = json_canonical(b->data);
    return strcmp(one, other) == 0;
}

/* The walk may go on behind so many events. */
static void reach(struct replaying *replaying, size_t count, enum replay_how how)
{
    size_t at = replaying->at + count;
    struct replay_place *place = &replaying->places[at];
    if (!place->how) *place = (struct replay_place){how, replaying->at};
    if (at > replaying->furthest) replaying->furthest = at;
}

bool replay_follows(struct replaying *replaying, const struct event_list *list, enum replay_how how)
{
    const struct event *events = replaying->replay->events + replaying->at;
    if (!list->count || list->count > replaying->replay->count - replaying->at) return false;
    for (size_t i = 0; i < list->count; i++)
        if (!same_event(&events[i], &list->items[i])) return false;
    reach(replaying, list->count, how);
    return !replaying->is_thorough;
}

static json_t *list_to_json(const struct plan *plan, const struct event_list *list)
{
    json_t *events = json_array();
    for (size_t i = 0; i < list->count; i++) {
        const struct event *event = &list->items[i];
        json_t *one = json_object();
        json_put_text(one, "type", event_type_name(event->type));
        if (event->step < plan->step_count) json_put_text(one, "step", plan->steps[event->step].path);
        json_put_whole(one, "time_ms", event->time_ms);
        json_put(one, "data", event->data ? json_incref(event->data) : NULL);
        json_array_append_new(events, one);
    }
    return events;
}

/* All that the next event may have come of. */
static void account(struct replaying *replaying)
{
    const struct event *event = &replaying->replay->events[replaying->at];
    bool is_decision = replay_is_decision(replaying->state, event), is_settled = replay_is_settled(replaying->state, event);
    if (is_decision && replay_decide(replaying)) return;
    if (is_settled && replay_settle(replaying)) return;
    if (!is_decision && !is_settled) reach(replaying, 1, REPLAY_TAKEN);
}

/* Stops where nothing that was found goes on. */
static int walk(struct replaying *replaying, struct error *err)
{
    const struct replay *replay = replaying->replay;
    for (; replaying->at < replay->count; replaying->at++) {
        if (!replaying->at || replaying->places[replaying->at].how) account(replaying);
        if (replaying->furthest == replaying->at) return 0;
        if (reduce(replaying->state, &replay->events[replaying->at], err) < 0) return error_wrap(err, "event %zu", replaying->at + 1);
    }
    return 0;
}

static void count_back(const struct replaying *replaying, struct replay_result *result)
{
    for (size_t at = replaying->at; at; at = replaying->places[at].from) {
        const struct replay_place *place = &replaying->places[at];
        size_t count = at - place->from;
        if (place->how == REPLAY_DECIDED) result->decided += count;
        if (place->how == REPLAY_SETTLED) result->settled += count;
        if (place->how == REPLAY_TAKEN) result->taken += count;
    }
}

static json_t *decisions_instead(struct replaying *replaying)
{
    AUTO(event_list_release) struct event_list list = {0};
    if (replay_is_decision(replaying->state, &replaying->replay->events[replaying->at])) replay_instead(replaying, &list);
    return list_to_json(replaying->replay->plan, &list);
}

static int walk_once(const struct replay *replay, bool is_thorough, struct replay_result *ret, struct error *err)
{
    struct replaying replaying = {.replay = replay, .state = run_state_new(replay->plan), .is_thorough = is_thorough};
    replaying.places = mem_alloc_array(replay->count + 1, sizeof *replaying.places);
    int failed = walk(&replaying, err);
    struct replay_result result = {.same = replaying.at == replay->count, .at = replaying.at};
    if (!failed) count_back(&replaying, &result);
    if (!failed && !result.same) result.decisions = decisions_instead(&replaying);
    free(replaying.places);
    run_state_free(&replaying.state);
    if (!failed) *ret = result;
    return failed;
}

/* What fits first is nearly always what was decided. Where that leads nowhere, everything that fits is followed: what it leads to depends
   on how many events it accounts for alone, since the state is a fold of the events. */
int replay_decisions(const struct replay *replay, struct replay_result *ret, struct error *err)
{
    struct replay_result result;
    int failed = walk_once(replay, false, &result, err);
    if (!failed && !result.same) {
        json_decref(result.decisions);
        failed = walk_once(replay, true, &result, err);
    }
    if (!failed) *ret = result;
    return failed;
}

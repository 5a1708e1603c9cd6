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

static bool holds(const struct event *events, size_t count, bool *used, const struct event *event)
{
    for (size_t i = 0; i < count; i++) {
        if (used[i] || !same_event(&events[i], event)) continue;
        used[i] = true;
        return true;
    }
    return false;
}

bool replay_matches(const struct replaying *replaying, const struct event_list *list, bool any_order)
{
    const struct event *events = replaying->replay->events + replaying->at;
    size_t left = replaying->replay->count - replaying->at, same = 0;
    if (!list->count || list->count > left) return false;
    while (same < list->count && same_event(&events[same], &list->items[same]))
        same++;
    if (same == list->count || !any_order) return same == list->count;
    bool *used = mem_alloc_array(list->count, sizeof *used), all = true;
    for (size_t i = 0; i < list->count && all; i++)
        all = holds(events, list->count, used, &list->items[i]);
    free(used);
    return all;
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

/* How many events from here on are accounted for. 0: they differ. */
static size_t account(const struct replaying *replaying, struct replay_result *result)
{
    const struct event *event = &replaying->replay->events[replaying->at];
    AUTO(event_list_release) struct event_list list = {0};
    bool is_decision = replay_is_decision(replaying->state, event), is_settled = replay_is_settled(replaying->state, event);
    size_t count = is_decision ? replay_decide(replaying, &list) : 0;
    result->decided += count;
    if (!count && is_settled) {
        count = replay_settle(replaying);
        result->settled += count;
    }
    if (count) return count;
    if (!is_decision && !is_settled) {
        result->taken++;
        return 1;
    }
    result->decisions = list_to_json(replaying->replay->plan, &list);
    return 0;
}

static int fold(struct replaying *replaying, size_t count, struct error *err)
{
    int failed = 0;
    for (; count && !failed; count--) {
        failed = reduce(replaying->state, &replaying->replay->events[replaying->at], err);
        replaying->at += !failed;
    }
    return failed ? error_wrap(err, "event %zu", replaying->at + 1) : 0;
}

int replay_decisions(const struct replay *replay, struct replay_result *ret, struct error *err)
{
    struct replaying replaying = {replay, run_state_new(replay->plan), 0};
    struct replay_result result = {.same = true};
    int failed = 0;
    while (!failed && result.same && replaying.at < replay->count) {
        size_t count = account(&replaying, &result);
        result.same = count > 0;
        result.at = replaying.at;
        failed = fold(&replaying, count, err);
    }
    run_state_free(&replaying.state);
    if (failed)
        json_decref(result.decisions);
    else
        *ret = result;
    return failed;
}

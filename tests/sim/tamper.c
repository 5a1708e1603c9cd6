/* tamper.c: who tells a run's past from another one? One event of it is made one that nobody can have decided, and `crescendo replay` must
   say so; else that it says "the same" of all the others is worth nothing. */
#include "tests/sim/scenario.h"

#include "base/json.h"
#include "state/replay.h"

#include <string.h>

static bool put_other(json_t *data, const char *key, const char *one, const char *other)
{
    const char *is = json_text(data, key, NULL);
    if (!is) return false;
    json_put_text(data, key, strcmp(is, one) ? one : other);
    return true;
}

static bool put_later(json_t *data, const char *key)
{
    if (!json_is_integer(json_object_get(data, key))) return false;
    json_put_whole(data, key, json_whole(data, key, 0) + 1);
    return true;
}

static bool add_group(json_t *data)
{
    return json_array_append_new(json_object_get(data, "groups"), json_string("another")) == 0;
}

static bool is_group_wait(const json_t *data)
{
    return !strcmp(json_text(data, "for", ""), wait_name(WAIT_group));
}

/* false: of such an event nothing is decided, or too little is known to say what cannot be. */
static bool tamper(struct event *event)
{
    if (json_object_get(event->data, "from_run")) return false;
    switch ((int)event->type) {
    case EVENT_step_skipped: return put_other(event->data, "because", "condition", "failed");
    case EVENT_step_succeeded: return !json_object_get(event->data, "by") && put_later(event->data, "exit");
    case EVENT_step_parked: return !is_group_wait(event->data) && put_later(event->data, "until");
    case EVENT_step_woken: return put_other(event->data, "by", wait_name(WAIT_retry), wait_name(WAIT_timer));
    case EVENT_step_granted:
    case EVENT_run_granted: return add_group(event->data);
    case EVENT_run_waiting: return put_other(event->data, "for", wait_name(WAIT_approval), wait_name(WAIT_window));
    case EVENT_step_failed: return put_other(event->data, "reason", reason_name(REASON_worker_lost), reason_name(REASON_expired));
    case EVENT_effect_intended: return put_other(event->data, "key", "0", "1");
    case EVENT_run_rolling_back:
    case EVENT_run_rolled_back:
    case EVENT_run_failed:
    case EVENT_run_cancelled: return put_other(event->data, "reason", reason_name(REASON_failed), reason_name(REASON_timeout));
    case EVENT_run_resumed:
    case EVENT_run_succeeded:
        json_decref(event->data);
        event->data = json_pack("{s:b}", "really", 1);
        return true;
    default: return false;
    }
}

/* From there on, in a circle. */
static const struct event *tamper_with_one(struct event_list *past, size_t from)
{
    for (size_t i = 0; i < past->count; i++) {
        struct event *event = &past->items[(from + i) % past->count];
        json_t *own = json_deep_copy(event->data);
        json_decref(event->data);
        event->data = own;
        if (tamper(event)) return event;
    }
    return NULL;
}

void tamper_check(struct world *world, uint64_t seed)
{
    AUTO(event_list_release) struct event_list past = {0};
    struct error err = {0};
    struct replay_result result = {0};
    world_past(world, &past);
    const struct event *event = past.count ? tamper_with_one(&past, (size_t)(seed * 2654435761u % past.count)) : NULL;
    if (!event) return;
    int failed = replay_decisions(&(struct replay){world->plan, past.items, past.count}, &result, &err); /* it may not even fold */
    if (!failed && result.same)
        world_fault(
            world, "event %zu (%s) was tampered with, and nobody sees it", (size_t)(event - past.items) + 1, event_type_name(event->type));
    json_decref(result.decisions);
}

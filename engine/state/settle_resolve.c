/* settle_resolve.c: what a person says of an effect that the engine cannot tell of → events. The word is on record first, then what follows
   from it: an effect that was done is adopted, so that the step asks the peer for it; where no step will ask any more, because the run is
   being cancelled, the word itself is the outcome. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

enum { ID_MAX_BYTES = 200 }; /* it becomes part of a line of the step protocol */

struct settling {
    const struct run_state *state;
    uint32_t step;
    const struct resolution *resolution;
    int64_t now_ms;
    struct event_list *list;
};

static void add(const struct settling *settling, enum event_type type, json_t *data)
{
    event_list_add(settling->list, type, settling->step, settling->now_ms, data);
}

static json_t *with_text(const char *key, const char *value)
{
    json_t *data = json_object();
    json_put_text(data, key, value);
    return data;
}

static const struct step_state *step_of(const struct settling *settling)
{
    return &settling->state->steps[settling->step];
}

static const char *path_of(const struct settling *settling)
{
    return settling->state->plan->steps[settling->step].path;
}

static void add_word(const struct settling *settling, const char *effect)
{
    const struct resolution *says = settling->resolution;
    json_t *data = with_text("by", says->by);
    json_put_text(data, "as", resolved_name(says->as));
    json_put_text(data, "effect", effect);
    json_put_text(data, "id", says->as == RESOLVED_done ? says->id : NULL);
    json_put_text(data, "comment", says->comment && *says->comment ? says->comment : NULL);
    add(settling, EVENT_step_resolved, data);
}

/* --- an outcome that is unknown --- */

static int find_effect(const struct settling *settling, const struct effect_state **ret, size_t *ret_count, struct error *err)
{
    const char *name = settling->resolution->effect;
    *ret = NULL;
    *ret_count = 0;
    bool is_named = false;
    for (const struct effect_state *effect = step_of(settling)->effects; effect; effect = effect->next) {
        if (!effect_is_unsettled(effect)) continue;
        ++*ret_count;
        if (!*ret || text_equal(effect->name, name)) *ret = effect;
        is_named |= text_equal(effect->name, name);
    }
    if (*ret && (is_named || (!name && *ret_count == 1))) return 0;
    if (!*ret || name)
        return error_set(
            err, ERROR_CONFLICT, NOWHERE, "%s has no effect %.60s whose outcome is unknown", path_of(settling), name ? name : "");
    error_set(err, ERROR_CONFLICT, NOWHERE, "%s has %zu effects whose outcomes are unknown", path_of(settling), *ret_count);
    return error_hint(err, "say which: --effect \"%.60s\"", (*ret)->name);
}

static void add_outcome(const struct settling *settling, const struct effect_state *effect)
{
    json_t *data = with_text("name", effect->name);
    if (settling->resolution->as == RESOLVED_not_done) return add(settling, EVENT_effect_abandoned, data);
    if (!settling->state->cancel_count) {
        json_put_text(data, "id", settling->resolution->id);
        return add(settling, EVENT_effect_adopted, data);
    }
    json_put(data, "outcome", effect_outcome_by_word(effect, settling->resolution->id));
    add(settling, EVENT_effect_done, data);
}

static int settle_unknown(const struct settling *settling, struct error *err)
{
    const struct effect_state *effect;
    size_t count;
    const struct resolution *says = settling->resolution;
    if (says->id && (strlen(says->id) > ID_MAX_BYTES || strchr(says->id, '\n')))
        return error_set(err, ERROR_INVALID, NOWHERE, "an id has one line of at most %d bytes", ID_MAX_BYTES);
    if (says->as == RESOLVED_done && (!says->id || !*says->id))
        return error_set(err, ERROR_INVALID, NOWHERE, "who says that it was done says as what: the id of the order at the peer");
    int failed = find_effect(settling, &effect, &count, err);
    if (failed) return failed;
    add_word(settling, effect->name);
    add_outcome(settling, effect);
    if (count > 1) return 0;
    if (settling->state->cancel_count)
        add(settling, EVENT_step_cancelled, with_text("reason", reason_name(settling->state->cancel_reason)));
    else
        add(settling, EVENT_step_woken, with_text("by", wait_name(WAIT_person)));
    return 0;
}

/* --- what could not be undone --- */

static void add_way_on(const struct settling *settling)
{
    const struct run_state *state = settling->state;
    AUTO(free_text) char *message = mem_format("%s was undone by hand, says %s", path_of(settling), settling->resolution->by);
    json_t *data = with_text("reason", reason_name(state->reason == REASON_ok ? REASON_failed : state->reason));
    json_put_text(data, "message", message);
    event_list_add(settling->list, EVENT_run_rolling_back, NO_STEP, settling->now_ms, data);
}

static void settle_undone(const struct settling *settling)
{
    add_word(settling, NULL);
    for (const struct effect_state *effect = step_of(settling)->effects; effect; effect = effect->next) {
        if (!undo_is_due(settling->state, settling->step, effect)) continue;
        bool is_done = effect->status == EFFECT_done;
        add(settling, is_done ? EVENT_effect_compensated : EVENT_effect_abandoned, with_text("name", effect->name));
    }
    add(settling, EVENT_step_compensated, NULL);
    if (settling->state->status == RUN_rollback_failed) add_way_on(settling);
}

/* --- either --- */

static int refuse(const struct settling *settling, struct error *err)
{
    enum step_status status = step_of(settling)->status;
    error_set(err, ERROR_CONFLICT, NOWHERE, "%s is %s: there is nothing of it that a person would have to settle so", path_of(settling),
        step_status_name(status));
    if (status == STEP_unknown) return error_hint(err, "its effect's outcome is unknown: --done ID, or --not-done");
    if (status == STEP_compensation_failed) return error_hint(err, "it could not be undone: undo it by hand, then --undone");
    return error_hint(err, "`crescendo explain %llu` says what it waits for", (unsigned long long)settling->state->run);
}

int settle_resolve(const struct run_state *state, uint32_t step, const struct resolution *resolution, int64_t now_ms,
    struct event_list *list, struct error *err)
{
    const struct settling settling = {state, step, resolution, now_ms, list};
    if (step >= state->plan->step_count || run_status_at_rest(state->status))
        return error_set(err, ERROR_CONFLICT, NOWHERE, "the run has no such step to settle");
    bool is_undone = resolution->as == RESOLVED_undone;
    if (state->steps[step].status != (is_undone ? STEP_compensation_failed : STEP_unknown)) return refuse(&settling, err);
    if (!is_undone) return settle_unknown(&settling, err);
    settle_undone(&settling);
    return 0;
}

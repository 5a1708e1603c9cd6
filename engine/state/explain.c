/* explain.c: events → links of the chain. Which of them are told, and in which words: explain_tell.c, explain_words.c. */
#include "state/explain_parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "state/parts.h"

#include <stdlib.h>

struct explanation *explanation_new(void)
{
    return mem_alloc(sizeof(struct explanation));
}

void explanation_free(struct explanation **explanation)
{
    struct explanation *one = take(explanation);
    if (!one) return;
    for (size_t i = 0; i < one->count; i++) {
        json_decref(one->links[i].facts);
        free(one->links[i].steps);
    }
    for (uint32_t i = 0; i < one->seen_count; i++) {
        free(one->seen[i].progress);
        json_decref(one->seen[i].canary);
    }
    free(one->links);
    free(one->seen);
    free(one);
}

/* --- links --- */

struct link *link_find(const struct explanation *explanation, enum link_kind kind, uint32_t step)
{
    for (size_t i = explanation->count; i > explanation->first_open; i--) {
        struct link *link = &explanation->links[i - 1];
        if (link->kind == kind && link->step == step) return link;
    }
    return NULL;
}

struct link *link_add(struct explanation *explanation, enum link_kind kind, uint32_t step, int64_t at_ms)
{
    explanation->links = mem_grow(explanation->links, &explanation->room, explanation->count + 1, sizeof *explanation->links);
    struct link *link = &explanation->links[explanation->count++];
    *link = (struct link){.kind = kind, .step = step, .at_ms = at_ms, .last_at_ms = at_ms, .facts = json_object()};
    return link;
}

/* What comes now follows from this one, so it does not join what was before. */
static void part(struct explanation *explanation)
{
    explanation->first_open = explanation->count;
}

/* One more step that is told together with others of its kind. */
static void join(struct explanation *explanation, enum link_kind kind, const struct event *event)
{
    struct link *link = link_find(explanation, kind, NO_STEP);
    if (!link) link = link_add(explanation, kind, NO_STEP, event->time_ms);
    link->steps = mem_grow(link->steps, &link->step_room, link->step_count + 1, sizeof *link->steps);
    link->steps[link->step_count++] = event->step;
    link->last_at_ms = event->time_ms;
}

/* A link of the event's, with some of its data. */
static struct link *link_event(struct explanation *explanation, enum link_kind kind, const struct event *event, const char *const *keys)
{
    struct link *link = link_add(explanation, kind, event->step, event->time_ms);
    for (; *keys; keys++)
        json_put(link->facts, *keys, json_incref(json_object_get(event->data, *keys)));
    return link;
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* --- the run --- */

/* Was it told already why the run ends badly? */
static bool has_cause(const struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->count; i++) {
        const struct link *link = &explanation->links[i];
        bool is_failure = link->kind == LINK_failed && !json_flag(link->facts, "allowed", false);
        if (is_failure || link->kind == LINK_cancel || link->kind == LINK_verdict) return true;
    }
    return false;
}

static void add_end(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    bool is_known = event->type != EVENT_run_rollback_failed && has_cause(explanation);
    struct link *link = link_event(explanation, LINK_ended, event, KEYS("reason", "message"));
    if (is_known) json_object_del(link->facts, "message");
    json_put_text(link->facts, "state", run_status_name(state->status));
    json_put_whole(link->facts, "took_ms", event->time_ms - state->accepted_ms);
    part(explanation);
}

static void add_cancel(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    struct link *link = link_event(explanation, LINK_cancel, event, KEYS("by", "comment", "reason"));
    bool is_stuck = state->status == RUN_rollback_failed;
    if (is_stuck && state->plan->claim_count) json_put_flag(link->facts, "frees_groups", true);
    if (is_stuck || state->status == RUN_rolling_back) json_put_flag(link->facts, "late", true);
    part(explanation);
}

static void add_run_event(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    switch ((int)event->type) {
    case EVENT_run_accepted:
        link_event(explanation, LINK_accepted, event, KEYS("author", "trigger", "repository", "ref", "commit", "title", "from_run"));
        return;
    case EVENT_cancel_requested: return add_cancel(explanation, state, event);
    case EVENT_run_rolling_back: link_event(explanation, LINK_goes_back, event, KEYS("reason")); return part(explanation);
    case EVENT_run_succeeded:
    case EVENT_run_failed:
    case EVENT_run_cancelled:
    case EVENT_run_rolled_back:
    case EVENT_run_rollback_failed: return add_end(explanation, state, event);
    default: return;
    }
}

/* --- steps --- */

static void make_room(struct explanation *explanation, const struct run_state *state)
{
    if (explanation->seen) return;
    explanation->seen_count = state->plan->step_count;
    explanation->seen = mem_alloc_array(explanation->seen_count, sizeof *explanation->seen);
}

static bool effect_has_happened(const struct effect_state *effect)
{
    return effect->status == EFFECT_done || effect->status == EFFECT_compensated;
}

static void add_success(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    bool is_told = plan_step_is_approval(&state->plan->steps[event->step]) || explanation->seen[event->step].canary ||
                   step_has_effect(&state->steps[event->step], effect_has_happened);
    if (!is_told) join(explanation, LINK_went_well, event);
}

static void add_retry(struct explanation *explanation, const struct event *event)
{
    struct link *link = link_find(explanation, LINK_tried_again, event->step);
    if (!link) link = link_add(explanation, LINK_tried_again, event->step, event->time_ms);
    link->last_at_ms = event->time_ms;
    json_put_whole(link->facts, "times", json_whole(link->facts, "times", 0) + 1);
    json_put(link->facts, "message", json_incref(json_object_get(event->data, "message")));
}

/* Is it what a verdict that was told means? */
static bool is_of_verdict(const struct explanation *explanation, const struct event *event)
{
    const json_t *verdict = json_object_get(explanation->seen[event->step].canary, "verdict");
    return verdict && !text_equal(json_text(verdict, "verdict", ""), "promote");
}

static void add_failure(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    bool is_allowed = state->plan->steps[event->step].allow_failure;
    if (is_of_verdict(explanation, event)) return part(explanation);
    if (state->first_failed != event->step && !is_allowed) return join(explanation, LINK_also_failed, event);
    struct link *link = link_event(explanation, LINK_failed, event, KEYS("reason", "message"));
    if (is_allowed)
        json_put_flag(link->facts, "allowed", true);
    else
        part(explanation);
}

static void add_vote(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    const struct step_state *step = &state->steps[event->step];
    int64_t quorum = json_whole(state->plan->steps[event->step].with, "quorum", 1), count = 0;
    struct link *link = link_event(explanation, LINK_vote, event, KEYS("by", "decision", "comment"));
    for (const struct vote *vote = step->votes; vote; vote = vote->next)
        count += vote->approve;
    json_put_whole(link->facts, "waited_ms", event->time_ms - step->since_ms);
    if (quorum > 1) json_put_whole(link->facts, "count", count);
    if (quorum > 1) json_put_whole(link->facts, "quorum", quorum);
    part(explanation);
}

static void look_at_ticks(json_t *canary, const json_t *ticks)
{
    size_t index;
    json_t *tick;
    json_array_foreach((json_t *)ticks, index, tick)
    {
        json_put(canary, "tick", json_incref(tick));
        if (json_flag(tick, "used", false)) json_put(canary, "used", json_incref(tick));
    }
}

/* Only who had to wait has something to tell. */
static void add_turn(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    int64_t asked_ms = state->stages[state->plan->steps[event->step].stage].asked_ms;
    if (!asked_ms) return;
    struct link *link = link_event(explanation, LINK_turn, event, KEYS("groups"));
    json_put_whole(link->facts, "waited_ms", event->time_ms - asked_ms);
    part(explanation);
}

/* The evidence of a canary (docs/formats/evidence.md). What else a step keeps is its own business. */
static void look_at_checkpoint(struct explanation *explanation, const struct event *event)
{
    const json_t *checkpoint = json_object_get(event->data, "checkpoint");
    if (!json_is_integer(json_object_get(checkpoint, "evidence"))) return;
    json_t **canary = &explanation->seen[event->step].canary, *verdict = json_object_get(checkpoint, "verdict");
    if (!*canary) *canary = json_object();
    for (const char *const *key = KEYS("ramp", "kpis"); *key; key++)
        json_put(*canary, *key, json_incref(json_object_get(checkpoint, *key)));
    look_at_ticks(*canary, json_object_get(checkpoint, "ticks"));
    if (!json_is_object(verdict) || json_object_get(*canary, "verdict")) return;
    json_put(*canary, "verdict", json_incref(verdict));
    struct link *link = link_add(explanation, LINK_verdict, event->step, event->time_ms);
    json_put(link->facts, "verdict", json_incref(verdict));
    part(explanation);
}

static void add_parked(struct explanation *explanation, const struct event *event)
{
    if (text_equal(json_text(event->data, "for", ""), "retry")) add_retry(explanation, event);
    look_at_checkpoint(explanation, event);
}

static void add_skipped(struct explanation *explanation, const struct event *event)
{
    bool is_failure = text_equal(json_text(event->data, "because", ""), "failed");
    join(explanation, is_failure ? LINK_skipped : LINK_left_out, event);
}

static void note_progress(struct explanation *explanation, const struct event *event)
{
    const char *words = json_text(event->data, "message", NULL);
    if (!words) return;
    free(explanation->seen[event->step].progress);
    explanation->seen[event->step].progress = mem_copy_text(words);
}

/* What other steps remark is told with their logs. */
static void add_warning(struct explanation *explanation, const struct event *event)
{
    bool is_warning = text_equal(json_text(event->data, "level", ""), "warning");
    if (!is_warning || !explanation->seen[event->step].canary) return;
    link_event(explanation, LINK_warned, event, KEYS("message"));
    part(explanation);
}

static void add_undone(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    struct link *link = link_add(explanation, LINK_undone, event->step, event->time_ms);
    json_decref(link->facts);
    link->facts = undone_facts(&state->steps[event->step]);
}

static void add_step_event(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    switch ((int)event->type) {
    case EVENT_step_succeeded: return add_success(explanation, state, event);
    case EVENT_step_reused: return join(explanation, LINK_reused, event);
    case EVENT_step_skipped: return add_skipped(explanation, event);
    case EVENT_step_cancelled: return join(explanation, LINK_stopped, event);
    case EVENT_step_parked: return add_parked(explanation, event);
    case EVENT_step_checkpoint: return look_at_checkpoint(explanation, event);
    case EVENT_step_progress: return note_progress(explanation, event);
    case EVENT_step_annotated: return add_warning(explanation, event);
    case EVENT_step_granted: return add_turn(explanation, state, event);
    case EVENT_step_vote: return add_vote(explanation, state, event);
    case EVENT_step_failed: return add_failure(explanation, state, event);
    case EVENT_step_unknown: link_event(explanation, LINK_unknown, event, KEYS("message")); return part(explanation);
    case EVENT_step_resolved:
        link_event(explanation, LINK_resolved, event, KEYS("by", "as", "effect", "id", "comment"));
        return part(explanation);
    case EVENT_step_compensated: return add_undone(explanation, state, event);
    case EVENT_step_compensation_failed: link_event(explanation, LINK_not_undone, event, KEYS("message")); return;
    case EVENT_effect_done: return explain_effect(explanation, state, event);
    default: return;
    }
}

void explanation_add(struct explanation *explanation, const struct run_state *state, const struct event *event)
{
    if (event_type_subject(event->type) == EVENT_SUBJECT_RUN) return add_run_event(explanation, state, event);
    if (event->step >= state->plan->step_count) return;
    make_room(explanation, state);
    add_step_event(explanation, state, event);
}

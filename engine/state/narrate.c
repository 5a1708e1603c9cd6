/* narrate.c: event → one line for a person who watches. The state is the one after the event was folded. */
#include "state/explain_parts.h"
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

struct narration {
    const struct run_state *state;
    const struct event *event;
    const char *path; /* of the event's step; NULL for the run */
    bool colour;
    struct text line;
};

enum paint { PAINT_GREEN = 32, PAINT_RED = 31, PAINT_YELLOW = 33, PAINT_DIM = 2 };

static void mark(struct narration *narration, enum paint paint, const char *sign)
{
    if (narration->colour)
        text_add_format(&narration->line, "\033[%dm%s\033[0m ", (int)paint, sign);
    else
        text_add_format(&narration->line, "%s ", sign);
}

static void add_time(struct narration *narration, const char *before, int64_t from_ms, int64_t to_ms)
{
    if (!from_ms || to_ms < from_ms) return;
    text_add(&narration->line, before);
    text_add_duration(&narration->line, to_ms - from_ms);
}

static const struct step_state *step_of(const struct narration *narration)
{
    return &narration->state->steps[narration->event->step];
}

/* A step that judges a canary (docs/formats/evidence.md) wakes at each tick; that is no news, its ticks, shares and verdict are. */
static bool is_judging(const struct narration *narration)
{
    return json_is_integer(json_object_get(step_of(narration)->checkpoint, "evidence"));
}

/* Only the first step of a stage is announced: the stage starts. */
static void tell_start(struct narration *narration)
{
    if (is_judging(narration)) return;
    const struct plan_step *plan = &narration->state->plan->steps[narration->event->step];
    const struct plan_stage *stage = &narration->state->plan->stages[plan->stage];
    int64_t attempt = json_whole(narration->event->data, "attempt", 1);
    if (plan->index != stage->first_step && attempt < 2) return;
    if (attempt > 1 && step_of(narration)->checkpoint) return; /* it goes on where it was; that it paused was told */
    mark(narration, PAINT_DIM, "▸");
    if (attempt > 1)
        text_add_format(&narration->line, "%s starts again, attempt %lld", plan->path, (long long)attempt);
    else
        text_add_format(&narration->line, "%s starts", stage->path);
}

static void tell_success(struct narration *narration)
{
    mark(narration, PAINT_GREEN, "✓");
    text_add(&narration->line, narration->path);
    if (plan_step_is_approval(&narration->state->plan->steps[narration->event->step]))
        text_add(&narration->line, " approved");
    else
        add_time(narration, "  ", step_of(narration)->started_ms, narration->event->time_ms);
}

static void tell_failure(struct narration *narration)
{
    const json_t *data = narration->event->data;
    bool is_allowed = narration->state->plan->steps[narration->event->step].allow_failure;
    mark(narration, is_allowed ? PAINT_YELLOW : PAINT_RED, is_allowed ? "!" : "✗");
    const char *reason = json_text(data, "reason", "failed");
    bool is_told = is_judging(narration) && json_is_object(json_object_get(step_of(narration)->checkpoint, "verdict"));
    text_add_format(&narration->line, "%s failed", narration->path);
    if (!is_told) text_add_format(&narration->line, ": %s", json_text(data, "message", reason));
    add_time(narration, " after ", step_of(narration)->began_ms, narration->event->time_ms);
    if (is_allowed) text_add(&narration->line, " (allowed)");
}

static void add_by(struct narration *narration)
{
    const json_t *by = json_object_get(narration->state->plan->steps[narration->event->step].with, "by");
    size_t index;
    json_t *name;
    json_array_foreach(by, index, name)
        text_add_format(&narration->line, "%s%s", index ? ", " : " by ", json_string_value(name) ? json_string_value(name) : "?");
}

static void tell_turn(struct narration *narration)
{
    text_add_format(&narration->line, "%s %s", narration->path, json_text(narration->event->data, "message", "waits for its turn"));
}

static void tell_waits(struct narration *narration)
{
    mark(narration, PAINT_YELLOW, "…");
    tell_turn(narration);
}

/* Only to whom had to wait. */
static void tell_granted(struct narration *narration)
{
    const struct plan_step *step = &narration->state->plan->steps[narration->event->step];
    int64_t asked_ms = narration->state->stages[step->stage].asked_ms;
    if (!asked_ms) return;
    mark(narration, PAINT_GREEN, "▸");
    text_add_format(&narration->line, "%s: its turn has come", narration->state->plan->stages[step->stage].path);
    add_time(narration, " after ", asked_ms, narration->event->time_ms);
}

/* A judge's tick is what people wait for; of others only the end is told. */
static void tell_progress(struct narration *narration)
{
    const char *message = json_text(narration->event->data, "message", NULL);
    if (!message || !is_judging(narration) || !text_starts(message, "tick ")) return;
    mark(narration, PAINT_DIM, "\xc2\xb7");
    text_add(&narration->line, message);
}

static void tell_parked(struct narration *narration)
{
    const json_t *data = narration->event->data;
    const char *wait = json_text(data, "for", "");
    int64_t until_ms = json_whole(data, "until", 0);
    if (text_equal(wait, "timer") && is_judging(narration)) return;
    mark(narration, PAINT_YELLOW, "…");
    if (text_equal(wait, "approval")) {
        text_add_format(&narration->line, "%s waits for approval", narration->path);
        add_by(narration);
        text_add_format(&narration->line, ": crescendo approve %llu", (unsigned long long)narration->state->run);
        return;
    }
    if (text_equal(wait, "retry")) {
        text_add_format(&narration->line, "%s failed: %s; tries again", narration->path, json_text(data, "message", "?"));
        if (until_ms > narration->event->time_ms) add_time(narration, " in ", narration->event->time_ms, until_ms);
        return;
    }
    if (text_equal(wait, "group")) return tell_turn(narration);
    text_add_format(&narration->line, "%s waits for %s", narration->path, text_equal(wait, "timer") ? "its time" : wait);
    if (until_ms > narration->event->time_ms) add_time(narration, ", at most ", narration->event->time_ms, until_ms);
}

static void tell_share(struct narration *narration)
{
    const struct effect_state *effect = effect_find(step_of(narration), json_text(narration->event->data, "name", ""));
    AUTO(free_json) json_t *order = effect && is_judging(narration) ? order_facts(effect) : NULL;
    const json_t *share = json_object_get(order, "share"), *versions = json_object_get(step_of(narration)->checkpoint, "versions");
    if (!json_is_number(share) || step_of(narration)->status == STEP_compensating) return;
    mark(narration, PAINT_DIM, "▸");
    text_add_format(
        &narration->line, "%s: %s gets ", narration->path, json_text(versions, "canary", json_text(order, "service", "the canary")));
    explain_add_percent(&narration->line, share);
    text_add(&narration->line, " of the requests");
}

/* The checkpoint that brings a verdict has the tick that led to it, too, but where there was nobody to compare with; later ones have none.
 */
static void tell_verdict(struct narration *narration)
{
    const json_t *checkpoint = json_object_get(narration->event->data, "checkpoint"), *verdict = json_object_get(checkpoint, "verdict");
    bool is_new = json_array_size(json_object_get(checkpoint, "ticks")) || !json_text(checkpoint, "baseline", NULL);
    if (!is_judging(narration) || !json_is_object(verdict) || !is_new) return;
    const char *kind = json_text(verdict, "verdict", "?");
    bool is_good = text_equal(kind, "promote");
    mark(narration, is_good ? PAINT_GREEN : PAINT_RED, is_good ? "✓" : "✗");
    text_add_format(
        &narration->line, "%s: the verdict is %s: %s", narration->path, kind, json_text(verdict, "words", "no words were recorded"));
}

static void tell_vote(struct narration *narration)
{
    const json_t *data = narration->event->data;
    bool is_approval = text_equal(json_text(data, "decision", ""), "approve");
    mark(narration, is_approval ? PAINT_GREEN : PAINT_RED, is_approval ? "✓" : "✗");
    text_add_format(&narration->line, "%s: %s %s", narration->path, json_text(data, "by", "?"), is_approval ? "approves" : "rejects");
    const char *comment = json_text(data, "comment", NULL);
    if (comment && *comment) text_add_format(&narration->line, ": %s", comment);
}

static void tell_resolved(struct narration *narration)
{
    const json_t *data = narration->event->data;
    AUTO(free_text) char *words = resolution_words(data);
    mark(narration, PAINT_GREEN, "✓");
    text_add_format(&narration->line, "%s: %s", narration->path, words);
}

static void tell_skipped(struct narration *narration)
{
    bool is_failure = text_equal(json_text(narration->event->data, "because", ""), "failed");
    const struct plan_step *step = &narration->state->plan->steps[narration->event->step];
    const struct plan_stage *stage = &narration->state->plan->stages[step->stage];
    if (is_failure && step->index != stage->first_step) return; /* a line a stage is enough, and none for the rest of the failed one */
    mark(narration, PAINT_DIM, "-");
    text_add_format(&narration->line, "%s skipped: %s", is_failure ? stage->path : narration->path,
        is_failure ? "something before it failed" : "its condition is false");
}

static void tell_annotation(struct narration *narration)
{
    const json_t *data = narration->event->data;
    const char *level = json_text(data, "level", "notice");
    const char *file = json_text(data, "file", NULL);
    bool is_error = text_equal(level, "error");
    mark(narration, is_error ? PAINT_RED : PAINT_YELLOW, is_error ? "✗" : "!");
    text_add_format(&narration->line, "%s: ", narration->path);
    if (file) text_add_format(&narration->line, "%s:%lld: ", file, (long long)json_whole(data, "line", 1));
    text_add_format(&narration->line, "%s: %s", level, json_text(data, "message", ""));
}

static void tell_stop(struct narration *narration, const char *what)
{
    const char *message = json_text(narration->event->data, "message", NULL);
    mark(narration, PAINT_YELLOW, "■");
    text_add_format(&narration->line, "%s %s", narration->path, what);
    if (message) text_add_format(&narration->line, ": %s", message);
}

static void tell_cancel(struct narration *narration)
{
    const json_t *data = narration->event->data;
    const char *by = json_text(data, "by", NULL), *comment = json_text(data, "comment", NULL);
    mark(narration, PAINT_YELLOW, "■");
    enum run_status status = narration->state->status;
    if (status == RUN_rollback_failed && narration->state->plan->claim_count)
        text_add_format(&narration->line, "%s lets other runs go on in its groups", by ? by : "the engine");
    else if (status == RUN_rolling_back || status == RUN_rollback_failed)
        text_add_format(&narration->line, "%s cancels the run, which rolls back already", by ? by : "the engine");
    else if (by)
        text_add_format(&narration->line, "%s cancels the run", by);
    else
        text_add(&narration->line, "the run is cancelled");
    if (comment && *comment) text_add_format(&narration->line, ": %s", comment);
}

static void tell_end(struct narration *narration, enum paint paint, const char *sign, const char *what)
{
    const char *message = json_text(narration->event->data, "message", NULL);
    mark(narration, paint, sign);
    text_add_format(&narration->line, "run %llu %s", (unsigned long long)narration->state->run, what);
    add_time(narration, " after ", narration->state->accepted_ms, narration->event->time_ms);
    if (message) text_add_format(&narration->line, ": %s", message);
}

static void tell_start_of_run(struct narration *narration)
{
    const char *title = json_text(narration->event->data, "title", NULL);
    mark(narration, PAINT_DIM, "▸");
    text_add_format(&narration->line, "run %llu", (unsigned long long)narration->state->run);
    if (narration->state->plan->name) text_add_format(&narration->line, " of %s", narration->state->plan->name);
    if (title && *title) text_add_format(&narration->line, ": %s", title);
}

static void tell_rolling_back(struct narration *narration)
{
    const char *message = json_text(narration->event->data, "message", NULL);
    uint32_t failed = narration->state->first_failed; /* how it failed was told a line before */
    bool is_told = message && failed != NO_STEP && text_starts(message, narration->state->plan->steps[failed].path);
    mark(narration, PAINT_YELLOW, "↺");
    text_add_format(&narration->line, "run %llu rolls back", (unsigned long long)narration->state->run);
    if (message && !is_told) text_add_format(&narration->line, ": %s", message);
}

static void tell_undo(struct narration *narration)
{
    if (step_of(narration)->undo_tries || step_of(narration)->losses) return; /* that it is tried again was told */
    mark(narration, PAINT_YELLOW, "↺");
    text_add_format(&narration->line, "%s is being undone", narration->path);
}

static void tell_undo_paused(struct narration *narration)
{
    const json_t *data = narration->event->data;
    mark(narration, PAINT_YELLOW, "…");
    text_add_format(&narration->line, "%s is not undone yet: %s; tries again", narration->path, json_text(data, "message", "?"));
    int64_t until_ms = json_whole(data, "until", 0);
    if (until_ms > narration->event->time_ms) add_time(narration, " in ", narration->event->time_ms, until_ms);
}

static void tell_undo_failed(struct narration *narration)
{
    mark(narration, PAINT_RED, "✗");
    text_add_format(&narration->line, "%s could not be undone: %s", narration->path, json_text(narration->event->data, "message", "?"));
}

static void tell_undone(struct narration *narration)
{
    mark(narration, PAINT_YELLOW, "↺");
    text_add_format(&narration->line, "%s is undone", narration->path);
}

static void tell_turn_of_run(struct narration *narration)
{
    bool waits = narration->event->type == EVENT_run_waits;
    mark(narration, PAINT_YELLOW, waits ? "…" : "↺");
    text_add_format(&narration->line, "run %llu ", (unsigned long long)narration->state->run);
    text_add(&narration->line,
        waits ? json_text(narration->event->data, "message", "waits for its turn") : "has its groups again and goes on undoing");
}

static void tell_run(struct narration *narration)
{
    switch ((int)narration->event->type) {
    case EVENT_run_accepted: return tell_start_of_run(narration);
    case EVENT_run_succeeded: return tell_end(narration, PAINT_GREEN, "✓", "succeeded");
    case EVENT_run_failed: return tell_end(narration, PAINT_RED, "✗", "failed");
    case EVENT_run_cancelled: return tell_end(narration, PAINT_YELLOW, "■", "was cancelled");
    case EVENT_run_rolling_back: return tell_rolling_back(narration);
    case EVENT_run_waits:
    case EVENT_run_granted: return tell_turn_of_run(narration);
    case EVENT_run_rolled_back: return tell_end(narration, PAINT_YELLOW, "↺", "was rolled back");
    case EVENT_run_rollback_failed: return tell_end(narration, PAINT_RED, "✗", "could not be rolled back");
    case EVENT_run_needs_person: return tell_end(narration, PAINT_RED, "?", "needs a person");
    case EVENT_cancel_requested: return tell_cancel(narration);
    case EVENT_run_isolation:
        if (!json_text(narration->event->data, "message", NULL)) return;
        mark(narration, PAINT_YELLOW, "!");
        return text_add(&narration->line, json_text(narration->event->data, "message", ""));
    default: return;
    }
}

static void tell_step(struct narration *narration)
{
    switch ((int)narration->event->type) {
    case EVENT_step_starting: return tell_start(narration);
    case EVENT_step_succeeded: return tell_success(narration);
    case EVENT_step_failed: return tell_failure(narration);
    case EVENT_step_progress: return tell_progress(narration);
    case EVENT_step_parked: return tell_parked(narration);
    case EVENT_step_checkpoint: return tell_verdict(narration);
    case EVENT_effect_done: return tell_share(narration);
    case EVENT_step_waits: return tell_waits(narration);
    case EVENT_step_granted: return tell_granted(narration);
    case EVENT_step_vote: return tell_vote(narration);
    case EVENT_step_resolved: return tell_resolved(narration);
    case EVENT_step_skipped: return tell_skipped(narration);
    case EVENT_step_annotated: return tell_annotation(narration);
    case EVENT_step_cancelled: return tell_stop(narration, "cancelled");
    case EVENT_step_unknown: return tell_stop(narration, "may have had an effect that nobody can confirm");
    case EVENT_step_compensating: return tell_undo(narration);
    case EVENT_step_compensation_paused: return tell_undo_paused(narration);
    case EVENT_step_compensation_failed: return tell_undo_failed(narration);
    case EVENT_step_compensated: return tell_undone(narration);
    default: return;
    }
}

char *narrate(const struct run_state *state, const struct event *event, bool colour)
{
    struct narration narration = {.state = state, .event = event, .colour = colour};
    if (event_type_subject(event->type) == EVENT_SUBJECT_RUN) {
        tell_run(&narration);
    } else if (event->step < state->plan->step_count) {
        narration.path = state->plan->steps[event->step].path;
        tell_step(&narration);
    }
    if (!narration.line.size) return NULL;
    return text_take(&narration.line);
}

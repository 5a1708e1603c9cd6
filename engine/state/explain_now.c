/* explain_now.c: what a run waits for now: since when, until when, and what to do about it. */
#include "state/explain_parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "state/parts.h"

#include <stdlib.h>

enum { NOW_MAX = 8 };

struct looker {
    const struct explanation *explanation;
    const struct run_state *state;
    int64_t now_ms;
    json_t *list;
    size_t hidden;
};

/* What is said of one step. */
struct now {
    const struct plan_step *plan;
    const struct step_state *step;
    struct text words;
    int64_t since_ms, until_ms; /* 0: not said */
    const json_t *canary;       /* that it judges; NULL = none */
    json_t *commands;           /* what a person may type: lists of words, without the program's name; NULL = nothing */
};

/* --- words --- */

static void add_command(struct now *now, const struct looker *looker, const char *verb, const char *argument)
{
    if (!now->commands) now->commands = json_array();
    AUTO(free_text) char *run = mem_format("%llu", (unsigned long long)looker->state->run);
    json_t *words = json_pack("[s, s]", verb, run);
    if (argument) json_array_append_new(words, json_string(argument));
    json_array_append_new(now->commands, words);
}

/* value may be NULL. */
static void add_settling(struct now *now, const struct looker *looker, const char *option, const char *value)
{
    add_command(now, looker, "resolve", now->plan->path);
    json_t *words = json_array_get(now->commands, json_array_size(now->commands) - 1);
    json_array_append_new(words, json_string(option));
    if (value) json_array_append_new(words, json_string(value));
}

static void add_voters(struct now *now)
{
    const json_t *by = json_object_get(now->plan->with, "by");
    size_t index;
    json_t *name;
    json_array_foreach(by, index, name)
    {
        if (json_is_string(name)) text_add_format(&now->words, "%s%s", index ? ", " : " by ", json_string_value(name));
    }
    if (json_flag(now->plan->with, "not-author", false)) text_add(&now->words, ", but not by who started the run");
}

static void tell_approval(struct now *now, const struct looker *looker)
{
    const char *stage = looker->state->plan->stages[now->plan->stage].path, *ask = json_text(now->plan->with, "ask", NULL);
    int64_t quorum = json_whole(now->plan->with, "quorum", 1), count = 0;
    text_add_format(&now->words, "%s waits for approval", stage);
    add_voters(now);
    for (const struct vote *vote = now->step->votes; vote; vote = vote->next)
        count += vote->approve;
    if (quorum > 1) text_add_format(&now->words, ", %lld of %lld said yes", (long long)count, (long long)quorum);
    if (ask) text_add_format(&now->words, ": %s", ask);
    add_command(now, looker, "approve", stage);
    add_command(now, looker, "reject", stage);
}

static void tell_retry(struct now *now)
{
    const char *why = now->step->message ? now->step->message : reason_name(now->step->reason);
    text_add_format(&now->words, "%s failed: %s; it is tried again, attempt %u", now->plan->path, why, now->step->attempt + 1);
}

static const char *said(const struct looker *looker, const struct now *now)
{
    return looker->explanation->seen ? looker->explanation->seen[now->plan->index].progress : NULL;
}

static void tell_wait(struct now *now, const struct looker *looker, const char *what)
{
    const char *why = now->step->message ? now->step->message : said(looker, now);
    text_add_format(&now->words, "%s waits for %s", now->plan->path, what);
    if (why) text_add_format(&now->words, ": %s", why);
}

/* A step that judges a canary says how that stands, while it looks and between its looks. false: it judges none. */
static bool tell_canary(struct now *now, const struct looker *looker)
{
    struct text canary = {0};
    bool judges = explanation_canary(looker->explanation, looker->state, now->plan->index, &canary);
    if (judges) {
        text_add_format(&now->words, "%s judges: %s", now->plan->path, text_view(&canary));
        now->canary = looker->explanation->seen[now->plan->index].canary;
        now->since_ms = json_whole(now->canary, "share_ms", now->since_ms);
    }
    text_release(&canary);
    return judges;
}

static void tell_parked(struct now *now, const struct looker *looker)
{
    now->until_ms = now->step->until_ms;
    switch (now->step->wait) {
    case WAIT_approval: return tell_approval(now, looker);
    case WAIT_retry: return tell_retry(now);
    case WAIT_window: return tell_wait(now, looker, "its time window to open");
    case WAIT_group: /* its message says who has it, and how many come before */
        text_add_format(&now->words, "%s %s", now->plan->path, now->step->message ? now->step->message : "waits for its turn");
        return;
    case WAIT_timer:
        if (!tell_canary(now, looker)) tell_wait(now, looker, "its time");
        return;
    case WAIT_peer: return tell_wait(now, looker, "another system");
    case WAIT_person: return tell_wait(now, looker, "a person");
    case WAIT_none:
    case WAIT_COUNT: return;
    }
}

static void tell_unknown(struct now *now, const struct looker *looker)
{
    const char *message = now->step->message;
    text_add_format(
        &now->words, "%s: nobody can tell whether it had its effect%s%s", now->plan->path, message ? ": " : "", message ? message : "");
    text_add(&now->words, "; look at the peer, then settle it");
    add_settling(now, looker, "--done", "ID");
    add_settling(now, looker, "--not-done", NULL);
    add_command(now, looker, "cancel", NULL);
}

static void tell_not_undone(struct now *now, const struct looker *looker)
{
    const char *message = now->step->message;
    text_add_format(&now->words, "%s could not be undone%s%s", now->plan->path, message ? ": " : "", message ? message : "");
    text_add(&now->words, "; undo it by hand, then settle it; a cancel tries anew");
    add_settling(now, looker, "--undone", NULL);
    add_command(now, looker, "cancel", NULL);
}

static void tell_compensating(struct now *now)
{
    const char *message = now->step->message;
    now->until_ms = now->step->until_ms;
    text_add_format(&now->words, "%s is being undone", now->plan->path);
    if (now->step->undo_tries && message) text_add_format(&now->words, "; the last attempt failed: %s", message);
}

static void tell_running(struct now *now, const struct looker *looker)
{
    if (tell_canary(now, looker)) return;
    const char *words = said(looker, now);
    if (!words && !text_equal(now->plan->title, now->plan->id)) words = now->plan->title;
    text_add_format(&now->words, "%s runs", now->plan->path);
    if (now->step->attempt > 1) text_add_format(&now->words, ", attempt %u", now->step->attempt);
    if (words) text_add_format(&now->words, ": %s", words);
}

/* A step whose turn has not come says what its stage waits for. */
static void tell_pending(struct now *now, const struct looker *looker)
{
    const struct plan *plan = looker->state->plan;
    const struct plan_stage *stage = &plan->stages[now->plan->stage];
    const char **names = mem_alloc_array(stage->need_count + 1, sizeof *names);
    size_t count = 0;
    for (uint32_t i = 0; i < stage->need_count; i++)
        if (!step_status_at_rest(stage_status(looker->state, stage->needs[i]))) names[count++] = plan->stages[stage->needs[i]].path;
    if (!count && now->plan->index > stage->first_step)
        text_add_format(&now->words, "%s waits for the step before it, %s", now->plan->path, plan->steps[now->plan->index - 1].path);
    else if (count) {
        text_add_format(&now->words, "%s waits for ", now->plan->path);
        explain_add_names(&now->words, names, count, "stage");
    }
    free(names);
}

static void tell(struct now *now, const struct looker *looker, bool is_asked_for)
{
    now->since_ms = now->step->since_ms;
    switch ((int)now->step->status) {
    case STEP_parked: return tell_parked(now, looker);
    case STEP_unknown: return tell_unknown(now, looker);
    case STEP_compensating: return tell_compensating(now);
    case STEP_compensation_failed: return tell_not_undone(now, looker);
    case STEP_starting:
    case STEP_running: return tell_running(now, looker);
    case STEP_cancelling: return text_add_format(&now->words, "%s is being ended", now->plan->path);
    case STEP_ready: return text_add_format(&now->words, "%s waits for a free place: as many stages run as may", now->plan->path);
    case STEP_pending:
        now->since_ms = 0;
        if (is_asked_for) tell_pending(now, looker);
        return;
    default: return;
    }
}

/* --- as JSON --- */

static json_t *now_json(struct now *now)
{
    json_t *object = json_object();
    json_put_text(object, "step", now->plan->path);
    json_put_text(object, "state", step_status_name(now->step->status));
    if (now->step->wait) json_put_text(object, "for", wait_name(now->step->wait));
    json_put_text(object, "words", text_view(&now->words));
    if (now->since_ms) json_put_whole(object, "since_ms", now->since_ms);
    if (now->until_ms) json_put_whole(object, "until_ms", now->until_ms);
    if (now->canary) json_put(object, "canary", explain_canary_json(now->canary));
    json_put(object, "commands", take(&now->commands));
    return object;
}

static void look_at(struct looker *looker, uint32_t index, bool is_asked_for)
{
    struct now now = {.plan = &looker->state->plan->steps[index], .step = &looker->state->steps[index]};
    tell(&now, looker, is_asked_for);
    if (now.words.size && json_array_size(looker->list) < NOW_MAX)
        json_array_append_new(looker->list, now_json(&now));
    else
        looker->hidden += now.words.size > 0;
    json_decref(now.commands);
    text_release(&now.words);
}

json_t *explain_now(
    const struct explanation *explanation, const struct run_state *state, const bool *wanted, uint32_t asked, int64_t now_ms)
{
    struct looker looker = {.explanation = explanation, .state = state, .now_ms = now_ms, .list = json_array()};
    bool is_over = run_status_at_rest(state->status);
    if (state->status == RUN_queued)
        json_array_append_new(looker.list, json_pack("{s:s}", "words", "the run is accepted and begins in a moment"));
    if (state->turn_message) json_array_append_new(looker.list, json_pack("{s:s}", "words", state->turn_message));
    for (uint32_t i = 0; !is_over && state->status != RUN_queued && i < state->plan->step_count; i++)
        if (wanted[i]) look_at(&looker, i, i == asked);
    if (!looker.hidden) return looker.list;
    AUTO(free_text) char *more = mem_format("and %zu more steps", looker.hidden);
    json_array_append_new(looker.list, json_pack("{s:s}", "words", more));
    return looker.list;
}

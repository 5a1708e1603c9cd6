/* replay_settle.c: what a report or a line of a step must have said for these events to follow, and settling it again.
   A report is not kept, but its ends are few: every one that can have told this is tried, and one of them has to mean these very events. */
#include "state/replay.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

enum { EXIT_FAILED = 1, EXIT_TO_PARK = 75, EVENTS_OF_REPORT_MAX = 4 };

/* --- reports --- */

/* The last event that one report can have made, from `at` on: of the same step, at the same time. */
static const struct event *end_of_report(const struct replaying *replaying)
{
    const struct replay *replay = replaying->replay;
    const struct event *first = &replay->events[replaying->at], *end = first;
    for (size_t i = 1; i < EVENTS_OF_REPORT_MAX && replaying->at + i < replay->count; i++) {
        const struct event *next = first + i;
        if (next->step != first->step || next->time_ms != first->time_ms || event_type_subject(next->type) != EVENT_SUBJECT_STEP) break;
        end = next;
    }
    return end;
}

static bool try_report(struct replaying *replaying, const struct report *report)
{
    AUTO(event_list_release) struct event_list list = {0};
    settle(replaying->state, report, &list);
    return replay_follows(replaying, &list, REPLAY_SETTLED);
}

/* What the supervisor adds to how a process ended stands behind a colon. */
static bool try_with_message(struct replaying *replaying, struct report *report, const char *told)
{
    bool found = try_report(replaying, report);
    for (const char *colon = told ? strstr(told, ": ") : NULL; !found && colon; colon = strstr(colon + 2, ": ")) {
        report->message = colon + 2;
        found = try_report(replaying, report);
    }
    report->message = NULL;
    return found;
}

/* What a message that begins so goes on with. */
static int number_behind(const char *told, const char *beginning, int fallback)
{
    if (!told || !text_starts(told, beginning)) return fallback;
    int number = 0;
    for (const char *digit = told + strlen(beginning); *digit >= '0' && *digit <= '9' && number < 10000; digit++)
        number = number * 10 + (*digit - '0');
    return number;
}

static bool try_exits(struct replaying *replaying, struct report *report, const json_t *data)
{
    const char *told = json_text(data, "message", NULL);
    int exit_code = (int)json_whole(data, "exit", EXIT_FAILED), signal = (int)json_whole(data, "signal", 0);
    if (!json_object_get(data, "exit")) exit_code = number_behind(told, "exit ", exit_code);
    if (!signal) signal = number_behind(told, "ended by signal ", signal);
    const int codes[] = {exit_code, 0, EXIT_TO_PARK};
    bool found = false;
    report->type = REPORT_EXITED;
    for (size_t i = 0; i < COUNT_OF(codes) && !found; i++) {
        report->exit_code = codes[i];
        found = try_with_message(replaying, report, told);
    }
    report->exit_code = exit_code;
    report->signal = signal;
    for (int cause = CAUSE_SIGNAL; cause <= CAUSE_PROCESSES && !found; cause++) {
        report->cause = (enum exit_cause)cause;
        found = try_with_message(replaying, report, told);
    }
    return found;
}

static bool try_refusals(struct replaying *replaying, struct report *report, const json_t *data)
{
    static const enum reason reasons[] = {REASON_ok, REASON_denied, REASON_invalid, REASON_failed};
    bool found = false;
    report->type = REPORT_REFUSED;
    report->message = json_text(data, "message", NULL);
    for (size_t i = 0; i < COUNT_OF(reasons) && !found; i++) {
        report->reason = reasons[i];
        found = try_report(replaying, report);
    }
    report->message = NULL;
    return found;
}

static bool try_losses(struct replaying *replaying, struct report *report)
{
    bool found = false;
    report->type = REPORT_LOST;
    for (unsigned started = 0; started < 2 && !found; started++) {
        report->started = started;
        found = try_report(replaying, report);
    }
    if (found) return found;
    report->type = REPORT_DROPPED;
    return try_report(replaying, report);
}

static int pid_among(const struct event *first, const struct event *end)
{
    for (; first <= end; first++)
        if (json_object_get(first->data, "pid")) return (int)json_whole(first->data, "pid", 0);
    return 0;
}

static bool try_reports(struct replaying *replaying, uint32_t attempt)
{
    const struct event *first = &replaying->replay->events[replaying->at], *end = end_of_report(replaying);
    bool found = false;
    for (; end >= first && !found; end--) {
        struct report report = {.step = first->step, .attempt = attempt, .time_ms = first->time_ms};
        report.pid = pid_among(first, end);
        report.outputs = json_object_get(end->data, "outputs");
        report.usage = json_object_get(end->data, "usage");
        found = try_report(replaying, &report); /* started */
        if (!found) found = try_exits(replaying, &report, end->data);
        report = (struct report){.step = first->step, .attempt = attempt, .time_ms = first->time_ms};
        if (!found) found = try_losses(replaying, &report);
        if (!found) found = try_refusals(replaying, &report, end->data);
    }
    return found;
}

/* --- lines --- */

static json_t *line_of_effect(const struct replaying *replaying, const struct event *event, const char *name)
{
    const struct step_state *step = &replaying->state->steps[event->step];
    const struct effect_state *effect = step->effects;
    while (effect && !text_equal(effect->name, name))
        effect = effect->next;
    bool is_again = event->type == EVENT_effect_sent && effect;
    json_t *body = is_again ? effect->intent : json_object_get(event->data, "body");
    json_t *line = json_object();
    json_put_text(line, "type", "intend");
    json_put_text(line, "name", name);
    if (json_flag(event->data, "again", false)) json_put_flag(line, "again", true);
    json_put_text(line, "target", is_again ? effect->target : json_text(event->data, "target", NULL));
    json_put(line, "body", body ? json_incref(body) : NULL);
    json_put(line, "expects", json_incref(json_object_get(event->data, "expects")));
    return line;
}

static json_t *line_of_outcome(const struct event *event, const char *name, const char *seen)
{
    json_t *line = json_object(), *outcome = json_object_get(event->data, "outcome");
    json_put_text(line, "type", "outcome");
    json_put_text(line, "name", name);
    json_put_text(line, "seen", seen);
    json_put(line, "outcome", outcome ? json_incref(outcome) : NULL);
    return line;
}

/* What the event has, under a type. */
static json_t *line_of_data(const struct event *event, const char *type)
{
    json_t *line = json_copy(event->data);
    json_put_text(line, "type", type);
    return line;
}

static json_t *line_of_progress(const struct event *event)
{
    if (json_object_size(event->data) == 0) return json_pack("{s:s}", "type", "hello");
    const char *fault = json_text(event->data, "fault", NULL);
    json_t *line = line_of_data(event, fault ? "fault" : "progress");
    if (fault) json_put_text(line, "message", fault);
    return line;
}

/* NULL: no line makes such an event. */
static json_t *line_of(const struct replaying *replaying, const struct event *event)
{
    const char *name = json_text(event->data, "name", "");
    if (!event->data) return NULL;
    switch ((int)event->type) {
    case EVENT_step_output: return line_of_data(event, "output");
    case EVENT_step_annotated: return line_of_data(event, "annotate");
    case EVENT_step_progress: return line_of_progress(event);
    case EVENT_step_checkpoint: return line_of_data(event, json_object_get(event->data, "for") ? "park" : "checkpoint");
    case EVENT_effect_intended:
    case EVENT_effect_sent: return line_of_effect(replaying, event, name);
    case EVENT_effect_done: return line_of_outcome(event, name, json_flag(event->data, "word", false) ? "unsure" : "done");
    case EVENT_effect_abandoned: return line_of_outcome(event, name, "absent");
    case EVENT_effect_unknown: return line_of_outcome(event, name, "unsure");
    case EVENT_effect_failed: return line_of_outcome(event, name, "failed");
    case EVENT_effect_compensated: return line_of_data(event, "compensated");
    default: return NULL;
    }
}

static bool try_line(struct replaying *replaying, const struct event *event)
{
    AUTO(free_json) json_t *line = line_of(replaying, event);
    AUTO(event_list_release) struct event_list list = {0};
    AUTO(free_text) char *reply = NULL;
    struct error ignored;
    if (!line) return false;
    AUTO(free_text) char *text = json_canonical(line);
    if (settle_line(replaying->state, event->step, text, event->time_ms, &list, &reply, &ignored) < 0) return false;
    return replay_follows(replaying, &list, REPLAY_SETTLED);
}

static bool try_fault(struct replaying *replaying, const struct event *event)
{
    AUTO(event_list_release) struct event_list list = {0};
    const char *message = json_text(event->data, "message", NULL);
    if (event->type != EVENT_step_cancelling || !message) return false;
    settle_fault(replaying->state, event->step, message, event->time_ms, &list);
    return replay_follows(replaying, &list, REPLAY_SETTLED);
}

/* --- votes --- */

/* Which groups the person belonged to is not kept; they were asked, or there were no vote. */
static bool try_vote(struct replaying *replaying, const struct event *event)
{
    AUTO(event_list_release) struct event_list list = {0};
    const json_t *asked = json_object_get(replaying->replay->plan->steps[event->step].with, "by");
    const char *by = json_text(event->data, "by", "");
    const char *const groups[] = {by, json_string_value(json_array_get(asked, 0)), NULL};
    bool approve = text_equal(json_text(event->data, "decision", NULL), "approve");
    const char *comment = json_text(event->data, "comment", NULL);
    struct error ignored;
    if (settle_vote(replaying->state, event->step, by, groups, approve, comment, event->time_ms, &list, &ignored) < 0) return false;
    return replay_follows(replaying, &list, REPLAY_SETTLED);
}

/* What a person settled by hand: their word, and what follows from it in the same breath. */
static bool try_resolve(struct replaying *replaying, const struct event *event)
{
    AUTO(event_list_release) struct event_list list = {0};
    int as = resolved_from_name(json_text(event->data, "as", ""));
    if (as < 0) return false;
    const struct resolution says = {.as = (enum resolved)as,
        .by = json_text(event->data, "by", ""),
        .effect = json_text(event->data, "effect", NULL),
        .id = json_text(event->data, "id", NULL),
        .comment = json_text(event->data, "comment", NULL)};
    struct error ignored;
    if (settle_resolve(replaying->state, event->step, &says, event->time_ms, &list, &ignored) < 0) return false;
    return replay_follows(replaying, &list, REPLAY_SETTLED);
}

/* --- all of them --- */

/* A person who settles an effect leaves their name. */
bool replay_is_settled(const struct run_state *state, const struct event *event)
{
    if (event->step < state->plan->step_count && (event->type == EVENT_step_vote || event->type == EVENT_step_resolved)) return true;
    if (json_object_get(event->data, "by") || json_object_get(event->data, "from_run")) return false;
    if (event->step >= state->plan->step_count || event_type_subject(event->type) == EVENT_SUBJECT_RUN) return false;
    enum step_status status = state->steps[event->step].status;
    bool live = status == STEP_starting || status == STEP_running || status == STEP_cancelling || status == STEP_compensating;
    return event->type != EVENT_effect_acknowledged && (live || event->type == EVENT_step_starting);
}

bool replay_settle(struct replaying *replaying)
{
    const struct event *event = &replaying->replay->events[replaying->at];
    uint32_t attempt = replaying->state->steps[event->step].attempt;
    if (event->type == EVENT_step_vote) return try_vote(replaying, event);
    if (event->type == EVENT_step_resolved) return try_resolve(replaying, event);
    bool found = try_line(replaying, event);
    if (!found) found = try_fault(replaying, event);
    if (!found) found = try_reports(replaying, attempt);
    if (!found && event->type == EVENT_step_starting) found = try_reports(replaying, attempt + 1); /* its start had been lost in a crash */
    return found;
}

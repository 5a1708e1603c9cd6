/* settle.c: report → events: what it means that a step's process was started, ended, lost or refused.
   Every report names an attempt; one of another attempt, or of a step that is not live, is old news and means nothing. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

enum {
    LOSSES_MAX = 3, /* supervisors lost one after another before a step's start, until we give up */
    FINDS_MAX = 1,  /* restarts by ourselves to find out what became of an effect */
};

struct settlement {
    const struct run_state *state;
    const struct report *report;
    const struct plan_step *plan;
    const struct step_state *step;
    enum step_status status; /* the step's, after what was forgotten has been caught up with */
    struct event_list *list;
};

static void add(const struct settlement *settlement, enum event_type type, json_t *data)
{
    event_list_add(settlement->list, type, settlement->report->step, settlement->report->time_ms, data);
}

static json_t *with_reason(enum reason reason, const char *message)
{
    json_t *data = json_object();
    json_put_text(data, "reason", reason_name(reason));
    json_put_text(data, "message", message);
    return data;
}

static json_t *with_attempt(const struct settlement *settlement)
{
    json_t *data = json_object();
    json_put_whole(data, "attempt", settlement->report->attempt);
    return data;
}

static void add_running(const struct settlement *settlement)
{
    json_t *data = with_attempt(settlement);
    if (settlement->report->pid) json_put_whole(data, "pid", settlement->report->pid);
    add(settlement, EVENT_step_running, data);
}

static void put_exit(const struct settlement *settlement, json_t *data)
{
    const struct report *report = settlement->report;
    if (report->type != REPORT_EXITED) return;
    if (report->signal)
        json_put_whole(data, "signal", report->signal);
    else if (report->cause == CAUSE_EXIT)
        json_put_whole(data, "exit", report->exit_code);
    json_put(data, "usage", report->usage ? json_deep_copy(report->usage) : NULL);
}

/* --- outputs --- */

/* What the step said line by line, and what it left in its output file; only names that it declares. */
static json_t *collect_outputs(const struct settlement *settlement)
{
    json_t *outputs = settlement->step->outputs ? json_copy(settlement->step->outputs) : json_object();
    for (const char *const *name = settlement->plan->outputs; name && *name; name++) {
        json_t *value = json_object_get(settlement->report->outputs, *name);
        if (value) json_object_set(outputs, *name, value);
    }
    return outputs;
}

/* A run step promises what it declares; a typed step's outputs depend on what it did, and one that it does not give is null. */
static const char *missing_output(const struct settlement *settlement, const json_t *outputs)
{
    if (strcmp(settlement->plan->type, "run") != 0) return NULL;
    for (const char *const *name = settlement->plan->outputs; name && *name; name++)
        if (!json_object_get(outputs, *name)) return *name;
    return NULL;
}

/* --- ends --- */

static void park_for_retry(const struct settlement *settlement, enum reason reason, const char *message, bool find)
{
    json_t *data = with_reason(reason, message);
    json_put_text(data, "for", wait_name(WAIT_retry));
    json_put_whole(data, "until", settlement->report->time_ms + (find ? 0 : settlement->plan->retry.wait_ms));
    json_put_whole(data, "attempt", settlement->report->attempt);
    if (find) json_put_flag(data, "find", true);
    add(settlement, EVENT_step_parked, data);
}

static void become_unknown(const struct settlement *settlement, const char *message)
{
    json_t *data = json_object();
    json_put_text(data, "message", message);
    add(settlement, EVENT_step_unknown, data);
}

static bool may_retry(const struct settlement *settlement, enum reason reason)
{
    const struct retry *retry = &settlement->plan->retry;
    return settlement->step->retries < retry->times && retry->reasons & 1u << reason;
}

static void fail(const struct settlement *settlement, enum reason reason, const char *message)
{
    bool is_open = step_has_effect(settlement->step, effect_is_open), is_untold = is_open || settlement->step->took_word;
    if (settlement->report->type != REPORT_REFUSED && may_retry(settlement, reason))
        return park_for_retry(settlement, reason, message, false);
    if (is_untold && settlement->step->finds < FINDS_MAX) return park_for_retry(settlement, reason, message, true);
    if (step_has_effect(settlement->step, effect_is_unsettled)) return become_unknown(settlement, message);
    json_t *data = with_reason(reason, message);
    put_exit(settlement, data);
    add(settlement, EVENT_step_failed, data);
}

static void park(const struct settlement *settlement)
{
    json_t *data = json_object();
    json_put_text(data, "for", wait_name(settlement->step->park_wait));
    json_put_whole(data, "until", settlement->step->park_until_ms);
    json_put_whole(data, "attempt", settlement->report->attempt);
    add(settlement, EVENT_step_parked, data);
}

/* A typed step that never spoke: a program that is something else, or does not know the protocol. Where its start was not seen, its lines
   were not heard either. */
static bool is_silent(const struct settlement *settlement)
{
    const struct step_state *step = settlement->step;
    return strcmp(settlement->plan->type, "run") != 0 && settlement->status == STEP_running && !step->speaks && !step->effects;
}

static void succeed(const struct settlement *settlement)
{
    if (is_silent(settlement))
        return fail(settlement, REASON_failed,
            "it ended with 0 but never said hello: the program of a step type speaks the step protocol on descriptor 3");
    AUTO(free_json) json_t *outputs = collect_outputs(settlement);
    const char *missing = missing_output(settlement, outputs);
    if (step_has_effect(settlement->step, effect_is_open))
        return fail(settlement, REASON_failed, "it ended without telling the outcome of an effect");
    if (missing) {
        AUTO(free_text) char *message = mem_format("it ended well but did not give its output %s", missing);
        return fail(settlement, REASON_failed, message);
    }
    json_t *data = json_object();
    put_exit(settlement, data);
    if (json_object_size(outputs)) json_put(data, "outputs", json_incref(outputs));
    add(settlement, EVENT_step_succeeded, data);
}

/* The end of a step that is being ended: of the run's cancelling, or because of something of its own (settle_fault, timeout). */
static void settle_cancelling(const struct settlement *settlement, enum reason reason, const char *message)
{
    if (step_has_effect(settlement->step, effect_is_unsettled))
        return become_unknown(settlement, "it was ended while the outcome of an effect was open");
    bool is_run = settlement->state->status == RUN_cancelling;
    json_t *data = with_reason(is_run ? settlement->state->cancel_reason : reason, message);
    if (!is_run) put_exit(settlement, data);
    add(settlement, is_run ? EVENT_step_cancelled : EVENT_step_failed, data);
}

/* Its cancelling was forgotten in a crash (it is a REDO event), but the supervisor remembers it. */
static void settle_forgotten_cancelling(const struct settlement *settlement)
{
    bool is_run = settlement->state->status == RUN_cancelling;
    enum reason reason = is_run ? settlement->state->cancel_reason : REASON_timeout;
    const char *message = is_run ? NULL : "it was ended by the engine";
    add(settlement, EVENT_step_cancelling, with_reason(reason, message));
    settle_cancelling(settlement, reason, message);
}

static void settle_exited(const struct settlement *settlement)
{
    const struct report *report = settlement->report;
    const struct step_state *step = settlement->step;
    if (settlement->status == STEP_cancelling)
        return settle_cancelling(settlement, step->reason == REASON_ok ? REASON_operator : step->reason, step->message);
    if (settlement->status == STEP_starting) add_running(settlement);
    if (step_has_effect(step, effect_is_unknown)) return become_unknown(settlement, "the outcome of an effect is unknown");
    if (report->cause == CAUSE_CANCELLED) return settle_forgotten_cancelling(settlement);
    if (report->cause == CAUSE_EXIT && report->exit_code == 0) return succeed(settlement);
    if (report->cause == CAUSE_EXIT && report->exit_code == EXIT_PARKED && step->parks) return park(settlement);
    struct text message = {0};
    describe_end(report, settlement->plan, settlement->step->fault, &message);
    enum reason said = report->cause == CAUSE_EXIT && step->fault_reason != REASON_ok ? step->fault_reason : REASON_failed;
    fail(settlement, report->cause == CAUSE_TIMEOUT ? REASON_timeout : said, text_view(&message));
    text_release(&message);
}

static void withdraw(const struct settlement *settlement, bool lost)
{
    json_t *data = with_attempt(settlement);
    if (lost) json_put_flag(data, "lost", true);
    add(settlement, EVENT_step_withdrawn, data);
}

static void settle_dropped(const struct settlement *settlement)
{
    const struct step_state *step = settlement->step;
    if (settlement->status == STEP_starting) withdraw(settlement, false);
    if (settlement->status == STEP_cancelling)
        settle_cancelling(settlement, step->reason == REASON_ok ? REASON_operator : step->reason, step->message);
}

static void settle_lost(const struct settlement *settlement)
{
    const struct step_state *step = settlement->step;
    if (settlement->status == STEP_cancelling) return settle_dropped(settlement);
    if (settlement->status == STEP_starting && !settlement->report->started) {
        if (step->losses + 1 < LOSSES_MAX) return withdraw(settlement, true);
        return fail(settlement, REASON_worker_lost, "its supervisor died again and again before the step was started");
    }
    fail(settlement, REASON_worker_lost, "its supervisor died, so its end was not seen");
}

/* Handed ahead and refused before its turn: it is tried again, and refused for good, when the steps before it are done. */
static bool is_ahead_of_its_turn(const struct settlement *settlement)
{
    const struct plan_stage *stage = &settlement->state->plan->stages[settlement->plan->stage];
    return settlement->plan->index > stage->first_step + settlement->state->stages[settlement->plan->stage].cursor;
}

static void settle_refused(const struct settlement *settlement)
{
    const char *message = settlement->report->message;
    if (settlement->status == STEP_cancelling) return settle_dropped(settlement);
    if (is_ahead_of_its_turn(settlement)) return withdraw(settlement, false);
    enum reason reason = settlement->report->reason == REASON_ok ? REASON_failed : settlement->report->reason;
    fail(settlement, reason, message && *message ? message : "it could not be started");
}

/* A compensating step is heard by settle_undo.c. */
static bool is_live(enum step_status status)
{
    return status == STEP_starting || status == STEP_running || status == STEP_cancelling;
}

/* A start is a REDO event: a crash may have lost it after the supervisor had heard of it. The report tells. */
static bool is_forgotten_start(const struct settlement *settlement)
{
    bool waits = settlement->status == STEP_pending || settlement->status == STEP_ready;
    return waits && settlement->report->attempt == settlement->step->attempt + 1;
}

static void settle_report(const struct settlement *settlement)
{
    switch (settlement->report->type) {
    case REPORT_STARTED:
        if (settlement->status == STEP_starting) add_running(settlement);
        break;
    case REPORT_EXITED: settle_exited(settlement); break;
    case REPORT_DROPPED: settle_dropped(settlement); break;
    case REPORT_LOST: settle_lost(settlement); break;
    case REPORT_REFUSED: settle_refused(settlement); break;
    }
}

void settle(const struct run_state *state, const struct report *report, struct event_list *list)
{
    if (report->step >= state->plan->step_count || run_status_at_rest(state->status)) return;
    struct settlement settlement = {
        .state = state, .report = report, .plan = &state->plan->steps[report->step], .step = &state->steps[report->step], .list = list};
    settlement.status = settlement.step->status;
    if (settlement.status == STEP_compensating) return settle_undo(state, report, list);
    if (is_forgotten_start(&settlement)) {
        add(&settlement, EVENT_step_starting, with_attempt(&settlement));
        settlement.status = STEP_starting;
    } else if (!is_live(settlement.status) || settlement.step->attempt != report->attempt) {
        return;
    }
    settle_report(&settlement);
}

void settle_fault(const struct run_state *state, uint32_t step, const char *message, int64_t now_ms, struct event_list *list)
{
    if (step >= state->plan->step_count) return;
    enum step_status status = state->steps[step].status;
    bool undoes = status == STEP_compensating && state->steps[step].undoing && !state->steps[step].ending;
    if (status == STEP_starting || status == STEP_running || undoes)
        event_list_add(list, EVENT_step_cancelling, step, now_ms, with_reason(REASON_failed, message));
}

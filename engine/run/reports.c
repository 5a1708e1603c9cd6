/* reports.c: what the run's shim tells, turned into events. */
#include "run/live.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/outputs.h"

#include <stdlib.h>
#include <string.h>

void live_report(struct live_run *run, const struct report *report)
{
    struct event_list events = {0};
    settle(run->state, report, &events);
    live_fold(run, &events);
}

static void on_exited(struct live_run *run, const struct supervisor_report *said, struct report *report)
{
    AUTO(free_json) json_t *outputs = NULL;
    AUTO(free_json)
    json_t *usage = json_pack("{s:I, s:I, s:I}", "cpu_ms", (json_int_t)(said->cpu_us / 1000), "memory_bytes",
        (json_int_t)said->memory_bytes, "log_bytes", (json_int_t)said->log_bytes);
    struct error err = {0};
    AUTO(free_text) char *message = NULL;
    report->type = REPORT_EXITED;
    report->cause = (enum exit_cause)said->cause;
    report->exit_code = said->exit_code;
    report->signal = said->signal;
    report->usage = usage;
    if (outputs_parse(said->outputs, said->outputs_size, &outputs, &err) < 0) {
        message = mem_copy_text(err.message);
        report->message = message;
        if (report->cause == CAUSE_EXIT && report->exit_code == 0) report->exit_code = 1; /* success without its outputs is none */
    }
    report->outputs = outputs;
    live_report(run, report);
}

static void say_later(struct live_run *run, uint32_t step, uint32_t attempt, char *line)
{
    struct saying *saying = mem_alloc(sizeof *saying);
    *saying = (struct saying){step, attempt, line, NULL};
    *run->sayings_end = saying;
    run->sayings_end = &saying->next;
}

/* `go` is said now, whenever it was asked for: from then on the request may be under way. */
static void date_sending(struct event_list *events)
{
    int64_t now_ms = clock_now_ms();
    for (size_t i = 0; i < events->count; i++) {
        enum event_type type = events->items[i].type;
        if (type == EVENT_effect_intended || type == EVENT_effect_sent) events->items[i].time_ms = now_ms;
    }
}

static void on_line(struct live_run *run, const struct supervisor_report *said)
{
    struct event_list events = {0};
    struct error err;
    char *reply = NULL;
    const struct step_state *state = &run->state->steps[said->step];
    if (said->attempt != state->attempt || !step_is_live(state->status)) return;
    if (settle_line(run->state, said->step, said->text, said->time_ms, &events, &reply, &err) < 0) {
        event_list_release(&events);
        settle_fault(run->state, said->step, err.message, said->time_ms, &events);
        live_fold(run, &events);
        return;
    }
    date_sending(&events);
    live_fold(run, &events);
    if (reply) say_later(run, said->step, said->attempt, reply);
}

static void on_isolation(struct live_run *run, const struct supervisor_report *said)
{
    static const char *const names[] = {"namespaces", "landlock", "none"};
    if (said->degree <= (uint32_t)run->worst_degree || said->degree >= COUNT_OF(names)) return;
    run->worst_degree = (enum sandbox_degree)said->degree;
    struct event_list events = {0};
    event_list_add(&events, EVENT_run_isolation, NO_STEP, said->time_ms,
        json_pack("{s:s, s:s}", "degree", names[said->degree], "message", said->text ? said->text : ""));
    live_fold(run, &events);
}

/* A start that was lost in a crash, of a step that was cancelled or decided otherwise since: nobody waits for its end. */
static void end_unwanted(struct live_run *run, const struct supervisor_report *said)
{
    const struct step_state *state = &run->state->steps[said->step];
    if (!step_is_live(state->status) || state->attempt != said->attempt) supervisor_cancel(run->supervisor, said->step, said->attempt);
}

static bool concerns_step(const struct live_run *run, const struct supervisor_report *said)
{
    return said->type == SHIM_ISOLATION || said->step < run->plan->step_count;
}

static void on_report(void *context, const struct supervisor_report *said)
{
    struct live_run *run = context;
    run->report_sequence = said->sequence;
    if (!concerns_step(run, said)) return;
    struct report report = {
        .step = said->step, .attempt = said->attempt, .time_ms = said->time_ms, .pid = (int)said->pid, .message = said->text};
    switch (said->type) {
    case SHIM_STARTED:
        report.type = REPORT_STARTED;
        live_report(run, &report);
        end_unwanted(run, said);
        break;
    case SHIM_EXITED: on_exited(run, said, &report); break;
    case SHIM_DROPPED:
        report.type = REPORT_DROPPED;
        live_report(run, &report);
        break;
    case SHIM_REFUSED:
        report.type = REPORT_REFUSED;
        live_report(run, &report);
        break;
    case SHIM_LINE: on_line(run, said); break;
    case SHIM_ISOLATION: on_isolation(run, said); break;
    case SHIM_HELLO:
    case SHIM_STALE:
    case SHIM_STUCK: break;
    }
}

static void on_batch_end(void *context)
{
    live_advance(context);
}

void live_forget_shim(struct live_run *run)
{
    run->attached = run->must_repeat = run->secrets_told = false;
    free(take(&run->trouble));
    memset(run->handed, 0, run->plan->step_count * sizeof *run->handed);
    memset(run->has_sandbox, 0, run->plan->step_count * sizeof *run->has_sandbox);
}

static void on_attached(void *context)
{
    struct live_run *run = context;
    live_forget_shim(run);
    run->attached = true;
    run->is_unheard = false;
    if (live_act_on_all(run)) live_advance(run);
}

/* The shim is gone and what it left behind was folded: every step that it should have had ends without a witness. */
static void on_lost(void *context)
{
    struct live_run *run = context;
    supervisor_end(run->supervisor);
    supervisor_sweep(run->folder);
    run->supervisor = NULL;
    run->loss_pending = true;
    run->is_unheard = false;
    live_forget_shim(run);
    for (uint32_t step = 0; step < run->plan->step_count; step++) {
        const struct step_state *state = &run->state->steps[step];
        if (!step_is_live(state->status)) continue;
        live_report(run, &(struct report){.type = REPORT_LOST,
                             .step = step,
                             .attempt = state->attempt,
                             .time_ms = clock_now_ms(),
                             .started = state->status != STEP_starting});
    }
    live_advance(run);
}

static void on_replaced(void *context, uint64_t epoch)
{
    const struct live_run *run = context;
    AUTO(free_text)
    char *by = mem_format("the supervisor of run %llu (epoch %llu)", (unsigned long long)run->number, (unsigned long long)epoch);
    journal_replaced(run->engine->journal, by);
}

/* Nothing of the run is decided meanwhile. */
static void on_trouble(void *context, const char *why)
{
    struct live_run *run = context;
    free(take(&run->trouble));
    if (why) run->trouble = mem_copy_text(why);
    if (why)
        log_line(LOG_LEVEL_WARNING, "run %llu stands still: %.600s", (unsigned long long)run->number, why);
    else
        log_line(LOG_LEVEL_WARNING, "run %llu goes on", (unsigned long long)run->number);
}

struct supervisor_hooks live_supervisor_hooks(struct live_run *run)
{
    return (struct supervisor_hooks){
        on_report, on_batch_end, on_attached, on_lost, run, on_replaced, journal_epoch(run->engine->journal)->number, on_trouble};
}

/* ending.c: how a step's life ends: deadline, grace, its exit, what that means, what is reported of it. A successor starts before its
   predecessor's end is reported: both records go to the spool in one write, and the engine hears of them later. */
#include "shim.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

static const int64_t GIVE_UP_US = 10 * 1000000LL; /* after SIGKILL: a process in an uninterruptible wait is left behind, and said */

static void signal_step(struct shim *shim, struct step *step, int number)
{
    if (step->stage->degree == DEGREE_NAMESPACES)
        stage_signal_step(step->stage, step, number);
    else
        step_signal(shim, step, number);
}

static void kill_step(struct shim *shim, struct step *step)
{
    step->kill_us = 0;
    step->give_up_us = now_us() + GIVE_UP_US;
    signal_step(shim, step, SIGKILL);
}

void step_end_early(struct shim *shim, struct step *step, enum shim_cause cause, bool at_once, const char *format, ...)
{
    if (step->cause != SHIM_CAUSE_EXIT) return; /* it is being ended already */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(step->message, sizeof step->message, format, arguments);
    va_end(arguments);
    step->cause = cause;
    step->deadline_us = 0;
    log_say(shim, step, "ended: %s", step->message);
    if (at_once || !step->grace_ms) return kill_step(shim, step);
    step->kill_us = now_us() + (int64_t)step->grace_ms * 1000;
    signal_step(shim, step, SIGTERM);
}

void steps_tick(struct shim *shim, int64_t now)
{
    for (struct step *step = shim->live, *next; step; step = next) {
        next = step->next;
        char text[32];
        if (step->deadline_us && now >= step->deadline_us) {
            text_duration(text, sizeof text, step->timeout_ms);
            step_end_early(shim, step, SHIM_CAUSE_TIMEOUT, false, "timeout of %s", text);
        }
        if (step->kill_us && now >= step->kill_us) {
            text_duration(text, sizeof text, step->grace_ms);
            log_say(shim, step, "it did not end within the grace of %s after SIGTERM: killed", text);
            kill_step(shim, step);
        }
        if (step->give_up_us && now >= step->give_up_us && step->reaped) step_exited(shim, step);
    }
}

int64_t steps_next_deadline(const struct shim *shim)
{
    int64_t first = 0;
    for (const struct step *step = shim->live; step; step = step->next) {
        const int64_t times[] = {step->deadline_us, step->kill_us, step->reaped ? step->give_up_us : 0};
        for (unsigned i = 0; i < sizeof times / sizeof *times; i++)
            if (times[i] && (!first || times[i] < first)) first = times[i];
    }
    return first;
}

/* What the end means, where nothing had been decided before: limits that struck are causes, not mere signals. */
static void find_cause(struct step *step)
{
    if (step->cause != SHIM_CAUSE_EXIT) return;
    bool failed = !WIFEXITED(step->status) || WEXITSTATUS(step->status) != 0;
    struct limits *limits = &step->stage->limits;
    char text[32];
    if (failed) limits_poll(limits);
    if (failed && limits->memory_events > step->memory_events) {
        text_size(text, sizeof text, limits->memory_bytes);
        step->cause = SHIM_CAUSE_MEMORY;
        snprintf(step->message, sizeof step->message, "it needed more than its memory limit of %s", text);
    } else if (failed && limits->process_events > step->process_events) {
        step->cause = SHIM_CAUSE_PROCESSES;
        snprintf(step->message, sizeof step->message, "it needed more than its limit of %u processes", limits->processes);
    } else if (WIFSIGNALED(step->status) && WTERMSIG(step->status) == SIGXFSZ && limits->disk_bytes) {
        text_size(text, sizeof text, limits->disk_bytes);
        step->cause = SHIM_CAUSE_DISK;
        snprintf(step->message, sizeof step->message, "a file of it grew over its disk limit of %s", text);
    } else if (WIFSIGNALED(step->status)) {
        step->cause = SHIM_CAUSE_SIGNAL;
        snprintf(step->message, sizeof step->message, "signal %d (%s)", WTERMSIG(step->status), strsignal(WTERMSIG(step->status)));
    }
}

static void say_end(struct shim *shim, struct step *step, bool decided_before)
{
    if (step->message[0] && !decided_before) log_say(shim, step, "ended: %s", step->message);
    if (!shim->log.dropped_bytes) return;
    char text[32];
    text_size(text, sizeof text, shim->log.dropped_bytes);
    bool full = shim->log.full;
    shim->log.full = false;
    shim->log.dropped_bytes = 0;
    log_say(shim, step,
        full ? "the run's log could not be written: %s of output were dropped" : "the run's log is at its limit: %s of output were dropped",
        text);
}

static void report_exit(struct shim *shim, const struct step *step, int code, int number)
{
    struct wire *wire = &shim->reports.pending;
    size_t start = report_begin(shim, SHIM_EXITED);
    wire_u32(wire, step->id);
    wire_u32(wire, step->attempt);
    wire_u32(wire, step->cause);
    wire_u32(wire, (uint32_t)code);
    wire_u32(wire, (uint32_t)number);
    wire_u64(wire, step->cpu_us);
    wire_u64(wire, step->memory_bytes);
    wire_u64(wire, step->log_bytes);
    wire_text_of(wire, step->outputs, step->outputs_size);
    wire_text(wire, step->message);
    report_finish(shim, start);
}

/* Exit code of a step whose $CRESCENDO_OUTPUT cannot be taken: 0 must not pass for success. */
static int exit_code_of(const struct step *step, bool outputs_bad)
{
    int code = WIFEXITED(step->status) ? WEXITSTATUS(step->status) : 0;
    return code == 0 && outputs_bad ? 1 : code;
}

static void take_outputs(struct shim *shim, struct step *step, bool *ret_bad)
{
    const char *problem = NULL;
    enum sandbox_degree degree = step->stage->degree;
    if (degree != DEGREE_NAMESPACES && !(degree == DEGREE_NONE && output_keep(shim, step)))
        step->outputs = output_take(shim, step, &step->outputs_size, &problem);
    else if (step->start_what)
        problem = step->start_what;
    *ret_bad = problem != NULL;
    if (secrets_refuse_outputs(shim, step)) {
        *ret_bad = true;
        return;
    }
    if (problem && !step->message[0]) {
        char text[32];
        text_size(text, sizeof text, step->output_limit_bytes);
        snprintf(step->message, sizeof step->message, "the file $CRESCENDO_OUTPUT %s (at most %s)", problem, text);
    }
}

static void leave_life(struct shim *shim, struct step *step)
{
    step_take_out(&shim->live, step);
    shim->live_count--;
    step->live = false;
    step->stage->live--;
    step_bury(shim, step);
}

static void refuse_unstartable(struct shim *shim, struct step *step)
{
    char message[MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s: %s: %s", step->argv[0], step->start_what ? step->start_what : "cannot be started",
        strerror(step->start_errno));
    log_say(shim, step, "not started: %s", message);
    streams_close(shim, step);
    step_take_out(&shim->live, step);
    shim->live_count--;
    step->stage->live--;
    step_refuse(shim, step, message);
}

void step_exited(struct shim *shim, struct step *step)
{
    bool given_up = step->give_up_us && now_us() >= step->give_up_us;
    if (step->stage->degree != DEGREE_NAMESPACES && leftovers_kill(shim, step)) {
        if (!step->give_up_us) step->give_up_us = now_us() + GIVE_UP_US;
        if (!given_up) return;
        snprintf(step->message, sizeof step->message, "it left processes behind that cannot be killed");
    }
    if (step->start_errno) return refuse_unstartable(shim, step);
    streams_drain(shim, step);
    streams_close(shim, step);
    bool decided_before = step->cause != SHIM_CAUSE_EXIT, outputs_bad = false;
    find_cause(step);
    take_outputs(shim, step, &outputs_bad);
    say_end(shim, step, decided_before);
    int code = exit_code_of(step, outputs_bad);
    report_exit(shim, step, code, WIFSIGNALED(step->status) ? WTERMSIG(step->status) : 0);
    struct slot *slot = slot_of(shim, step->id);
    bool succeeded = step->cause == SHIM_CAUSE_EXIT && code == 0;
    bool goes_on = succeeded && slot->first_waiter != NO_STEP;
    slot->state = succeeded ? SLOT_SUCCEEDED : SLOT_FAILED;
    slot->step = NULL;
    leave_life(shim, step);
    if (succeeded)
        waiters_start(shim, slot);
    else
        waiters_drop(shim, slot);
    reports_soon(shim, !goes_on);
}

/* step.c: the life of a step: waiting, started, deadline, grace, over. A successor starts before its predecessor's end is reported: both
   records go to the spool in one write, and the engine hears of them later. */
#include "shim.h"

#include "crescendo/limits.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const int64_t GIVE_UP_US = 10 * 1000000LL; /* after SIGKILL: a process in an uninterruptible wait is left behind, and said */

struct slot *slot_of(struct shim *shim, uint32_t step)
{
    if (step >= LIMIT_STEPS) return NULL;
    if (step >= shim->slot_count) {
        size_t count = shim->slot_count ? shim->slot_count : 64;
        while (count <= step)
            count *= 2;
        struct slot *grown = shim_alloc(count * sizeof *grown);
        if (shim->slot_count) memcpy(grown, shim->slots, shim->slot_count * sizeof *grown);
        for (size_t i = shim->slot_count; i < count; i++)
            grown[i].first_waiter = grown[i].next_waiter = NO_STEP;
        free(shim->slots);
        shim->slots = grown;
        shim->slot_count = count;
    }
    return &shim->slots[step];
}

void step_free(struct step *step)
{
    free(step->argv);
    free(step->environment);
    explicit_bzero(step->block, step->block_size);
    free(step->block);
    free(step->talk_in);
    free(step->outputs);
    free(step->added);
    for (unsigned i = 0; i < 2; i++)
        free(step->streams[i].carry.bytes);
    wire_release(&step->talk_out);
    free(step);
}

void steps_bury(struct shim *shim)
{
    for (struct step *step = shim->graves, *next; step; step = next) {
        next = step->next;
        struct stage *stage = step->stage;
        step_free(step);
        if (!stage) continue;
        stage->claims--;
        stage_release(shim, stage);
    }
    shim->graves = NULL;
}

static void bury(struct shim *shim, struct step *step)
{
    step->next = shim->graves;
    shim->graves = step;
}

static void take_out(struct step **list, struct step *step)
{
    for (; *list; list = &(*list)->next)
        if (*list == step) {
            *list = step->next;
            return;
        }
}

static void report_dropped(struct shim *shim, uint32_t id, uint32_t attempt)
{
    size_t start = report_begin(shim, SHIM_DROPPED);
    wire_u32(&shim->reports.pending, id);
    wire_u32(&shim->reports.pending, attempt);
    report_finish(shim, start);
}

/* The step did not succeed, or never ran: nobody that comes after it will. Those that wait are taken one by one, so depth costs nothing. */
static void drop_waiters(struct shim *shim, struct slot *slot)
{
    while (slot->first_waiter != NO_STEP) {
        struct slot *waiter = &shim->slots[slot->first_waiter];
        slot->first_waiter = waiter->next_waiter;
        waiter->next_waiter = NO_STEP;
        /* Its own waiters join the queue. */
        if (waiter->first_waiter != NO_STEP) {
            uint32_t last = waiter->first_waiter;
            while (shim->slots[last].next_waiter != NO_STEP)
                last = shim->slots[last].next_waiter;
            shim->slots[last].next_waiter = slot->first_waiter;
            slot->first_waiter = waiter->first_waiter;
            waiter->first_waiter = NO_STEP;
        }
        shim->waiting_count--;
        struct step *step = waiter->step;
        waiter->step = NULL;
        waiter->state = SLOT_FAILED;
        report_dropped(shim, step->id, step->attempt);
        bury(shim, step);
    }
}

/* A step that was not started will not be. */
void step_drop(struct shim *shim, struct step *step)
{
    struct slot *slot = slot_of(shim, step->id);
    report_dropped(shim, step->id, step->attempt);
    slot->state = SLOT_FAILED;
    slot->step = NULL;
    bury(shim, step);
    drop_waiters(shim, slot);
    reports_soon(shim, true);
}

void step_refuse(struct shim *shim, struct step *step, const char *message)
{
    struct slot *slot = slot_of(shim, step->id);
    size_t start = report_begin(shim, SHIM_REFUSED);
    wire_u32(&shim->reports.pending, step->id);
    wire_u32(&shim->reports.pending, step->attempt);
    wire_text(&shim->reports.pending, message);
    report_finish(shim, start);
    slot->state = SLOT_FAILED;
    slot->step = NULL;
    bury(shim, step);
    drop_waiters(shim, slot);
    reports_soon(shim, true);
}

static void go(struct shim *shim, struct step *step)
{
    if (!step->stage) return step_refuse(shim, step, "the engine named no sandbox for this step: SHIM_SANDBOX comes before SHIM_START");
    if (step->stage->state == STAGE_REFUSED) return step_refuse(shim, step, step->stage->why);
    if (step->stage->state == STAGE_READY) return step_start(shim, step);
    slot_of(shim, step->id)->state = SLOT_WAITING;
    shim->waiting_count++;
    step->next = shim->held;
    shim->held = step;
}

void steps_of_stage_go(struct shim *shim, struct stage *stage)
{
    struct step *mine = NULL;
    for (struct step **at = &shim->held; *at;) {
        struct step *step = *at;
        if (step->stage != stage) {
            at = &step->next;
            continue;
        }
        *at = step->next;
        step->next = mine; /* held is newest first: this restores the order */
        mine = step;
    }
    for (struct step *next; mine; mine = next) {
        next = mine->next;
        shim->waiting_count--;
        go(shim, mine);
    }
}

void step_accept(struct shim *shim, struct step *step)
{
    struct slot *slot = slot_of(shim, step->id);
    if (step->stage) step->stage->claims++;
    slot->attempt = step->attempt;
    slot->step = step;
    slot->first_waiter = slot->next_waiter = NO_STEP;
    if (step->after == NO_STEP) return go(shim, step);
    struct slot *before = step->after < shim->slot_count ? &shim->slots[step->after] : NULL;
    if (before && before->state == SLOT_SUCCEEDED) return go(shim, step);
    if (!before || before == slot || before->state == SLOT_UNKNOWN || before->state == SLOT_FAILED) return step_drop(shim, step);
    slot->state = SLOT_WAITING;
    shim->waiting_count++;
    uint32_t *end = &before->first_waiter;
    while (*end != NO_STEP)
        end = &shim->slots[*end].next_waiter;
    *end = step->id;
}

/* A cancel of what never came: it is dropped, and its start, should it still come, is that of a known step. */
static void drop_unseen(struct shim *shim, struct slot *slot, uint32_t id, uint32_t attempt)
{
    if (slot->attempt >= attempt || slot->step) return;
    slot->attempt = attempt;
    slot->state = SLOT_FAILED;
    report_dropped(shim, id, attempt);
    drop_waiters(shim, slot);
    reports_soon(shim, true);
}

void step_cancel(struct shim *shim, uint32_t id, uint32_t attempt)
{
    struct slot *slot = slot_of(shim, id);
    if (!slot) return;
    if (slot->attempt != attempt || !slot->step) return drop_unseen(shim, slot, id, attempt);
    struct step *step = slot->step;
    if (slot->state == SLOT_LIVE) return step_end_early(shim, step, SHIM_CAUSE_CANCELLED, false, "cancelled");
    take_out(&shim->held, step);
    if (step->after != NO_STEP && step->after < shim->slot_count) {
        for (uint32_t *at = &shim->slots[step->after].first_waiter; *at != NO_STEP; at = &shim->slots[*at].next_waiter)
            if (*at == id) {
                *at = slot->next_waiter;
                slot->next_waiter = NO_STEP;
                break;
            }
    }
    shim->waiting_count--;
    step_drop(shim, step);
}

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

static void start_waiters(struct shim *shim, struct slot *slot)
{
    uint32_t waiter = slot->first_waiter;
    slot->first_waiter = NO_STEP;
    while (waiter != NO_STEP) {
        struct slot *other = &shim->slots[waiter]; /* go() never grows the slots */
        waiter = other->next_waiter;
        other->next_waiter = NO_STEP;
        shim->waiting_count--;
        go(shim, other->step);
    }
}

static void leave_life(struct shim *shim, struct step *step)
{
    take_out(&shim->live, step);
    shim->live_count--;
    step->live = false;
    step->stage->live--;
    bury(shim, step);
}

static void refuse_unstartable(struct shim *shim, struct step *step)
{
    char message[MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s: %s: %s", step->argv[0], step->start_what ? step->start_what : "cannot be started",
        strerror(step->start_errno));
    log_say(shim, step, "not started: %s", message);
    streams_close(shim, step);
    take_out(&shim->live, step);
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
        start_waiters(shim, slot);
    else
        drop_waiters(shim, slot);
    reports_soon(shim, !goes_on);
}

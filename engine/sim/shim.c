/* shim.c: the modelled shim and its processes. It knows what the real one knows: steps handed over, whether the one before
   succeeded, exits. What a process does is in process.c. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRACE_MS = 60 };

struct wire *shim_report(struct world *world, const struct process *process, enum report_type type)
{
    struct shim *shim = &world->shim;
    shim->wires = mem_grow(shim->wires, &shim->wire_capacity, shim->wire_count + 1, sizeof *shim->wires);
    struct wire *wire = &shim->wires[shim->wire_count++];
    *wire =
        (struct wire){.kind = WIRE_REPORT, .type = type, .step = process->step, .attempt = process->attempt, .time_ms = world_clock(world)};
    return wire;
}

void shim_line(struct world *world, const struct process *process, const char *line)
{
    struct wire *wire = shim_report(world, process, REPORT_STARTED);
    wire->kind = WIRE_LINE;
    wire->line = mem_copy_text(line);
}

struct process *shim_find(const struct world *world, uint32_t step, uint32_t attempt)
{
    for (size_t i = 0; i < world->shim.count; i++)
        if (world->shim.processes[i].step == step && world->shim.processes[i].attempt == attempt) return &world->shim.processes[i];
    return NULL;
}

/* The truth that no step may ever break, whatever the engine believes. */
static void check_start(struct world *world, const struct process *process)
{
    const struct plan_step *plan = &world->plan->steps[process->step];
    const struct plan_stage *stage = &world->plan->stages[plan->stage];
    for (size_t i = 0; i < world->shim.count; i++) {
        const struct process *other = &world->shim.processes[i];
        if (other == process || other->state != PROCESS_LIVES) continue;
        uint32_t other_stage = world->plan->steps[other->step].stage;
        const char *path = world->plan->steps[other->step].path;
        if (other->step == process->step)
            world_fault(world, "%s runs twice at once", plan->path);
        else if (other_stage == plan->stage)
            world_fault(world, "%s begins while %s runs", plan->path, path);
        for (uint32_t j = 0; j < stage->need_count; j++)
            if (stage->needs[j] == other_stage) world_fault(world, "%s begins while its need %s runs", plan->path, path);
    }
}

static void begin(struct world *world, struct process *process)
{
    check_start(world, process);
    process->state = PROCESS_LIVES;
    process_begin(world, process);
    shim_report(world, process, REPORT_STARTED);
    world_say(world, "    process %s.%u begins", world->plan->steps[process->step].path, process->attempt);
}

static void drop(struct world *world, struct process *process)
{
    process->state = PROCESS_GONE;
    shim_report(world, process, REPORT_DROPPED);
}

/* Those handed over behind this one start or are dropped. */
static void settle_followers(struct world *world, uint32_t step, bool is_ok)
{
    for (size_t i = 0; i < world->shim.count; i++) {
        struct process *next = &world->shim.processes[i];
        if (next->state != PROCESS_HELD || next->after != step) continue;
        if (is_ok) {
            begin(world, next);
        } else {
            drop(world, next);
            settle_followers(world, next->step, false);
        }
    }
}

void shim_start(struct world *world, uint32_t step, uint32_t attempt, uint32_t after, bool undoes)
{
    struct shim *shim = &world->shim;
    if (shim_find(world, step, attempt)) return;
    shim->processes = mem_grow(shim->processes, &shim->capacity, shim->count + 1, sizeof *shim->processes);
    struct process *process = &shim->processes[shim->count++];
    *process = (struct process){.step = step, .attempt = attempt, .after = after, .undoes = undoes};
    AUTO(free_text) char *refusal = process_read(world, process);
    const struct process *before = NULL;
    for (size_t i = 0; after != NO_STEP && i + 1 < shim->count; i++)
        if (shim->processes[i].step == after) before = &shim->processes[i];
    if ((world_lot(world, 2, 0) && !world->is_calm) || refusal) {
        process->state = PROCESS_GONE;
        shim_report(world, process, REPORT_REFUSED)->line = take(&refusal);
        return;
    }
    if (after == NO_STEP || (before && before->state == PROCESS_GONE && before->is_ok))
        begin(world, process);
    else if (!before || before->state == PROCESS_GONE)
        drop(world, process);
}

void shim_finish(struct world *world, struct process *process, enum exit_cause cause, int exit_code)
{
    uint32_t step = process->step;
    process->state = PROCESS_GONE;
    process->is_ok = cause == CAUSE_EXIT && exit_code == 0;
    bool is_ok = process->is_ok, is_first = chance_percent(&world->chance, 50);
    struct process copy = *process;
    world_say(world, "    process %s.%u ends: cause %d, exit %d", world->plan->steps[step].path, copy.attempt, (int)cause, exit_code);
    if (is_first && is_ok) settle_followers(world, step, is_ok); /* the next begins before the last is reported */
    struct wire *wire = shim_report(world, &copy, REPORT_EXITED);
    wire->cause = cause;
    wire->exit_code = exit_code;
    wire->signal = cause == CAUSE_SIGNAL ? 9 : 0;
    wire->gives_output = world_lot(world, 95, 100);
    if (!is_first || !is_ok) settle_followers(world, step, is_ok);
}

void shim_cancel(struct world *world, uint32_t step, uint32_t attempt)
{
    struct process *process = shim_find(world, step, attempt);
    if (!process) { /* never heard of: so it will not be started, and a start that comes late is ignored */
        struct shim *shim = &world->shim;
        shim->processes = mem_grow(shim->processes, &shim->capacity, shim->count + 1, sizeof *shim->processes);
        process = &shim->processes[shim->count++];
        *process = (struct process){.step = step, .attempt = attempt, .after = NO_STEP};
    }
    if (process->state == PROCESS_HELD) {
        drop(world, process);
        settle_followers(world, step, false);
    }
    process->is_cancelled = true;
    process->kill_ms = world->now_ms + world_soon(world, GRACE_MS);
}

void shim_tell(struct world *world, uint32_t step, uint32_t attempt, const char *line)
{
    struct process *process = shim_find(world, step, attempt);
    if (!process || process->state != PROCESS_LIVES) return;
    process->answers = mem_grow(process->answers, &process->answer_capacity, process->answer_count + 1, sizeof process->answers[0]);
    process->answers[process->answer_count++] = mem_copy_text(line);
}

static void forget_processes(struct shim *shim)
{
    for (size_t i = 0; i < shim->count; i++) {
        for (size_t j = 0; j < shim->processes[i].answer_count; j++)
            free(shim->processes[i].answers[j]);
        free(shim->processes[i].answers);
    }
    shim->count = 0;
}

static void forget_wires(struct shim *shim, size_t kept)
{
    while (shim->wire_count > kept)
        free(shim->wires[--shim->wire_count].line);
}

void shim_die(struct world *world)
{
    world->shim.lives = false;
    forget_processes(&world->shim); /* its processes with it; what it wrote to its report file stays */
}

/* What the server has on record stays: only behind that may reports be missing. */
void shim_lose_power(struct world *world)
{
    struct shim *shim = &world->shim;
    const struct journal_model *journal = &world->journal;
    size_t kept = journal->count ? journal->batches[journal->count - 1].sequence : 0;
    shim_die(world);
    if (shim->wire_count > kept) forget_wires(shim, kept + chance_below(&world->chance, (uint32_t)(shim->wire_count - kept + 1)));
}

/* --- what happens next --- */

bool shim_step(struct world *world)
{
    struct shim *shim = &world->shim;
    size_t first = shim->count ? chance_below(&world->chance, (uint32_t)shim->count) : 0;
    for (size_t i = 0; i < shim->count; i++) {
        struct process *process = &shim->processes[(first + i) % shim->count];
        if (!process_is_due(world, process)) continue;
        process_do(world, process);
        return true;
    }
    return false;
}

int64_t shim_next_ms(const struct world *world)
{
    int64_t soonest = INT64_MAX;
    for (size_t i = 0; i < world->shim.count; i++) {
        const struct process *process = &world->shim.processes[i];
        if (process->state != PROCESS_LIVES) continue;
        if (process->next_ms < soonest) soonest = process->next_ms;
        if (process->is_cancelled && process->kill_ms < soonest) soonest = process->kill_ms;
    }
    return soonest;
}

void shim_release(struct world *world)
{
    forget_processes(&world->shim);
    free(world->shim.processes);
    forget_wires(&world->shim, 0);
    free(world->shim.wires);
}

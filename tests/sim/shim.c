/* shim.c: the modelled shim and its processes. It knows what the real one knows: steps handed over, whether the one before
   succeeded, exits. What a process does is drawn by lot. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct wire *report(struct world *world, const struct process *process, enum report_type type)
{
    struct shim *shim = &world->shim;
    shim->wires = mem_grow(shim->wires, &shim->wire_capacity, shim->wire_count + 1, sizeof *shim->wires);
    struct wire *wire = &shim->wires[shim->wire_count++];
    *wire = (struct wire){.kind = WIRE_REPORT, .type = type, .step = process->step, .attempt = process->attempt, .time_ms = world->now_ms};
    return wire;
}

static void say_line(struct world *world, const struct process *process, const char *format, const char *word)
{
    struct wire *wire = report(world, process, REPORT_STARTED);
    wire->kind = WIRE_LINE;
    int size = snprintf(wire->line, sizeof wire->line, format, word);
    if (size < 0 || size >= (int)sizeof wire->line) abort();
}

static struct process *find(const struct world *world, uint32_t step, uint32_t attempt)
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
    process->has_effect = json_array_size(world->plan->steps[process->step].effects) > 0;
    process->next_ms = world->now_ms + chance_below(&world->chance, 30);
    report(world, process, REPORT_STARTED);
    world_say(world, "    process %s.%u begins", world->plan->steps[process->step].path, process->attempt);
}

static void drop(struct world *world, struct process *process)
{
    process->state = PROCESS_GONE;
    report(world, process, REPORT_DROPPED);
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

/* As its input says, which is written when it is handed over. */
static void read_input(const struct world *world, struct process *process)
{
    AUTO(free_json) json_t *list = run_state_undo(world->engine.state, process->step);
    process->finds = json_is_true(json_object_get(json_array_get(list, 0), "find"));
    process->keeps = json_is_true(json_object_get(json_array_get(list, 0), "keep"));
    if (!json_array_size(list) && !world->undone[process->step]) process->keeps = true; /* found out by an earlier one */
}

void shim_start(struct world *world, uint32_t step, uint32_t attempt, uint32_t after, bool undoes)
{
    struct shim *shim = &world->shim;
    if (find(world, step, attempt)) return;
    shim->processes = mem_grow(shim->processes, &shim->capacity, shim->count + 1, sizeof *shim->processes);
    struct process *process = &shim->processes[shim->count++];
    *process = (struct process){.step = step, .attempt = attempt, .after = after, .undoes = undoes};
    if (undoes) read_input(world, process);
    const struct process *before = NULL;
    for (size_t i = 0; after != NO_STEP && i + 1 < shim->count; i++)
        if (shim->processes[i].step == after) before = &shim->processes[i];
    if (chance_percent(&world->chance, 2) && !world->is_calm) {
        process->state = PROCESS_GONE;
        report(world, process, REPORT_REFUSED);
        return;
    }
    if (after == NO_STEP || (before && before->state == PROCESS_GONE && before->is_ok))
        begin(world, process);
    else if (!before || before->state == PROCESS_GONE)
        drop(world, process);
}

static void finish(struct world *world, struct process *process, enum exit_cause cause, int exit_code)
{
    uint32_t step = process->step;
    process->state = PROCESS_GONE;
    process->is_ok = cause == CAUSE_EXIT && exit_code == 0;
    bool is_ok = process->is_ok, is_first = chance_percent(&world->chance, 50);
    struct process copy = *process;
    world_say(world, "    process %s.%u ends: cause %d, exit %d", world->plan->steps[step].path, copy.attempt, (int)cause, exit_code);
    if (is_first && is_ok) settle_followers(world, step, is_ok); /* the next begins before the last is reported */
    struct wire *wire = report(world, &copy, REPORT_EXITED);
    wire->cause = cause;
    wire->exit_code = exit_code;
    wire->signal = cause == CAUSE_SIGNAL ? 9 : 0;
    wire->gives_output = chance_percent(&world->chance, 95);
    if (!is_first || !is_ok) settle_followers(world, step, is_ok);
}

void shim_cancel(struct world *world, uint32_t step, uint32_t attempt)
{
    struct process *process = find(world, step, attempt);
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
    if (process->state == PROCESS_LIVES) process->next_ms = world->now_ms;
}

void shim_tell(struct world *world, uint32_t step, uint32_t attempt, const char *line)
{
    struct process *process = find(world, step, attempt);
    if (!process || process->state != PROCESS_LIVES || process->answer_count == COUNT_OF(process->answers)) return;
    snprintf(process->answers[process->answer_count++], sizeof process->answers[0], "%s", line);
}

void shim_die(struct world *world)
{
    world_say(world, "  the shim dies");
    world->shim.lives = false;
    world->shim.count = 0; /* its processes with it; what it wrote to its report file stays */
}

/* --- a process: work, perhaps an effect, an end --- */

static void end_undo_by_lot(struct world *world, struct process *process)
{
    uint32_t lot = world->is_calm ? 0 : chance_below(&world->chance, 100);
    if (lot < 85) return finish(world, process, CAUSE_EXIT, 0);
    finish(world, process, lot < 90 ? CAUSE_SIGNAL : CAUSE_EXIT, 3);
}

static void end_by_lot(struct world *world, struct process *process)
{
    uint32_t lot = world->is_calm ? chance_below(&world->chance, 80) : chance_below(&world->chance, 100);
    if (process->is_parking) return finish(world, process, CAUSE_EXIT, 75);
    if (lot < 84) return finish(world, process, CAUSE_EXIT, 0);
    if (lot < 90) return finish(world, process, CAUSE_EXIT, lot == 89 ? 75 : 2);
    if (lot < 93) return finish(world, process, CAUSE_SIGNAL, 0);
    if (lot < 96) return finish(world, process, CAUSE_TIMEOUT, 0);
    finish(world, process, lot == 96 ? CAUSE_MEMORY : lot == 97 ? CAUSE_DISK : CAUSE_PROCESSES, 0);
}

static void intend(struct world *world, struct process *process)
{
    static const char *const lines[] = {"{\"type\":\"intend\",\"name\":\"order\",\"target\":\"peer\",\"body\":{\"for\":\"%s\"}}",
        "{\"type\":\"intend\",\"name\":\"undo order\",\"target\":\"peer\",\"body\":{\"for\":\"%s\"}}"};
    say_line(world, process, lines[process->undoes], world->plan->steps[process->step].path);
    process->phase = PHASE_INTENDED;
    process->next_ms = INT64_MAX;
}

static void tell_outcome(struct world *world, struct process *process, const char *seen)
{
    static const char *const lines[] = {"{\"type\":\"outcome\",\"name\":\"order\",\"seen\":\"%s\",\"outcome\":{\"id\":1}}",
        "{\"type\":\"outcome\",\"name\":\"undo order\",\"seen\":\"%s\",\"outcome\":{\"id\":1}}"};
    say_line(world, process, lines[process->undoes], seen);
    process->phase = PHASE_TELLS;
    process->was_absent = !strcmp(seen, "absent");
    process->was_refused = !strcmp(seen, "failed");
    process->was_unsure = !strcmp(seen, "unsure");
    process->next_ms = INT64_MAX;
}

void world_undo(struct world *world, uint32_t step)
{
    const char *path = world->plan->steps[step].path;
    if (++world->undone[step] > 1) world_fault(world, "%s was undone twice", path);
    if (!world->ordered[step]) world_fault(world, "%s was undone though nothing was ordered", path);
    world->undone_at[step] = ++world->undone_count;
}

static void order(struct world *world, struct process *process)
{
    if (process->undoes && chance_percent(&world->chance, 1) && !world->is_calm) return tell_outcome(world, process, "failed");
    if (process->undoes) {
        if (!world->by_hand[process->step]) world_undo(world, process->step);
        if (chance_percent(&world->chance, 8) && !world->is_calm) return finish(world, process, CAUSE_SIGNAL, 0);
        if (chance_percent(&world->chance, 92)) return tell_outcome(world, process, "done");
        process->phase = PHASE_OVER; /* it forgets to tell */
        process->next_ms = world->now_ms;
        return;
    }
    uint32_t *ordered = &world->ordered[process->step];
    if (++*ordered > 1) world_fault(world, "%s was ordered twice", world->plan->steps[process->step].path);
    if (chance_percent(&world->chance, 8) && !world->is_calm) return finish(world, process, CAUSE_SIGNAL, 0); /* dies before it tells */
    tell_outcome(world, process, "done");
}

static void find_out(struct world *world, struct process *process)
{
    bool is_unsure = chance_percent(&world->chance, 10) && !world->is_calm, is_there = world->ordered[process->step];
    process->undoes = false; /* it speaks of the order itself */
    tell_outcome(world, process, is_unsure ? "unsure" : is_there ? "done" : "absent");
    process->undoes = true;
    process->phase = PHASE_FINDS;
    process->keeps |= is_unsure || !is_there;
}

/* What was found out is on record: there is nothing to undo, or it is undone now. */
static void go_on(struct world *world, struct process *process)
{
    process->was_absent = process->was_unsure = false;
    if (!process->keeps) return intend(world, process);
    process->phase = PHASE_OVER;
    process->next_ms = world->now_ms;
}

static bool is_there(const struct world *world, const struct process *process)
{
    return process->undoes ? world->undone[process->step] : world->ordered[process->step];
}

static void confirm(struct world *world, struct process *process)
{
    process->next_ms = INT64_MAX;
    if (chance_percent(&world->chance, 3) && !world->is_calm) /* breaks the protocol, and will be ended */
        return say_line(world, process, "{\"type\":\"park\",\"until\":%s}", "5");
    say_line(world, process, "{\"type\":\"compensated\",\"name\":\"%s\"}", "order");
    process->phase = PHASE_CONFIRMS;
}

static void read_answer(struct world *world, struct process *process)
{
    AUTO(free_json) json_t *answer = json_loads(process->answers[0], 0, NULL);
    memmove(process->answers[0], process->answers[1], sizeof process->answers - sizeof process->answers[0]);
    process->answer_count--;
    const char *type = json_text(answer, "type", "");
    bool is_mine = !strcmp(json_text(answer, "name", ""), process->undoes ? "undo order" : "order");
    if (process->phase == PHASE_FINDS) {
        if (!strcmp(type, "kept") && !is_mine) go_on(world, process);
        return;
    }
    if (process->phase != PHASE_CONFIRMS && !is_mine) return;
    if (process->phase == PHASE_INTENDED && !strcmp(type, "go")) return order(world, process);
    if (process->phase == PHASE_INTENDED && !strcmp(type, "find")) {
        bool is_unsure = chance_percent(&world->chance, 10) && !world->is_calm;
        return tell_outcome(world, process, is_unsure ? "unsure" : is_there(world, process) ? "done" : "absent");
    }
    if (process->phase == PHASE_CONFIRMS && !strcmp(type, "kept") && !is_mine) {
        process->phase = PHASE_OVER;
        process->next_ms = world->now_ms;
        return;
    }
    if (!strcmp(type, "known") && !strcmp(json_text(answer, "seen", ""), "failed")) process->was_refused = true;
    bool is_over = (process->phase == PHASE_INTENDED && !strcmp(type, "known")) || (process->phase == PHASE_TELLS && !strcmp(type, "kept"));
    if (!is_over) return; /* an answer that was given twice */
    if (process->phase == PHASE_TELLS && process->was_absent) return intend(world, process);
    if (process->undoes && (process->was_unsure || process->was_refused)) return finish(world, process, CAUSE_EXIT, 1);
    if (process->undoes) return confirm(world, process);
    process->phase = PHASE_OVER;
    process->next_ms = world->now_ms + chance_below(&world->chance, 5);
}

static void work(struct world *world, struct process *process)
{
    if (process->finds) return find_out(world, process);
    if (process->keeps) return go_on(world, process);
    if (process->has_effect) return intend(world, process);
    process->phase = PHASE_OVER;
    process->next_ms = world->now_ms + chance_below(&world->chance, 5);
    if (chance_percent(&world->chance, 30)) say_line(world, process, "{\"type\":\"progress\",\"message\":\"%s\"}", "half way");
    if (chance_percent(&world->chance, 8)) {
        char until[24];
        snprintf(until, sizeof until, "%lld", (long long)world->now_ms + chance_below(&world->chance, 100) + 1);
        say_line(world, process, "{\"type\":\"park\",\"until\":%s,\"checkpoint\":{\"at\":1}}", until);
        process->is_parking = true;
    }
}

static void do_one_thing(struct world *world, struct process *process)
{
    if (process->is_cancelled) {
        /* SIGTERM: most end at once; some end well all the same */
        enum exit_cause cause = chance_percent(&world->chance, 90) ? CAUSE_CANCELLED : CAUSE_EXIT;
        return finish(world, process, cause, 0);
    }
    if (process->answer_count) return read_answer(world, process);
    if (process->phase == PHASE_WORK) return work(world, process);
    if (process->phase == PHASE_OVER) return process->undoes ? end_undo_by_lot(world, process) : end_by_lot(world, process);
}

static bool is_due(const struct world *world, const struct process *process)
{
    if (process->state != PROCESS_LIVES) return false;
    return process->next_ms <= world->now_ms || (process->answer_count && process->phase != PHASE_WORK);
}

bool shim_step(struct world *world)
{
    struct shim *shim = &world->shim;
    size_t first = shim->count ? chance_below(&world->chance, (uint32_t)shim->count) : 0;
    for (size_t i = 0; i < shim->count; i++) {
        struct process *process = &shim->processes[(first + i) % shim->count];
        if (!is_due(world, process)) continue;
        do_one_thing(world, process);
        return true;
    }
    return false;
}

int64_t shim_next_ms(const struct world *world)
{
    int64_t soonest = INT64_MAX;
    for (size_t i = 0; i < world->shim.count; i++) {
        const struct process *process = &world->shim.processes[i];
        if (process->state == PROCESS_LIVES && process->next_ms < soonest) soonest = process->next_ms;
    }
    return soonest;
}

void shim_release(struct world *world)
{
    free(world->shim.processes);
    free(world->shim.wires);
}

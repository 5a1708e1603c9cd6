/* process.c: the process of a step: work, perhaps an effect, an end. What it does is drawn by lot; how it has its effect is in effects.c.
 */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- its input -------------------------------------------------------------------------------------------------------------------------
 */

static struct undoing undoing_of(const struct world *world, uint32_t step, const json_t *item)
{
    const char *name = json_text(item, "name", "");
    struct undoing undoing = {.name = effect_name(world, step, effect_by_name(world, step, name)),
        .finds = json_is_true(json_object_get(item, "find")),
        .keeps = json_is_true(json_object_get(item, "keep"))};
    undoing.told_ms = json_whole(item, "sent", 0);
    snprintf(undoing.key, sizeof undoing.key, "%s", json_text(item, "key", ""));
    return undoing;
}

static void begin_undoing(const struct world *world, struct process *process)
{
    const struct undoing *undoing = &process->undoings[process->at_undoing];
    process->effect = effect_by_name(world, process->step, undoing->name);
    process->of_undo = false;
    effect_begin(process);
    process->told_ms = undoing->told_ms;
    memcpy(process->key, undoing->key, sizeof process->key);
}

static void read_undo(const struct world *world, struct process *process)
{
    AUTO(free_json) json_t *list = run_state_undo(world->engine.state, process->step);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (process->undoing_count < UNDOINGS_MAX) process->undoings[process->undoing_count++] =
        undoing_of(world, process->step, item);
    if (!process->undoing_count)
        process->undoings[process->undoing_count++] = (struct undoing){.name = "", .keeps = true}; /* found out by an earlier one */
    begin_undoing(world, process);
}

/* What the run's outputs say is filled in, as engine/run/launch.c does it. */
static char *resolve_input(const struct world *world, const struct plan_step *step)
{
    struct scope scope = run_state_scope(world->engine.state);
    struct error err = {0};
    AUTO(free_json) json_t *with = NULL;
    AUTO(free_json) json_t *env = NULL;
    int failed = plan_resolve(step->with, &scope, &with, &err);
    if (!failed) failed = plan_resolve(step->env, &scope, &env, &err);
    return failed ? mem_copy_text(err.message) : NULL;
}

char *process_read(struct world *world, struct process *process)
{
    const struct plan_step *step = &world->plan->steps[process->step];
    process->has_effect = json_array_size(step->effects) > 0;
    service_of(world, process->step, process->service);
    if (process->undoes) read_undo(world, process);
    if (is_judge(world, process->step)) tick_read(world, process);
    if (is_canary(world, process->step)) canary_read(world, process);
    return world->odds && !process->undoes ? resolve_input(world, step) : NULL;
}

void process_begin(struct world *world, struct process *process)
{
    process->began_ms = world->now_ms;
    process->next_ms = world->now_ms + world_soon(world, 30);
}

/* --- its end ---------------------------------------------------------------------------------------------------------------------------
 */

void process_end(struct world *world, struct process *process, int exit_code)
{
    shim_finish(world, process, CAUSE_EXIT, exit_code);
}

static void end_undo_by_lot(struct world *world, struct process *process)
{
    uint32_t lot = world->is_calm ? 0 : chance_below(&world->chance, 100);
    if (lot < (world->odds ? 100u - world->odds->undo_fails : 85)) return process_end(world, process, 0);
    shim_finish(world, process, lot < 90 ? CAUSE_SIGNAL : CAUSE_EXIT, 3);
}

static void end_by_lot(struct world *world, struct process *process)
{
    uint32_t lot = world->is_calm ? chance_below(&world->chance, 80) : chance_below(&world->chance, 100);
    if (process->is_parking) return process_end(world, process, 75);
    if (process->hangs) return shim_finish(world, process, CAUSE_TIMEOUT, 0);
    if (process->is_partial) return process_end(world, process, 1);
    if (world->odds) return process_end(world, process, !process->has_effect && lot < world->odds->step_fails ? 1 : 0);
    if (lot < 84) return process_end(world, process, 0);
    if (lot < 90) return process_end(world, process, lot == 89 ? 75 : 2);
    if (lot < 93) return shim_finish(world, process, CAUSE_SIGNAL, 0);
    if (lot < 96) return shim_finish(world, process, CAUSE_TIMEOUT, 0);
    shim_finish(world, process, lot == 96 ? CAUSE_MEMORY : lot == 97 ? CAUSE_DISK : CAUSE_PROCESSES, 0);
}

static void be_over(struct world *world, struct process *process, uint32_t within_ms)
{
    process->phase = PHASE_OVER;
    process->next_ms = world->now_ms + (within_ms ? world_soon(world, within_ms) : 0);
}

/* --- undoing ---------------------------------------------------------------------------------------------------------------------------
 */

static void confirm(struct world *world, struct process *process)
{
    process->next_ms = INT64_MAX;
    if (world_lot(world, 3, 0) && !world->is_calm) /* breaks the protocol, and will be ended */
        return shim_line(world, process, "{\"type\":\"output\",\"name\":\"o\",\"value\":1}");
    AUTO(free_json)
    json_t *line = json_pack("{s:s, s:s}", "type", "compensated", "name", effect_name(world, process->step, process->effect));
    AUTO(free_text) char *text = json_canonical(line);
    shim_line(world, process, text);
    process->phase = PHASE_CONFIRMS;
}

/* As order_compensate: what is under way is cancelled first, and undone when that is denied. */
static void undo(struct world *world, struct process *process)
{
    const struct order *order = peer_order(world, process->key);
    if (is_canary(world, process->step) && !world->peer.shares[process->step].is_lent) {
        peer_note_settled(world, process->step);
        return confirm(world, process);
    }
    if (!order || order->rests_ms <= world->now_ms)
        return order && order->is_cancelled ? confirm(world, process) : effect_intend(world, process, true);
    if (peer_cancel(world, process->step, process->key)) return confirm(world, process);
    process->phase = PHASE_RESTS;
    process->next_ms = order->rests_ms;
}

void effect_went_well(struct world *world, struct process *process)
{
    if (!process->undoes && is_canary(world, process->step)) return canary_went_well(world, process);
    if (!process->undoes && process->effect + 1 < json_array_size(world->plan->steps[process->step].effects)) {
        process->effect++;
        effect_begin(process);
        return effect_intend(world, process, false);
    }
    if (!process->undoes) return be_over(world, process, 5);
    if (process->of_undo) return confirm(world, process);
    undo(world, process);
}

/* --- its work --------------------------------------------------------------------------------------------------------------------------
 */

static void park(struct world *world, struct process *process)
{
    char line[200];
    snprintf(line, sizeof line, "{\"type\":\"park\",\"until\":%lld,\"checkpoint\":{\"at\":1}}",
        (long long)world_clock(world) + chance_below(&world->chance, 100) + 1);
    shim_line(world, process, line);
    process->is_parking = true;
}

static void work_at_undoing(struct world *world, struct process *process)
{
    const struct undoing *undoing = &process->undoings[process->at_undoing];
    if (undoing->finds) return effect_look(world, process, LOOK_UNDO);
    if (undoing->keeps) return undone_one(world, process);
    undo(world, process);
}

void undone_one(struct world *world, struct process *process)
{
    if (process->at_undoing + 1 >= process->undoing_count) return be_over(world, process, 0);
    process->at_undoing++;
    begin_undoing(world, process);
    process->phase = PHASE_WORK;
    process->next_ms = world->now_ms;
}

/* What the program of a step type begins with; a judge says it by itself. */
static void say_hello(struct world *world, struct process *process)
{
    bool speaks = world->odds && strcmp(world->plan->steps[process->step].type, "run") != 0;
    if (speaks && !process->has_said_hello) shim_line(world, process, "{\"type\":\"hello\",\"protocol\":1}");
    process->has_said_hello = true;
}

static bool hangs_by_lot(struct world *world)
{
    return world->odds && world->odds->step_hangs && !world->is_calm && chance_percent(&world->chance, world->odds->step_hangs);
}

static void hang(struct world *world, struct process *process)
{
    process->hangs = true;
    process->phase = PHASE_OVER;
    process->next_ms = world->now_ms + world->plan->steps[process->step].timeout_ms;
}

static void work(struct world *world, struct process *process)
{
    say_hello(world, process);
    if (hangs_by_lot(world)) return hang(world, process);
    if (process->undoes) return work_at_undoing(world, process);
    if (is_judge(world, process->step)) return tick_judge(world, process);
    if (is_canary(world, process->step)) return canary_work(world, process);
    if (process->has_effect) return effect_intend(world, process, false);
    be_over(world, process, 5);
    if (world_lot(world, 30, 0)) shim_line(world, process, "{\"type\":\"progress\",\"message\":\"half way\"}");
    if (world_lot(world, 8, 0)) park(world, process);
}

/* SIGTERM: an effect that is under way is brought to its end within the grace; most others end at once, some end well all the same. */
static bool is_to_be_ended(const struct world *world, const struct process *process)
{
    bool holds = process->phase >= PHASE_INTENDED && process->phase <= PHASE_TELLS && process->phase != PHASE_LIFE;
    return process->is_cancelled && (!holds || process->kill_ms <= world->now_ms);
}

static void be_ended(struct world *world, struct process *process)
{
    bool may_end_well = !process->has_effect || process->phase == PHASE_OVER;
    bool ends_well = may_end_well && chance_percent(&world->chance, 10);
    shim_finish(world, process, ends_well ? CAUSE_EXIT : CAUSE_CANCELLED, 0);
}

static bool listens(const struct process *process)
{
    return process->phase == PHASE_INTENDED || process->phase == PHASE_TELLS || process->phase == PHASE_CONFIRMS ||
           process->phase == PHASE_KEEPS;
}

void process_do(struct world *world, struct process *process)
{
    if (is_to_be_ended(world, process)) return be_ended(world, process);
    if (process->phase != PHASE_OVER && fault_strikes(world, FAULT_process_dies, 1, process->step, process->of_undo))
        return shim_finish(world, process, CAUSE_SIGNAL, 0);
    if (listens(process) && process->answer_count) return effect_hear_answer(world, process);
    if (process->phase == PHASE_WORK) return work(world, process);
    if (process->phase == PHASE_RESTS) return effect_intend(world, process, true);
    if (process->phase == PHASE_OVER) return process->undoes ? end_undo_by_lot(world, process) : end_by_lot(world, process);
    effect_time_out(world, process);
}

bool process_is_due(const struct world *world, const struct process *process)
{
    if (process->state != PROCESS_LIVES) return false;
    return process->next_ms <= world->now_ms || is_to_be_ended(world, process) || (listens(process) && process->answer_count);
}

/* process.c: the process of a step: work, perhaps an effect, an end. What it does is drawn by lot; how it has its effect is in effects.c.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- its input -------------------------------------------------------------------------------------------------------------------------
 */

static void read_undo(const struct world *world, struct process *process)
{
    AUTO(free_json) json_t *list = run_state_undo(world->engine.state, process->step);
    const json_t *first = json_array_get(list, 0);
    process->finds = json_is_true(json_object_get(first, "find"));
    process->keeps = json_is_true(json_object_get(first, "keep"));
    process->told_ms = json_whole(first, "sent", 0);
    snprintf(process->key, sizeof process->key, "%s", json_text(first, "key", ""));
    if (!first) process->keeps = true; /* found out by an earlier one */
}

void process_read(struct world *world, struct process *process)
{
    process->has_effect = json_array_size(world->plan->steps[process->step].effects) > 0;
    if (process->undoes) read_undo(world, process);
    if (is_judge(world, process->step)) tick_read(world, process);
}

void process_begin(struct world *world, struct process *process)
{
    process->began_ms = world->now_ms;
    process->next_ms = world->now_ms + chance_below(&world->chance, 30);
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
    if (lot < 85) return process_end(world, process, 0);
    shim_finish(world, process, lot < 90 ? CAUSE_SIGNAL : CAUSE_EXIT, 3);
}

static void end_by_lot(struct world *world, struct process *process)
{
    uint32_t lot = world->is_calm ? chance_below(&world->chance, 80) : chance_below(&world->chance, 100);
    if (process->is_parking) return process_end(world, process, 75);
    if (process->is_partial) return process_end(world, process, 1);
    if (lot < 84) return process_end(world, process, 0);
    if (lot < 90) return process_end(world, process, lot == 89 ? 75 : 2);
    if (lot < 93) return shim_finish(world, process, CAUSE_SIGNAL, 0);
    if (lot < 96) return shim_finish(world, process, CAUSE_TIMEOUT, 0);
    shim_finish(world, process, lot == 96 ? CAUSE_MEMORY : lot == 97 ? CAUSE_DISK : CAUSE_PROCESSES, 0);
}

static void be_over(struct world *world, struct process *process, uint32_t within_ms)
{
    process->phase = PHASE_OVER;
    process->next_ms = world->now_ms + (within_ms ? chance_below(&world->chance, within_ms) : 0);
}

/* --- undoing ---------------------------------------------------------------------------------------------------------------------------
 */

static void confirm(struct world *world, struct process *process)
{
    process->next_ms = INT64_MAX;
    if (chance_percent(&world->chance, 3) && !world->is_calm) /* breaks the protocol, and will be ended */
        return shim_line(world, process, "{\"type\":\"output\",\"name\":\"o\",\"value\":1}");
    shim_line(world, process, "{\"type\":\"compensated\",\"name\":\"order\"}");
    process->phase = PHASE_CONFIRMS;
}

/* As order_compensate: what is under way is cancelled first, and undone when that is denied. */
static void undo(struct world *world, struct process *process)
{
    const struct order *order = peer_order(world, process->key);
    if (!order || order->rests_ms <= world->now_ms)
        return order && order->is_cancelled ? confirm(world, process) : effect_intend(world, process, true);
    if (peer_cancel(world, process->step, process->key)) return confirm(world, process);
    process->phase = PHASE_RESTS;
    process->next_ms = order->rests_ms;
}

void effect_went_well(struct world *world, struct process *process)
{
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

static void work(struct world *world, struct process *process)
{
    if (process->undoes && process->finds) return effect_look(world, process, LOOK_UNDO);
    if (process->undoes) return process->keeps ? be_over(world, process, 0) : undo(world, process);
    if (is_judge(world, process->step)) return tick_judge(world, process);
    if (process->has_effect) return effect_intend(world, process, false);
    be_over(world, process, 5);
    if (chance_percent(&world->chance, 30)) shim_line(world, process, "{\"type\":\"progress\",\"message\":\"half way\"}");
    if (chance_percent(&world->chance, 8)) park(world, process);
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

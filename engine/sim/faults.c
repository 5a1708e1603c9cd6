/* faults.c: what goes wrong is drawn by lot here, and it is counted which effect states it met. */
#include "sim/sim.h"

#include <string.h>

enum where { WORLD, PROCESS, SEND, ASK, ARRIVE, UNDO };

static const struct {
    const char *name, *help;
    enum where where;
} faults[] = {
#define FAULT(name, where, help) {#name, help, where},
#include "sim/faults.def"
#undef FAULT
};

const char *fault_cannot_meet(enum fault fault, enum effect_status status)
{
    enum where where = faults[fault].where;
    if (status == EFFECT_intended) return "an intent and that it was sent are one write";
    if (status == EFFECT_acknowledged) return "no line of the step protocol says it yet";
    if (where == WORLD || where == PROCESS) return NULL;
    if (where == UNDO) return status == EFFECT_done ? NULL : "only what is done is undone";
    if (status == EFFECT_planned) return "nothing is sent before its intent";
    if (where == SEND) return status == EFFECT_sent ? NULL : "what is sent is on record as sent";
    if (status == EFFECT_sent || status == EFFECT_unknown) return NULL;
    if (where == ASK) return "the peer is asked for what has no outcome on record";
    if (status == EFFECT_abandoned) return "what was found to be absent was outlived: nothing of it arrives any more";
    return "what the peer took or refused before, it does not take again";
}

const char *fault_name(enum fault fault)
{
    return faults[fault].name;
}

const char *fault_help(enum fault fault)
{
    return faults[fault].help;
}

/* How long ago it was sent is told by the clock: when that has leapt, it was sent again, or given up, too early, and the first comes then.
 */
static bool is_excused(const struct world *world, enum effect_status status)
{
    return world->leapt_ms && (status == EFFECT_done || status == EFFECT_abandoned);
}

static void note(struct world *world, enum fault fault, enum effect_status status)
{
    const char *why = fault_cannot_meet(fault, status);
    if (why && is_excused(world, status)) return;
    if (world->coverage) world->coverage->met[fault][status]++;
    if (why) world_fault(world, "%s met an effect that is %s, which cannot be: %s", faults[fault].name, effect_status_name(status), why);
}

static void note_effects(struct world *world, enum fault fault, uint32_t step, const char *name)
{
    const struct step_state *is = &world->engine.state->steps[step];
    bool has_met = !json_array_size(world->plan->steps[step].effects);
    for (const struct effect_state *effect = is->effects; effect; effect = effect->next)
        if (!name || !strcmp(name, effect->name)) {
            note(world, fault, effect->status);
            has_met = true;
        }
    if (!has_met) note(world, fault, EFFECT_planned);
}

void fault_note(struct world *world, enum fault fault, uint32_t step, bool of_undo)
{
    world->fault_count++;
    world->met[fault]++;
    if (world->witness.fault) world->witness.fault(world->witness.context, world->now_ms, fault, step, of_undo);
    world_say(world, "  fault: %s", faults[fault].name);
    if (world->odds) return;
    if (step != NO_STEP) return note_effects(world, fault, step, of_undo ? "undo order" : "order");
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        note_effects(world, fault, i, NULL);
}

bool fault_strikes(struct world *world, enum fault fault, uint32_t percent, uint32_t step, bool of_undo)
{
    if (!world_lot(world, percent, world->odds ? world->odds->percent[fault] : 0) || world->is_calm ||
        world->fault_count >= world->fault_limit)
        return false;
    fault_note(world, fault, step, of_undo);
    return true;
}

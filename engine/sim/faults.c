/* faults.c: what goes wrong is drawn by lot here, and it is counted which effect states it met, so that a proof can say what it tried. */
#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

enum where { WORLD, PROCESS, SEND, ASK, ARRIVE, UNDO };

static const struct {
    const char *name;
    enum where where;
} faults[] = {
#define FAULT(name, where, help) {#name, where},
#include "sim/faults.def"
#undef FAULT
};

/* Why a cell stays empty; NULL: it must not. */
static const char *why_empty(enum fault fault, enum effect_status status)
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
    return status == EFFECT_abandoned ? NULL : "what the peer took or refused before, it does not take again";
}

static void note(struct world *world, enum fault fault, enum effect_status status)
{
    const char *why = why_empty(fault, status);
    world->coverage->met[fault][status]++;
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
    world_say(world, "  fault: %s", faults[fault].name);
    if (step != NO_STEP) return note_effects(world, fault, step, of_undo ? "undo order" : "order");
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        note_effects(world, fault, i, NULL);
}

bool fault_strikes(struct world *world, enum fault fault, uint32_t percent, uint32_t step, bool of_undo)
{
    if (!chance_percent(&world->chance, percent) || world->is_calm || world->fault_count >= world->fault_limit) return false;
    fault_note(world, fault, step, of_undo);
    return true;
}

static void print_reasons(void)
{
    const char *told[16];
    size_t count = 0;
    for (int fault = 0; fault < FAULT_COUNT; fault++)
        for (int status = 0; status < EFFECT_STATUS_COUNT; status++) {
            const char *why = why_empty((enum fault)fault, (enum effect_status)status);
            bool is_new = why && count < COUNT_OF(told);
            for (size_t i = 0; i < count && is_new; i++)
                is_new = told[i] != why;
            if (!is_new) continue;
            told[count++] = why;
            printf("sim: cannot be (-): %s %s: %s\n", faults[fault].name, effect_status_name((enum effect_status)status), why);
        }
}

bool coverage_print(const struct coverage *coverage, uint64_t least)
{
    bool is_enough = true;
    printf("sim: %-16s", "fault met");
    for (int status = 0; status < EFFECT_STATUS_COUNT; status++)
        printf(" %12s", effect_status_name((enum effect_status)status));
    printf("\n");
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        printf("sim: %-16s", faults[fault].name);
        for (int status = 0; status < EFFECT_STATUS_COUNT; status++) {
            uint64_t met = coverage->met[fault][status];
            bool may_be_empty = why_empty((enum fault)fault, (enum effect_status)status) != NULL;
            if (met < least && !may_be_empty) is_enough = false;
            printf(" %11llu%c", (unsigned long long)met, may_be_empty ? '-' : met < least ? '!' : ' ');
        }
        printf("\n");
    }
    print_reasons();
    return is_enough;
}

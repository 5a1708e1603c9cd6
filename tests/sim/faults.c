/* faults.c: what goes wrong is drawn by lot here, and it is counted which effect states it met, so that a proof can say what it tried. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

enum where { WORLD, SEND, LOOK, UNDO };

static const struct {
    const char *name;
    enum where where;
} faults[] = {
#define FAULT(name, where, help) {#name, where},
#include "tests/sim/faults.def"
#undef FAULT
};

static void note_effects(struct world *world, enum fault fault, uint32_t step, const char *name)
{
    const struct step_state *is = &world->engine.state->steps[step];
    bool is_planned = json_array_size(world->plan->steps[step].effects) > 0 && !is->effects;
    if (is_planned && !name) world->coverage->met[fault][EFFECT_planned]++;
    for (const struct effect_state *effect = is->effects; effect; effect = effect->next)
        if (!name || !strcmp(name, effect->name)) world->coverage->met[fault][effect->status]++;
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

/* Why a cell stays empty; NULL: it must not. */
static const char *why_empty(enum fault fault, enum effect_status status)
{
    (void)fault;
    (void)status;
    return NULL;
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
    return is_enough;
}

/* step.c: which step's turn it is: those that wait for a predecessor or a sandbox, are withdrawn, refused or dropped with it. ending.c is
   about the rest of their lives. */
#include "shim.h"

#include "crescendo/limits.h"

#include <stdlib.h>
#include <string.h>

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

void step_bury(struct shim *shim, struct step *step)
{
    step->next = shim->graves;
    shim->graves = step;
}

void step_take_out(struct step **list, struct step *step)
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
void waiters_drop(struct shim *shim, struct slot *slot)
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
        step_bury(shim, step);
    }
}

/* A step that was not started will not be. */
void step_drop(struct shim *shim, struct step *step)
{
    struct slot *slot = slot_of(shim, step->id);
    report_dropped(shim, step->id, step->attempt);
    slot->state = SLOT_FAILED;
    slot->step = NULL;
    step_bury(shim, step);
    waiters_drop(shim, slot);
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
    step_bury(shim, step);
    waiters_drop(shim, slot);
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
    waiters_drop(shim, slot);
    reports_soon(shim, true);
}

void step_cancel(struct shim *shim, uint32_t id, uint32_t attempt)
{
    struct slot *slot = slot_of(shim, id);
    if (!slot) return;
    if (slot->attempt != attempt || !slot->step) return drop_unseen(shim, slot, id, attempt);
    struct step *step = slot->step;
    if (slot->state == SLOT_LIVE) return step_end_early(shim, step, SHIM_CAUSE_CANCELLED, false, "cancelled");
    step_take_out(&shim->held, step);
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

void waiters_start(struct shim *shim, struct slot *slot)
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

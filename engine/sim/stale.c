/* stale.c: a server that was paused while another one took its folder. When it goes on it believes that it is in charge: it decides, and a
   person tells it something. Each of its transactions begins with a look whose the journal is, as engine/store/epoch.c does; then it stops.
 */
#include "sim/sim.h"

#include <stdlib.h>

/* The two servers change places: what the engine's functions do, they do to the one that stands in world->engine. */
static void change_places(struct world *world)
{
    struct engine engine = world->engine;
    struct journal_model journal = world->journal;
    world->engine = world->stale.engine;
    world->journal = world->stale.queue;
    world->stale.engine = engine;
    world->stale.queue = journal;
}

void stale_release(struct world *world)
{
    struct journal_model *queue = &world->stale.queue;
    if (!world->stale.is_there) return;
    for (size_t i = 0; i < queue->count; i++)
        event_list_release(&queue->batches[i].events);
    free(queue->batches);
    change_places(world);
    engine_release(world);
    change_places(world);
    world->stale = (struct stale){0};
}

/* What it had not committed yet stays in its hands. */
static void keep_uncommitted(struct world *world)
{
    struct journal_model *journal = &world->journal, *queue = &world->stale.queue;
    size_t count = journal->count - journal->committed;
    queue->batches = mem_grow(queue->batches, &queue->capacity, count + 1, sizeof *queue->batches);
    for (size_t i = 0; i < count; i++)
        queue->batches[i] = journal->batches[journal->committed + i];
    queue->count = count;
    journal->count = journal->committed;
}

void stale_begin(struct world *world)
{
    fault_note(world, FAULT_server_replaced, NO_STEP, false);
    check_journal(world);
    stale_release(world);
    keep_uncommitted(world);
    world->stale.engine = world->engine;
    world->stale.is_there = true;
    engine_take_up(world);
}

/* It is told nothing by the supervisor, which obeys the other one; but its timers are due, and its clients wait. */
static void go_on(struct world *world)
{
    bool was_asked = world->was_asked;
    change_places(world);
    engine_cancel(world);
    world->engine.must_advance = true;
    engine_advance(world);
    change_places(world);
    world->was_asked = was_asked;
}

static bool is_refused(const struct world *world)
{
    return world->stale.engine.epoch < world->epoch;
}

static void record(struct world *world)
{
    struct journal_model *journal = &world->journal, *queue = &world->stale.queue;
    journal->batches = mem_grow(journal->batches, &journal->capacity, journal->count + queue->count, sizeof *journal->batches);
    for (size_t i = journal->count; i-- > journal->committed;)
        journal->batches[i + queue->count] = journal->batches[i];
    for (size_t i = 0; i < queue->count; i++)
        journal->batches[journal->committed + i] = queue->batches[i];
    journal->count += queue->count;
    journal->committed += queue->count;
    queue->count = 0;
}

void stale_wake(struct world *world)
{
    if (!world->stale.is_there) return;
    world_say(world, "the server that was replaced goes on");
    go_on(world);
    if (!is_refused(world)) record(world);
    stale_release(world);
}

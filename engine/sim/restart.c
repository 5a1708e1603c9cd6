/* restart.c: the shell's life: the run is accepted, the server is killed and forgets, and takes up what its journal has. */
#include "sim/sim.h"

#include <stdlib.h>

static void engine_new(struct world *world)
{
    world->engine = (struct engine){.state = run_state_new(world->plan), .must_advance = true, .epoch = ++world->epoch};
    world->engine.handed = mem_alloc_array(world->plan->step_count, sizeof *world->engine.handed);
    world->engine.ended = mem_alloc_array(world->plan->step_count, sizeof *world->engine.ended);
}

void engine_begin(struct world *world)
{
    engine_new(world);
    struct event_list events = {0};
    event_list_add(&events, EVENT_run_accepted, NO_STEP, world_clock(world),
        json_pack("{s:i, s:s}", "number", 1, "author", world->odds ? "you" : "p1"));
    engine_fold(world, &events);
    engine_write(world);
    engine_commit(world);
}

void engine_release(struct world *world)
{
    run_state_free(&world->engine.state);
    event_list_release(&world->engine.outbox);
    free(world->engine.handed);
    free(world->engine.ended);
    for (size_t i = 0; i < world->engine.saying_count; i++)
        free(world->engine.sayings[i].line);
    free(world->engine.sayings);
}

/* At a crash what was not committed is lost, and it is drawn by lot how much of it. */
static void lose_batches(struct world *world)
{
    struct journal_model *journal = &world->journal;
    size_t kept = journal->committed + chance_below(&world->chance, (uint32_t)(journal->count - journal->committed + 1));
    if (kept < journal->count) fault_note(world, FAULT_write_torn, NO_STEP, false);
    while (journal->count > kept)
        event_list_release(&journal->batches[--journal->count].events);
    for (; journal->committed < journal->count; journal->committed++)
        engine_tell_committed(world, &journal->batches[journal->committed]); /* it was on disk, and nobody was told */
}

void engine_crash(struct world *world)
{
    check_journal(world);
    lose_batches(world);
    engine_release(world);
    engine_take_up(world);
}

void engine_take_up(struct world *world)
{
    engine_new(world);
    for (size_t i = 0; i < world->journal.count; i++) {
        const struct batch *batch = &world->journal.batches[i];
        struct error err = {0};
        for (size_t j = 0; j < batch->events.count; j++)
            if (reduce(world->engine.state, &batch->events.items[j], &err))
                world_fault(world, "the journal does not fold: %s", err.message);
        world->engine.sequence = batch->sequence;
    }
    check_state(world);
    check_decisions(world);
    tick_check_state(world);
    world->crash_count++;
    world->engine.knows_shim = true;
    world->engine.is_unsure = chance_percent(&world->chance, 30);
    world->engine.is_attached = world->shim.lives;
    world->engine.must_repeat = world->shim.lives;
    world->engine.replay_to = world->shim.wire_count;
}

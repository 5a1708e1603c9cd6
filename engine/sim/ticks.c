/* ticks.c: a step that judges at every tick and has no process in between: its checkpoint holds its place in a source that counts. Each
   record is fed once: no tick may be judged twice, and none may be lost, whatever dies. */
#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

enum { RECORD_MS = 3, TICK_MS = 20, TICKS_MIN = 3 };

bool is_judge(const struct world *world, uint32_t step)
{
    return !strcmp(world->plan->steps[step].type, "kpi") && !is_canary(world, step);
}

static int64_t records(const struct world *world)
{
    return world->now_ms / RECORD_MS;
}

static struct tick_place read_place(const json_t *json)
{
    return (struct tick_place){.first = json_whole(json, "first", 0),
        .cursor = json_whole(json, "cursor", 0),
        .fed = json_whole(json, "fed", 0),
        .ticks = json_whole(json, "ticks", 0)};
}

void tick_read(struct world *world, struct process *process)
{
    const json_t *checkpoint = world->engine.state->steps[process->step].checkpoint;
    process->place = read_place(checkpoint);
    if (!checkpoint) process->place.first = process->place.cursor = records(world);
    if (process->place.ticks < world->kept_ticks[process->step])
        world_fault(world, "%s goes on before a tick that is on record", world->plan->steps[process->step].path);
}

static void feed(const struct world *world, struct tick_place *place)
{
    int64_t end = records(world);
    place->fed += end - place->cursor;
    place->cursor = end;
    place->ticks++;
}

static void say_place(struct world *world, struct process *process, const char *opening)
{
    char line[200];
    const struct tick_place *place = &process->place;
    snprintf(line, sizeof line, "{%s,\"checkpoint\":{\"first\":%lld,\"cursor\":%lld,\"fed\":%lld,\"ticks\":%lld}}", opening,
        (long long)place->first, (long long)place->cursor, (long long)place->fed, (long long)place->ticks);
    shim_line(world, process, line);
}

static void be_over(const struct world *world, struct process *process)
{
    process->phase = PHASE_OVER;
    process->next_ms = world->now_ms;
}

void tick_judge(struct world *world, struct process *process)
{
    shim_line(world, process, "{\"type\":\"hello\",\"protocol\":1}");
    if (process->place.ticks >= TICKS_MIN) return be_over(world, process);
    feed(world, &process->place);
    if (chance_percent(&world->chance, 30)) {
        say_place(world, process, "\"type\":\"checkpoint\"");
        process->phase = PHASE_KEEPS;
        process->next_ms = INT64_MAX;
        return;
    }
    char opening[80];
    snprintf(opening, sizeof opening, "\"type\":\"park\",\"until\":%lld", (long long)world_clock(world) + TICK_MS);
    say_place(world, process, opening);
    process->is_parking = true;
    be_over(world, process);
}

/* After a restart the answer may be that to an earlier place: then this one is on its way to the disk, and so before all that follows. */
void tick_kept(struct world *world, struct process *process)
{
    process->phase = PHASE_WORK;
    process->next_ms = world->now_ms + world_soon(world, TICK_MS);
}

void tick_committed(struct world *world, const struct event *event)
{
    const json_t *checkpoint = json_object_get(event->data, "checkpoint");
    if (event->step == NO_STEP || !checkpoint || !is_judge(world, event->step)) return;
    int64_t ticks = read_place(checkpoint).ticks;
    if (ticks > world->kept_ticks[event->step]) world->kept_ticks[event->step] = ticks;
}

/* --- what must be true -----------------------------------------------------------------------------------------------------------------
 */

void tick_check(struct world *world, const struct event *event)
{
    const json_t *checkpoint = json_object_get(event->data, "checkpoint");
    if (event->step == NO_STEP || !checkpoint || !is_judge(world, event->step)) return;
    const char *path = world->plan->steps[event->step].path;
    const json_t *last = world->engine.state->steps[event->step].checkpoint;
    struct tick_place before = read_place(last), after = read_place(checkpoint);
    if (!last) before.cursor = after.first;
    if (after.ticks < before.ticks + 1) world_fault(world, "%s: tick %lld is judged twice", path, (long long)after.ticks);
    if (after.ticks > before.ticks + 1) world_fault(world, "%s: the tick before %lld is lost", path, (long long)after.ticks);
    if (after.fed != after.cursor - after.first)
        world_fault(world, "%s: %lld records of %lld were fed", path, (long long)after.fed, (long long)(after.cursor - after.first));
    if (after.fed - before.fed != after.cursor - before.cursor) world_fault(world, "%s: a tick is not the records behind the last", path);
}

void tick_check_state(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const json_t *checkpoint = world->engine.state->steps[i].checkpoint;
        if (is_judge(world, i) && json_whole(checkpoint, "ticks", 0) < world->kept_ticks[i])
            world_fault(world, "%s: a tick that was on record is lost", world->plan->steps[i].path);
    }
}

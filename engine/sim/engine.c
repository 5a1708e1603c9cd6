/* engine.c: the modelled shell round the real reduce, decide and settle. It does what engine/run does, one thing at a time, so
   that a crash may come between any two. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 };

/* --- folding and the journal --- */

static void tell_event(const struct world *world, const struct event *event)
{
    if (!world->witness.says) return;
    AUTO(free_text) char *data = json_canonical(event->data);
    world_say(world, "  %s %s %s", event_type_name(event->type), event->step == NO_STEP ? "" : world->plan->steps[event->step].path,
        event->data ? data : "");
}

void engine_fold(struct world *world, struct event_list *events)
{
    for (size_t i = 0; i < events->count && !world->fault; i++) {
        struct event *event = &events->items[i];
        struct error err = {0};
        tell_event(world, event);
        tick_check(world, event);
        if (reduce(world->engine.state, event, &err)) world_fault(world, "illegal event: %s", err.message);
        event_list_add(&world->engine.outbox, event->type, event->step, event->time_ms, take(&event->data));
        world->event_count++;
        world->was_asked |= world->engine.state->status == RUN_needs_person;
        check_state(world);
    }
    event_list_release(events);
    world->engine.must_advance = true;
}

void engine_write(struct world *world)
{
    struct engine *engine = &world->engine;
    struct journal_model *journal = &world->journal;
    if (!engine->outbox.count) return;
    journal->batches = mem_grow(journal->batches, &journal->capacity, journal->count + 1, sizeof *journal->batches);
    struct batch *batch = &journal->batches[journal->count++];
    *batch = (struct batch){engine->outbox, engine->sequence, false, engine->votes, engine->cancels, engine->settled};
    for (size_t i = 0; i < batch->events.count; i++)
        batch->is_durable |= event_type_class(batch->events.items[i].type) == EVENT_CLASS_DURABLE;
    engine->outbox = (struct event_list){0};
    engine->votes = engine->cancels = engine->settled = 0;
}

void engine_tell_committed(const struct world *world, const struct batch *batch)
{
    for (size_t i = 0; i < batch->events.count && world->witness.event; i++)
        world->witness.event(world->witness.context, &batch->events.items[i]);
}

bool engine_commit(struct world *world)
{
    struct journal_model *journal = &world->journal;
    if (journal->committed == journal->count) return false;
    for (; journal->committed < journal->count; journal->committed++) {
        const struct batch *batch = &journal->batches[journal->committed];
        world->acknowledged_votes += batch->votes;
        world->acknowledged_cancels += batch->cancels;
        world->acknowledged_settled += batch->settled;
        for (size_t i = 0; i < batch->events.count; i++)
            tick_committed(world, &batch->events.items[i]);
        engine_tell_committed(world, batch);
    }
    return true;
}

static bool waits_for_disk(const struct world *world)
{
    for (size_t i = world->journal.committed; i < world->journal.count; i++)
        if (world->journal.batches[i].is_durable) return true;
    return world->engine.outbox.count > 0;
}

/* --- hearing --- */

static bool is_live(enum step_status status)
{
    return status == STEP_starting || status == STEP_running || status == STEP_cancelling || status == STEP_compensating;
}

/* As engine/run: `go` is said now, whenever it was asked for. */
static void date_sending(const struct world *world, struct event_list *events)
{
    for (size_t i = 0; i < events->count; i++) {
        enum event_type type = events->items[i].type;
        if (type == EVENT_effect_intended || type == EVENT_effect_sent) events->items[i].time_ms = world_clock(world);
    }
}

static void hear_line(struct world *world, const struct wire *wire)
{
    struct engine *engine = &world->engine;
    struct event_list events = {0};
    struct error err = {0};
    AUTO(free_text) char *reply = NULL;
    if (engine->state->steps[wire->step].attempt != wire->attempt) return;
    if (settle_line(engine->state, wire->step, wire->line, wire->time_ms, &events, &reply, &err))
        settle_fault(engine->state, wire->step, err.message, wire->time_ms, &events);
    date_sending(world, &events);
    engine_fold(world, &events);
    if (!reply) return;
    engine->sayings = mem_grow(engine->sayings, &engine->saying_capacity, engine->saying_count + 1, sizeof *engine->sayings);
    struct saying *saying = &engine->sayings[engine->saying_count++];
    *saying = (struct saying){.step = wire->step, .attempt = wire->attempt, .line = take(&reply)};
}

static void hear_report(struct world *world, const struct wire *wire)
{
    struct event_list events = {0};
    AUTO(free_json) json_t *outputs = wire->gives_output ? outputs_of(world, wire->step) : NULL;
    const struct report report = {.type = wire->type,
        .step = wire->step,
        .attempt = wire->attempt,
        .time_ms = wire->time_ms,
        .pid = 7,
        .cause = wire->cause,
        .exit_code = wire->exit_code,
        .signal = wire->signal,
        .outputs = outputs,
        .reason = wire->type == REPORT_REFUSED && wire->line ? REASON_invalid : REASON_ok,
        .message = wire->type == REPORT_REFUSED ? wire->line : NULL};
    settle(world->engine.state, &report, &events);
    engine_fold(world, &events);
    const struct step_state *step = &world->engine.state->steps[wire->step];
    bool is_expected = is_live(step->status) && step->attempt == wire->attempt;
    if (wire->type == REPORT_STARTED && !is_expected) shim_cancel(world, wire->step, wire->attempt); /* its start was forgotten */
}

static void hear_loss(struct world *world)
{
    struct engine *engine = &world->engine;
    engine->knows_shim = engine->is_attached = false;
    engine->must_advance = true;
    memset(engine->handed, 0, world->plan->step_count * sizeof *engine->handed);
    memset(engine->ended, 0, world->plan->step_count * sizeof *engine->ended);
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const struct step_state *step = &engine->state->steps[i];
        struct event_list events = {0};
        if (!is_live(step->status)) continue;
        settle(engine->state,
            &(struct report){.type = REPORT_LOST,
                .step = i,
                .attempt = step->attempt,
                .time_ms = world_clock(world),
                .started = step->status != STEP_starting},
            &events);
        engine_fold(world, &events);
    }
}

static void hear(struct world *world, const struct wire *wire)
{
    if (wire->kind == WIRE_LINE)
        hear_line(world, wire);
    else
        hear_report(world, wire);
    world->engine.must_advance = true;
}

bool engine_hear_again(struct world *world)
{
    struct engine *engine = &world->engine;
    if (!engine->knows_shim || !engine->sequence) return false;
    const struct wire wire = world->shim.wires[chance_below(&world->chance, (uint32_t)engine->sequence)];
    bool is_old = wire.attempt < engine->state->steps[wire.step].attempt;
    if (wire.kind == WIRE_LINE && !is_old) return false;
    fault_note(world, FAULT_report_again, NO_STEP, false);
    hear(world, &wire);
    return true;
}

bool engine_hear(struct world *world)
{
    struct engine *engine = &world->engine;
    if (!engine->knows_shim) return false;
    if (engine->sequence < world->shim.wire_count) {
        const struct wire wire = world->shim.wires[engine->sequence++];
        hear(world, &wire);
        return true;
    }
    if (world->shim.lives) return false;
    hear_loss(world);
    return true;
}

/* --- deciding --- */

static struct decide_input input(const struct world *world)
{
    others_look(world, world->turns);
    uint32_t live = world->engine.state->live_stage_count;
    return (struct decide_input){.now_ms = world_clock(world),
        .free_slots = live < SLOTS ? SLOTS - live : 0,
        .hold = world->engine.is_unsure,
        .turns = world->turns};
}

static bool same_events(const struct event_list *a, const struct event_list *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].type != b->items[i].type || a->items[i].step != b->items[i].step) return false;
    return true;
}

static void check_asked_twice(struct world *world, const struct event_list *events)
{
    struct event_list again = {0};
    struct decide_input now = input(world);
    decide(world->engine.state, &now, &again);
    if (!same_events(events, &again)) world_fault(world, "decide gives other events when it is asked twice");
    event_list_release(&again);
}

bool engine_learn(struct world *world)
{
    if (!world->engine.is_unsure) return false;
    world->engine.is_unsure = false;
    world->engine.must_advance = true;
    return true;
}

static bool is_catching_up(const struct world *world)
{
    const struct engine *engine = &world->engine;
    return engine->sequence < engine->replay_to && engine->sequence < world->shim.wire_count;
}

/* As engine/run: what was heard so far is written, and nothing is decided yet. */
static bool catch_up(struct world *world)
{
    if (!world->engine.must_advance) return false;
    world->engine.must_advance = false;
    engine_write(world);
    return true;
}

bool engine_advance(struct world *world)
{
    struct engine *engine = &world->engine;
    if (is_catching_up(world)) return catch_up(world);
    if (!engine->must_advance && engine_next_ms(world) > world->now_ms) return false;
    for (uint32_t rounds = 0; !world->fault; rounds++) {
        struct event_list events = {0};
        struct decide_input now = input(world);
        decide(engine->state, &now, &events);
        if (chance_percent(&world->chance, 10)) check_asked_twice(world, &events);
        check_hold(world, &events);
        if (!events.count) break;
        if (rounds > 3 * world->plan->step_count + 20) world_fault(world, "decide does not come to an end");
        engine_fold(world, &events);
    }
    engine_write(world);
    engine->must_advance = false;
    if (!run_status_at_rest(engine->state->status) && engine_next_ms(world) <= world->now_ms)
        world_fault(world, "a timer is due and nothing is decided");
    return true;
}

int64_t engine_next_ms(const struct world *world)
{
    int64_t next = decide_next_time(world->engine.state);
    return next == INT64_MAX ? next : next - world->clock_ms;
}

/* --- acting --- */

static bool say_one(struct world *world)
{
    struct engine *engine = &world->engine;
    if (!engine->saying_count) return false;
    AUTO(free_text) char *line = engine->sayings[0].line;
    shim_tell(world, engine->sayings[0].step, engine->sayings[0].attempt, line);
    memmove(engine->sayings, engine->sayings + 1, --engine->saying_count * sizeof *engine->sayings);
    return true;
}

static bool hand_over(struct world *world, uint32_t index)
{
    struct engine *engine = &world->engine;
    if (!world->shim.lives) {
        if (engine->knows_shim) return false; /* hear its end first */
        world->shim.lives = engine->knows_shim = engine->is_attached = true;
    }
    others_check_start(world, index);
    bool has_one_before = index > world->plan->stages[world->plan->steps[index].stage].first_step;
    bool is_behind = has_one_before && !step_status_at_rest(engine->state->steps[index - 1].status);
    engine->handed[index] = engine->state->steps[index].attempt;
    shim_start(
        world, index, engine->handed[index], is_behind ? index - 1 : NO_STEP, engine->state->steps[index].status == STEP_compensating);
    return true;
}

static bool end_step(struct world *world, uint32_t index)
{
    struct engine *engine = &world->engine;
    if (!world->shim.lives) {
        if (engine->knows_shim) return false;
        struct event_list events = {0}; /* there never was a shim to hear of it */
        settle(engine->state,
            &(struct report){
                .type = REPORT_DROPPED, .step = index, .attempt = engine->state->steps[index].attempt, .time_ms = world_clock(world)},
            &events);
        engine_fold(world, &events);
        return true;
    }
    engine->ended[index] = engine->state->steps[index].attempt;
    shim_cancel(world, index, engine->ended[index]);
    return true;
}

static void tell_again(struct world *world, uint32_t step, const char *type, const struct effect_state *effect)
{
    const char *seen = effect->status == EFFECT_failed ? "failed" : effect->status == EFFECT_unknown ? "unsure" : "done";
    AUTO(free_json)
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "type", type, "name", effect->name, "key", effect->key, "seen", seen, "sent",
        (json_int_t)effect->sent_ms, "sends", (json_int_t)effect->sends);
    AUTO(free_text) char *line = json_canonical(json);
    shim_tell(world, step, world->engine.state->steps[step].attempt, line);
}

/* As engine/run does: an answer that may have been lost is given again. `find` can never make a second order. */
static bool repeat_answers(struct world *world)
{
    world->engine.must_repeat = false;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const struct step_state *step = &world->engine.state->steps[i];
        if (step->status != STEP_running && step->status != STEP_compensating) continue;
        for (const struct effect_state *effect = step->effects; effect; effect = effect->next) {
            bool has_outcome = effect->status == EFFECT_done || effect->status == EFFECT_failed || effect->status == EFFECT_compensated;
            bool is_open = effect->status == EFFECT_intended || effect->status == EFFECT_sent;
            if (has_outcome) tell_again(world, i, "known", effect);
            if (!has_outcome && effect->status != EFFECT_abandoned) tell_again(world, i, "find", effect);
            if (!is_open) tell_again(world, i, "kept", effect);
        }
        if (step->checkpoint) shim_tell(world, i, step->attempt, "{\"type\":\"kept\"}");
    }
    return true;
}

bool engine_act(struct world *world)
{
    struct engine *engine = &world->engine;
    if (is_catching_up(world)) return false;
    if (waits_for_disk(world)) return false;
    if (engine->must_repeat) return repeat_answers(world);
    if (say_one(world)) return true;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const struct step_state *step = &engine->state->steps[i];
        bool begins = step->status == STEP_starting || (step->status == STEP_compensating && step->undoing);
        bool ends = step->status == STEP_cancelling || (step->status == STEP_compensating && step->ending);
        if (begins && !ends && engine->handed[i] != step->attempt) return hand_over(world, i);
        if (ends && engine->ended[i] != step->attempt && end_step(world, i)) return true;
    }
    return false;
}

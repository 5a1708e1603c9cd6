/* check.c: what must be true after every event, at every crash, and at the end. */
#include "sim/sim.h"

#include "state/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_live(enum step_status status)
{
    return status == STEP_starting || status == STEP_running || status == STEP_cancelling || status == STEP_compensating;
}

/* The counters that make decide cheap equal what a scan finds. */
static void check_stage(struct world *world, uint32_t index, uint32_t *open, uint32_t *live_stages)
{
    const struct run_state *state = world->engine.state;
    const struct plan_stage *plan = &world->plan->stages[index];
    const struct stage_state *stage = &state->stages[index];
    uint32_t stage_open = 0, live = 0, needs = 0, cursor = plan->step_count;
    for (uint32_t i = plan->step_count; i-- > 0;) {
        enum step_status status = state->steps[plan->first_step + i].status;
        if (!step_status_at_rest(status)) {
            stage_open++;
            cursor = i;
        }
        live += is_live(status);
    }
    for (uint32_t i = 0; i < plan->need_count; i++)
        needs += state->stages[plan->needs[i]].steps_open > 0;
    if (live && plan->group_count && !stage->granted) world_fault(world, "the stage %s is alive out of its turn", plan->path);
    *open += stage_open;
    *live_stages += live > 0;
    if (stage->steps_open != stage_open || stage->live != live || stage->needs_open != needs || stage->cursor != cursor)
        world_fault(world, "the counters of stage %s are wrong", plan->path);
}

void check_state(struct world *world)
{
    const struct run_state *state = world->engine.state;
    uint32_t open = 0, live_stages = 0, ready = 0, unknown = 0, parked = 0, counted = 0;
    for (uint32_t i = 0; i < world->plan->stage_count; i++)
        check_stage(world, i, &open, &live_stages);
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        ready += state->steps[i].status == STEP_ready;
        unknown += state->steps[i].status == STEP_unknown;
        parked += state->steps[i].status == STEP_parked;
    }
    for (int i = 0; i < WAIT_COUNT; i++)
        counted += state->parked_count[i];
    if (open != state->open_count || live_stages != state->live_stage_count || ready != state->ready_count ||
        unknown != state->unknown_count || parked != counted)
        world_fault(world, "the run's counters are wrong");
}

void check_hold(struct world *world, const struct event_list *events)
{
    for (size_t i = 0; i < events->count; i++) {
        bool begins = events->items[i].type == EVENT_step_starting || events->items[i].type == EVENT_run_succeeded;
        if (begins && world->engine.is_unsure && world->engine.state->status != RUN_cancelling)
            world_fault(world, "%s though it is not known whether the leases are held", event_type_name(events->items[i].type));
    }
}

void check_journal(struct world *world)
{
    struct run_state *fold = run_state_new(world->plan);
    struct error err = {0};
    int result = 0;
    for (size_t i = 0; i < world->journal.count && !result; i++)
        for (size_t j = 0; j < world->journal.batches[i].events.count && !result; j++)
            result = reduce(fold, &world->journal.batches[i].events.items[j], &err);
    for (size_t i = 0; i < world->engine.outbox.count && !result; i++)
        result = reduce(fold, &world->engine.outbox.items[i], &err);
    if (result) world_fault(world, "the journal does not fold: %s", err.message);
    AUTO(free_json) json_t *folded = run_state_to_json(fold);
    AUTO(free_json) json_t *present = run_state_to_json(world->engine.state);
    if (!json_equal(folded, present)) world_fault(world, "the fold of the journal is not the state");
    run_state_free(&fold);
}

void world_past(const struct world *world, struct event_list *past)
{
    for (size_t i = 0; i <= world->journal.count; i++) {
        const struct event_list *part = i < world->journal.count ? &world->journal.batches[i].events : &world->engine.outbox;
        for (size_t j = 0; j < part->count; j++)
            event_list_add(past, part->items[j].type, part->items[j].step, part->items[j].time_ms, json_incref(part->items[j].data));
    }
}

/* What happened before the crashes, too, is decided again from the events alone. */
static void check_replay(struct world *world)
{
    AUTO(event_list_release) struct event_list past = {0};
    struct error err = {0};
    struct replay_result result = {0};
    world_past(world, &past);
    if (replay_decisions(&(struct replay){world->plan, past.items, past.count}, &result, &err) < 0)
        world_fault(world, "the run cannot be decided again: %s", err.message);
    else if (!result.same)
        world_fault(world, "event %zu (%s) is decided otherwise again", result.at + 1, event_type_name(past.items[result.at].type));
    json_decref(result.decisions);
}

/* Nobody who was answered may find the decision gone. */
void check_decisions(struct world *world)
{
    const struct run_state *state = world->engine.state;
    uint32_t votes = 0, settled = 0;
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        for (const struct vote *vote = state->steps[i].votes; vote; vote = vote->next)
            votes++;
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        for (const struct resolution *resolution = state->steps[i].resolutions; resolution; resolution = resolution->next)
            settled++;
    if (settled < world->acknowledged_settled) world_fault(world, "what a person settled, and was told that it counts, is lost");
    if (votes < world->acknowledged_votes) world_fault(world, "a decision that was acknowledged is lost");
    if (state->cancel_count < world->acknowledged_cancels) world_fault(world, "a cancel that was acknowledged is lost");
}

static void check_verdict(struct world *world)
{
    const struct run_state *state = world->engine.state;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        const struct plan_step *plan = &world->plan->steps[i];
        bool is_bad = state->steps[i].status == STEP_cancelled || (state->steps[i].status == STEP_failed && !plan->allow_failure);
        bad += is_bad && !world->plan->stages[plan->stage].allow_failure;
        bool is_left = state->status == RUN_rollback_failed && state->steps[i].status == STEP_compensation_failed;
        if (!step_status_at_rest(state->steps[i].status) && !is_left) world_fault(world, "the run is over and %s is not", plan->path);
    }
    if (state->status == RUN_succeeded && bad) world_fault(world, "the run succeeded though steps failed");
    if (state->status == RUN_succeeded && state->cancel_count) world_fault(world, "the run succeeded though it was cancelled");
    if (state->status == RUN_failed && !bad && !state->cancel_count) world_fault(world, "the run failed though no step did");
    if (state->status == RUN_failed && !reason_exit_code(state->reason)) world_fault(world, "the run failed without a reason");
    if (state->status == RUN_cancelled && !state->cancel_count) world_fault(world, "the run is cancelled though nobody asked");
}

/* A step that succeeded and has an effect has it exactly once. */
static void check_effects(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        bool has_effect = json_array_size(world->plan->steps[i].effects) > 0;
        enum step_status status = world->engine.state->steps[i].status;
        bool is_done = status == STEP_succeeded || (status == STEP_compensated && world->undone[i]);
        if (has_effect && is_done && world->ordered[i] != 1)
            world_fault(world, "%s succeeded and its order was placed %u times", world->plan->steps[i].path, world->ordered[i]);
    }
}

/* What the record says that it was not done may not be there. What nobody can tell is said to be unknown. One exception, which is counted:
   how long ago something was sent is told by the clock, so one that leaps forward shortens the wait for what may be late; the peer may
   refuse what is sent again then. */
static void check_record(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        for (const struct effect_state *effect = world->engine.state->steps[i].effects; effect; effect = effect->next) {
            bool is_denied = effect->status == EFFECT_abandoned || effect->status == EFFECT_failed;
            bool is_told = effect->status == EFFECT_done || effect->status == EFFECT_compensated;
            bool is_there = peer_order(world, effect->key) != NULL && !world->by_hand[i];
            bool is_given_up = effect->status == EFFECT_abandoned || (effect->status == EFFECT_failed && effect->sends > 1);
            if (is_given_up && is_there && world->leapt_ms) {
                world->orphan_count++;
                continue;
            }
            if (is_denied && is_there)
                world_fault(world, "%s: the record says that %s was not done, and it was", world->plan->steps[i].path, effect->name);
            if (is_told && !is_there && !world->by_hand[i])
                world_fault(world, "%s: the record says that %s was done, and it was not", world->plan->steps[i].path, effect->name);
        }
}

/* Of any of the step's effects. */
static const char *effect_word(const struct world *world, uint32_t step, const char *key)
{
    size_t i;
    json_t *planned;
    json_array_foreach(world->plan->steps[step].effects, i, planned)
    {
        const char *word = json_is_true(json_object_get(planned, key)) ? "true" : json_text(planned, key, NULL);
        if (word) return word;
    }
    return NULL;
}

/* It is one of the step's own, which the plan shows, and can be undone or is a pivot. */
static bool is_weighty(const struct world *world, uint32_t step, const char *name)
{
    size_t i;
    json_t *planned;
    json_array_foreach(world->plan->steps[step].effects, i, planned)
    {
        bool weighs = json_text(planned, "compensation", NULL) || json_is_true(json_object_get(planned, "pivot"));
        if (weighs && !strcmp(json_text(planned, "name", ""), name)) return true;
    }
    return false;
}

/* A run comes to its end by itself only when it is known what became of everything that it began; else a person is asked. */
static void check_known(struct world *world)
{
    const struct run_state *state = world->engine.state;
    if (world->was_asked || state->cancel_count > 1 || state->status == RUN_rollback_failed) return;
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        for (const struct effect_state *effect = state->steps[i].effects; effect; effect = effect->next) {
            enum effect_status is = effect->status;
            bool is_left = state->cancel_count && (effect_word(world, i, "compensation") || effect_word(world, i, "pivot"));
            if (is_left || text_starts(effect->name, "undo ")) continue; /* it was looked for, and stands in what is left */
            if (is == EFFECT_intended || is == EFFECT_sent || is == EFFECT_acknowledged || is == EFFECT_unknown)
                world_fault(world, "the run is over, %s of %s is %s, and nobody was asked", effect->name, world->plan->steps[i].path,
                    effect_status_name(is));
        }
}

/* --- rolled back: told once more, by the journal's words and not by the code that decides --- */

/* Which step's order is the nth that was done; the place counts from 1, 0 = never. What was found out on the way back only has the last
   place together. */
static void read_places(const struct world *world, uint32_t *places, bool *was_good)
{
    uint32_t count = 0;
    bool goes_back = false;
    for (size_t i = 0; i < world->journal.count; i++)
        for (size_t j = 0; j < world->journal.batches[i].events.count; j++) {
            const struct event *event = &world->journal.batches[i].events.items[j];
            bool is_good = event->type == EVENT_step_succeeded || event->type == EVENT_step_reused ||
                           (event->type == EVENT_step_skipped && strcmp(json_text(event->data, "because", ""), "failed") != 0);
            if (event->type == EVENT_effect_done && is_weighty(world, event->step, json_text(event->data, "name", "")))
                places[event->step] = goes_back ? UINT32_MAX : ++count;
            goes_back |= event->type == EVENT_run_rolling_back;
            if (event->type == EVENT_step_failed) is_good = world->plan->steps[event->step].allow_failure;
            if (event->step != NO_STEP &&
                (is_good || event->type == EVENT_step_cancelled || event->type == EVENT_step_failed || event->type == EVENT_step_skipped))
                was_good[event->step] = is_good;
        }
}

static bool was_cancelled_first(const struct world *world)
{
    for (size_t i = 0; i < world->journal.count; i++)
        for (size_t j = 0; j < world->journal.batches[i].events.count; j++) {
            enum event_type type = world->journal.batches[i].events.items[j].type;
            if (type == EVENT_cancel_requested) return true;
            if (type == EVENT_run_rolling_back) return false;
        }
    return false;
}

static bool covers(const struct plan_stage *of, const struct plan_stage *other)
{
    char outer[64], inner[64];
    snprintf(outer, sizeof outer, "%s/", of->scope);
    snprintf(inner, sizeof inner, "%s/", other->scope);
    return *of->scope ? !strncmp(inner, outer, strlen(outer)) : of == other;
}

static bool stage_went_wrong(
    const struct world *world, const struct plan_stage *stage, const uint32_t *places, const bool *was_good, bool cancelled)
{
    for (uint32_t i = stage->first_step; i < stage->first_step + stage->step_count; i++) {
        const struct step_state *step = &world->engine.state->steps[i];
        bool lends = places[i] && world->peer.shares[i].lends;
        if (cancelled && lends) return true; /* a share that is lent is nothing finished */
        bool is_failure = step->reason != REASON_ok && step->status != STEP_skipped;
        if (was_good[i] || (stage->allow_failure && step->status == STEP_failed)) continue;
        if (cancelled || (is_failure && !stage->allow_failure)) return true;
    }
    return false;
}

static bool is_behind_pivot(const struct world *world, uint32_t step, const uint32_t *places)
{
    const struct plan_stage *stages = world->plan->stages;
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        bool is_later = places[i] > places[step] && effect_word(world, i, "pivot");
        if (is_later && covers(&stages[world->plan->steps[i].stage], &stages[world->plan->steps[step].stage])) return true;
    }
    return false;
}

static bool must_be_undone(const struct world *world, uint32_t step, const uint32_t *places, const bool *was_good, bool cancelled)
{
    const struct plan_stage *stages = world->plan->stages, *stage = &stages[world->plan->steps[step].stage];
    bool is_in_reach = world->plan->rollback_run;
    if (!places[step] || !effect_word(world, step, "compensation") || is_behind_pivot(world, step, places)) return false;
    for (uint32_t i = 0; i < world->plan->stage_count && !is_in_reach; i++)
        is_in_reach = covers(&stages[i], stage) && stage_went_wrong(world, &stages[i], places, was_good, cancelled);
    return is_in_reach;
}

/* Per step: where its latest effect stands when the run begins to go back. What has no outcome by then stands behind all that has one, by
   when it was begun: also where nobody ever finds out, since a person takes it back. 0 = it has none. */
static void read_ranks(const struct world *world, uint64_t *ranks)
{
    const uint64_t in_doubt = UINT32_MAX;
    uint64_t *done = mem_alloc_array(world->plan->step_count, sizeof *done), count = 0;
    AUTO(event_list_release) struct event_list past = {0};
    world_past(world, &past);
    for (size_t i = 0; i < past.count && past.items[i].type != EVENT_run_rolling_back; i++) {
        const struct event *event = &past.items[i];
        bool is_effect = event_type_subject(event->type) == EVENT_SUBJECT_EFFECT;
        if (!is_effect || !is_weighty(world, event->step, json_text(event->data, "name", ""))) continue;
        bool is_over = event->type == EVENT_effect_abandoned || event->type == EVENT_effect_failed;
        if (event->type == EVENT_effect_intended) ranks[event->step] = in_doubt + ++count;
        if (event->type == EVENT_effect_done) done[event->step] = ++count;
        if (event->type == EVENT_effect_done || is_over) ranks[event->step] = done[event->step];
    }
    free(done);
}

/* What could not be undone, and stays so, may stand on what was done before it. */
static bool was_undone_by_then(const struct world *world, uint32_t later, uint32_t then)
{
    if (world->undone[later]) return world->undone_at[later] < then;
    return world->engine.state->steps[later].status != STEP_compensation_failed;
}

static void check_order(struct world *world)
{
    uint64_t *ranks = mem_alloc_array(world->plan->step_count, sizeof *ranks);
    read_ranks(world, ranks);
    for (uint32_t i = 0; i < world->plan->step_count; i++)
        for (uint32_t j = 0; j < world->plan->step_count; j++)
            if (world->undone[i] && ranks[i] < ranks[j] && !was_undone_by_then(world, j, world->undone_at[i]))
                world_fault(world, "%s was undone before %s, which was done later", world->plan->steps[i].path, world->plan->steps[j].path);
    free(ranks);
}

static void check_undone(struct world *world)
{
    enum run_status status = world->engine.state->status;
    uint32_t *places = mem_alloc_array(world->plan->step_count, sizeof *places);
    bool *was_good = mem_alloc_array(world->plan->step_count, sizeof *was_good);
    read_places(world, places, was_good);
    bool is_bad_end = status == RUN_failed || status == RUN_cancelled || status == RUN_rolled_back, cancelled = was_cancelled_first(world);
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        bool must = is_bad_end && must_be_undone(world, i, places, was_good, cancelled);
        const char *path = world->plan->steps[i].path;
        if (must && !world->undone[i]) world_fault(world, "the run is %s and %s was not undone", run_status_name(status), path);
        if (!must && world->undone[i] && !world->by_hand[i] && status != RUN_rollback_failed)
            world_fault(world, "%s was undone and should not be", path);
    }
    check_order(world);
    free(places);
    free(was_good);
}

void check_end(struct world *world)
{
    check_journal(world);
    check_replay(world);
    check_decisions(world);
    check_record(world);
    enum run_status status = world->engine.state->status;
    if (!run_status_at_rest(status) && status != RUN_rollback_failed) return; /* a person is asked, and nobody comes */
    check_verdict(world);
    check_effects(world);
    check_known(world);
    share_check_end(world);
    check_undone(world);
    for (size_t i = 0; i < world->shim.count; i++)
        if (world->shim.processes[i].state == PROCESS_LIVES)
            world_fault(world, "the run is over and %s still runs", world->plan->steps[world->shim.processes[i].step].path);
}

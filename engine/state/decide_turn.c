/* decide_turn.c: a stage that is in a group begins with its turn: it asks, waits, is let in or turned away. */
#include "state/decide_stage.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

static const char waits_before[] = "waits for its turn: ", waits_again_before[] = "waits for its turn to go on undoing: ";
static const char rejected_after[] = "; one run at a time, and who comes meanwhile is rejected";

bool turn_is_rejection(const char *message)
{
    size_t size = message ? strlen(message) : 0, after = sizeof rejected_after - 1;
    return size >= after && strcmp(message + size - after, rejected_after) == 0;
}

char *turn_words_within(const char *message)
{
    if (!message) return mem_copy_text("?");
    if (text_starts(message, waits_before)) return mem_copy_text(message + sizeof waits_before - 1);
    if (text_starts(message, waits_again_before)) return mem_copy_text(message + sizeof waits_again_before - 1);
    size_t size = strlen(message) - (turn_is_rejection(message) ? sizeof rejected_after - 1 : 0);
    return mem_copy_bytes(message, size);
}

static const struct turn *turn_of(const struct decision *decision, const struct plan_step *step)
{
    return decision->turns ? &decision->turns[decision->state->plan->stages[step->stage].claim] : NULL;
}

static void add(struct decision *decision, enum event_type type, uint32_t step, json_t *data)
{
    event_list_add(decision->list, type, step, decision->now_ms, data);
}

static void grant(struct decision *decision, const struct plan_step *step)
{
    const struct plan_stage *stage = &decision->state->plan->stages[step->stage];
    json_t *names = json_array(), *data = json_object();
    for (uint32_t i = 0; i < stage->group_count; i++)
        json_array_append_new(names, json_string(stage->groups[i].name));
    json_put(data, "groups", names);
    add(decision, EVENT_step_granted, step->index, data);
}

static json_t *with_words(const struct turn *turn, const char *before, const char *after)
{
    AUTO(free_text) char *words = turn_words(turn);
    AUTO(free_text) char *message = mem_format("%s%s%s", before, words, after);
    json_t *data = json_object();
    json_put_text(data, "message", message);
    return data;
}

static void turn_away(struct decision *decision, const struct plan_step *step, const struct turn *turn)
{
    json_t *data = with_words(turn, "", rejected_after);
    json_put_text(data, "reason", reason_name(REASON_denied));
    add(decision, EVENT_step_failed, step->index, data);
}

static void wait(struct decision *decision, const struct plan_step *step, const struct turn *turn)
{
    json_t *data = with_words(turn, waits_before, "");
    json_put_text(data, "for", wait_name(WAIT_group));
    add(decision, EVENT_step_parked, step->index, data);
}

bool decide_turn(struct decision *decision, const struct plan_step *step)
{
    const struct run_state *state = decision->state;
    if (!state->plan->stages[step->stage].group_count || state->stages[step->stage].granted) return true;
    const struct turn *turn = turn_of(decision, step);
    if (!turn || !turn->group)
        grant(decision, step);
    else if (turn->queue == GROUP_REJECT)
        turn_away(decision, step, turn);
    else
        wait(decision, step, turn);
    return false;
}

/* A run that is on its way to its end may hold another group until it is there, so it must not wait. */
static bool gives_up(const struct run_state *state)
{
    return state->status == RUN_cancelling || state->first_failed != NO_STEP;
}

bool decide_waiting(struct decision *decision, const struct plan_step *step)
{
    const struct turn *turn = turn_of(decision, step);
    if (decision->hold) return false;
    if (gives_up(decision->state)) return true;
    if (!turn || !turn->group) {
        grant(decision, step);
        return false;
    }
    json_t *data = with_words(turn, waits_before, "");
    if (text_equal(json_text(data, "message", ""), decision->state->steps[step->index].message))
        json_decref(data);
    else
        add(decision, EVENT_step_waits, step->index, data);
    return false;
}

/* --- of a run that is to go on undoing --- */

/* What it waits for, of all that it gave back; NULL: all of it is free. */
static const struct turn *busy_turn(const struct decision *decision)
{
    const struct run_state *state = decision->state;
    for (uint32_t i = 0; decision->turns && i < state->plan->claim_count; i++)
        if (claim_status(state, i) == CLAIM_WAITS && decision->turns[i].group) return &decision->turns[i];
    return NULL;
}

static void grant_again(struct decision *decision)
{
    const struct run_state *state = decision->state;
    json_t *names = json_array(), *data = json_object();
    for (uint32_t i = 0; i < state->plan->claim_count; i++)
        for (uint32_t k = 0; claim_status(state, i) == CLAIM_WAITS && k < state->plan->claims[i].group_count; k++)
            json_array_append_new(names, json_string(state->plan->claims[i].groups[k].name));
    json_put(data, "groups", names);
    add(decision, EVENT_run_granted, NO_STEP, data);
}

bool decide_turn_again(struct decision *decision)
{
    const struct run_state *state = decision->state;
    if (!state->gave_back) return true;
    const struct turn *turn = busy_turn(decision);
    if (!turn) {
        grant_again(decision);
        return false;
    }
    json_t *data = with_words(turn, waits_again_before, "");
    if (text_equal(json_text(data, "message", ""), state->turn_message))
        json_decref(data);
    else
        add(decision, EVENT_run_waits, NO_STEP, data);
    return false;
}

static void be_superseded(struct decision *decision, const struct turn *turn)
{
    AUTO(free_text) char *comment = mem_format("run %llu is newer and takes its place in %s", (unsigned long long)turn->newer, turn->group);
    json_t *data = json_object();
    json_put_text(data, "reason", reason_name(REASON_superseded));
    json_put_text(data, "comment", comment);
    add(decision, EVENT_cancel_requested, NO_STEP, data);
}

bool decide_turns(struct decision *decision)
{
    struct run_state *state = decision->state;
    if (!state->parked_count[WAIT_group]) return true;
    for (uint32_t i = 0; i < state->plan->claim_count; i++) {
        const struct turn *turn = decision->turns ? &decision->turns[i] : NULL;
        if (turn && turn->newer && turn->group && state->status != RUN_cancelling) {
            be_superseded(decision, turn);
            return false;
        }
        const struct plan_claim *claim = &state->plan->claims[i];
        for (uint32_t k = 0; k < claim->stage_count; k++)
            if (stage_waits_for_turn(state, claim->stages[k])) stage_mark_dirty(state, claim->stages[k]);
    }
    return true;
}

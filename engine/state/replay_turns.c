/* replay_turns.c: what decide can have been told of the turns of other runs. No event of this run tells it but where it mattered: who is
   let in, waits from now on, is turned away, or waits for others than before. Of one claim decide is told one thing; where nothing of it is
   told, it was what it was before, or did not matter. */
#include "state/decide_stage.h"
#include "state/replay.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

/* Does it say whose turn it is? */
static bool is_telling(const struct event *event)
{
    switch ((int)event->type) {
    case EVENT_step_granted:
    case EVENT_run_granted:
    case EVENT_step_waits:
    case EVENT_run_waits: return true;
    case EVENT_step_parked: return text_equal(json_text(event->data, "for", NULL), wait_name(WAIT_group));
    case EVENT_step_failed: return turn_is_rejection(json_text(event->data, "message", NULL));
    default: return false;
    }
}

static void tell(struct replay_turns *turns, uint32_t claim, const struct event *event)
{
    bool is_free = event->type == EVENT_step_granted || event->type == EVENT_run_granted;
    free(turns->words[claim]);
    turns->words[claim] = is_free ? NULL : turn_words_within(json_text(event->data, "message", NULL));
    turns->turns[claim].group = turns->words[claim];
    if (event->type == EVENT_step_failed) turns->turns[claim].queue = GROUP_REJECT;
}

/* What was last said of who stands in the way of this claim; NULL: nothing. */
static const char *last_message(const struct run_state *state, const struct plan_claim *claim)
{
    if (state->gave_back) return state->turn_message;
    for (uint32_t i = 0; i < claim->stage_count; i++) {
        uint32_t stage = claim->stages[i];
        if (!stage_waits_for_turn(state, stage)) continue;
        return state->steps[state->plan->stages[stage].first_step + state->stages[stage].cursor].message;
    }
    return NULL;
}

static void begin_as_before(const struct run_state *state, struct replay_turns *turns)
{
    for (uint32_t i = 0; i < state->plan->claim_count; i++) {
        turn_begin(state, i, &turns->turns[i]);
        turns->words[i] = turn_words_within(last_message(state, &state->plan->claims[i]));
        turns->turns[i].group = turns->words[i];
    }
}

/* Returns whether it told of a claim that nothing was told of before. */
static bool tell_first(const struct plan *plan, const struct event *event, bool *is_told, struct replay_turns *turns)
{
    bool is_new = false, is_of_step = event->step < plan->step_count;
    uint32_t own = is_of_step ? plan->stages[plan->steps[event->step].stage].claim : NO_CLAIM;
    for (uint32_t i = is_of_step ? own : 0; i < plan->claim_count && (!is_of_step || i == own); i++) {
        if (is_told[i]) continue;
        tell(turns, i, event);
        is_told[i] = is_new = true;
    }
    return is_new;
}

uint32_t replay_turns_read(const struct replaying *replaying, size_t instant, uint32_t told, struct replay_turns *ret)
{
    const struct plan *plan = replaying->replay->plan;
    uint32_t count = 0;
    *ret = (struct replay_turns){0};
    if (!plan->claim_count) return 0;
    ret->turns = mem_alloc_array(plan->claim_count, sizeof *ret->turns);
    ret->words = mem_alloc_array(plan->claim_count, sizeof *ret->words);
    bool *is_told = mem_alloc_array(plan->claim_count, sizeof *is_told);
    begin_as_before(replaying->state, ret);
    for (size_t i = 0; i < instant && count < told; i++) {
        const struct event *event = &replaying->replay->events[replaying->at + i];
        if (is_telling(event)) count += tell_first(plan, event, is_told, ret);
    }
    free(is_told);
    return count;
}

void replay_turns_release(const struct replaying *replaying, struct replay_turns *turns)
{
    for (uint32_t i = 0; turns->words && i < replaying->replay->plan->claim_count; i++)
        free(turns->words[i]);
    free(turns->words);
    free(turns->turns);
}

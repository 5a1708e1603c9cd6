/* turn.c: which of the runs that are in one group goes on. A run asks, gets and gives back the groups of one claim (plan/groups.c) at once.
   Between those that wait it goes by when they began to, then by their numbers; so the first of them waits for nobody but who holds, and
   who holds waits for no other group, but gives up (decide_turn.c): nobody waits for ever. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

void fold_turn(struct run_state *state, const struct event *event)
{
    struct step_state *step = &state->steps[event->step];
    uint32_t stage = state->plan->steps[event->step].stage;
    free(step->message);
    step->message = mem_copy_text(json_text(event->data, "message", NULL));
    if (event->type != EVENT_step_granted) return;
    state->stages[stage].granted = true;
    stage_mark_dirty(state, stage);
}

bool stage_waits_for_turn(const struct run_state *state, uint32_t stage)
{
    const struct plan_stage *plan = &state->plan->stages[stage];
    uint32_t cursor = state->stages[stage].cursor;
    if (cursor >= plan->step_count) return false;
    const struct step_state *step = &state->steps[plan->first_step + cursor];
    return step->status == STEP_parked && step->wait == WAIT_group;
}

static bool is_over(const struct run_state *state, const struct plan_claim *claim)
{
    for (uint32_t i = 0; i < claim->stage_count; i++)
        if (!stage_is_finished(state, claim->stages[i])) return false;
    return true;
}

enum claim_status claim_status(const struct run_state *state, uint32_t number)
{
    const struct plan_claim *claim = &state->plan->claims[number];
    bool waits = false, granted = false;
    for (uint32_t i = 0; i < claim->stage_count; i++) {
        granted |= state->stages[claim->stages[i]].granted;
        waits |= stage_waits_for_turn(state, claim->stages[i]);
    }
    if (run_status_at_rest(state->status) || (state->status == RUN_rollback_failed && state->lets_go)) return CLAIM_DONE;
    if (granted && is_over(state, claim)) return CLAIM_DONE;
    if (granted) return state->gave_back ? CLAIM_WAITS : CLAIM_HELD;
    return waits ? CLAIM_WAITS : CLAIM_IDLE;
}

/* Who asks only now comes behind all that wait; who is to go on undoing comes before them. */
static int64_t asked_ms(const struct run_state *state, uint32_t number)
{
    if (state->gave_back && claim_status(state, number) == CLAIM_WAITS) return 0;
    const struct plan_claim *claim = &state->plan->claims[number];
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < claim->stage_count; i++)
        if (stage_waits_for_turn(state, claim->stages[i]) && state->stages[claim->stages[i]].asked_ms < first)
            first = state->stages[claim->stages[i]].asked_ms;
    return first;
}

static bool is_before(const struct run_state *other, uint32_t other_claim, const struct turn *turn)
{
    int64_t theirs = asked_ms(other, other_claim);
    return theirs != turn->asked_ms ? theirs < turn->asked_ms : other->run < turn->state->run;
}

void turn_begin(const struct run_state *state, uint32_t claim, struct turn *turn)
{
    *turn = (struct turn){.state = state, .claim = claim, .status = claim_status(state, claim), .asked_ms = asked_ms(state, claim)};
}

static void note_busy(struct turn *turn, const struct plan_group *group)
{
    if (!turn->group) turn->group = group->name;
    if (group->queue > turn->queue) turn->queue = group->queue;
}

static void meet_holder(struct turn *turn, const struct run_state *other, const struct plan_group *group)
{
    note_busy(turn, group);
    if (turn->holder) return;
    turn->group = group->name;
    turn->holder = other->run;
    turn->holder_status = other->status;
    turn->holder_wait = other->wait;
}

/* A run that a person must look at first is passed over until that is done. */
static bool can_go_on(const struct run_state *state)
{
    return state->status == RUN_running || state->status == RUN_waiting || state->status == RUN_cancelling || state->gave_back;
}

/* The group of ours that theirs is too; NULL: they have nothing to do with each other. both_supersede: of any such group. */
static const struct plan_group *common_group(const struct plan_claim *ours, const struct plan_claim *theirs, bool *both_supersede)
{
    const struct plan_group *common = NULL;
    *both_supersede = false;
    for (uint32_t i = 0; i < ours->group_count; i++)
        for (uint32_t k = 0; k < theirs->group_count; k++) {
            const struct plan_group *a = &ours->groups[i], *b = &theirs->groups[k];
            if (!text_equal(a->name, b->name)) continue;
            if (!common || a->queue > common->queue) common = a;
            *both_supersede |= a->queue == GROUP_SUPERSEDE && b->queue == GROUP_SUPERSEDE;
        }
    return common;
}

static void meet_claim(struct turn *turn, const struct run_state *other, uint32_t number)
{
    bool both_supersede;
    const struct plan_claim *claims = other->plan->claims;
    const struct plan_group *common = common_group(&turn->state->plan->claims[turn->claim], &claims[number], &both_supersede);
    if (!common) return;
    enum claim_status status = claim_status(other, number);
    if (status == CLAIM_HELD) meet_holder(turn, other, common);
    if (status != CLAIM_WAITS || !can_go_on(other)) return;
    bool releases = turn->status == CLAIM_WAITS && !other->gave_back; /* one that is to be undone is no newer release */
    if (releases && both_supersede && other->run > turn->state->run && other->run > turn->newer) turn->newer = other->run;
    if (!is_before(other, number, turn)) return;
    note_busy(turn, common);
    turn->before++;
}

void turn_meet(struct turn *turn, const struct run_state *other)
{
    if (other == turn->state || run_status_at_rest(other->status)) return;
    if (turn->status == CLAIM_HELD || turn->status == CLAIM_DONE) return;
    for (uint32_t i = 0; i < other->plan->claim_count; i++)
        meet_claim(turn, other, i);
}

/* Only what a person can end is worth a word to who waits: a canary's timer comes and goes at every tick. */
static bool is_a_persons(enum wait wait)
{
    return wait == WAIT_approval || wait == WAIT_person;
}

static void add_trouble(struct text *out, const struct turn *turn)
{
    unsigned long long run = turn->holder;
    if (turn->holder_status == RUN_rollback_failed)
        text_add_format(out,
            "; it could not be rolled back: crescendo show %llu says what is to be undone by hand, then crescendo resolve %llu --undone",
            run, run);
    else if (turn->holder_status == RUN_needs_person)
        text_add_format(out, "; it needs a person: crescendo explain %llu says why and what to do", run);
    else if (turn->holder_status == RUN_waiting && is_a_persons(turn->holder_wait))
        text_add_format(out, " and waits for %s", wait_name(turn->holder_wait));
}

char *turn_words(const struct turn *turn)
{
    struct text out = {0};
    if (turn->holder) text_add_format(&out, "run %llu holds %s", (unsigned long long)turn->holder, turn->group);
    if (turn->holder) add_trouble(&out, turn);
    if (!turn->holder) text_add(&out, turn->group ? turn->group : "nothing");
    if (turn->before) text_add_format(&out, "%s %u before it", turn->holder ? "," : ":", turn->before);
    return text_take(&out);
}

uint64_t turn_mark(const struct run_state *state)
{
    uint64_t mark = 0, holds = 0;
    for (uint32_t i = 0; i < state->plan->claim_count; i++) {
        enum claim_status status = claim_status(state, i);
        mark = mark * 31 + (uint64_t)status;
        holds |= status == CLAIM_HELD;
    }
    bool waits = state->status == RUN_waiting;
    enum run_status status = waits && !is_a_persons(state->wait) ? RUN_running : state->status; /* as it is told (turn_words) */
    uint64_t how = (uint64_t)status * WAIT_COUNT + (uint64_t)(waits && is_a_persons(state->wait) ? state->wait : WAIT_none) + 1;
    return mark * 1000 + (holds || !can_go_on(state) ? how : 0);
}

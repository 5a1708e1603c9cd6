/* test_moves.c: every state × every event, for run, step and effect: the moves of states.def happen, all others are refused and
   change nothing. The expected moves are read from the same table by another way than the code's. */
#include "tests/unit/state/fixture.h"

struct move {
    int from, event, to;
};

static const struct move run_moves[] = {
#define RUN_MOVE(from, event, to) {RUN_##from, EVENT_##event, RUN_##to},
#include "crescendo/states.def"
#undef RUN_MOVE
};
static const struct move step_moves[] = {
#define STEP_MOVE(from, event, to) {STEP_##from, EVENT_##event, STEP_##to},
#include "crescendo/states.def"
#undef STEP_MOVE
};
static const struct move effect_moves[] = {
#define EFFECT_MOVE(from, event, to) {EFFECT_##from, EVENT_##event, EFFECT_##to},
#include "crescendo/states.def"
#undef EFFECT_MOVE
};

static int expected(const struct move *moves, size_t count, int from, int event)
{
    for (size_t i = 0; i < count; i++)
        if (moves[i].from == from && moves[i].event == event) return moves[i].to;
    return -1;
}

/* A payload that suits every event. */
static json_t *any_payload(int event)
{
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s}", "reason", "failed", "for", "timer", "attempt",
        event == EVENT_step_starting || event == EVENT_step_compensating ? 2 : 1, "name", "order", "key", "k", "digest", "d", "by", "bob",
        "number", 7, "until", 5000, "as", "done", "id", "17");
}

static struct run_state *state_with(const struct plan *plan, enum run_status run, enum step_status step)
{
    struct run_state *state = run_state_new(plan);
    bool is_live = step == STEP_starting || step == STEP_running || step == STEP_cancelling || step == STEP_compensating;
    state->event_count = 1;
    state->status = run;
    state->steps[0].status = step;
    state->steps[0].attempt = 1;
    state->live_count = state->live_stage_count = state->stages[0].live = is_live;
    state->ready_count = step == STEP_ready;
    state->unknown_count = step == STEP_unknown;
    if (step == STEP_parked) {
        state->steps[0].wait = WAIT_timer;
        state->parked_count[WAIT_timer] = 1;
    }
    return state;
}

static int fold_one(struct run_state *state, int type, uint32_t step)
{
    struct event event = {.type = (enum event_type)type, .step = step, .time_ms = 10, .data = any_payload(type)};
    struct error err = {0};
    AUTO(free_json) json_t *before = run_state_to_json(state);
    uint64_t count = state->event_count;
    int result = reduce(state, &event, &err);
    event_release(&event);
    if (result) {
        AUTO(free_json) json_t *after = run_state_to_json(state);
        assert_int_equal(result, -ERROR_STATE);
        assert_true(err.message[0]);
        assert_true(json_equal(before, after) && count == state->event_count);
    }
    return result;
}

static void run_matrix(void **unused)
{
    (void)unused;
    struct plan *plan = make_plan("stage s\nstep a\n");
    for (int from = 0; from < RUN_STATUS_COUNT; from++)
        for (int event = 0; event < EVENT_TYPE_COUNT; event++) {
            if (event_type_subject((enum event_type)event) != EVENT_SUBJECT_RUN) continue;
            struct run_state *state = state_with(plan, (enum run_status)from, STEP_pending);
            if (event == EVENT_run_accepted) state->event_count = 0;
            int to = expected(run_moves, COUNT_OF(run_moves), from, event);
            int result = fold_one(state, event, NO_STEP);
            assert_int_equal(result, to < 0 ? -ERROR_STATE : 0);
            assert_int_equal((int)state->status, to < 0 ? from : to);
            run_state_free(&state);
        }
    free_made_plan(&plan);
}

static void step_matrix(void **unused)
{
    (void)unused;
    struct plan *plan = make_plan("stage s\nstep a\n");
    for (int from = 0; from < STEP_STATUS_COUNT; from++)
        for (int event = 0; event < EVENT_TYPE_COUNT; event++) {
            if (event_type_subject((enum event_type)event) != EVENT_SUBJECT_STEP) continue;
            struct run_state *state = state_with(plan, RUN_running, (enum step_status)from);
            int to = expected(step_moves, COUNT_OF(step_moves), from, event);
            int result = fold_one(state, event, 0);
            assert_int_equal(result, to < 0 ? -ERROR_STATE : 0);
            assert_int_equal((int)state->steps[0].status, to < 0 ? from : to);
            run_state_free(&state);
        }
    free_made_plan(&plan);
}

static void effect_matrix(void **unused)
{
    (void)unused;
    struct plan *plan = make_plan("stage s\nstep a effects\n");
    for (int from = 0; from < EFFECT_STATUS_COUNT; from++)
        for (int event = 0; event < EVENT_TYPE_COUNT; event++) {
            if (event_type_subject((enum event_type)event) != EVENT_SUBJECT_EFFECT) continue;
            struct run_state *state = state_with(plan, RUN_running, STEP_running);
            if (from != EFFECT_planned) {
                assert_int_equal(fold_one(state, EVENT_effect_intended, 0), 0);
                state->steps[0].effects->status = (enum effect_status)from;
            }
            int to = expected(effect_moves, COUNT_OF(effect_moves), from, event);
            assert_int_equal(fold_one(state, event, 0), to < 0 ? -ERROR_STATE : 0);
            if (from != EFFECT_planned || to >= 0) assert_int_equal((int)state->steps[0].effects->status, to < 0 ? from : to);
            run_state_free(&state);
        }
    free_made_plan(&plan);
}

/* At rest means: nothing but a compensation leads away. */
static void rest_is_rest(void **unused)
{
    (void)unused;
    for (int from = 0; from < RUN_STATUS_COUNT; from++)
        for (int event = 0; event < EVENT_TYPE_COUNT; event++)
            if (run_status_at_rest((enum run_status)from)) assert_int_equal(run_move((enum run_status)from, (enum event_type)event), -1);
    for (size_t i = 0; i < COUNT_OF(step_moves); i++)
        if (step_status_at_rest((enum step_status)step_moves[i].from)) assert_int_equal(step_moves[i].to, STEP_compensating);
}

static void abort_is_legal_everywhere(void **unused)
{
    (void)unused;
    for (int from = 0; from < RUN_STATUS_COUNT; from++) {
        int to = run_move((enum run_status)from, EVENT_cancel_requested);
        assert_int_equal(to < 0, run_status_at_rest((enum run_status)from));
        if (to >= 0) assert_int_not_equal(to, RUN_succeeded);
    }
}

static void names_lead_back(void **unused)
{
    (void)unused;
    for (int i = 0; i < RUN_STATUS_COUNT; i++)
        assert_int_equal(run_status_from_name(run_status_name((enum run_status)i)), i);
    for (int i = 0; i < STEP_STATUS_COUNT; i++)
        assert_int_equal(step_status_from_name(step_status_name((enum step_status)i)), i);
    for (int i = 0; i < EVENT_TYPE_COUNT; i++)
        assert_int_equal(event_type_from_name(event_type_name((enum event_type)i)), i);
    for (int i = 0; i < REASON_COUNT; i++)
        assert_int_equal(reason_from_name(reason_name((enum reason)i)), i);
    for (int i = 0; i < WAIT_COUNT; i++)
        assert_int_equal(wait_from_name(wait_name((enum wait)i)), i);
    assert_int_equal(run_status_from_name("nothing"), -1);
    assert_int_equal(event_type_from_name(NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_matrix),
        cmocka_unit_test(step_matrix),
        cmocka_unit_test(effect_matrix),
        cmocka_unit_test(rest_is_rest),
        cmocka_unit_test(abort_is_legal_everywhere),
        cmocka_unit_test(names_lead_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

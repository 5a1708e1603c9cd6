/* test_replay.c: what no event tells, and replay must not guess: the order in which stages were looked at, what was told of others' turns,
   a clock that was set back. What could not be decided in any of these ways is told as different. */
#include "tests/unit/state/fixture.h"

#include "state/replay.h"

struct past {
    struct plan *plan;
    struct event_list events;
};

static void happened(struct past *past, int64_t time_ms, enum event_type type, const char *path, json_t *data)
{
    uint32_t step = 0;
    while (path && step < past->plan->step_count && strcmp(past->plan->steps[step].path, path) != 0)
        step++;
    event_list_add(&past->events, type, path ? step : NO_STEP, time_ms, data);
}

static struct past past_new(const char *plan)
{
    struct past past = {.plan = make_plan(plan)};
    happened(&past, 1000, EVENT_run_accepted, NULL, json_pack("{s:i, s:s}", "number", 1, "author", "ann"));
    happened(&past, 1000, EVENT_run_started, NULL, NULL);
    return past;
}

static void past_release(struct past *past)
{
    event_list_release(&past->events);
    free_made_plan(&past->plan);
}

/* Where it differs; its length: nowhere. */
static size_t replayed_to(const struct past *past)
{
    struct replay_result result = {0};
    struct error err = {0};
    if (replay_decisions(&(struct replay){past->plan, past->events.items, past->events.count}, &result, &err) < 0)
        fail_msg("%s", err.message);
    size_t counted = result.decided + result.settled + result.taken;
    assert_int_equal(counted, result.at);
    assert_int_equal(result.same, result.at == past->events.count);
    json_decref(result.decisions);
    return result.at;
}

static json_t *attempt(int number)
{
    return json_pack("{s:i}", "attempt", number);
}

/* --- in which order --- */

static const char TWO_STAGES[] = "stage a needs=-\nstep s run\nstage b needs=-\nstep s run\n";

static size_t replay_two(enum event_type first, const char *first_path, enum event_type second, const char *second_path)
{
    struct past past = past_new(TWO_STAGES);
    happened(&past, 1000, first, first_path, first == EVENT_step_starting ? attempt(1) : NULL);
    happened(&past, 1000, second, second_path, second == EVENT_step_starting ? attempt(1) : NULL);
    size_t at = replayed_to(&past);
    past_release(&past);
    return at;
}

static void either_stage_may_have_been_first(void **state)
{
    (void)state;
    assert_int_equal(replay_two(EVENT_step_starting, "a/s", EVENT_step_ready, "b/s"), 4);
    assert_int_equal(replay_two(EVENT_step_starting, "b/s", EVENT_step_ready, "a/s"), 4);
    assert_int_equal(replay_two(EVENT_step_starting, "b/s", EVENT_step_starting, "a/s"), 4);
}

/* Who is looked at first gets the only slot. */
static void no_order_passes_over_the_first(void **state)
{
    (void)state;
    assert_int_equal(replay_two(EVENT_step_ready, "a/s", EVENT_step_starting, "b/s"), 2);
    assert_int_equal(replay_two(EVENT_step_ready, "b/s", EVENT_step_starting, "a/s"), 2);
}

/* --- whose turn --- */

static const char GROUPED[] = "stage one needs=-\nstep s run\nstage two needs=one groups=lab\nstep s run\n"
                              "stage three needs=- groups=lab\nstep s run\n";

static json_t *words(const char *message)
{
    return json_pack("{s:s}", "message", message);
}

static json_t *waits(const char *message)
{
    return json_pack("{s:s, s:s}", "for", "group", "message", message);
}

/* Stage two asks, and is told what three was told; then, in the same millisecond, who stands before them goes away. */
static struct past past_of_words(const char *told_two, const char *told_three)
{
    static const char before[] = "waits for its turn: run 2 holds lab, 1 before it";
    struct past past = past_new(GROUPED);
    happened(&past, 1000, EVENT_step_starting, "one/s", attempt(1));
    happened(&past, 1000, EVENT_step_parked, "three/s", waits(before));
    happened(&past, 1001, EVENT_step_running, "one/s", json_pack("{s:i, s:i}", "attempt", 1, "pid", 7));
    happened(&past, 1033, EVENT_step_succeeded, "one/s", json_pack("{s:i}", "exit", 0));
    happened(&past, 1033, EVENT_step_parked, "two/s", waits(before));
    happened(&past, 1033, EVENT_run_waiting, NULL, json_pack("{s:s}", "for", "group"));
    happened(&past, 1033, EVENT_step_waits, "two/s", words(told_two));
    happened(&past, 1033, EVENT_step_waits, "three/s", words(told_three));
    return past;
}

static void words_may_change_within_a_millisecond(void **state)
{
    (void)state;
    struct past past = past_of_words("waits for its turn: run 2 holds lab", "waits for its turn: run 2 holds lab");
    assert_int_equal(replayed_to(&past), past.events.count);
    past_release(&past);
}

/* Both are told of one claim, at once. */
static void two_words_of_one_claim_differ(void **state)
{
    (void)state;
    struct past past = past_of_words("waits for its turn: run 2 holds lab", "waits for its turn: run 3 holds lab");
    assert_int_equal(replayed_to(&past), 8);
    past_release(&past);
}

static void a_turn_lets_in_all_that_wait_for_it(void **state)
{
    (void)state;
    struct past past = past_of_words("waits for its turn: run 2 holds lab", "waits for its turn: run 2 holds lab");
    happened(&past, 1040, EVENT_step_granted, "two/s", json_pack("{s:[s]}", "groups", "lab"));
    happened(&past, 1040, EVENT_run_resumed, NULL, NULL);
    assert_int_equal(replayed_to(&past), 10);
    past.events.count--; /* three was let in as well, before the run went on */
    happened(&past, 1040, EVENT_step_granted, "three/s", json_pack("{s:[s]}", "groups", "lab"));
    happened(&past, 1040, EVENT_run_resumed, NULL, NULL);
    assert_int_equal(replayed_to(&past), past.events.count);
    past_release(&past);
}

/* --- the clock --- */

/* A step waits 60 s for its retry from 100 s on, and is woken when the clock says so. */
static size_t replay_wake(int64_t woken_ms)
{
    struct past past = past_new("stage a\nstep s run retry=1:60000:failed\n");
    struct run_state *state = run_state_new(past.plan);
    struct error err = {0};
    happened(&past, 1000, EVENT_step_starting, "a/s", attempt(1));
    happened(&past, 1001, EVENT_step_running, "a/s", json_pack("{s:i, s:i}", "attempt", 1, "pid", 7));
    for (size_t i = 0; i < past.events.count; i++)
        if (reduce(state, &past.events.items[i], &err) < 0) fail_msg("%s", err.message);
    settle(state, &(struct report){.type = REPORT_EXITED, .attempt = 1, .time_ms = 100 * 1000, .exit_code = 3}, &past.events);
    run_state_free(&state);
    happened(&past, 100 * 1000, EVENT_run_waiting, NULL, json_pack("{s:s}", "for", "retry"));
    happened(&past, woken_ms, EVENT_step_woken, "a/s", json_pack("{s:s}", "by", "retry"));
    happened(&past, woken_ms, EVENT_run_resumed, NULL, NULL);
    size_t at = replayed_to(&past), count = past.events.count;
    past_release(&past);
    return count - at;
}

static void a_clock_that_was_set_back_wakes(void **state)
{
    (void)state;
    assert_int_equal(replay_wake(170 * 1000), 0);
    assert_int_equal(replay_wake(50 * 1000), 0);
    assert_int_equal(replay_wake(130 * 1000), 2);       /* too early */
    assert_int_equal(replay_wake(100 * 1000 - 500), 2); /* a clock that was only put right */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_stage_may_have_been_first),
        cmocka_unit_test(no_order_passes_over_the_first),
        cmocka_unit_test(words_may_change_within_a_millisecond),
        cmocka_unit_test(two_words_of_one_claim_differ),
        cmocka_unit_test(a_turn_lets_in_all_that_wait_for_it),
        cmocka_unit_test(a_clock_that_was_set_back_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_simulate.c: a user's plan in the simulated world: what is sent, made, asked and told, scenario by scenario. */
#include "tests/unit/sim/fixture.h"

static const char *const RELEASE = "stage build\n"
                                   "step compile run\n"
                                   "stage release\n"
                                   "step order order undo=order\n"
                                   "step promote promote pivot=promotion\n";

static void assert_end(const json_t *report, const char *end)
{
    assert_string_equal(json_text(report, "end", ""), end);
    assert_true(json_flag(report, "held", false));
    assert_null(json_object_get(report, "broken"));
}

static void calm_sends_each_order_once(void **state)
{
    (void)state;
    AUTO(free_json) json_t *report = live_text(RELEASE, "calm", 1);
    assert_end(report, "succeeded");
    assert_true(json_flag(report, "meant", false));
    assert_int_equal(json_array_size(json_object_get(report, "faults")), 0);
    assert_int_equal(json_array_size(json_object_get(report, "orders")), 2);
    const json_t *order = order_named(report, "order", false);
    assert_int_equal(json_whole(order, "sent", 0), 1);
    assert_int_equal(json_whole(order, "asked", 9), 0);
    assert_int_equal(json_whole(order, "made", 0), 1);
    assert_string_equal(json_text(order, "state", ""), "done");
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    AUTO(free_json) json_t *first = live_text(RELEASE, "storm", 5);
    AUTO(free_json) json_t *again = live_text(RELEASE, "storm", 5);
    AUTO(free_json) json_t *other = live_text(RELEASE, "storm", 6);
    assert_true(json_equal(first, again));
    assert_false(json_equal(first, other));
}

static void a_step_with_several_effects_has_each(void **state)
{
    (void)state;
    AUTO(free_json) json_t *report = live_text("stage s\nstep offer publish undo=package undo=offering undo=third\n", "calm", 1);
    assert_end(report, "succeeded");
    static const char *const names[] = {"package", "offering", "third"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(json_whole(order_named(report, names[i], false), "made", 0), 1);
}

/* Whatever is lost, nothing is made twice; and what was lost is asked for. */
static void lost_replies_are_asked_for(void **state)
{
    (void)state;
    struct plan *plan = make_plan(RELEASE);
    int64_t lost = 0, asked = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        AUTO(free_json) json_t *report = live(plan, "lossy-order", seed);
        assert_end(report, "succeeded");
        lost += times_of(report, "reply_lost");
        asked += json_whole(order_named(report, "order", false), "asked", 0);
        assert_int_equal(json_whole(order_named(report, "order", false), "made", 0), 1);
    }
    free_made_plan(&plan);
    assert_true(lost > 10);
    assert_true(asked > 10);
}

static void what_nobody_can_tell_is_settled_by_a_person(void **state)
{
    (void)state;
    struct plan *plan = make_plan(RELEASE);
    size_t settled = 0, left = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        AUTO(free_json) json_t *report = live(plan, "forgetful-peer", seed);
        AUTO(free_json) json_t *alone = live(plan, "absent-person", seed);
        assert_true(json_flag(report, "held", false) && json_flag(alone, "held", false));
        settled += json_array_size(json_object_get(report, "settled"));
        left += !strcmp(json_text(alone, "end", ""), "needs_person");
        assert_int_equal(json_array_size(json_object_get(alone, "settled")), 0);
    }
    free_made_plan(&plan);
    assert_true(settled > 5);
    assert_true(left > 5);
}

static void refused_orders_take_back_what_was_done(void **state)
{
    (void)state;
    struct plan *plan = make_plan("stage release\nstep one order undo=first\nstep two order undo=second\n");
    size_t rolled_back = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        AUTO(free_json) json_t *report = live(plan, "refusing-peer", seed);
        assert_true(json_flag(report, "held", false));
        if (strcmp(json_text(report, "end", ""), "rolled_back") != 0) continue;
        rolled_back++;
        assert_string_not_equal(json_text(order_named(report, "first", false), "state", ""), "done");
    }
    free_made_plan(&plan);
    assert_true(rolled_back > 5);
}

/* The shim ends what hangs when the step's own time is over. */
static void what_hangs_is_ended_by_its_timeout(void **state)
{
    (void)state;
    struct plan *plan = make_plan("stage s\nstep one run timeout=600000\nstep two run timeout=600000\n");
    size_t timed_out = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        AUTO(free_json) json_t *report = live(plan, "hanging-steps", seed);
        assert_true(json_flag(report, "held", false));
        if (strcmp(json_text(report, "reason", ""), "timeout") != 0) continue;
        timed_out++;
        assert_true(json_whole(report, "took_ms", 0) >= 600000);
    }
    free_made_plan(&plan);
    assert_true(timed_out > 2 && timed_out < 38);
}

/* --- canaries --- */

static struct plan *canary_plan(void)
{
    static const char *const names[] = {"share 1", "share 2", "back"};
    struct plan *plan = make_plan("stage release scope=use\nstep order order undo=order\nstep judge kpi undo=a undo=b pivot=c\n"
                                  "step promote promote pivot=promotion\n");
    json_t *effects = plan->steps[1].effects;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        json_put_text(json_array_get(effects, i), "name", names[i]);
    json_object_del(json_array_get(effects, 2), "pivot");
    return plan;
}

static void a_good_canary_gets_every_share(void **state)
{
    (void)state;
    struct plan *plan = canary_plan();
    AUTO(free_json) json_t *report = live(plan, "calm", 1);
    free_made_plan(&plan);
    assert_end(report, "succeeded");
    assert_int_equal(json_whole(order_named(report, "share 1", false), "made", 0), 1);
    assert_int_equal(json_whole(order_named(report, "share 2", false), "made", 0), 1);
    assert_null(order_named(report, "back", false));
}

static void a_bad_canary_is_taken_back(void **state)
{
    (void)state;
    struct plan *plan = canary_plan();
    for (uint64_t seed = 1; seed <= 20; seed++) {
        AUTO(free_json) json_t *report = live(plan, "bad-canary", seed);
        assert_end(report, "rolled_back");
        assert_true(json_flag(report, "meant", false));
        assert_string_equal(json_text(report, "reason", ""), "kpi_harm");
        assert_int_equal(json_whole(order_named(report, "back", false), "made", 0), 1);
        assert_string_equal(json_text(order_named(report, "order", false), "state", ""), "compensated");
        assert_null(order_named(report, "promotion", false));
    }
    free_made_plan(&plan);
}

static void without_data_nothing_is_promoted(void **state)
{
    (void)state;
    struct plan *plan = canary_plan();
    AUTO(free_json) json_t *report = live(plan, "no-data", 1);
    free_made_plan(&plan);
    assert_end(report, "rolled_back");
    assert_string_equal(json_text(report, "reason", ""), "no_data");
    assert_null(order_named(report, "promotion", false));
}

/* --- people --- */

static void a_quorum_is_of_different_people(void **state)
{
    (void)state;
    AUTO(free_json) json_t *report = live_text("stage sign\nstep approve approve by=ops quorum=2 expires=86400000\n", "calm", 1);
    assert_end(report, "succeeded");
    const json_t *votes = json_object_get(json_array_get(json_object_get(report, "asked"), 0), "votes");
    assert_int_equal(json_array_size(votes), 2);
    assert_string_not_equal(json_string_value(json_array_get(votes, 0)), json_string_value(json_array_get(votes, 1)));
}

static void an_approval_that_nobody_gives_expires_or_waits(void **state)
{
    (void)state;
    AUTO(free_json) json_t *expired = live_text("stage sign\nstep approve approve by=ops expires=86400000\n", "absent-approver", 1);
    AUTO(free_json) json_t *waits = live_text("stage sign\nstep approve approve by=ops\n", "absent-approver", 1);
    assert_end(expired, "failed");
    assert_string_equal(json_text(expired, "reason", ""), "expired");
    assert_true(json_whole(expired, "took_ms", 0) >= 86400000);
    assert_end(waits, "waiting");
}

/* --- deaths --- */

struct heard {
    struct run_state *state;
    size_t wrong, faults;
    int64_t last_ms;
};

static void hear_event(void *context, const struct event *event)
{
    struct heard *heard = context;
    struct error err = {0};
    heard->wrong += reduce(heard->state, event, &err) != 0;
}

static void hear_fault(void *context, int64_t ms, enum fault fault, uint32_t step, bool of_undo)
{
    struct heard *heard = context;
    (void)fault, (void)step, (void)of_undo;
    heard->faults++;
    heard->wrong += ms < heard->last_ms;
    heard->last_ms = ms;
}

/* What is heard is a journal again: nothing twice, nothing missing, whatever died. */
static void who_listens_hears_nothing_twice(void **state)
{
    (void)state;
    struct plan *plan = make_plan(RELEASE);
    size_t faults = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct heard heard = {.state = run_state_new(plan)};
        const struct simulation simulation = {.plan = plan,
            .odds = scenario_find("storm"),
            .seed = seed,
            .listener = {.context = &heard, .event = hear_event, .fault = hear_fault}};
        AUTO(free_json) json_t *report = simulate(&simulation);
        assert_int_equal(heard.wrong, 0);
        assert_string_equal(run_status_name(heard.state->status), json_text(report, "end", ""));
        faults += heard.faults;
        run_state_free(&heard.state);
    }
    free_made_plan(&plan);
    assert_true(faults > 60);
}

static void a_plan_that_cannot_be_touched_may_end_as_it_does(void **state)
{
    (void)state;
    AUTO(free_json) json_t *report = live_text("stage build\nstep compile run\n", "bad-canary", 1);
    assert_end(report, "succeeded");
    assert_true(json_flag(report, "meant", false));
}

static void an_end_that_is_not_meant_is_said(void **state)
{
    (void)state;
    AUTO(free_json) json_t *report = live_text("timeout 1\nstage build\nstep compile run\nstep test run\n", "calm", 1);
    assert_end(report, "failed");
    assert_false(json_flag(report, "meant", true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calm_sends_each_order_once),
        cmocka_unit_test(the_same_seed_is_the_same_run),
        cmocka_unit_test(a_step_with_several_effects_has_each),
        cmocka_unit_test(lost_replies_are_asked_for),
        cmocka_unit_test(what_nobody_can_tell_is_settled_by_a_person),
        cmocka_unit_test(refused_orders_take_back_what_was_done),
        cmocka_unit_test(what_hangs_is_ended_by_its_timeout),
        cmocka_unit_test(a_good_canary_gets_every_share),
        cmocka_unit_test(a_bad_canary_is_taken_back),
        cmocka_unit_test(without_data_nothing_is_promoted),
        cmocka_unit_test(a_quorum_is_of_different_people),
        cmocka_unit_test(an_approval_that_nobody_gives_expires_or_waits),
        cmocka_unit_test(who_listens_hears_nothing_twice),
        cmocka_unit_test(a_plan_that_cannot_be_touched_may_end_as_it_does),
        cmocka_unit_test(an_end_that_is_not_meant_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

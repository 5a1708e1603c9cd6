/* test_project_states.c: the states of an order and its items, while it waits, runs, is cancelled, and at its end. */
#include "order_run.h"

static void every_state_of_a_run_is_a_state_of_its_order(void **state)
{
    (void)state;
    static const struct {
        enum run_status status;
        const char *order, *when_cancelled;
    } cases[] = {
        {RUN_queued, "acknowledged", "acknowledged"},
        {RUN_running, "inProgress", "inProgress"},
        {RUN_waiting, "inProgress", "inProgress"},
        {RUN_cancelling, "inProgress", "assessingCancellation"},
        {RUN_succeeded, "completed", "completed"},
        {RUN_failed, "failed", "failed"},
        {RUN_cancelled, "cancelled", "cancelled"},
        {RUN_rolling_back, "inProgress", "pendingCancellation"},
        {RUN_rolled_back, "failed", "cancelled"},
        {RUN_rollback_failed, "held", "held"},
        {RUN_needs_person, "held", "held"},
    };
    assert_int_equal(COUNT_OF(cases), RUN_STATUS_COUNT);
    struct world world = world_new();
    struct order_run run = run_new(&world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", ""))));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        run.state->status = cases[i].status;
        assert_string_equal(order_state(run.state), cases[i].order);
        run.state->cancelled_by = (char *)"ada";
        assert_string_equal(order_state(run.state), cases[i].when_cancelled);
        run.state->cancelled_by = NULL;
        AUTO(free_json) json_t *order = order_of(&run); /* and none of them is too much for the documents */
        AUTO(free_json) json_t *service = service_of(&run, "17.1");
        assert_non_null(order);
        assert_non_null(service);
    }
    run_release(&run);
    world_release(&world);
}

/* What is asked to be cancelled is looked at first (what became of what was under way?), then it is undone. */
static void a_cancel_is_assessed_then_pending_on_the_order_and_its_items(void **state)
{
    (void)state;
    struct world world = world_new();
    struct order_run run =
        run_new(&world, "{'serviceOrderItem':[" ITEM("1", "add",
                            ADD_WEB("1.0.0", VALUE("component", "'slice'"))) ",{'id':'2','action':'add','service':" ADD_WEB("1.0.0",
                            "") ",'serviceOrderItemRelationship':[{'relationshipType':'dependency','orderItem':{'itemId':'1'}}]}]}");
    run_start_step(&run, 0);
    run_event(&run, EVENT_step_succeeded, 0, "{'exit':0}");
    run_start_step(&run, 1);
    run_effect(&run, 1, "start");
    ASSERT_STATES(&run, "inProgress", "completed", "17.1", "active");
    run_event(&run, EVENT_cancel_requested, NO_STEP, "{'by':'ada'}");
    ASSERT_STATES(&run, "assessingCancellation", "assessingCancellation", "17.1", "active");
    ASSERT_STATES(&run, "assessingCancellation", "assessingCancellation", "17.2", "reserved");
    run_event(&run, EVENT_step_cancelling, 1, "{'reason':'operator'}");
    run_event(&run, EVENT_step_cancelled, 1, "{'reason':'operator'}");
    run_event(&run, EVENT_run_rolling_back, NO_STEP, "{'reason':'operator'}");
    ASSERT_STATES(&run, "pendingCancellation", "pendingCancellation", "17.2", "reserved");
    run_event(&run, EVENT_step_compensating, 1, "{'attempt':2}");
    run_event(&run, EVENT_effect_compensated, 1, "{'name':'start'}");
    run_event(&run, EVENT_step_compensated, 1, NULL);
    run_event(&run, EVENT_run_rolled_back, NO_STEP, "{'reason':'operator'}");
    ASSERT_STATES(&run, "cancelled", "cancelled", "17.1", "terminated");
    ASSERT_STATES(&run, "cancelled", "cancelled", "17.2", "terminated");
    run_release(&run);
    world_release(&world);
}

/* Nothing brings back a service that was ended: where an item behind it fails, the order is done in part. */
static void what_stands_of_an_order_that_failed_makes_it_partial(void **state)
{
    (void)state;
    struct world world = world_new();
    world_add_service(&world, video_service("1.1", "1.0.0", 1, 100));
    json_t *other = video_specification("1.0.0");
    json_put_text(other, "name", "audio");
    json_put(world.specifications, "audio", other);
    struct order_run run =
        run_new(&world, ORDER(ITEM("1", "delete", "{'id':'1.1'}") "," ITEM("2", "add", "{'serviceSpecification':{'id':'audio'}}")));
    run_start_step(&run, 0);
    run_effect(&run, 0, "stop");
    run_event(&run, EVENT_step_succeeded, 0, "{'exit':0}");
    run_start_step(&run, 1);
    run_event(&run, EVENT_step_failed, 1, "{'reason':'failed','message':'exit 1','exit':1}");
    ASSERT_STATES(&run, "inProgress", "completed", "1.1", "terminated");
    run_event(&run, EVENT_run_failed, NO_STEP, "{'reason':'failed','message':'exit 1'}");
    ASSERT_STATES(&run, "partial", "completed", "1.1", "terminated");
    AUTO(free_json) json_t *order = order_of(&run);
    assert_string_equal(json_text(json_array_get(json_object_get(order, "serviceOrderItem"), 1), "state", ""), "failed");
    assert_non_null(json_text(order, "completionDate", NULL));
    run_release(&run);
    world_release(&world);
}

static void an_order_is_acknowledged_until_its_start(void **state)
{
    (void)state;
    struct world world = world_new();
    struct order_run run =
        run_new(&world, "{'requestedStartDate':'2024-01-01T00:00:00Z','serviceOrderItem':[" ITEM("1", "add", ADD_WEB("1.0.0", "")) "]}");
    run_start_step(&run, 1);
    ASSERT_STATES(&run, "acknowledged", "acknowledged", "17.1", "reserved");
    run_event(&run, EVENT_step_parked, 1, "{'for':'timer','until':1704067200000}");
    run_event(&run, EVENT_run_waiting, NO_STEP, "{'for':'timer'}");
    ASSERT_STATES(&run, "acknowledged", "acknowledged", "17.1", "reserved");
    assert_true(order_is_ahead(run.state));
    AUTO(free_json) json_t *waiting = order_of(&run);
    assert_null(json_object_get(waiting, "startDate"));
    assert_int_equal(json_array_size(json_object_get(waiting, "serviceOrderItem")), 1);
    run_event(&run, EVENT_run_resumed, NO_STEP, NULL);
    run_event(&run, EVENT_step_woken, 1, "{'by':'timer'}");
    ASSERT_STATES(&run, "acknowledged", "acknowledged", "17.1", "reserved");
    run_event(&run, EVENT_step_starting, 1, "{'attempt':2}");
    run_event(&run, EVENT_step_running, 1, "{'attempt':2,'pid':1}");
    run_event(&run, EVENT_step_succeeded, 1, "{'exit':0}");
    run_start_step(&run, 0);
    assert_false(order_is_ahead(run.state));
    ASSERT_STATES(&run, "inProgress", "inProgress", "17.1", "reserved");
    AUTO(free_json) json_t *begun = order_of(&run);
    assert_non_null(json_text(begun, "startDate", NULL));
    run_event(&run, EVENT_step_failed, 0, "{'reason':'failed','message':'exit 1','exit':1}");
    run_event(&run, EVENT_run_failed, NO_STEP, "{'reason':'failed','message':'exit 1'}");
    ASSERT_STATES(&run, "failed", "failed", "17.1", "terminated"); /* that it was waited for is no part of it */
    run_release(&run);
    world_release(&world);
}

/* Its keeper hung when the cancel came, and had done it after all. */
static void an_end_that_was_found_to_be_done_is_done(void **state)
{
    (void)state;
    struct world world = world_new();
    world_add_service(&world, video_service("1.1", "1.0.0", 1, 100));
    struct order_run run = run_new(&world, ORDER(ITEM("1", "delete", "{'id':'1.1'}")));
    run_start_step(&run, 0);
    run_event(&run, EVENT_effect_intended, 0, "{'name':'stop','target':'it','key':'k','digest':'d','body':{}}");
    run_event(&run, EVENT_cancel_requested, NO_STEP, "{'by':'ada'}");
    run_event(&run, EVENT_step_cancelling, 0, "{'reason':'operator'}");
    run_event(&run, EVENT_step_unknown, 0, "{'message':'it was ended'}");
    run_event(&run, EVENT_step_cancelled, 0, "{'reason':'operator'}");
    run_event(&run, EVENT_run_rolling_back, NO_STEP, "{'reason':'operator'}");
    run_event(&run, EVENT_step_compensating, 0, "{'attempt':2}");
    run_event(&run, EVENT_effect_done, 0, "{'name':'stop','outcome':{}}");
    run_event(&run, EVENT_step_compensated, 0, NULL);
    run_event(&run, EVENT_run_rolled_back, NO_STEP, "{'reason':'operator'}");
    ASSERT_STATES(&run, "completed", "completed", "1.1", "terminated");
    run_release(&run);
    world_release(&world);
}

/* A held order may always be cancelled: what became of its open effect is found out then. */
static void an_order_is_cancelled_unless_nothing_brings_back_what_it_did(void **state)
{
    (void)state;
    struct world world = world_new();
    world_add_service(&world, video_service("1.1", "1.0.0", 1, 100));
    struct order_run run = run_new(&world, ORDER(ITEM("1", "delete", "{'id':'1.1'}")));
    assert_null(order_cancel_denial(run.state));
    run_start_step(&run, 0);
    run_event(&run, EVENT_effect_intended, 0, "{'name':'stop','target':'it','key':'k','digest':'d','body':{}}");
    assert_non_null(strstr(order_cancel_denial(run.state), "nothing brings back"));
    run_event(&run, EVENT_step_unknown, 0, "{'message':'nobody can tell'}");
    run_event(&run, EVENT_run_needs_person, NO_STEP, NULL);
    assert_string_equal(order_state(run.state), "held");
    assert_null(order_cancel_denial(run.state));
    run_event(&run, EVENT_cancel_requested, NO_STEP, "{'by':'ada'}");
    assert_non_null(strstr(order_cancel_denial(run.state), "already"));
    run.state->status = RUN_rollback_failed; /* its undoing was given up, and may be tried anew */
    assert_null(order_cancel_denial(run.state));
    run_release(&run);
    world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_of_a_run_is_a_state_of_its_order),
        cmocka_unit_test(a_cancel_is_assessed_then_pending_on_the_order_and_its_items),
        cmocka_unit_test(what_stands_of_an_order_that_failed_makes_it_partial),
        cmocka_unit_test(an_order_is_acknowledged_until_its_start),
        cmocka_unit_test(an_order_is_cancelled_unless_nothing_brings_back_what_it_did),
        cmocka_unit_test(an_end_that_was_found_to_be_done_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

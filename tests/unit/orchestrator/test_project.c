/* test_project.c: what an order and its services are said to be, in every state of its run. */
#include "order_run.h"

#include "base/text.h"
#include "net/tmf/characteristic.h"

static double share_of(const json_t *service)
{
    return characteristic_number(json_object_get(service, "serviceCharacteristic"), "traffic.share", -1);
}

static int64_t replicas_of(const json_t *service)
{
    return characteristic_whole(json_object_get(service, "serviceCharacteristic"), "replicas", -1);
}

static const json_t *kept_of(const json_t *service, const char *name)
{
    return characteristic_find(json_object_get(service, "serviceCharacteristic"), name);
}

static void a_service_is_reserved_until_it_is_there(void **state)
{
    (void)state;
    struct world world = world_new();
    struct order_run run = run_new(&world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("replicas", "2")))));
    ASSERT_STATES(&run, "acknowledged", "acknowledged", "17.1", "reserved");
    run_start_step(&run, 0);
    run_effect(&run, 0, "start");
    ASSERT_STATES(&run, "inProgress", "inProgress", "17.1", "reserved");
    run_event(
        &run, EVENT_step_succeeded, 0, "{'exit':0,'outputs':{'address':'http://127.0.0.1:18080','ready':2,'share':100.0,'message':''}}");
    ASSERT_STATES(&run, "inProgress", "completed", "17.1", "active");
    run_event(&run, EVENT_run_succeeded, NO_STEP, NULL);
    ASSERT_STATES(&run, "completed", "completed", "17.1", "active");
    AUTO(free_json) json_t *service = service_of(&run, "17.1");
    const json_t *list = json_object_get(service, "serviceCharacteristic");
    assert_string_equal(service_domain(service), "edge");
    assert_string_equal(service_family(service), "video");
    assert_string_equal(characteristic_text(list, "address", ""), "http://127.0.0.1:18080");
    assert_int_equal(characteristic_whole(list, "ready", 0), 2);
    assert_int_equal(replicas_of(service), 2);
    assert_true(share_of(service) == 100);
    assert_string_equal(json_text(json_array_get(json_object_get(service, "serviceOrderItem"), 0), "serviceOrderId", ""), "17");
    assert_non_null(json_text(service, "startDate", NULL));
    AUTO(free_json) json_t *order = order_of(&run);
    const json_t *item = json_array_get(json_object_get(order, "serviceOrderItem"), 0);
    assert_string_equal(json_text(order, "href", ""), "/tmf-api/serviceOrdering/v4/serviceOrder/17");
    assert_string_equal(json_text(json_object_get(item, "service"), "id", ""), "17.1");
    assert_non_null(json_text(order, "completionDate", NULL));
    assert_null(json_object_get(order, "errorMessage"));
    run_release(&run);
    world_release(&world);
}

static void a_failure_is_told_in_the_services_own_words_and_nothing_stays(void **state)
{
    (void)state;
    struct world world = world_new();
    struct order_run run = run_new(
        &world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", "")) "," ITEM("2", "add", ADD_WEB("1.0.0", VALUE("component", "'slice'")))));
    run_start_step(&run, 1);
    run_event(&run, EVENT_step_succeeded, 1, "{'exit':0}");
    run_start_step(&run, 0);
    run_effect(&run, 0, "start");
    run_event(&run, EVENT_step_output, 0, "{'name':'message','value':'it is not healthy: no such model'}");
    run_event(&run, EVENT_step_failed, 0, "{'reason':'failed','message':'exit 1','exit':1}");
    ASSERT_STATES(&run, "inProgress", "failed", "17.1", "reserved");
    run_event(&run, EVENT_run_rolling_back, NO_STEP, "{'reason':'failed'}");
    run_event(&run, EVENT_step_compensating, 0, "{'attempt':2}");
    ASSERT_STATES(&run, "inProgress", "inProgress", "17.1", "reserved");
    run_event(&run, EVENT_effect_compensated, 0, "{'name':'start'}");
    run_event(&run, EVENT_step_compensated, 0, NULL);
    ASSERT_STATES(&run, "inProgress", "failed", "17.1", "terminated");
    run_event(&run, EVENT_run_rolled_back, NO_STEP, "{'reason':'failed'}");
    ASSERT_STATES(&run, "failed", "failed", "17.1", "terminated");
    AUTO(free_json) json_t *slice = service_of(&run, "17.2");
    AUTO(free_json) json_t *order = order_of(&run);
    const json_t *error = json_array_get(json_object_get(order, "errorMessage"), 0);
    const json_t *items = json_object_get(order, "serviceOrderItem");
    assert_string_equal(json_text(slice, "state", ""), "terminated");
    assert_string_equal(json_text(error, "message", ""), "it is not healthy: no such model");
    assert_string_equal(json_text(error, "code", ""), "failed");
    assert_string_equal(json_text(json_array_get(json_object_get(error, "serviceOrderItem"), 0), "itemId", ""), "1");
    assert_string_equal(json_text(json_array_get(items, 1), "state", ""), "cancelled");
    assert_non_null(json_object_get(json_array_get(items, 0), "errorMessage"));
    run_release(&run);
    world_release(&world);
}

static void what_one_of_a_family_gets_the_other_has_not(void **state)
{
    (void)state;
    struct world world = world_new();
    world_add_service(&world, video_service("1.1", "1.0.0", 1, 100));
    struct order_run run = run_new(&world, ORDER(ITEM("1", "add", ADD_WEB("2.0.0", VALUE("traffic.share", "20")))));
    AUTO(free_json) json_t *untouched = service_of(&run, "1.1");
    assert_null(untouched);
    run_start_step(&run, 0);
    AUTO(free_json) json_t *before = service_of(&run, "1.1");
    assert_true(share_of(before) == 100);
    run_event(&run, EVENT_step_succeeded, 0, "{'exit':0,'outputs':{'address':'http://127.0.0.1:18080','ready':1}}");
    AUTO(free_json) json_t *after = service_of(&run, "1.1");
    AUTO(free_json) json_t *own = service_of(&run, "17.1");
    assert_true(share_of(after) == 80);
    assert_true(share_of(own) == 20);
    run_release(&run);
    world_release(&world);
}

static void a_change_shows_what_is_done_and_goes_back_when_undone(void **state)
{
    (void)state;
    struct world world = world_new();
    world_add_service(&world, video_service("1.1", "1.0.0", 1, 100));
    world_add_service(&world, video_service("2.1", "2.0.0", 1, 0));
    struct order_run run = run_new(&world, ORDER(ITEM("1", "modify",
                                               "{'id':'2.1','serviceCharacteristic':[" VALUE("replicas", "3") "," VALUE(
                                                   "traffic.share", "50") "," VALUE("traffic.lease", "60000") "]}")));
    run_start_step(&run, 0);
    run_effect(&run, 0, "replicas");
    AUTO(free_json) json_t *scaled = service_of(&run, "2.1");
    assert_int_equal(replicas_of(scaled), 3);
    assert_true(share_of(scaled) == 0);
    run_effect(&run, 0, "share");
    AUTO(free_json) json_t *shifted = service_of(&run, "2.1");
    AUTO(free_json) json_t *sibling = service_of(&run, "1.1");
    assert_true(share_of(shifted) == 50);
    assert_true(share_of(sibling) == 50);
    assert_int_equal(characteristic_whole(json_object_get(shifted, "serviceCharacteristic"), "traffic.lease", 0), 60000);
    run_event(&run, EVENT_cancel_requested, NO_STEP, "{'by':'ada'}");
    run_event(&run, EVENT_step_cancelling, 0, "{'reason':'operator'}");
    run_event(&run, EVENT_step_cancelled, 0, "{'reason':'operator'}");
    run_event(&run, EVENT_run_rolling_back, NO_STEP, "{'reason':'operator'}");
    run_event(&run, EVENT_step_compensating, 0, "{'attempt':2}");
    run_event(&run, EVENT_effect_compensated, 0, "{'name':'share'}");
    AUTO(free_json) json_t *half = service_of(&run, "1.1");
    assert_true(share_of(half) == 100);
    run_event(&run, EVENT_effect_compensated, 0, "{'name':'replicas'}");
    run_event(&run, EVENT_step_compensated, 0, NULL);
    run_event(&run, EVENT_run_rolled_back, NO_STEP, "{'reason':'operator'}");
    ASSERT_STATES(&run, "cancelled", "cancelled", "2.1", "active");
    AUTO(free_json) json_t *back = service_of(&run, "2.1");
    assert_int_equal(replicas_of(back), 1);
    assert_true(share_of(back) == 0);
    run_release(&run);
    world_release(&world);
}

static void ending_is_inactive_then_terminated_and_past_its_pivot(void **state)
{
    (void)state;
    struct world world = world_new();
    json_t *web = video_service("1.3", "1.0.0", 1, 60);
    characteristic_set(json_object_get(web, "serviceCharacteristic"), "address", json_string("http://127.0.0.1:18080"));
    json_put(web, "supportingResource", json_of("[{'id':'http://127.0.0.1:18080'}]"));
    json_put(web, "serviceRelationship", json_of("[{'relationshipType':'reliesOn','service':{'id':'1.1'}}]"));
    world_add_service(&world, web);
    world_add_service(&world, video_service("2.1", "2.0.0", 1, 40));
    world_add_service(&world, json_of("{'id':'1.1','category':'network','state':'active','place':[{'role':'domain','name':'edge'}]}"));
    struct order_run run = run_new(&world, ORDER(ITEM("1", "delete", "{'id':'1.3'}")));
    ASSERT_STATES(&run, "acknowledged", "acknowledged", "1.3", "active");
    run_start_step(&run, 0);
    ASSERT_STATES(&run, "inProgress", "inProgress", "1.3", "inactive");
    assert_false(order_is_past_pivot(run.state));
    run_effect(&run, 0, "stop");
    assert_true(order_is_past_pivot(run.state));
    run_event(&run, EVENT_step_succeeded, 0, "{'exit':0}");
    run_start_step(&run, 1);
    run_event(&run, EVENT_step_succeeded, 1, "{'exit':0}");
    run_event(&run, EVENT_run_succeeded, NO_STEP, NULL);
    ASSERT_STATES(&run, "completed", "completed", "1.3", "terminated");
    AUTO(free_json) json_t *gone = service_of(&run, "1.3");
    AUTO(free_json) json_t *slice = service_of(&run, "1.1");
    AUTO(free_json) json_t *sibling = service_of(&run, "2.1");
    assert_string_equal(json_text(slice, "state", ""), "terminated");
    assert_non_null(json_text(gone, "endDate", NULL));
    assert_null(kept_of(gone, "traffic.share")); /* it has no part of the requests, and answers nowhere */
    assert_null(kept_of(gone, "address"));
    assert_null(json_object_get(gone, "supportingResource"));
    assert_true(share_of(sibling) == 100);
    run_release(&run);
    world_release(&world);
}

static void what_an_order_says_beside_what_steers_is_shown(void **state)
{
    (void)state;
    struct world world = world_new();
    struct order_run added =
        run_new(&world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", "{'name':'vCPE_IP','valueType':'object','value':{'ip':'1'}}"))));
    AUTO(free_json) json_t *service = service_of(&added, "17.1");
    assert_string_equal(json_text(kept_of(service, "vCPE_IP"), "ip", ""), "1");
    run_release(&added);

    world_add_service(&world, video_service("1.1", "1.0.0", 1, 100));
    struct order_run run =
        run_new(&world, ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("colour", "'blue'") "]}")));
    assert_string_equal(run.plan->steps[0].type, "note"); /* nobody but the inventory is told */
    AUTO(free_json) json_t *before = service_of(&run, "1.1");
    assert_null(kept_of(before, "colour"));
    run_start_step(&run, 0);
    run_event(&run, EVENT_step_succeeded, 0, "{'exit':0}");
    AUTO(free_json) json_t *after = service_of(&run, "1.1");
    assert_string_equal(json_string_value(kept_of(after, "colour")), "blue");
    run.state->status = RUN_failed; /* another item of it failed */
    AUTO(free_json) json_t *back = service_of(&run, "1.1");
    assert_null(kept_of(back, "colour"));
    ASSERT_STATES(&run, "failed", "cancelled", "1.1", "active");
    run_release(&run);
    world_release(&world);
}

static void what_cannot_be_started_fails_and_is_in_no_inventory(void **state)
{
    (void)state;
    struct world world = world_new();
    json_put(world.specifications, "12", json_of("{'id':'12','name':'vCPE','version':'1.0.0'}"));
    struct order_run run = run_new(&world, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'12'}}") "," ITEM(
                                               "2", "add", ADD_WEB("1.0.0", VALUE("component", "'slice'")))));
    assert_string_equal(run.plan->steps[0].type, "refuse");
    run_start_step(&run, 0);
    run_event(&run, EVENT_step_output, 0, "{'name':'message','value':'nothing here can start vCPE'}");
    run_event(&run, EVENT_step_failed, 0, "{'reason':'failed','message':'exit 1','exit':1}");
    run_event(&run, EVENT_step_cancelled, 1, "{'reason':'failed'}");
    run_event(&run, EVENT_run_failed, NO_STEP, "{'reason':'failed','message':'exit 1'}");
    AUTO(free_json) json_t *order = order_of(&run);
    const json_t *item = json_array_get(json_object_get(order, "serviceOrderItem"), 0);
    assert_string_equal(json_text(order, "state", ""), "failed");
    assert_string_equal(json_text(item, "state", ""), "failed");
    assert_string_equal(json_text(json_array_get(json_object_get(item, "errorMessage"), 0), "message", ""), "nothing here can start vCPE");
    assert_null(json_object_get(json_object_get(item, "service"), "id"));
    assert_null(service_of(&run, "17.1"));
    run_release(&run);
    world_release(&world);
}

static void a_compute_relies_on_the_networks_and_users_of_its_order(void **state)
{
    (void)state;
    struct world world = world_new();
    struct order_run run = run_new(
        &world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("component", "'slice'"))) "," ITEM("2", "add", ADD_WEB("1.0.0", ""))));
    AUTO(free_json) json_t *web = service_of(&run, "17.2");
    AUTO(free_json) json_t *slice = service_of(&run, "17.1");
    const json_t *relation = json_array_get(json_object_get(web, "serviceRelationship"), 0);
    assert_string_equal(json_text(relation, "relationshipType", ""), "reliesOn");
    assert_string_equal(json_text(json_object_get(relation, "service"), "id", ""), "17.1");
    assert_string_equal(json_text(slice, "category", ""), "network");
    assert_null(service_family(slice));
    run_release(&run);
    world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_is_reserved_until_it_is_there),
        cmocka_unit_test(a_failure_is_told_in_the_services_own_words_and_nothing_stays),
        cmocka_unit_test(what_one_of_a_family_gets_the_other_has_not),
        cmocka_unit_test(a_change_shows_what_is_done_and_goes_back_when_undone),
        cmocka_unit_test(ending_is_inactive_then_terminated_and_past_its_pivot),
        cmocka_unit_test(what_an_order_says_beside_what_steers_is_shown),
        cmocka_unit_test(what_cannot_be_started_fails_and_is_in_no_inventory),
        cmocka_unit_test(a_compute_relies_on_the_networks_and_users_of_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

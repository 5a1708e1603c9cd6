/* test_decompose.c: the plan of an order: read back by the engine's own reader, with its stages in order, its effects and what undoes
   them. */

#include "order_run.h"

#include "base/text.h"

static json_t *plan_of(const struct world *world, const char *order)
{
    struct error err = {0};
    json_t *checked = NULL;
    if (world_check(world, order, &checked, &err)) fail_msg("%s", err.message);
    json_t *plan = order_decompose(checked, &test_places);
    AUTO(plan_free) struct plan *read = NULL;
    if (plan_from_json(plan, &read, &err)) fail_msg("%s", err.message);
    AUTO(free_json) json_t *again = plan_to_json(read);
    assert_true(json_equal(again, plan)); /* one plan has one form */
    json_decref(checked);
    return plan;
}

static const json_t *stage_of(const json_t *plan, size_t index)
{
    return json_array_get(json_object_get(plan, "stages"), index);
}

static const json_t *step_of(const json_t *plan, size_t stage, size_t index)
{
    return json_array_get(json_object_get(stage_of(plan, stage), "steps"), index);
}

static void assert_json(const json_t *is, const char *wanted)
{
    AUTO(free_json) json_t *json = json_of(wanted);
    AUTO(free_text) char *text = json_canonical(is);
    if (!json_equal(is, json)) fail_msg("it is %s", text);
}

static void a_modular_add(void **state)
{
    (void)state;
    struct world world = world_new();
    AUTO(free_json)
    json_t *plan = plan_of(&world,
        "{'serviceOrderItem':[{'id':'x','action':'add','service':" ADD_WEB(
            "1.0.0", VALUE("component", "'slice'")) "},"
                                                    "{'id':'y','action':'add','service':" ADD_WEB("1.0.0",
                                                        VALUE("replicas", "2")) ",'serviceOrderItemRelationship':[{'relationshipType':'"
                                                                                "dependency','orderItem':{'itemId':'x'}}]}]}");
    assert_json(stage_of(plan, 0),
        "{'path':'item-1','needs':[],'scope':'order','steps':[{'id':'reserve','type':'reserve','with':{'kind':'network','name':'slice',"
        "'values':{'slice-type':'eMBB','latency':20,'downlink':100000000,'uplink':50000000}},'sandbox':{'mode':'none','network':'host'},"
        "'timeout_ms':60000,'retry':{'times':3,'wait_ms':500,'reasons':['worker_lost']},'ready_ahead':true}]}");
    assert_json(stage_of(plan, 1),
        "{'path':'item-2','needs':[0],'scope':'order','steps':[{'id':'activate','type':'activate','with':{'keeper':'/data/keepers/edge',"
        "'item':'y','family':'video','version':'1.0.0',"
        "'artifact':'/data/artifacts/1111111111111111111111111111111111111111111111111111111111111111','digest':'" DIGEST_1 "',"
        "'replicas':2,'share':10000,'command':['bin/web','$(PORT_HTTP)'],'env':{'MODE':'test'},'ports':{'http':8080},'health':'/health',"
        "'start_ms':30000,'drain_ms':10000,'grace_ms':5000,'cpu':500,'memory':134217728},"
        "'sandbox':{'mode':'none','network':'host'},'timeout_ms':90000,'retry':{'times':3,'wait_ms':500,'reasons':['worker_lost']},"
        "'outputs':['address','message','ready','share'],'effects':[{'name':'start','target':'video of edge',"
        "'summary':'start 2 x video 1.0.0','compensation':'it is stopped'}],'ready_ahead':true}]}");
    assert_string_equal(json_text(json_object_get(plan, "facts"), "author", ""), "ada");
    world_release(&world);
}

static void nothing_is_begun_beside_what_cannot_be_done(void **state)
{
    (void)state;
    struct world world = world_new();
    json_put(world.specifications, "12", json_of("{'id':'12','name':'vCPE'}"));
    AUTO(free_json)
    json_t *plan =
        plan_of(&world, "{'serviceOrderItem':[{'id':'1','action':'add','service':" ADD_WEB("1.0.0",
                            "") "},"
                                "{'id':'2','action':'add','service':{'serviceSpecification':{'id':'12'}},'serviceOrderItemRelationship':["
                                "{'relationshipType':'dependency','orderItem':{'itemId':'1'}}]}]}");
    assert_json(json_object_get(stage_of(plan, 0), "needs"), "[1]");
    assert_json(json_object_get(stage_of(plan, 1), "needs"), "[]");
    assert_string_equal(json_text(step_of(plan, 1, 0), "type", ""), "refuse");
    world_release(&world);
}

static void all_items_wait_for_the_start_that_is_wished_for(void **state)
{
    (void)state;
    struct world world = world_new();
    AUTO(free_json)
    json_t *plan = plan_of(&world, "{'requestedStartDate':'2024-01-01T00:00:00Z','serviceOrderItem':[" ITEM("1", "add",
                                       ADD_WEB("1.0.0", VALUE("component", "'slice'"))) "," ITEM("2", "add", ADD_WEB("1.0.0", "")) "]}");
    assert_json(json_object_get(stage_of(plan, 0), "needs"), "[2]");
    assert_json(json_object_get(stage_of(plan, 1), "needs"), "[2]");
    assert_json(stage_of(plan, 2),
        "{'path':'start','needs':[],'scope':'order','steps':[{'id':'await','type':'await','with':{'until':1704067200000},"
        "'sandbox':{'mode':'none','network':'host'},'timeout_ms':60000,'retry':{'times':3,'wait_ms':500,'reasons':['worker_lost']},"
        "'ready_ahead':true}]}");
    world_release(&world);
}

static void a_modify_has_an_effect_for_each_change(void **state)
{
    (void)state;
    struct world world = world_new();
    world_add_service(&world, video_service("1.1", "1.0.0", 1, 100));
    world_add_service(&world, video_service("2.1", "2.0.0", 1, 0));
    AUTO(free_json)
    json_t *plan = plan_of(&world, ORDER(ITEM("1", "modify",
                                       "{'id':'2.1','serviceCharacteristic':[" VALUE("replicas", "3") "," VALUE(
                                           "traffic.share", "12.5") "," VALUE("traffic.lease", "60000") "]}")));
    const json_t *step = step_of(plan, 0, 0);
    assert_json(json_object_get(step, "with"),
        "{'keeper':'/data/keepers/edge','service':'2.1','replicas':3,'share':1250,'lease_ms':60000,'start_ms':30000}");
    assert_json(json_object_get(step, "effects"),
        "[{'name':'replicas','target':'2.1','summary':'scale to 3','compensation':'it gets what it had'},"
        "{'name':'share','target':'2.1','summary':'give it 12.5 % of the requests','compensation':'it gets what it had'}]");
    world_release(&world);
}

static void a_delete_is_a_pivot_and_releases(void **state)
{
    (void)state;
    struct world world = world_new();
    json_t *web = video_service("1.3", "1.0.0", 1, 100);
    json_put(web, "serviceRelationship", json_of("[{'relationshipType':'reliesOn','service':{'id':'1.1'}}]"));
    world_add_service(&world, web);
    world_add_service(&world, json_of("{'id':'1.1','category':'network','state':'active','place':[{'role':'domain','name':'edge'}]}"));
    AUTO(free_json) json_t *plan = plan_of(&world, ORDER(ITEM("1", "delete", "{'id':'1.3'}")));
    assert_string_equal(json_text(step_of(plan, 0, 0), "type", ""), "deactivate");
    assert_json(
        json_object_get(step_of(plan, 0, 0), "effects"), "[{'name':'stop','target':'1.3','summary':'end video 1.0.0','pivot':true}]");
    assert_string_equal(json_text(step_of(plan, 0, 1), "id", ""), "release-1");
    assert_json(json_object_get(step_of(plan, 0, 1), "with"), "{'kind':'network','name':'1.1'}");
    world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_items_wait_for_the_start_that_is_wished_for),
        cmocka_unit_test(nothing_is_begun_beside_what_cannot_be_done),
        cmocka_unit_test(a_modular_add),
        cmocka_unit_test(a_modify_has_an_effect_for_each_change),
        cmocka_unit_test(a_delete_is_a_pivot_and_releases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

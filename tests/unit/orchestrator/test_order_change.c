/* test_order_change.c: which orders for changes and ends of services are taken, and which order of items. */
#include "order_checks.h"

#include "base/text.h"
#include "net/tmf/characteristic.h"

static void a_change_has_to_be_one(void **state)
{
    struct world *world = *state;
    world_add_service(world, video_service("1.1", "1.0.0", 1, 100));
    assert_refused(world, ORDER(ITEM("1", "modify", "{'id':'1.1'}")), ERROR_INVALID, "it changes nothing");
    assert_refused(world, ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("traffic.lease", "5000") "]}")),
        ERROR_INVALID, "goes with `traffic.share`");
    assert_refused(world, ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("traffic.share", "40") "]}")),
        ERROR_CONFLICT, "alone on edge");
    assert_refused(
        world, ORDER(ITEM("1", "modify", "{'id':'1.1','serviceSpecification':{'id':'spec-2.0.0'}}")), ERROR_CONFLICT, "not of spec-2.0.0");
    assert_refused(
        world, ORDER(ITEM("1", "modify", "{'id':'1.1','place':[{'role':'domain','name':'moon'}]}")), ERROR_CONFLICT, "not on moon");
    assert_refused(world, ORDER(ITEM("1", "delete", "{'id':'1.1'}") "," ITEM("2", "delete", "{'id':'1.1'}")), ERROR_INVALID,
        "is about service 1.1, too");
    json_put_text(json_object_get(world->services, "1.1"), "state", "inactive");
    assert_refused(world, ORDER(ITEM("1", "delete", "{'id':'1.1'}")), ERROR_CONFLICT, "is inactive, not active");
    json_put_text(json_object_get(world->services, "1.1"), "state", "terminated");
    assert_refused(world, ORDER(ITEM("1", "delete", "{'id':'1.1'}")), ERROR_CONFLICT, "is terminated");
}

static void a_share_is_lent_only_in_part(void **state)
{
    struct world *world = *state;
    world_add_service(world, video_service("1.1", "1.0.0", 1, 100));
    world_add_service(world, video_service("2.1", "2.0.0", 1, 0));
    static const char order[] = ORDER(
        ITEM("1", "modify", "{'id':'2.1','serviceCharacteristic':[" VALUE("traffic.share", "10") "," VALUE("traffic.lease", "5000") "]}"));
    static const char whole[] = ORDER(
        ITEM("1", "modify", "{'id':'2.1','serviceCharacteristic':[" VALUE("traffic.share", "100") "," VALUE("traffic.lease", "5000") "]}"));
    AUTO(free_json) json_t *checked = accepted(world, order);
    const json_t *item = item_of(checked, 0);
    assert_int_equal(json_whole(json_object_get(item, "asked"), "lease", 0), 5000);
    assert_string_equal(json_text(json_object_get(item, "before"), "id", ""), "2.1");
    assert_string_equal(json_text(json_object_get(item, "sibling"), "id", ""), "1.1");
    AUTO(free_json) json_t *all = accepted(world, whole);
    assert_null(json_object_get(json_object_get(item_of(all, 0), "asked"), "lease"));
}

#define SHARE(id, share) ORDER(ITEM("1", "modify", "{'id':'" id "','serviceCharacteristic':[" VALUE("traffic.share", share) "]}"))

/* What is beside a canary cannot go away under it: the canary would have all requests, unjudged. */
static void what_is_beside_a_lent_share_stays(void **state)
{
    struct world *world = *state;
    world_add_service(world, video_service("1.1", "1.0.0", 1, 75));
    json_t *canary = video_service("2.1", "2.0.0", 1, 25);
    json_array_append_new(json_object_get(canary, "serviceCharacteristic"), json_of(VALUE("traffic.lease", "5000")));
    world_add_service(world, canary);
    static const char replicas[] = ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("replicas", "2") "]}"));
    static const char *const fine[] = {SHARE("2.1", "0"), SHARE("2.1", "50"), SHARE("2.1", "100"),
        ORDER(ITEM("1", "delete", "{'id':'2.1'}")), replicas,
        ORDER(ITEM("1", "delete", "{'id':'1.1'}") "," ITEM("2", "delete", "{'id':'2.1'}"))};
    static const char *const denied[] = {ORDER(ITEM("1", "delete", "{'id':'1.1'}")), SHARE("1.1", "0"), SHARE("1.1", "90")};
    for (size_t i = 0; i < COUNT_OF(fine); i++)
        json_decref(accepted(world, fine[i]));
    for (size_t i = 0; i < COUNT_OF(denied); i++)
        assert_refused(world, denied[i], ERROR_CONFLICT, "2.0.0 (service 2.1) is a canary with a lent share");
    characteristic_set(json_object_get(canary, "serviceCharacteristic"), "traffic.lease", NULL); /* promoted, or given back */
    for (size_t i = 0; i < COUNT_OF(denied); i++)
        json_decref(accepted(world, denied[i]));
}

/* What the inventory tells may be sent back with a change, as peers do; what nobody knows may be changed alone. */
static void what_is_kept_of_a_change_is_what_is_new(void **state)
{
    struct world *world = *state;
    json_t *service = video_service("1.1", "1.0.0", 1, 100);
    json_array_append_new(json_object_get(service, "serviceCharacteristic"), json_of(VALUE("colour", "'red'")));
    world_add_service(world, service);
    assert_refused(world,
        ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("colour", "'red'") "," VALUE("family", "'video'") "]}")),
        ERROR_INVALID, "it changes nothing");
    AUTO(free_json)
    json_t *checked = accepted(world, ORDER(ITEM("1", "modify",
                                          "{'id':'1.1','serviceCharacteristic':[" VALUE("family", "'video'") "," VALUE(
                                              "colour", "'blue'") "," VALUE("owner", "7") "]}")));
    AUTO(free_json) json_t *kept = json_of("[" VALUE("colour", "'blue'") "," VALUE("owner", "7") "]");
    assert_true(json_equal(json_object_get(item_of(checked, 0), "kept"), kept));
}

static void what_a_service_keeps_has_a_limit(void **state)
{
    struct world *world = *state;
    json_t *service = video_service("1.1", "1.0.0", 1, 100);
    for (int i = 0; i < 194; i++)
        json_array_append_new(
            json_object_get(service, "serviceCharacteristic"), json_pack("{s:o, s:i}", "name", json_sprintf("n-%d", i), "value", i));
    world_add_service(world, service);
    assert_refused(world, ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("one more", "1") "]}")), ERROR_LIMIT,
        "more than 200 characteristics");
    AUTO(free_json)
    json_t *checked = accepted(world, ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("n-7", "'again'") "]}")));
    assert_non_null(json_object_get(item_of(checked, 0), "kept"));
}

static json_t *slice_service(const char *id)
{
    AUTO(free_text)
    char *text = mem_format("{'id':'%s','category':'network','state':'active','place':[{'role':'domain','name':'edge'}],"
                            "'serviceCharacteristic':[{'name':'downlink','value':100000000}]}",
        id);
    return json_of(text);
}

static void ending_a_compute_releases_what_it_relied_on_alone(void **state)
{
    struct world *world = *state;
    json_t *web = video_service("1.3", "1.0.0", 1, 100);
    json_put(web, "serviceRelationship",
        json_of("[{'relationshipType':'reliesOn','service':{'id':'1.1'}},{'relationshipType':'reliesOn','service':{'id':'1.2'}}]"));
    world_add_service(world, web);
    world_add_service(world, slice_service("1.1"));
    world_add_service(world, slice_service("1.2"));
    AUTO(free_json) json_t *checked = accepted(world, ORDER(ITEM("1", "delete", "{'id':'1.3'}")));
    assert_int_equal(json_array_size(json_object_get(item_of(checked, 0), "released")), 2);
    assert_refused(world, ORDER(ITEM("1", "delete", "{'id':'1.1'}")), ERROR_CONFLICT, "service 1.3 relies on 1.1");
    AUTO(free_json)
    json_t *both = accepted(world,
        "{'serviceOrderItem':[{'id':'a','action':'delete','service':{'id':'1.3'},'serviceOrderItemRelationship':[{'relationshipType':"
        "'dependency','orderItem':{'itemId':'b'}}]},{'id':'b','action':'delete','service':{'id':'1.1'}}]}");
    assert_int_equal(json_array_size(json_object_get(item_of(both, 0), "released")), 1);
    assert_int_equal(json_array_size(json_object_get(item_of(both, 0), "needs")), 0); /* turned round */
    assert_string_equal(json_string_value(json_array_get(json_object_get(item_of(both, 1), "needs"), 0)), "a");
}

static void dependencies_name_items_and_do_not_go_round(void **state)
{
    assert_refused(*state,
        "{'serviceOrderItem':[{'id':'1','action':'add','service':" ADD_WEB(
            "1.0.0", "") ",'serviceOrderItemRelationship':[{'relationshipType':'dependency','orderItem':{'itemId':'7'}}]}]}",
        ERROR_INVALID, "it depends on item 7");
    assert_refused(*state,
        "{'serviceOrderItem':[{'id':'1','action':'add','service':" ADD_WEB("1.0.0",
            "") ",'serviceOrderItemRelationship':[{'relationshipType':'dependency','orderItem':{'itemId':'2'}}]},"
                "{'id':'2','action':'add','service':" ADD_WEB("1.0.0",
                    VALUE("component",
                        "'slice'")) ",'serviceOrderItemRelationship':[{'relationshipType':'dependency','orderItem':{'itemId':'1'}}]}]}",
        ERROR_INVALID, "depends on itself");
    assert_refused(*state,
        "{'serviceOrderItem':[{'id':'1','action':'add','service':" ADD_WEB(
            "1.0.0", "") ",'serviceOrderItemRelationship':[{'relationshipType':'dependency','orderItem':{'itemId':'1'}}]}]}",
        ERROR_INVALID, "depends on itself");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_has_to_be_one),
        TEST(a_share_is_lent_only_in_part),
        TEST(what_is_beside_a_lent_share_stays),
        TEST(what_is_kept_of_a_change_is_what_is_new),
        TEST(what_a_service_keeps_has_a_limit),
        TEST(ending_a_compute_releases_what_it_relied_on_alone),
        TEST(dependencies_name_items_and_do_not_go_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

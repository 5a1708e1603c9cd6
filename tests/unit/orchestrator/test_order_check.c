/* test_order_check.c: which orders for new services are taken, and what is said of the others. */
#include "order_checks.h"

#include "base/text.h"

/* --- add ----------------------------------------------------------------------------------------------------------------------- */

static void a_modular_order_is_complete(void **state)
{
    AUTO(free_json)
    json_t *checked = accepted(*state,
        "{'relatedParty':[{'role':'requester','name':'bob'}],'state':'completed','serviceOrderItem':["
        "{'id':'1','action':'add','state':'completed','service':" ADD_WEB("1.0.0",
            VALUE("component", "'slice'")) "},"
                                           "{'id':'2','action':'add','service':" ADD_WEB("1.0.0",
                                               VALUE("component",
                                                   "'phone'")) "},"
                                                               "{'id':'3','action':'add','service':" ADD_WEB("1.0.0",
                                                                   VALUE("component", "'web'") "," VALUE("replicas", "2") "," VALUE(
                                                                       "colour",
                                                                       "1")) ",'serviceOrderItemRelationship':[{'relationshipType':'"
                                                                             "dependency','orderItem':{'itemId':'1'}},"
                                                                             "{'relationshipType':'dependency','orderItem':{'itemId':'2'}},"
                                                                             "{'relationshipType':'other','orderItem':{'itemId':'9'}}]}]}");
    const json_t *web = item_of(checked, 2);
    assert_string_equal(json_text(checked, "requester", ""), "bob");
    assert_null(json_object_get(json_object_get(checked, "order"), "state"));
    assert_string_equal(json_text(item_of(checked, 0), "kind", ""), "network");
    assert_string_equal(json_text(item_of(checked, 0), "flavour", ""), "embb");
    assert_string_equal(json_text(item_of(checked, 1), "kind", ""), "user");
    assert_string_equal(json_text(web, "family", ""), "video");
    assert_string_equal(json_text(web, "domain", ""), "edge");
    assert_string_equal(json_text(web, "flavour", ""), "small");
    assert_string_equal(json_text(web, "artifact", ""), DIGEST_1);
    assert_int_equal(json_array_size(json_object_get(web, "needs")), 2);
    assert_int_equal(json_whole(json_object_get(web, "asked"), "replicas", 0), 2);
    assert_true(json_number_value(json_object_get(json_object_get(web, "asked"), "share")) == 100);
    assert_true(json_number_value(json_object_get(json_object_get(web, "use"), "cpu")) == 1000);
    assert_null(json_object_get(web, "sibling"));
}

static void without_a_component_it_is_the_first_compute_and_a_second_version_starts_without_requests(void **state)
{
    struct world *world = *state;
    world_add_service(world, video_service("1.1", "1.0.0", 1, 100));
    AUTO(free_json) json_t *checked = accepted(world, ORDER(ITEM("1", "add", ADD_WEB("2.0.0", ""))));
    const json_t *web = item_of(checked, 0);
    assert_string_equal(json_text(web, "component", ""), "web");
    assert_string_equal(json_text(json_object_get(web, "sibling"), "id", ""), "1.1");
    assert_true(json_number_value(json_object_get(json_object_get(web, "asked"), "share")) == 0);
}

static void values_of_other_peers_are_read_alike(void **state)
{
    AUTO(free_json)
    json_t *checked = accepted(*state, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("replicas", "{'value':'3','alias':'n'}")))));
    assert_int_equal(json_whole(json_object_get(item_of(checked, 0), "asked"), "replicas", 0), 3);
}

/* TM Forum lets a characteristic pass that the specification does not declare: it is kept, and drives nothing. */
static void a_characteristic_that_nobody_knows_is_kept_as_it_came(void **state)
{
    AUTO(free_json)
    json_t *checked =
        accepted(*state, ORDER(ITEM("1", "add",
                             ADD_WEB("1.0.0", VALUE("replicas", "2") ",{'name':'vCPE_IP','valueType':'object','value':{'@type':'JSON','ip':"
                                                                     "'193.218.236.21'},'x':1}," VALUE("colour", "'red'")))));
    AUTO(free_json)
    json_t *kept = json_of("[{'name':'vCPE_IP','valueType':'object','value':{'@type':'JSON','ip':'193.218.236.21'},'x':1},"
                           "{'name':'colour','value':'red'}]");
    assert_true(json_equal(json_object_get(item_of(checked, 0), "kept"), kept));
    assert_int_equal(json_object_size(json_object_get(item_of(checked, 0), "asked")), 2); /* replicas, and the share of all */
}

static void items_that_are_wrong_are_refused(void **state)
{
    static const struct {
        const char *order, *part;
    } cases[] = {
        {"[]", "JSON object"},
        {"{}", "no items"},
        {"{'serviceOrderItem':{}}", "no items"},
        {"{'serviceOrderItem':[]}", "no items"},
        {"{'serviceOrderItem':[7]}", "no `id`"},
        {"{'serviceOrderItem':[{'id':'a/b','action':'add','service':{}}]}", "an address can hold"},
        {"{'serviceOrderItem':[{'id':'1','action':'add'}]}", "no `service`"},
        {ORDER(ITEM("1", "explode", "{}")), "`action` is explode"},
        {ORDER(ITEM("1", "noChange", "{}")), "noChange"},
        {ORDER(ITEM("1", "add", "{}")), "serviceSpecification"},
        {ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'nope'}}")), "no service specification nope"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("component", "'webb'")))), "no component 'webb'"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("component", "7")))), "`component` is the name"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("replicas", "101")))), "`replicas` is a whole number from 0 to 100"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("replicas", "1.5")))), "`replicas` is a whole number"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("replicas", "'many'")))), "`replicas` is a whole number"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("traffic.share", "-1")))), "`traffic.share` is a percentage"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("traffic.lease", "999")))), "`traffic.lease` is"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("traffic.shares", "5")))), "nobody knows the characteristic 'traffic.shares'"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("share", "5")))), "nobody knows the characteristic 'share'"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("cpu", "4000")))), "`cpu` is told by the inventory"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("address", "'me'")))), "`address` is told by the inventory"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", "{'value':5}"))), "no `name`"},
        {ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'spec-1.0.0'},'serviceCharacteristic':{}}")), "is a list"},
        {ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'spec-1.0.0'},'place':[{'role':'domain','name':'moon'}]}")),
            "no domain 'moon'"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", "")) "," ITEM("1", "add", ADD_WEB("2.0.0", ""))), "two items"},
        {ORDER(ITEM("1", "add", ADD_WEB("1.0.0", "")) "," ITEM("2", "add", ADD_WEB("2.0.0", ""))), "changes video on edge, too"},
        {"{'serviceOrderItem':[{'id':'1','action':'add','quantity':2,'service':" ADD_WEB("1.0.0", "") "}]}", "`quantity` is 2"},
        {"{'serviceOrderItem':[{'id':'1','action':'add','serviceOrderItem':[{'id':'2'}],'service':" ADD_WEB("1.0.0", "") "}]}",
            "items within an item"},
        {ORDER(ITEM("1", "modify", "{'id':'9.9'}")), "no service 9.9"},
        {ORDER(ITEM("1", "delete", "{}")), "no `id`"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused(*state, cases[i].order, ERROR_INVALID, cases[i].part);
}

static void an_order_begins_when_it_is_wished_for(void **state)
{
    static const char form[] = "{'requestedStartDate':'%s','serviceOrderItem':[" ITEM("1", "add", ADD_WEB("1.0.0", "")) "]}";
    static const struct {
        const char *date;
        int64_t starts_ms;
    } cases[] = {
        {"2018-01-15T09:37:40.508Z", 0}, /* now */
        {"2023-11-14T22:13:20Z", 0},
        {"2023-11-14T22:13:21Z", 1700000001000},
        {"2024-01-01T01:00:00+01:00", 1704067200000},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(free_text) char *order = mem_format(form, cases[i].date);
        AUTO(free_json) json_t *checked = accepted(*state, order);
        assert_int_equal(json_whole(checked, "starts_ms", 0), cases[i].starts_ms);
    }
    AUTO(free_text) char *wrong = mem_format(form, "2023-13-45T01:00:00Z");
    assert_refused(*state, wrong, ERROR_INVALID, "`requestedStartDate` 2023-13-45T01:00:00Z is no moment");
}

static void too_many_items_are_refused(void **state)
{
    struct text text = {0};
    text_add(&text, "{'serviceOrderItem':[{}");
    for (int i = 0; i < 100; i++)
        text_add(&text, ",{}");
    text_add(&text, "]}");
    assert_refused(*state, text_view(&text), ERROR_INVALID, "101 items");
    text_release(&text);
}

static void an_order_that_is_too_large_is_refused(void **state)
{
    struct text text = {0};
    text_add(&text, "{'description':'");
    text_add_repeated(&text, 'x', 300 * 1024);
    text_add(&text, "','serviceOrderItem':[{}]}");
    assert_refused(*state, text_view(&text), ERROR_LIMIT, "larger than 256 KiB");
    text_release(&text);
}

static void names_that_no_keeper_could_have_are_refused(void **state)
{
    struct world *world = *state;
    json_t *odd = video_specification("1.0.0"), *version = video_specification("1.0.0");
    json_put_text(odd, "name", "my video");
    json_put_text(version, "version", "1/2");
    json_put(world->specifications, "odd", odd);
    json_put(world->specifications, "version", version);
    assert_refused(world, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'odd'}}")), ERROR_CONFLICT, "the name 'my video'");
    assert_refused(world, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'version'}}")), ERROR_CONFLICT, "the version '1/2'");
}

static void the_nearest_is_suggested(void **state)
{
    struct error err = {0};
    json_t *checked = NULL;
    assert_true(world_check(*state, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("replica", "1")))), &checked, &err) < 0);
    assert_string_equal(err.hint, "did you mean replicas?");
    assert_true(world_check(*state, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("lease", "9")))), &checked, &err) < 0);
    assert_string_equal(err.hint, "did you mean traffic.lease?");
    assert_true(
        world_check(*state, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'spec-1.0.0'},'place':[{'role':'domain','id':'egde'}]}")),
            &checked, &err) < 0);
    assert_string_equal(err.hint, "did you mean edge?");
}

/* For who orders by hand: a command, and no path of an API. */
static void what_there_is_is_a_command_away(void **state)
{
    struct error err = {0};
    json_t *checked = NULL;
    assert_true(world_check(*state, ORDER(ITEM("1", "modify", "{'id':'9.9'}")), &checked, &err) < 0);
    assert_string_equal(err.hint, "`crescendo inventory --all` lists them");
    assert_true(world_check(*state, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'nope'}}")), &checked, &err) < 0);
    assert_string_equal(err.hint, "`crescendo catalogue` lists what is published");
}

static void a_specification_without_what_an_order_needs_is_a_conflict(void **state)
{
    struct world *world = *state;
    json_t *described = video_specification("1.0.0"), *retired = video_specification("1.0.0");
    json_t *unpacked = video_specification("1.0.0");
    json_object_del(unpacked, "attachment");
    json_put_text(retired, "lifecycleStatus", "Retired");
    json_object_del(described, "specCharacteristic");
    json_put(world->specifications, "described", described);
    json_put(world->specifications, "retired", retired);
    json_put(world->specifications, "unpacked", unpacked);
    assert_refused(world, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'described'}}")), ERROR_CONFLICT, "`descriptor`");
    assert_refused(world, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'retired'}}")), ERROR_CONFLICT, "is Retired");
    assert_refused(world, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'unpacked'}}")), ERROR_CONFLICT, "no package");
}

/* The standard's samples are of services that nobody has packaged: such an order is taken, as a peer expects, and fails with the reason. */
static void what_nobody_has_packaged_may_be_ordered_and_cannot_be_started(void **state)
{
    struct world *world = *state;
    json_put(world->specifications, "12", json_of("{'id':'12','name':'vCPE','specCharacteristic':[{'name':'vCPE_IP'}]}"));
    json_object_clear(world->domains); /* nothing of a domain is needed */
    AUTO(free_json)
    json_t *checked = accepted(
        world, ORDER(ITEM("1", "add",
                   "{'serviceSpecification':{'id':'12','version':'1.0.0'},'serviceCharacteristic':[" VALUE("vCPE_IP", "'1'") "]}")));
    const json_t *item = item_of(checked, 0);
    assert_string_equal(json_text(item, "impossible", ""),
        "nothing here can start vCPE: its specification 12 has no package; publish it with one, and order that");
    assert_null(json_object_get(item, "domain"));
    assert_null(json_object_get(item, "use"));
}

static void a_descriptor_from_anybody_is_checked(void **state)
{
    static const struct {
        const char *compute, *part;
    } cases[] = {
        {"{'name':'web'}", "`command` is a list"},
        {"{'name':'web','command':[]}", "`command` is a list"},
        {"{'name':'web','command':[7]}", "`command` holds texts"},
        {"{'name':'web','command':['a'],'env':{'A=B':'c'}}", "`env` holds"},
        {"{'name':'web','command':['a'],'env':{'$unknown':'stages.a'}}", "`env` holds"},
        {"{'name':'web','command':['a'],'ports':{'http':0}}", "`ports` holds"},
        {"{'name':'web','command':['a'],'ports':{'HTTP':80}}", "`ports` holds"},
        {"{'name':'web','command':['a'],'cpu':'much'}", "`cpu` is not"},
        {"{'name':'web','command':['a'],'memory':-1}", "`memory` is not"},
        {"{'name':'web','command':['a'],'flavour':7}", "`flavour` is a name"},
        {"{'name':'web','command':['a'],'health':{'http':'health'}}", "`health` is"},
        {"{'name':'web','command':['a'],'health':7}", "`health` is"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(free_text)
        char *text = mem_format("{'id':'odd','name':'odd','version':'1','attachment':[{'digest':'" DIGEST_1
                                "'}],'specCharacteristic':[{'name':'descriptor','value':{'service':'odd','components':[{'compute':%s}]}}]}",
            cases[i].compute);
        json_put(world->specifications, "odd", json_of(text));
        assert_refused(world, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'odd'}}")), ERROR_INVALID, cases[i].part);
    }
}

/* --- families ------------------------------------------------------------------------------------------------------------------- */

static void a_family_has_two_different_versions(void **state)
{
    struct world *world = *state;
    world_add_service(world, video_service("1.1", "1.0.0", 1, 100));
    assert_refused(world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", ""))), ERROR_CONFLICT, "is on edge already: service 1.1");
    world_add_service(world, video_service("2.1", "2.0.0", 1, 0));
    assert_refused(world, ORDER(ITEM("1", "add", ADD_WEB("3.0.0", ""))), ERROR_CONFLICT, "2 versions on edge");
    json_put_text(json_object_get(world->services, "1.1"), "state", "terminated");
    AUTO(free_json) json_t *checked = accepted(world, ORDER(ITEM("1", "add", ADD_WEB("3.0.0", ""))));
    assert_string_equal(json_text(json_object_get(item_of(checked, 0), "sibling"), "id", ""), "2.1");
}

static void one_order_at_a_time_changes_a_family(void **state)
{
    struct world *world = *state;
    AUTO(free_json) json_t *first = accepted(world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", ""))));
    json_put(world->orders, "17", json_incref(first));
    assert_refused(world, ORDER(ITEM("1", "add", ADD_WEB("2.0.0", ""))), ERROR_CONFLICT, "order 17 is changing video on edge");
    world_add_service(world, video_service("1.1", "1.0.0", 1, 100));
    assert_refused(
        world, ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("replicas", "2") "]}")), ERROR_CONFLICT, "order 17");
}

/* --- site ------------------------------------------------------------------------------------------------------------------------ */

static void what_no_flavour_meets_names_the_nearest(void **state)
{
    struct world *world = *state;
    json_t *flavours = json_object_get(json_object_get(json_object_get(world->domains, "edge"), "site"), "flavours");
    json_put(json_object_get(flavours, "embb"), "latency", json_real(40));
    assert_refused(world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("component", "'slice'")))), ERROR_CONFLICT,
        "the nearest is embb, which lacks latency 20 ms (it has latency 40 ms)");
    json_object_del(flavours, "large");
    json_put_whole(json_object_get(flavours, "small"), "cpu", 250);
    assert_refused(world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", ""))), ERROR_CONFLICT,
        "the nearest is small, which lacks cpu 0.5 (it has cpu 0.25)");
}

static void capacity_counts_services_and_open_orders(void **state)
{
    struct world *world = *state;
    assert_refused(world, ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("replicas", "7")))), ERROR_CONFLICT,
        "edge is full: it has instances 6 left of instances 6, and this needs instances 7");
    world_add_service(world, video_service("1.1", "1.0.0", 4, 100));
    assert_refused(
        world, ORDER(ITEM("1", "add", ADD_WEB("2.0.0", VALUE("replicas", "3")))), ERROR_CONFLICT, "instances 2 left of instances 6");
    AUTO(free_json)
    json_t *open = accepted(world, ORDER(ITEM("1", "modify", "{'id':'1.1','serviceCharacteristic':[" VALUE("replicas", "6") "]}")));
    json_put(world->orders, "2", json_incref(open));
    json_t *other = video_specification("1.0.0");
    json_put_text(other, "name", "audio");
    json_put(world->specifications, "audio", other);
    assert_refused(world, ORDER(ITEM("1", "add", "{'serviceSpecification':{'id':'audio'}}")), ERROR_CONFLICT, "instances 0 left");
}

static void items_of_one_order_share_the_room(void **state)
{
    assert_refused(*state,
        ORDER(ITEM("1", "add", ADD_WEB("1.0.0", VALUE("component", "'slice'"))) "," ITEM(
            "2", "add", ADD_WEB("2.0.0", VALUE("component", "'slice'")))),
        ERROR_CONFLICT, "downlink 50 Mbit/s left of downlink 150 Mbit/s, and this needs downlink 100 Mbit/s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_modular_order_is_complete),
        TEST(without_a_component_it_is_the_first_compute_and_a_second_version_starts_without_requests),
        TEST(values_of_other_peers_are_read_alike),
        TEST(a_characteristic_that_nobody_knows_is_kept_as_it_came),
        TEST(items_that_are_wrong_are_refused),
        TEST(an_order_begins_when_it_is_wished_for),
        TEST(too_many_items_are_refused),
        TEST(an_order_that_is_too_large_is_refused),
        TEST(names_that_no_keeper_could_have_are_refused),
        TEST(the_nearest_is_suggested),
        TEST(what_there_is_is_a_command_away),
        TEST(a_specification_without_what_an_order_needs_is_a_conflict),
        TEST(what_nobody_has_packaged_may_be_ordered_and_cannot_be_started),
        TEST(a_descriptor_from_anybody_is_checked),
        TEST(a_family_has_two_different_versions),
        TEST(one_order_at_a_time_changes_a_family),
        TEST(what_no_flavour_meets_names_the_nearest),
        TEST(capacity_counts_services_and_open_orders),
        TEST(items_of_one_order_share_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_observe.c: what a keeper did by itself goes into a service's document, and nothing else. */
#include "order_world.h"

#include "net/tmf/characteristic.h"
#include "orchestrator/fulfil/observe.h"

static json_t *lines_of(const char *rest)
{
    AUTO(free_text)
    char *text =
        mem_format("[{'line':'domain','name':'edge'},{'line':'service','service':'1.1','family':'video','replicas':'2',%s}]", rest);
    return json_of(text);
}

static json_t *observed(const json_t *service, const char *rest)
{
    AUTO(free_json) json_t *lines = lines_of(rest);
    return inventory_observe(service, lines);
}

static const json_t *list_of(const json_t *service)
{
    return json_object_get(service, "serviceCharacteristic");
}

static void what_is_known_already_changes_nothing(void **state)
{
    (void)state;
    AUTO(free_json) json_t *service = video_service("1.1", "1.0.0", 2, 50);
    characteristic_set(json_object_get(service, "serviceCharacteristic"), "ready", json_integer(2));
    assert_null(observed(service, "'ready':'2','share':'5000','lease_ms':'0','lost':'0'"));
    assert_null(inventory_observe(service, NULL));
}

static void instances_that_die_are_counted(void **state)
{
    (void)state;
    AUTO(free_json) json_t *service = video_service("1.1", "1.0.0", 2, 50);
    AUTO(free_json) json_t *seen = observed(service, "'ready':'1','share':'5000','lost':'0'");
    assert_int_equal(characteristic_whole(list_of(seen), "ready", -1), 1);
    assert_int_equal(characteristic_whole(list_of(seen), "replicas", -1), 2);
    assert_null(characteristic_find(list_of(service), "ready")); /* the old document is as it was */
}

static void a_lost_lease_takes_its_share_along(void **state)
{
    (void)state;
    AUTO(free_json) json_t *service = video_service("1.1", "1.0.0", 2, 50);
    characteristic_set(json_object_get(service, "serviceCharacteristic"), "traffic.lease", json_integer(5000));
    AUTO(free_json) json_t *held = observed(service, "'ready':'2','share':'5000','lease_ms':'900','lost':'0'");
    assert_int_equal(characteristic_whole(list_of(held), "traffic.lease", 0), 5000);
    AUTO(free_json) json_t *lost = observed(service, "'ready':'2','share':'0','lease_ms':'0','lost':'1'");
    assert_true(characteristic_number(list_of(lost), "traffic.share", -1) == 0);
    assert_true(json_is_true(characteristic_find(list_of(lost), "traffic.lost")));
    assert_null(characteristic_find(list_of(lost), "traffic.lease"));
}

static void a_service_that_the_keeper_does_not_have_has_no_instances(void **state)
{
    (void)state;
    AUTO(free_json) json_t *service = video_service("9.1", "1.0.0", 2, 50);
    AUTO(free_json) json_t *seen = observed(service, "'ready':'2','share':'5000'");
    assert_int_equal(characteristic_whole(list_of(seen), "ready", -1), 0);
    assert_true(characteristic_number(list_of(seen), "traffic.share", -1) == 50);
}

static void a_service_that_is_not_active_is_left_alone(void **state)
{
    (void)state;
    AUTO(free_json) json_t *service = video_service("1.1", "1.0.0", 2, 50);
    json_put_text(service, "state", "terminated");
    assert_null(observed(service, "'ready':'1','share':'0'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_already_changes_nothing),
        cmocka_unit_test(instances_that_die_are_counted),
        cmocka_unit_test(a_lost_lease_takes_its_share_along),
        cmocka_unit_test(a_service_that_the_keeper_does_not_have_has_no_instances),
        cmocka_unit_test(a_service_that_is_not_active_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_order_body.c: the orders that the commands send. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/order_body.h"
#include "cli/documents.h"
#include "net/tmf/characteristic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static json_t *parsed(const char *text)
{
    json_t *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &json, NULL), 0);
    return json;
}

static json_t *sample(void)
{
    return parsed(
        "{\"id\":\"7\",\"name\":\"hello\",\"version\":\"1.0.0\",\"specCharacteristic\":[{\"name\":\"descriptor\","
        "\"characteristicValueSpecification\":[{\"value\":{\"components\":[{\"compute\":{\"name\":\"server\"}},"
        "{\"network\":{\"name\":\"slice\"}},{\"user\":{\"name\":\"cameras\",\"count\":12}},{\"compute\":{\"name\":\"proxy\"}}]}}]}]}");
}

static const json_t *item(const json_t *body, size_t index)
{
    return json_array_get(json_object_get(body, "serviceOrderItem"), index);
}

static void same(const json_t *value, const char *expected)
{
    AUTO(free_text) char *text = value ? json_canonical(value) : mem_copy_text("");
    assert_string_equal(text, expected);
}

static void test_add(void **state)
{
    (void)state;
    AUTO(free_json) json_t *specification = sample(), *body = NULL;
    const struct order_wish wish = {.requester = "eve", .key = "k", .domain = "here", .replicas = 2, .share = 2.5};
    body = order_body_add(specification, &wish);
    assert_string_equal(json_text(body, "externalId", ""), "k");
    assert_string_equal(json_text(body, "description", ""), "add hello 1.0.0 on here");
    assert_string_equal(name_by_role(json_object_get(body, "relatedParty"), "requester"), "eve");
    assert_int_equal(json_array_size(json_object_get(body, "serviceOrderItem")), 4);
    const json_t *server = json_object_get(item(body, 0), "service"), *slice = json_object_get(item(body, 1), "service");
    same(json_object_get(server, "serviceSpecification"),
        "{\"@type\":\"ServiceSpecificationRef\",\"id\":\"7\",\"name\":\"hello\",\"version\":\"1.0.0\"}");
    same(document_value(server, "component"), "\"server\"");
    same(document_value(server, "replicas"), "2");
    same(document_value(server, "traffic.share"), "2.5");
    same(json_object_get(slice, "place"), "[{\"@type\":\"Place\",\"id\":\"here\",\"name\":\"here\",\"role\":\"domain\"}]");
    assert_null(document_value(slice, "replicas"));                                     /* instances are a compute's */
    assert_null(document_value(json_object_get(item(body, 3), "service"), "replicas")); /* ... the first one's */
    same(json_object_get(item(body, 0), "serviceOrderItemRelationship"),
        "[{\"orderItem\":{\"itemId\":\"2\"},\"relationshipType\":\"dependency\"},"
        "{\"orderItem\":{\"itemId\":\"3\"},\"relationshipType\":\"dependency\"}]");
    assert_null(json_object_get(item(body, 1), "serviceOrderItemRelationship"));
}

/* What was not said is not in the order: the core decides. */
static void test_add_little(void **state)
{
    (void)state;
    AUTO(free_json) json_t *specification = parsed("{\"id\":\"7\",\"name\":\"other\"}"), *body = NULL;
    body = order_body_add(specification, &(struct order_wish){.requester = "eve", .share = SHARE_UNSAID});
    same(json_object_get(body, "serviceOrderItem"),
        "[{\"@type\":\"ServiceOrderItem\",\"action\":\"add\",\"id\":\"1\",\"service\":{\"@type\":\"Service\",\"serviceSpecification\":{\"@"
        "type\":\"ServiceSpecificationRef\",\"id\":\"7\",\"name\":\"other\"}}}]");
    assert_null(json_object_get(body, "externalId"));
}

static void test_change(void **state)
{
    (void)state;
    AUTO(free_json) json_t *share = NULL, *scale = NULL, *end = NULL;
    share = order_body_modify("17.1", &(struct order_wish){.requester = "eve", .share = 25, .lease_ms = 60000});
    same(json_object_get(share, "serviceOrderItem"),
        "[{\"@type\":\"ServiceOrderItem\",\"action\":\"modify\",\"id\":\"1\",\"service\":{\"@type\":\"Service\",\"id\":\"17.1\","
        "\"serviceCharacteristic\":["
        "{\"name\":\"traffic.share\",\"value\":25,\"valueType\":\"number\"},{\"name\":\"traffic.lease\",\"value\":60000,\"valueType\":"
        "\"integer\"}]}}]");
    assert_string_equal(json_text(share, "description", ""), "move 17.1 to a share of 25 %");
    scale = order_body_modify("17.1", &(struct order_wish){.requester = "eve", .share = SHARE_UNSAID, .replicas = 3});
    assert_string_equal(json_text(scale, "description", ""), "scale 17.1 to 3");
    end = order_body_delete((const char *const[]){"17.1", "18.1"}, 2, &(struct order_wish){.requester = "eve"});
    assert_string_equal(json_text(json_object_get(item(end, 1), "service"), "id", ""), "18.1");
    assert_string_equal(json_text(item(end, 1), "id", ""), "2");
    assert_string_equal(json_text(end, "description", ""), "end 17.1, 18.1");
}

static void test_share(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double share;
    } right[] = {{"25%", 25}, {"2.5 %", 2.5}, {"0.25%", 0.25}, {"100%", 100}, {"0%", 0}};
    static const char *const wrong[] = {
        "", "%", "-1%", "101%", "100.01%", "2.555%", "25%%", "1e2", "2.%", ".5%", "ten", "25", "0", "0.25", "1", "9999999999999999999%"};
    double share = -1;
    struct error err;
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        assert_int_equal(share_read(right[i].text, &share, &err), 0);
        assert_true(share > right[i].share - 1e-9 && share < right[i].share + 1e-9);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(share_read(wrong[i], &share, &err), -ERROR_INVALID);
    assert_int_equal(share_read("0.25", &share, &err), -ERROR_INVALID); /* what is meant is asked, not guessed */
    assert_string_equal(err.hint, "is 25% meant, or 0.25%?");
    assert_int_equal(share_read("25 ", &share, &err), -ERROR_INVALID);
    assert_string_equal(err.hint, "write 25%");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add), cmocka_unit_test(test_add_little), cmocka_unit_test(test_change), cmocka_unit_test(test_share)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

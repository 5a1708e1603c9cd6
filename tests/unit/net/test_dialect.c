/* test_dialect.c: states and ids as several peers write them; and, where CRESCENDO_RECORDED names a folder with
   answers recorded from a real OpenSlice, those. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/text.h"
#include "net/tmf/characteristic.h"
#include "net/tmf/orders.h"
#include "net/tmf/services.h"

#include <stdlib.h>
#include <string.h>

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &json, NULL), 0);
    return json;
}

static const struct tmf_dialect *dialect(const char *name)
{
    for (unsigned i = 0; tmf_dialect_at(i); i++)
        if (strcmp(tmf_dialect_at(i)->name, name) == 0) return tmf_dialect_at(i);
    fail();
    return NULL;
}

static void tables_are_complete(void **state)
{
    (void)state;
    for (unsigned i = 0; tmf_dialect_at(i); i++) {
        const struct tmf_dialect *one = tmf_dialect_at(i);
        assert_non_null(one->items_key);
        assert_non_null(one->item_service);
        assert_in_range(one->created, 200, 201);
        for (int c = 0; c < TMF_COLLECTION_COUNT; c++)
            assert_true(text_starts(one->paths[c], "/tmf-api/"));
        for (int s = 1; s < TMF_ORDER_STATE_COUNT; s++)
            assert_int_equal(tmf_order_state_read(one->order_states[s]), s);
        for (int s = 1; s < TMF_SERVICE_STATE_COUNT; s++)
            assert_int_equal(tmf_service_state_read(one->service_states[s]), s);
    }
}

static void states_in_any_spelling(void **state)
{
    (void)state;
    assert_int_equal(tmf_order_state_read("inProgress"), TMF_ORDER_IN_PROGRESS);
    assert_int_equal(tmf_order_state_read("INPROGRESS"), TMF_ORDER_IN_PROGRESS);
    assert_int_equal(tmf_order_state_read("IN_PROGRESS"), TMF_ORDER_IN_PROGRESS);
    assert_int_equal(tmf_order_state_read("in-progress"), TMF_ORDER_IN_PROGRESS);
    assert_int_equal(tmf_order_state_read("INITIAL"), TMF_ORDER_UNKNOWN);
    assert_int_equal(tmf_order_state_read(""), TMF_ORDER_UNKNOWN);
    assert_int_equal(tmf_order_state_read(NULL), TMF_ORDER_UNKNOWN);
    assert_int_equal(tmf_service_state_read("TERMINATED"), TMF_SERVICE_TERMINATED);
    assert_true(tmf_order_is_at_rest(TMF_ORDER_PARTIAL));
    assert_false(tmf_order_is_at_rest(TMF_ORDER_HELD));
    assert_false(tmf_order_is_at_rest(TMF_ORDER_UNKNOWN));
}

static void unknown_and_unspoken_dialects(void **state)
{
    (void)state;
    const struct tmf_dialect *found = NULL;
    struct error err = {0};
    assert_int_equal(tmf_dialect_find(NULL, &found, &err), 0);
    assert_string_equal(found->name, "standard");
    assert_int_equal(tmf_dialect_find("openslice", &found, &err), -ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "not spoken in this version"));
    assert_int_equal(tmf_dialect_find("standart", &found, &err), -ERROR_NOT_FOUND);
    assert_string_equal(err.hint, "did you mean \"standard\"?");
}

static void services_of_items(void **state)
{
    (void)state;
    AUTO(free_json) json_t *item = parse("{\"service\": {\"id\": \"s1\", \"supportingService\": [{\"id\": \"s2\"}, {\"id\": \"s3\"}]}}");
    assert_string_equal(tmf_item_service(dialect("standard"), item), "s1");
    assert_string_equal(tmf_item_service(dialect("openslice"), item), "s2");
    AUTO(free_json) json_t *empty = parse("{\"service\": {\"supportingService\": []}}");
    assert_null(tmf_item_service(dialect("standard"), empty));
    assert_null(tmf_item_service(dialect("openslice"), empty));
}

/* --- what a real OpenSlice said
 * ------------------------------------------------------------------------------------------------------------ */

#define NEEDS_RECORDED() \
    if (!getenv("CRESCENDO_RECORDED")) skip() /* before anything is allocated: it does not come back */

/* The body of a recorded answer. New. */
static json_t *recorded(const char *name)
{
    AUTO(free_text) char *path = mem_format("%s/%s", getenv("CRESCENDO_RECORDED"), name), *text = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, 1 << 24, &text, &size, NULL), 0);
    const char *body = strstr(text, "\n\n");
    if (!body) body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    return parse(body);
}

static const json_t *first_item(const json_t *order)
{
    return json_array_get(tmf_order_items(dialect("openslice"), order), 0);
}

static void recorded_orders(void **state)
{
    (void)state;
    NEEDS_RECORDED();
    AUTO(free_json) json_t *done = recorded("04-order-completed.http"), *stuck = recorded("06-order-stuck-inprogress.http");
    int64_t us = 0;
    assert_int_equal(tmf_order_state_of(done), TMF_ORDER_COMPLETED);
    assert_int_equal(tmf_order_state_of(first_item(done)), TMF_ORDER_COMPLETED);
    assert_string_equal(tmf_item_service(dialect("openslice"), first_item(done)), "8104c0e4-1f1f-49be-ab77-16a06c2d9a5c");
    const json_t *asked = json_object_get(json_object_get(first_item(done), "service"), "serviceCharacteristic");
    assert_int_equal(characteristic_whole(asked, "replicas", 0), 2);
    assert_true(moment_read(json_text(done, "completionDate", NULL), &us));
    assert_true(moment_read(json_text(done, "requestedStartDate", NULL), &us));
    assert_int_equal(tmf_order_state_of(stuck), TMF_ORDER_IN_PROGRESS);
    assert_false(tmf_order_is_at_rest(tmf_order_state_of(stuck)));
}

/* It took the order, and nothing of what was ordered. */
static void recorded_standard_key(void **state)
{
    (void)state;
    NEEDS_RECORDED();
    AUTO(free_json) json_t *order = recorded("13-order-serviceOrderItem-spelling.http");
    AUTO(free_json) json_t *asked = parse("{\"serviceOrderItem\": [{\"id\": \"1\"}]}");
    struct tmf_client client = {0};
    struct error err = {0};
    assert_int_equal(tmf_client_open("far", "http://127.0.0.1:1", NULL, &client, NULL), 0);
    client.dialect = dialect("openslice");
    assert_int_equal(tmf_order_check_echo(&client, asked, order, &err), -ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "without its items"));
    tmf_client_release(&client);
}

/* Judge by the service, never by the order alone. */
static void recorded_completed_and_terminated(void **state)
{
    (void)state;
    NEEDS_RECORDED();
    AUTO(free_json) json_t *order = recorded("05-order-completed-but-service-terminated.http"), *service = recorded("10-service-get.http");
    assert_int_equal(tmf_order_state_of(order), TMF_ORDER_COMPLETED);
    assert_int_equal(tmf_service_state_of(json_object_get(first_item(order), "service")), TMF_SERVICE_TERMINATED);
    assert_int_equal(tmf_service_state_of(service), TMF_SERVICE_TERMINATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables_are_complete), cmocka_unit_test(states_in_any_spelling),
        cmocka_unit_test(unknown_and_unspoken_dialects), cmocka_unit_test(services_of_items), cmocka_unit_test(recorded_orders),
        cmocka_unit_test(recorded_standard_key), cmocka_unit_test(recorded_completed_and_terminated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

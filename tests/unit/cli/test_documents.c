/* test_documents.c: where a core's documents keep what tables show. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/documents.h"

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

static void value(const json_t *document, const char *name, const char *expected)
{
    AUTO(free_text) char *text = document_value_text(document, name);
    assert_string_equal(text, expected);
}

static void test_values(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *service =
        parsed("{\"serviceCharacteristic\":[7,{\"name\":\"address\",\"value\":\"http://x\"},{\"name\":\"traffic.share\",\"value\":100.0},"
               "{\"name\":\"replicas\",\"value\":{\"value\":\"2\",\"alias\":\"\"}},{\"name\":\"none\",\"value\":null},"
               "{\"name\":\"lost\",\"value\":true},{\"name\":\"bare\"}]}");
    value(service, "address", "http://x");
    value(service, "traffic.share", "100");
    value(service, "replicas", "2"); /* as OpenSlice wraps it */
    value(service, "none", "");
    value(service, "lost", "true");
    value(service, "bare", "");
    value(service, "missing", "");
    value(NULL, "missing", "");
}

/* A specification says it in another place: its default. */
static void test_specification(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *specification =
        parsed("{\"specCharacteristic\":[{\"name\":\"replicas\"},{\"name\":\"descriptor\",\"characteristicValueSpecification\":["
               "{\"isDefault\":true,\"value\":{\"service\":\"hello\"}}]}]}");
    assert_string_equal(json_text(document_value(specification, "descriptor"), "service", ""), "hello");
    assert_null(document_value(specification, "replicas"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_specification)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

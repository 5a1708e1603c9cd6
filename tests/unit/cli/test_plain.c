/* test_plain.c: JSON in a few words. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void members(const char *json, const char *skip, const char *expected)
{
    AUTO(free_json) json_t *value = NULL;
    AUTO(text_release) struct text out = {0};
    assert_int_equal(json_parse(json, strlen(json), "test", &value, NULL), 0);
    plain_add_members(&out, value, skip);
    assert_string_equal(text_view(&out), expected);
}

static void test_members(void **state)
{
    (void)state;
    members("{\"name\":\"x\",\"command\":[\"bin/x\",\"-v\"],\"ports\":{\"http\":8080}}", "name", "command bin/x -v  ports http=8080");
    members("{\"name\":\"x\",\"naming\":true,\"none\":null}", "name kpi", "naming true");
    members("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":1}}}}}}", NULL, "a b=c=d=e={\"f\":1}"); /* not without end */
    members("{}", NULL, "");
    members("[1]", NULL, "");
}

static void test_units(void **state)
{
    (void)state;
    members("{\"cpu\":500,\"memory\":268435456,\"latency\":0.5,\"downlink\":100000000,\"reliability\":99.999}", NULL,
        "cpu 500m  memory 256.0 MiB  latency 0.5ms  downlink 100Mbps  reliability 99.999%");
    members(
        "{\"uplink\":1500,\"throughput\":20,\"cpu\":\"any\",\"count\":12}", NULL, "uplink 1.5kbps  throughput 20bps  cpu any  count 12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_members), cmocka_unit_test(test_units)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

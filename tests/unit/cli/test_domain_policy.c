/* test_domain_policy.c: a domain's canary policy in a few lines. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/domain_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void shows(const char *policy, const char *expected)
{
    AUTO(free_json) json_t *value = NULL;
    AUTO(text_release) struct text out = {0};
    const struct terminal terminal = {0};
    if (policy) assert_int_equal(json_parse(policy, strlen(policy), "test", &value, NULL), 0);
    add_policy(&out, &terminal, value);
    assert_string_equal(text_view(&out), expected);
}

static void all_of_it(void **state)
{
    (void)state;
    shows("{\"promotion\":\"judged\",\"share\":[5.0,12.5],\"lease\":60000,\"every\":10000,\"concurrency\":\"queue\",\"on\":{\"doubt\":"
          "\"hold\"},"
          "\"budget\":{\"false-rollback\":0.5,\"shortest\":120000,\"longest\":3600000,\"warm-up\":30000},"
          "\"kpis\":[{\"kpi\":\"latency\",\"tolerate\":5.0,\"clear\":20.0,\"critical\":true},"
          "{\"kpi\":\"errors\",\"tolerate-odds\":1.25,\"clear-odds\":2.5,\"negligible\":1.0,\"critical\":false}]}",
        "canary      5 %, 12.5 %, lent for 1 m 0 s\n"
        "judged      every 10.0 s, each share at least 2 m 0 s after 30.0 s, at most 1 h 0 m\n"
        "latency     5 % slower is fine, 20 % must be ruled out\n"
        "errors      odds of 1.25 are fine, 2.5 must be ruled out; below 1 % negligible; decides nothing\n"
        "risk        0.5 % of good canaries are rolled back at most; in doubt: hold; a second one: queue\n"
        "promotion   judged: in a pipeline only behind a kpi step of the same service\n");
}

static void who_has_to_go_back(void **state)
{
    (void)state;
    static const char rest[] = "\n"
                               "judged      every 10.0 s, each share at least 2 m 0 s after 30.0 s, at most 1 h 0 m\n"
                               "risk        1 % of good canaries are rolled back at most; in doubt: hold; a second one: queue\n"
                               "promotion   judged: in a pipeline only behind a kpi step of the same service\n";
    static const char *const words[][2] = {{"domain", " by a domain that goes back by itself"}, {"server", ""}};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        AUTO(free_text)
        char *policy = mem_format(
            "{\"lease-by\":\"%s\",\"promotion\":\"judged\",\"share\":[5.0],\"lease\":60000,\"every\":10000,\"concurrency\":\"queue\","
            "\"on\":{\"doubt\":\"hold\"},\"budget\":{\"false-rollback\":1.0,\"shortest\":120000,\"longest\":3600000,\"warm-up\":30000},"
            "\"kpis\":[]}",
            words[i][0]);
        AUTO(free_text) char *expected = mem_format("canary      5 %%, lent for 1 m 0 s%s%s", words[i][1], rest);
        shows(policy, expected);
    }
}

static void nothing_of_an_older_core(void **state)
{
    (void)state;
    shows(NULL, "");
    shows("{\"lease\":60000}", "");
    shows("{\"share\":\"x\"}", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it), cmocka_unit_test(who_has_to_go_back), cmocka_unit_test(nothing_of_an_older_core)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

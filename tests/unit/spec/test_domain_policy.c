/* test_domain_policy.c: the canary policy of a domain: every default, what is laid over them, and what does not fit together. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The typed policy as canonical text; or "CODE: first mistake". policy: what stands behind `policy:`. */
static char *loaded(const char *policy)
{
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(free_json) json_t *domain = NULL;
    AUTO(free_text) char *text = mem_format("domain: lab\n%s%s\n", policy ? "policy: " : "", policy ? policy : "");
    const struct source source = {"lab.yaml", text, strlen(text)};
    if (domain_load(&source, &list, &domain)) return mem_format("%s: %s", list.items[0].code, list.items[0].message);
    return json_canonical(json_object_get(domain, "policy"));
}

#define NO_DATA "\"on-no-data\":{\"hold\":300000,\"then\":\"rollback\"}"
#define LATENCY(tolerate, clear) \
    "{\"clear\":" clear ",\"compare\":\"baseline\",\"critical\":true,\"kpi\":\"latency\"," NO_DATA ",\"tolerate\":" tolerate \
    ",\"weight\":1.0}"
#define ERRORS(negligible, clear, tolerate) \
    "{\"clear-odds\":" clear ",\"compare\":\"baseline\",\"critical\":true,\"kpi\":\"errors\",\"negligible\":" negligible "," NO_DATA \
    ",\"tolerate-odds\":" tolerate ",\"weight\":1.0}"

static void everything_has_a_default(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL, "{}", "{ promotion: free, kpis: [latency, errors] }", "{ on: {} }"};
    for (size_t i = 0; i < COUNT_OF(nothing); i++) {
        AUTO(free_text) char *got = loaded(nothing[i]);
        assert_string_equal(got,
            "{\"baseline\":\"in-service\",\"budget\":{\"false-rollback\":1.0,\"longest\":3600000,\"shortest\":120000,\"warm-up\":30000},"
            "\"concurrency\":\"queue\",\"every\":10000,\"keep-old\":1800000,\"kpis\":[" LATENCY("5.0", "20.0") "," ERRORS(
                "1.0", "2.5", "1.25") "],\"largest-share\":100.0,\"lease\":60000,\"on\":{\"doubt\":\"rollback\",\"harm\":\"rollback\"},"
                                      "\"promotion\":\"free\",\"share\":[5.0,25.0,50.0]}");
    }
}

static void has(const char *policy, const char *part)
{
    AUTO(free_text) char *got = loaded(policy);
    if (!strstr(got, part)) fail_msg("%s\ngave %s\nwithout %s", policy, got, part);
}

static void what_is_said_counts(void **state)
{
    (void)state;
    has("{ budget: { shortest: 20s } }", "\"budget\":{\"false-rollback\":1.0,\"longest\":3600000,\"shortest\":20000,\"warm-up\":30000}");
    has("{ kpis: [{ kpi: latency, tolerate: 10% }] }", "\"kpis\":[" LATENCY("10.0", "40.0") "]");
    has("{ kpis: [{ kpi: latency, tolerate: 0% }] }", "\"kpis\":[" LATENCY("0.0", "20.0") "]");
    has("{ kpis: [{ kpi: latency, clear: 6% }] }", "\"kpis\":[" LATENCY("5.0", "6.0") "]");
    has("{ kpis: [{ kpi: errors, tolerate-odds: 2, negligible: 0% }] }", "\"kpis\":[" ERRORS("0.0", "4.0", "2.0") "]");
    has("{ kpis: [{ kpi: latency, on-no-data: { then: hold } }] }", "\"on-no-data\":{\"hold\":300000,\"then\":\"hold\"}");
    has("{ kpis: [latency, { kpi: errors, critical: false, weight: 0.5 }] }", "\"critical\":false");
    has("{ on: { doubt: extend } }", "\"on\":{\"doubt\":\"extend\",\"harm\":\"rollback\"}");
    has("{ share: 12.5%, every: 200ms, concurrency: reject }", "\"share\":[12.5]");
}

static void who_says_how_it_is_judged_wants_it_judged(void **state)
{
    (void)state;
    static const char *const judged[] = {
        "{ kpis: [latency] }", "{ share: 5% }", "{ budget: {} }", "{ every: 1s }", "{ promotion: judged }"};
    static const char *const free_[] = {NULL, "{ lease: 30s }", "{ largest-share: 50%, keep-old: 0s }", "{ promotion: free, every: 1s }"};
    for (size_t i = 0; i < COUNT_OF(judged); i++)
        has(judged[i], "\"promotion\":\"judged\"");
    for (size_t i = 0; i < COUNT_OF(free_); i++)
        has(free_[i], "\"promotion\":\"free\"");
}

static void default_shares_stay_below_the_largest(void **state)
{
    (void)state;
    has("{ largest-share: 50% }", "\"share\":[5.0,25.0,50.0]");
    has("{ largest-share: 30% }", "\"share\":[5.0,25.0]");
    has("{ largest-share: 2% }", "\"share\":[2.0]");
    has("{ largest-share: 0% }", "\"share\":[]");
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    static const char *const examples[][2] = {{"{ share: [] }", "wrong-value: \"share\" is empty"},
        {"{ share: [25%, 25%] }", "wrong-value: the share 25 % stands behind 25 %"},
        {"{ share: [25%, 5] }", "wrong-type: \"share\" must be a percentage"},
        {"{ share: { a: b } }", "wrong-type: \"share\" must be a list"}, {"{ share: 0% }", "wrong-value: a canary's share is above 0 %"},
        {"{ share: [5%, 100%] }", "wrong-value: a canary's share is above"},
        {"{ share: [5%, 50%], largest-share: 40% }", "wrong-value: the share 50 % is above \"largest-share\", which is 40 %"},
        {"{ share: [1%, 2%, 3%, 4%, 5%, 6%, 7%, 8%, 9%, 10%, 11%, 12%, 13%, 14%, 15%, 16%, 17%, 18%, 19%, 20%, 21%] }",
            "wrong-value: more than 20 shares"},
        {"{ budget: { shortest: 30m } }", "wrong-value: 3 shares, each with its warm-up and \"shortest\", take 1 h 31 m"},
        {"{ budget: { shortest: 5s } }", "wrong-value: \"every\" is longer than \"shortest\""},
        {"{ budget: { shortest: 400ms } }", "out-of-bounds: \"shortest\""},
        {"{ budget: { false-rollback: 0% } }", "wrong-value: \"false-rollback\" must be above 0"},
        {"{ budget: { longest: 8d } }", "out-of-bounds: \"longest\""}, {"{ every: 199ms }", "out-of-bounds: \"every\""},
        {"{ kpis: latency }", "wrong-type: \"kpis\" must be a list of maps"}, {"{ kpis: [] }", "missing-value: \"kpis\" is empty"},
        {"{ kpis: [{ tolerate: 5% }] }", "missing-key: kpis needs the key \"kpi\""},
        {"{ kpis: [jitter] }", "wrong-type: \"kpi\" cannot be"}, {"{ kpis: [throughput] }", "not-in-this-version: \"kpi: throughput\""},
        {"{ kpis: [latency, latency] }", "duplicate-id: the KPI latency stands there twice"},
        {"{ kpis: [{ kpi: latency, negligible: 1% }] }", "misplaced-key: \"negligible\" is a key of the KPI errors, not of latency"},
        {"{ kpis: [{ kpi: errors, clear: 20% }] }", "misplaced-key: \"clear\" is a key of the KPI latency, not of errors"},
        {"{ kpis: [{ kpi: latency, clear: 5% }] }", "wrong-value: \"clear\" is 5 and must be above \"tolerate\", which is 5"},
        {"{ kpis: [{ kpi: errors, clear-odds: 1 }] }",
            "wrong-value: \"clear-odds\" is 1 and must be above \"tolerate-odds\", which is 1.25"},
        {"{ kpis: [{ kpi: errors, tolerate-odds: 0.9 }] }", "out-of-bounds: \"tolerate-odds\""},
        {"{ kpis: [{ kpi: errors, critical: false }] }", "wrong-value: no KPI is critical"},
        {"{ kpis: [{ kpi: errors, weight: 0 }] }", "wrong-value: \"weight\" must be above 0"},
        {"{ kpis: [{ kpi: latency, from: sla }] }", "not-in-this-version: \"from\""}, {"{ baseline: fresh }", "not-in-this-version: "},
        {"{ on: { doubt: ask } }", "not-in-this-version: "}, {"{ on: { saturation: { scale: 2 } } }", "not-in-this-version: "},
        {"{ windows: [a] }", "not-in-this-version: "}, {"{ kpis: [latency, 5%", "syntax: "}, {"text", "wrong-type: policy must be a map"},
        {"", "missing-value: \"policy\" must be a map"}, {"{ every: \"${{ params.x }}\" }", "expression-not-allowed: "}};
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        AUTO(free_text) char *got = loaded(examples[i][0]);
        if (!text_starts(got, examples[i][1])) fail_msg("%s\ngave %s\nnot %s", examples[i][0], got, examples[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_has_a_default), cmocka_unit_test(what_is_said_counts),
        cmocka_unit_test(who_says_how_it_is_judged_wants_it_judged), cmocka_unit_test(default_shares_stay_below_the_largest),
        cmocka_unit_test(what_does_not_fit_is_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

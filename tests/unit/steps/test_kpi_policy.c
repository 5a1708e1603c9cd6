/* test_kpi_policy.c: the domain's policy of a canary, made stricter by a pipeline, never laxer: every key, in both directions. */
#include "support.h"

#include "../../../steps/kpi_policy.h"

#define NO_DATA "\"on-no-data\":{\"hold\":300000,\"then\":\"hold\"}"
#define LATENCY \
    "{\"kpi\":\"latency\",\"compare\":\"baseline\",\"tolerate\":5.0,\"clear\":20.0,\"critical\":false,\"weight\":0.5," NO_DATA "}"
#define ERRORS \
    "{\"kpi\":\"errors\",\"compare\":\"baseline\",\"tolerate-odds\":1.25,\"clear-odds\":2.5,\"negligible\":1.0,\"critical\":true," \
    "\"weight\":1.0," NO_DATA "}"
#define DOMAIN_WITH(kpis, shares, largest) \
    "{\"share\":" shares ",\"every\":10000,\"budget\":{\"false-rollback\":1.0,\"shortest\":120000,\"longest\":3600000,\"warm-up\":30000}," \
    "\"baseline\":\"in-service\",\"kpis\":" kpis ",\"concurrency\":\"queue\",\"on\":{\"harm\":\"rollback\",\"doubt\":\"hold\"}," \
    "\"lease\":60000,\"lease-by\":\"domain\",\"keep-old\":1800000,\"promotion\":\"judged\",\"largest-share\":" largest "}"

static const char domain_text[] = DOMAIN_WITH("[" LATENCY "," ERRORS "]", "[5.0,25.0,50.0]", "60.0");

/* What comes of a domain's policy and a pipeline's, as canonical text; or "CODE: message". */
static char *merged(const char *domain, const char *stricter, struct error *err)
{
    AUTO(free_json) json_t *theirs = parse(domain), *ours = stricter ? parse(stricter) : NULL, *policy = NULL;
    AUTO(free_text) char *before = json_canonical(theirs);
    int failed = kpi_policy_merge(theirs, ours, &policy, err);
    AUTO(free_text) char *after = json_canonical(theirs);
    assert_string_equal(before, after); /* the plan shares it */
    assert_int_equal(failed != 0, policy == NULL);
    return failed ? mem_format("%s: %s", error_code_name(err->code), err->message) : json_canonical(policy);
}

static void expect(const char *domain, const char *stricter, const char *part)
{
    struct error err = {0};
    AUTO(free_text) char *got = merged(domain, stricter, &err);
    if (!strstr(got, part)) fail_msg("%s\ngave %s\nwithout %s", stricter, got, part);
}

static void without_a_pipelines_it_is_the_domains(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL, "{}", "{\"kpis\":[{\"kpi\":\"latency\"}]}", "{\"budget\":{},\"on\":{}}", domain_text};
    AUTO(free_json) json_t *domain = parse(domain_text);
    AUTO(free_text) char *wanted = json_canonical(domain);
    for (size_t i = 0; i < COUNT_OF(nothing); i++) {
        struct error err = {0};
        AUTO(free_text) char *got = merged(domain_text, nothing[i], &err);
        assert_string_equal(got, wanted);
    }
}

struct direction {
    const char *stricter, *part; /* what is allowed, and what comes of it */
    const char *laxer, *message; /* what is denied, and how */
};

#define KPI(name, rest) "{\"kpis\":[{\"kpi\":\"" name "\"," rest "}]}"

static const struct direction directions[] = {
    {"{\"lease\":30000}", "\"lease\":30000", "{\"lease\":90000}",
        "policy.lease: the pipeline says 1 m 30 s where the domain says 1 m 0 s: stricter is shorter"},
    {"{\"lease-by\":\"domain\"}", "\"lease-by\":\"domain\"", "{\"lease-by\":\"server\"}",
        "policy.lease-by: the pipeline says server where the domain says domain: the strictest is domain"},
    {"{\"largest-share\":40.0}", "\"largest-share\":40.0,", "{\"largest-share\":70.0}",
        "policy.largest-share: the pipeline says 70 % where the domain says 60 %: stricter is smaller"},
    {"{\"share\":[5.0,10.0,25.0,50.0]}", "\"share\":[5.0,10.0,25.0,50.0]", "{\"share\":[5.0,10.0,25.0,50.0,60.0]}",
        "policy.share, number 5: the pipeline says 60 % where the domain says 50 %: stricter is smaller"},
    {"{\"share\":[1.0,5.0,25.0]}", "\"share\":[1.0,5.0,25.0]", "{\"share\":[10.0,25.0,50.0]}",
        "policy.share, number 1: the pipeline says 10 % where the domain says 5 %: stricter is smaller"},
    {"{\"share\":[5.0,25.0,50.0]}", "\"share\":[5.0,25.0,50.0]", "{\"share\":[5.0]}",
        "policy.share: the pipeline has 1 where the domain has 3: from its last share it would go to all requests"},
    {"{\"concurrency\":\"reject\"}", "\"concurrency\":\"reject\"", "{\"concurrency\":\"supersede\"}",
        "policy.concurrency: the pipeline says supersede where the domain says queue: the strictest is reject"},
    {"{\"every\":10000}", "\"every\":10000", "{\"every\":5000}",
        "policy.every: the pipeline says 5.0 s where the domain says 10.0 s: it is the domain's alone"},
    {"{\"keep-old\":1800000}", "\"keep-old\":1800000", "{\"keep-old\":3600000}",
        "policy.keep-old: the pipeline says 1 h 0 m where the domain says 30 m 0 s: it is the domain's alone"},
    {"{\"baseline\":\"in-service\"}", "\"baseline\":\"in-service\"", "{\"baseline\":\"fresh\"}",
        "policy.baseline: the pipeline says fresh where the domain says in-service: it is the domain's alone"},
    {"{\"promotion\":\"judged\"}", "\"promotion\":\"judged\"", "{\"promotion\":\"free\"}",
        "policy.promotion: the pipeline says free where the domain says judged: the strictest is judged"},
    {"{\"budget\":{\"false-rollback\":2.0}}", "\"false-rollback\":2.0", "{\"budget\":{\"false-rollback\":0.5}}",
        "policy.budget.false-rollback: the pipeline says 0.5 % where the domain says 1 %: stricter is larger"},
    {"{\"budget\":{\"shortest\":300000}}", "\"shortest\":300000", "{\"budget\":{\"shortest\":60000}}",
        "policy.budget.shortest: the pipeline says 1 m 0 s where the domain says 2 m 0 s: stricter is longer"},
    {"{\"budget\":{\"longest\":3600000}}", "\"longest\":3600000", "{\"budget\":{\"longest\":1800000}}",
        "policy.budget.longest: the pipeline says 30 m 0 s where the domain says 1 h 0 m: it is the domain's alone"},
    {"{\"budget\":{\"warm-up\":30000}}", "\"warm-up\":30000", "{\"budget\":{\"warm-up\":60000}}",
        "policy.budget.warm-up: the pipeline says 1 m 0 s where the domain says 30.0 s: it is the domain's alone"},
    {KPI("latency", "\"tolerate\":2.0"), "\"tolerate\":2.0", KPI("latency", "\"tolerate\":10.0"),
        "policy.kpis.latency.tolerate: the pipeline says 10 % where the domain says 5 %: stricter is smaller"},
    {KPI("latency", "\"clear\":10.0"), "\"clear\":10.0", KPI("latency", "\"clear\":25.0"),
        "policy.kpis.latency.clear: the pipeline says 25 % where the domain says 20 %: stricter is smaller"},
    {KPI("latency", "\"critical\":true"), "\"critical\":true,\"kpi\":\"latency\"", KPI("errors", "\"critical\":false"),
        "policy.kpis.errors.critical: the pipeline says false where the domain says true: stricter is true"},
    {KPI("latency", "\"weight\":0.5"), "\"weight\":0.5", KPI("latency", "\"weight\":0.25"),
        "policy.kpis.latency.weight: the pipeline says 0.25 where the domain says 0.5: it is the domain's alone"},
    {KPI("latency", "\"compare\":\"baseline\""), "\"compare\":\"baseline\"", KPI("latency", "\"compare\":\"last-week\""),
        "policy.kpis.latency.compare: the pipeline says last-week where the domain says baseline: it is the domain's alone"},
    {KPI("errors", "\"tolerate-odds\":1.0"), "\"tolerate-odds\":1.0", KPI("errors", "\"tolerate-odds\":1.5"),
        "policy.kpis.errors.tolerate-odds: the pipeline says 1.5 where the domain says 1.25: stricter is smaller"},
    {KPI("errors", "\"clear-odds\":2.0"), "\"clear-odds\":2.0", KPI("errors", "\"clear-odds\":3.0"),
        "policy.kpis.errors.clear-odds: the pipeline says 3 where the domain says 2.5: stricter is smaller"},
    {KPI("errors", "\"negligible\":0.0"), "\"negligible\":0.0", KPI("errors", "\"negligible\":2.0"),
        "policy.kpis.errors.negligible: the pipeline says 2 % where the domain says 1 %: stricter is smaller"},
    {KPI("errors", "\"on-no-data\":{\"hold\":60000}"), "{\"hold\":60000,\"then\":\"hold\"}",
        KPI("errors", "\"on-no-data\":{\"hold\":600000}"),
        "policy.kpis.errors.on-no-data.hold: the pipeline says 10 m 0 s where the domain says 5 m 0 s: stricter is shorter"},
    {KPI("errors", "\"on-no-data\":{\"then\":\"rollback\"}"), "{\"hold\":300000,\"then\":\"rollback\"}",
        KPI("errors", "\"on-no-data\":{\"then\":\"promote\"}"),
        "policy.kpis.errors.on-no-data.then: the pipeline says promote where the domain says hold: the strictest is rollback"},
    {"{\"on\":{\"doubt\":\"rollback\"}}", "\"doubt\":\"rollback\"", "{\"on\":{\"doubt\":\"extend\"}}",
        "policy.on.doubt: the pipeline says extend where the domain says hold: the strictest is rollback"},
    {"{\"on\":{\"harm\":\"rollback\"}}", "\"harm\":\"rollback\"", "{\"on\":{\"harm\":\"hold\"}}",
        "policy.on.harm: the pipeline says hold where the domain says rollback: the strictest is rollback"},
};

static void stricter_is_taken_and_laxer_denied(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(directions); i++) {
        struct error err = {0};
        AUTO(free_text)
        char *wanted = mem_format("DENIED: %s", directions[i].message), *got = merged(domain_text, directions[i].laxer, &err);
        expect(domain_text, directions[i].stricter, directions[i].part);
        assert_string_equal(got, wanted);
        assert_string_equal(err.hint, "leave it out, or write something stricter");
    }
}

/* Each key that a pipeline may write has its direction above. */
static void every_key_was_tried(void **state)
{
    (void)state;
    AUTO(text_release) struct text all = {0};
    for (size_t i = 0; i < COUNT_OF(directions); i++)
        text_add(&all, directions[i].laxer);
    for (const struct field *field = kpi_policy_fields; field->name; field++) {
        assert_null(field->fallback);
        for (const struct field *inner = field->fields; inner && inner->name; inner++) {
            AUTO(free_text) char *key = mem_format("\"%s\":", inner->name);
            assert_null(inner->fallback);
            if (!(inner->flags & FIELD_LATER) && !strstr(text_view(&all), key)) fail_msg("%s is not tried", key);
        }
        AUTO(free_text) char *key = mem_format("\"%s\":", field->name);
        if (!(field->flags & FIELD_LATER) && !strstr(text_view(&all), key)) fail_msg("%s is not tried", key);
    }
}

static void a_smaller_largest_share_lowers_the_ramp(void **state)
{
    (void)state;
    expect(domain_text, "{\"largest-share\":30.0}", "\"share\":[3.0,15.0,30.0]");
    expect(domain_text, "{\"largest-share\":25.0}", "\"share\":[2.5,12.5,25.0]");
    expect(domain_text, "{\"largest-share\":20.0}", "\"share\":[2.0,10.0,20.0]");
    expect(domain_text, "{\"largest-share\":0.0}", "DENIED: the policy allows no share to a canary: its \"largest-share\" is 0 %");
    expect(domain_text, "{\"largest-share\":10.0,\"share\":[5.0,25.0,50.0]}",
        "INVALID: policy.share: 50 % is above \"largest-share\", which is 10 %");
}

static void a_kpi_more_is_stricter(void **state)
{
    (void)state;
    static const char errors_only[] = DOMAIN_WITH("[" ERRORS "]", "[5.0]", "60.0");
    static const char latency_only[] = DOMAIN_WITH("[" LATENCY "]", "[5.0]", "60.0");
    expect(errors_only, "{\"kpis\":[{\"kpi\":\"latency\"}]}",
        "{\"clear\":20.0,\"compare\":\"baseline\",\"critical\":true,\"kpi\":\"latency\",\"on-no-data\":{\"hold\":300000,\"then\":"
        "\"rollback\"},"
        "\"tolerate\":5.0,\"weight\":1.0}");
    expect(errors_only, KPI("latency", "\"tolerate\":10.0"), "{\"clear\":40.0,");
    expect(latency_only, KPI("errors", "\"tolerate-odds\":2.0"), "{\"clear-odds\":4.0,");
    expect(latency_only, KPI("errors", "\"negligible\":0.0"), "\"weight\":0.5}"); /* no larger a part of the budget than another's */
    expect(latency_only, KPI("errors", "\"weight\":0.25"), "\"weight\":0.25}");
    expect(latency_only, KPI("errors", "\"weight\":1.0"),
        "DENIED: policy.kpis.errors.weight: the pipeline says 1 where the domain says 0.5: stricter is smaller");
    expect(latency_only, "{\"kpis\":[{\"kpi\":\"jitter\"}]}", "INVALID: policy.kpis: there is no KPI \"jitter\"");
}

static void what_comes_of_it_must_fit(void **state)
{
    (void)state;
    expect(domain_text, "{\"budget\":{\"shortest\":1200000}}",
        "INVALID: policy.budget: 3 shares, each with its warm-up and \"shortest\", take 1 h 1 m, and the domain's \"longest\" is 1 h 0 m");
    expect(domain_text, "{\"budget\":{\"shortest\":1080000},\"share\":[1.0,2.0,5.0]}", "\"shortest\":1080000");
    expect(domain_text, KPI("latency", "\"clear\":4.0"),
        "INVALID: policy.kpis.latency: \"clear\" comes to 4 and must be above \"tolerate\", which is 5");
    expect(domain_text, KPI("latency", "\"clear\":4.0,\"tolerate\":1.0"), "\"clear\":4.0,");
    expect(domain_text, KPI("errors", "\"clear-odds\":1.2"), "INVALID: policy.kpis.errors: \"clear-odds\" comes to 1.2");
}

static void what_is_no_policy_is_said(void **state)
{
    (void)state;
    expect(domain_text, "{\"share\":[]}", "INVALID: policy.share has 0 shares");
    expect(domain_text, "{\"share\":[5.0,5.0]}", "INVALID: policy.share: 5 % cannot stand there");
    expect(domain_text, "{\"share\":[0.0]}", "INVALID: policy.share: 0 % cannot stand there");
    expect(domain_text, "{\"share\":[5.0,\"x\"]}", "INVALID: policy.share: 0 % cannot stand there");
    expect(domain_text, KPI("latency", "\"negligible\":1.0"),
        "INVALID: policy.kpis: \"negligible\" is a key of the KPI errors, not of latency");
    expect(domain_text, KPI("errors", "\"clear\":1.0"), "INVALID: policy.kpis: \"clear\" is a key of the KPI latency, not of errors");
    expect(
        domain_text, "{\"kpis\":[{\"kpi\":\"errors\"},{\"kpi\":\"errors\"}]}", "INVALID: policy.kpis: the KPI errors stands there twice");
    expect("{\"lease\":60000,\"keep-old\":1800000,\"largest-share\":100.0}", NULL, "INVALID: the domain's policy has no \"budget\"");
    expect(DOMAIN_WITH("[]", "[5.0]", "60.0"), NULL, "INVALID: the domain's policy has no \"kpis\"");
    expect(DOMAIN_WITH("[" ERRORS "]", "[]", "0.0"), "{\"share\":[1.0]}", "DENIED: policy.share, number 1");
}

static void the_digest_is_of_all_of_it(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *a = parse("{\"every\":1,\"lease\":2}"), *b = parse("{\"lease\":2,\"every\":1}"), *c = parse("{\"every\":2,\"lease\":2}");
    AUTO(free_text) char *of_a = kpi_policy_digest(a), *of_b = kpi_policy_digest(b), *of_c = kpi_policy_digest(c);
    assert_int_equal(strlen(of_a), 64);
    assert_string_equal(of_a, of_b);
    assert_string_not_equal(of_a, of_c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_a_pipelines_it_is_the_domains),
        cmocka_unit_test(stricter_is_taken_and_laxer_denied), cmocka_unit_test(every_key_was_tried),
        cmocka_unit_test(a_smaller_largest_share_lowers_the_ramp), cmocka_unit_test(a_kpi_more_is_stricter),
        cmocka_unit_test(what_comes_of_it_must_fit), cmocka_unit_test(what_is_no_policy_is_said),
        cmocka_unit_test(the_digest_is_of_all_of_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

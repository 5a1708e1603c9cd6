/* test_domains.c: steps that name a domain: it must be known, be there, and be able; the plan pins it; `lint` says the same from the files.
 */
#include "base/json.h"
#include "base/mem.h"
#include "plan/plan.h"
#include "spec/beside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- two types: one that is done at a domain, one that is not ------------------------------------------------------------------------ */

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    if (text_equal(json_text(planned->with, "share", NULL), "all"))
        return error_set(err, ERROR_DENIED, NOWHERE, "the domain allows a share of %lld", (long long)50);
    *ret_effects = json_pack(
        "[{s:s, s:s, s:O?}]", "name", "shift", "target", json_text(planned->domain, "domain", "nowhere"), "body", planned->service);
    return 0;
}

static const struct field run_fields[] = {{.name = "script", .type = FIELD_TEXT, .flags = FIELD_SHORT}, FIELD_END};
static const struct field shift_fields[] = {
    {.name = "domain", .type = FIELD_NAME}, {.name = "share", .type = FIELD_TEXT}, {.name = "to", .type = FIELD_TEXT}, FIELD_END};
static const struct field shift_outputs[] = {{.name = "where", .type = FIELD_TEXT}, FIELD_END};
static const char *const needs[] = {"share", "lease", NULL};
static const struct step_type run_type = {.name = "run", .summary = "s", .fields = run_fields};
static const struct step_type shift_type = {.name = "shift",
    .summary = "s",
    .fields = shift_fields,
    .outputs = shift_outputs,
    .describe = describe,
    .capabilities = needs,
    .reaches_out = true};
static const struct step_type far_type = {.name = "far", .summary = "s", .fields = shift_fields};
static const struct step_type *const types[] = {&run_type, &shift_type, &far_type, NULL};

/* --- a pipeline with what stands beside it -------------------------------------------------------------------------------------------- */

#define SERVICE "service: hello\nversion: 1.0.0\ncomponents:\n  - user: { name: u }\n"

struct outcome {
    struct pipeline *pipeline;
    struct beside beside;
    struct plan *plan;
    struct diagnostics list;
};

static void outcome_release(struct outcome *outcome)
{
    plan_free(&outcome->plan);
    beside_release(&outcome->beside);
    pipeline_free(&outcome->pipeline);
    diagnostics_release(&outcome->list);
}

static struct outcome load(const char *text, const char *used, const char *service)
{
    static const char indoor[] = "domain: indoor\nowner: ann\n", near[] = "domain: near\ncapabilities: [share]\n",
                      broken[] = "domain: broken\nurl: x\n";
    const struct source items[] = {{"ci/crescendo.yaml", text, strlen(text)},
        {"ci/pipelines/canary.yaml", used ? used : "", strlen(used ? used : "")}, {"/data/domains/indoor.yaml", indoor, strlen(indoor)},
        {"domains/near.yaml", near, strlen(near)}, {"domains/broken.yaml", broken, strlen(broken)},
        {"ci/service.yaml", service, service ? strlen(service) : 0}};
    const struct source_set set = {items, service ? 6 : 5};
    struct outcome outcome = {0};
    if (!pipeline_load(&set, types, &outcome.list, &outcome.pipeline) &&
        beside_load(outcome.pipeline, &set, &outcome.list, &outcome.beside))
        assert_int_not_equal(outcome.list.error_count, 0);
    return outcome;
}

static struct outcome planned(const char *text, const char *used, const char *service)
{
    struct outcome outcome = load(text, used, service);
    const struct plan_facts facts = {.domains = outcome.beside.domains, .service = outcome.beside.service};
    if (outcome.list.error_count == 0 && plan_build(outcome.pipeline, &facts, NULL, &outcome.list, &outcome.plan))
        assert_int_not_equal(outcome.list.error_count, 0);
    return outcome;
}

#define STAGE "stages:\n  - stage: s\n    checkout: none\n    steps:\n"
#define SHIFT(domain) STAGE "      - shift: { domain: " domain " }\n"

static void expect(const struct outcome *outcome, const char *code, unsigned line, unsigned column, const char *message, const char *hint)
{
    if (outcome->list.count != 1) fail_msg("%zu diagnostics for: %s", outcome->list.count, message);
    const struct diagnostic *got = &outcome->list.items[0];
    assert_string_equal(got->message, message);
    assert_string_equal(got->code, code);
    assert_string_equal(got->hint ? got->hint : "", hint);
    assert_int_equal(got->at.line, line);
    assert_int_equal(got->at.column, column);
    assert_null(outcome->plan);
}

/* --- what holds ------------------------------------------------------------------------------------------------------------------------
 */

static void a_domain_that_is_named_is_pinned(void **state)
{
    (void)state;
    AUTO(outcome_release) struct outcome outcome = planned("service: service.yaml\n" SHIFT("indoor"), NULL, SERVICE);
    assert_non_null(outcome.plan);
    assert_int_equal(json_object_size(outcome.plan->domains), 1);
    const json_t *pinned = json_object_get(outcome.plan->domains, "indoor");
    assert_int_equal(strlen(json_text(pinned, "digest", "")), 64);
    AUTO(free_text) char *effects = json_canonical(outcome.plan->steps[0].effects);
    assert_string_equal(effects, "[{\"body\":{\"components\":[{\"user\":{\"count\":1,\"name\":\"u\"}}],\"kind\":\"microservice\","
                                 "\"service\":\"hello\",\"version\":\"1.0.0\"},\"name\":\"shift\",\"target\":\"indoor\"}]");
    AUTO(free_json) json_t *json = plan_to_json(outcome.plan), *again = NULL;
    AUTO(plan_free) struct plan *read = NULL;
    struct error err = {0};
    if (plan_from_json(json, &read, &err)) fail_msg("%s", err.message);
    again = plan_to_json(read);
    assert_true(json_equal(json, again));
    assert_string_equal(read->digest, outcome.plan->digest);
    assert_true(json_equal(json_object_get(read->domains, "indoor"), pinned));
    assert_string_equal(json_text(read->service_descriptor, "service", ""), "hello");
}

static void who_names_none_carries_none(void **state)
{
    (void)state;
    AUTO(outcome_release) struct outcome outcome = planned(STAGE "      - run: x\n      - far: { domain: example.org }\n", NULL, NULL);
    AUTO(outcome_release) struct outcome other = planned(STAGE "      - run: x\n      - far: { domain: nobody }\n", NULL, NULL);
    assert_null(outcome.plan); /* not a name at all */
    assert_non_null(other.plan);
    AUTO(free_json) json_t *json = plan_to_json(other.plan);
    assert_null(json_object_get(json, "domains"));
    assert_null(json_object_get(json, "service_descriptor"));
}

static void a_domain_must_be_there_and_able(void **state)
{
    (void)state;
    static const char able[] = "take a domain that can, or ask its owner: what it can do is `capabilities` in domains/near.yaml";
    AUTO(outcome_release) struct outcome unknown = planned(SHIFT("indor"), NULL, NULL);
    AUTO(outcome_release) struct outcome elsewhere = planned(SHIFT("mars"), NULL, NULL);
    AUTO(outcome_release) struct outcome unable = planned(SHIFT("near"), NULL, NULL);
    AUTO(outcome_release) struct outcome broken = planned(SHIFT("broken"), NULL, NULL);
    expect(&unknown, "unknown-domain", 5, 26, "there is no domain \"indor\"", "did you mean \"indoor\"?");
    expect(&elsewhere, "unknown-domain", 5, 26, "there is no domain \"mars\"",
        "it would be domains/mars.yaml beside the pipeline, or in the data folder of the server that runs it");
    expect(&unable, "denied", 5, 26, "the domain \"near\" cannot do what \"shift\" needs: it has not \"lease\"", able);
    expect(&broken, "wrong-domain", 5, 26,
        "the file of the domain \"broken\" is wrong: domains/broken.yaml:2:6: \"url\" must be where it answers, not \"x\"",
        "crescendo lint domains/broken.yaml shows all of it");
    assert_true(diagnostics_only_denied(&unable.list));
    assert_false(diagnostics_only_denied(&unknown.list));
}

static void a_domain_must_be_known_when_planned(void **state)
{
    (void)state;
    AUTO(outcome_release)
    struct outcome late = planned(
        STAGE "      - id: a\n        shift: { domain: indoor }\n      - shift: { domain: \"${{ steps.a.where }}\" }\n", NULL, NULL);
    expect(&late, "unknown-domain", 7, 26, "a domain must be known when the step is planned; this one is not (known after a)",
        "write its name, or take it from a parameter");
    AUTO(outcome_release)
    struct outcome param = planned("params: { d: domain }\n" SHIFT("\"${{ params.d }}\""), NULL, NULL);
    expect(
        &param, "missing-param", 1, 11, "ci/crescendo.yaml needs the parameter 'd'", "give it with --param NAME=VALUE, or write a default");
}

static void a_policy_that_a_type_sees_denies(void **state)
{
    (void)state;
    AUTO(outcome_release) struct outcome outcome = planned(STAGE "      - shift: { domain: indoor, share: all }\n", NULL, NULL);
    expect(&outcome, "denied", 5, 9, "the domain allows a share of 50", "");
}

#define CANARY "params: { domain: { type: domain, default: near } }\n" SHIFT("\"${{ params.domain }}\"")

static void lint_follows_params_into_used_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
    } cases[] = {{"stages: [{ stage: a, use: canary, with: { domain: indoor } }]\n", NULL},
        {"stages: [{ stage: a, use: canary, with: { domain: indor } }]\n", "unknown-domain"},
        {"stages: [{ stage: a, use: canary }]\n", "denied"},
        {"params: { d: { type: domain, default: near } }\nstages: [{ stage: a, use: canary, with: { domain: \"${{ params.d }}\" } }]\n",
            "denied"},
        {"params: { d: domain }\nstages: [{ stage: a, use: canary, with: { domain: \"${{ params.d }}\" } }]\n", NULL},
        {SHIFT("near"), "denied"}, {SHIFT("indoor"), NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(outcome_release) struct outcome outcome = load(cases[i].text, CANARY, NULL);
        assert_non_null(outcome.pipeline);
        beside_check(outcome.pipeline, &outcome.beside, &outcome.list);
        assert_int_equal(outcome.list.count, cases[i].code ? 1 : 0);
        if (cases[i].code) assert_string_equal(outcome.list.items[0].code, cases[i].code);
    }
}

static void a_descriptor_is_missed_by_who_reaches_out(void **state)
{
    (void)state;
    AUTO(outcome_release) struct outcome home = planned("service: service.yaml\n" STAGE "      - run: x\n", NULL, NULL);
    AUTO(outcome_release) struct outcome out = planned("service: service.yaml\n" SHIFT("indoor"), NULL, NULL);
    AUTO(outcome_release)
    struct outcome wrong = planned("service: service.yaml\n" STAGE "      - run: x\n", NULL, "service: hello\nversion: 1\n");
    assert_non_null(home.plan);
    expect(&out, "missing-file", 1, 10, "there is no ci/service.yaml", "write service.yaml beside the pipeline, or take `service` out");
    expect(&wrong, "missing-key", 1, 1, "a service descriptor needs the key \"components\"",
        "A list; each is `compute`, `network` or `user`, and becomes one item of an order");
}

static void names_of_files_are_told_apart(void **state)
{
    (void)state;
    assert_true(beside_is_domain("domains/a.yaml"));
    assert_true(beside_is_domain("/var/x/domains/a.yaml"));
    assert_false(beside_is_domain("a.yaml"));
    assert_false(beside_is_domain("subdomains/a.yaml"));
    assert_false(beside_is_domain("domains/a.txt"));
    assert_false(beside_is_domain("domains/a/b.yaml"));
    AUTO(free_text) char *below = beside_service_name("ci/x.yaml", "service.yaml"), *top = beside_service_name("x.yaml", "s/service.yaml");
    assert_string_equal(below, "ci/service.yaml");
    assert_string_equal(top, "s/service.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_domain_that_is_named_is_pinned), cmocka_unit_test(who_names_none_carries_none),
        cmocka_unit_test(a_domain_must_be_there_and_able), cmocka_unit_test(a_domain_must_be_known_when_planned),
        cmocka_unit_test(a_policy_that_a_type_sees_denies), cmocka_unit_test(lint_follows_params_into_used_files),
        cmocka_unit_test(a_descriptor_is_missed_by_who_reaches_out), cmocka_unit_test(names_of_files_are_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

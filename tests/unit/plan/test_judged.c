/* test_judged.c: on a domain whose owner has every version judged, a pipeline promotes only behind a kpi step; `plan` and `lint` say so. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/plan.h"
#include "spec/beside.h"
#include "steps/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char judged[] = "domain: judged\nowner: ann\npolicy: { kpis: [latency] }\n", open_[] = "domain: open\n";

static char *said(const struct diagnostics *list)
{
    struct text text = {0};
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].severity == SEVERITY_ERROR)
            text_add_format(&text, "%u %s: %s\n", list->items[i].at.line, list->items[i].code, list->items[i].message);
    return text_take(&text);
}

/* What planning, or else lint, has against it, as "LINE CODE: MESSAGE" lines. used: pipelines/x.yaml, or NULL. */
static char *against(const char *text, const char *used, bool by_lint)
{
    const struct source items[] = {{"crescendo.yaml", text, strlen(text)}, {"pipelines/x.yaml", used ? used : "", strlen(used ? used : "")},
        {"domains/judged.yaml", judged, strlen(judged)}, {"domains/open.yaml", open_, strlen(open_)}};
    const struct source_set set = {items, 4};
    AUTO(pipeline_free) struct pipeline *pipeline = NULL;
    AUTO(beside_release) struct beside beside = {0};
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(plan_free) struct plan *plan = NULL;
    if (pipeline_load(&set, step_types_builtin, &list, &pipeline) || beside_load(pipeline, &set, &list, &beside)) return said(&list);
    const struct plan_facts facts = {.domains = beside.domains};
    if (by_lint)
        beside_check(pipeline, &beside, &list);
    else if (plan_build(pipeline, &facts, NULL, &list, &plan))
        assert_true(list.error_count > 0);
    return said(&list);
}

#define DENIED \
    " denied: the policy of domain judged has every version judged, and no kpi step of the same service is sure to come before this " \
    "promote\n"

static void check(const char *text, const char *used, const char *expected)
{
    for (int by_lint = 0; by_lint < 2; by_lint++) {
        AUTO(free_text) char *got = against(text, used, by_lint);
        if (strcmp(got, expected) != 0) fail_msg("%s: %s\ninstead of: %s\nfor:\n%s", by_lint ? "lint" : "plan", got, expected, text);
    }
}

#define STAGE(id) "  - stage: " id "\n    checkout: none\n    steps:\n"
#define ORDER "      - order: { domain: judged, offering: o }\n"
#define KPI(more) "      - kpi: { domain: judged, service: \"${{ steps.order.service }}\" }\n" more
#define PROMOTE(more) "      - promote: { domain: judged, service: \"${{ steps.order.service }}\" }\n" more

static void without_a_kpi_it_is_denied(void **state)
{
    (void)state;
    check("stages:\n" STAGE("s") ORDER PROMOTE(""), NULL, "6" DENIED);
    check("stages:\n" STAGE("s") ORDER KPI("") PROMOTE(""), NULL, "");
    check("stages:\n" STAGE("s") ORDER PROMOTE("") KPI(""), NULL, "6" DENIED);
    check("stages:\n" STAGE("s") "      - order: { domain: open, offering: o }\n"
                                 "      - promote: { domain: open, service: \"${{ steps.order.service }}\" }\n",
        NULL, "");
}

static void another_service_or_domain_does_not_count(void **state)
{
    (void)state;
    check(
        "stages:\n" STAGE("s") "      - kpi: { domain: judged, service: \"1.1\" }\n      - promote: { domain: judged, service: \"1.1\" }\n",
        NULL, "");
    check(
        "stages:\n" STAGE("s") "      - kpi: { domain: judged, service: \"1.1\" }\n      - promote: { domain: judged, service: \"2.1\" }\n",
        NULL, "6" DENIED);
    check("stages:\n" STAGE("s") "      - kpi: { domain: open, service: \"1.1\" }\n      - promote: { domain: judged, service: \"1.1\" }\n",
        NULL, "6" DENIED);
}

static void what_may_be_skipped_or_fail_does_not_count(void **state)
{
    (void)state;
    check("stages:\n" STAGE("s") ORDER KPI("        allow-failure: true\n") PROMOTE(""), NULL, "8" DENIED);
    check("stages:\n" STAGE("s") ORDER KPI("        if: run.branch == 'main'\n") PROMOTE(""), NULL, "8" DENIED);
    check("stages:\n" STAGE("s") ORDER KPI("        if: run.branch == 'main'\n") PROMOTE("        if: run.branch == 'main'\n"), NULL, "");
    check("stages:\n" STAGE("s") ORDER KPI("") PROMOTE("        if: always()\n"), NULL, "7" DENIED);
}

#define SIGN_OFF "  - stage: sign-off\n    approve: { by: [ann] }\n"
#define LATER(more) \
    "  - stage: all\n    checkout: none\n" more \
    "    steps:\n      - promote: { domain: judged, service: \"${{ stages.s.order.service }}\" }\n"

static void a_stage_that_is_needed_counts(void **state)
{
    (void)state;
    check("stages:\n" STAGE("s") ORDER KPI("") SIGN_OFF LATER(""), NULL, "");
    check("stages:\n" STAGE("s") ORDER KPI("") SIGN_OFF LATER("    needs: [s]\n"), NULL, "");
    check("stages:\n" STAGE("s") ORDER SIGN_OFF LATER(""), NULL, "11" DENIED);
    check("stages:\n" STAGE("s") ORDER KPI("") SIGN_OFF LATER("    if: always()\n"), NULL, "13" DENIED);
    check("stages:\n" STAGE("s") ORDER STAGE(
              "beside") "      - kpi: { domain: judged, service: \"${{ stages.s.order.service }}\" }\n" LATER("    needs: [s]\n"),
        NULL, "14" DENIED);
}

static void each_file_that_is_used_is_a_scope(void **state)
{
    (void)state;
    static const char use[] = "stages:\n  - stage: x\n    use: x\n    with: { domain: judged }\n";
#define PARAMS "params:\n  domain: { type: domain }\n"
#define AT "{ domain: \"${{ params.domain }}\", service: \"${{ steps.order.service }}\" }\n"
#define ORDERED PARAMS "stages:\n" STAGE("s") "      - order: { domain: \"${{ params.domain }}\", offering: o }\n"
    check(use, ORDERED "      - promote: " AT, "8" DENIED);
    check(use, ORDERED "      - kpi: " AT "      - promote: " AT, "");
}

static void all_requests_come_by_promote_alone(void **state)
{
    (void)state;
#define SHARE " denied: share: the policy of domain judged has every version judged: all requests come by `promote` alone\n"
    check("stages:\n" STAGE("s") "      - order: { domain: judged, offering: o, share: 100% }\n", NULL, "5" SHARE);
    check("stages:\n" STAGE("s") "      - order: { domain: judged, action: modify, service: \"1.1\", share: 100% }\n", NULL, "5" SHARE);
    check("stages:\n" STAGE("s") "      - shift: { domain: judged, service: \"1.1\", share: 100% }\n", NULL, "5" SHARE);
    check("stages:\n" STAGE("s") "      - order: { domain: judged, offering: o, share: 0% }\n", NULL, "");
    check("stages:\n" STAGE("s") "      - order: { domain: open, offering: o, share: 100% }\n", NULL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_a_kpi_it_is_denied),
        cmocka_unit_test(another_service_or_domain_does_not_count), cmocka_unit_test(what_may_be_skipped_or_fail_does_not_count),
        cmocka_unit_test(a_stage_that_is_needed_counts), cmocka_unit_test(each_file_that_is_used_is_a_scope),
        cmocka_unit_test(all_requests_come_by_promote_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

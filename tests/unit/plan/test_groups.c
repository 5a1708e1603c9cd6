/* test_groups.c: in which groups a stage is, and which stages ask for theirs together. */
#include "tests/unit/plan/planned.h"

static struct plan *plan_at(const char *text, const char *policy, const char *service)
{
    const struct source source = {"crescendo.yaml", text, strlen(text)};
    AUTO(free_text)
    char *domain = mem_format("{\"lab\":{\"domain\":\"lab\",\"url\":\"embedded\",\"digest\":\"d\",\"policy\":%s,"
                              "\"capabilities\":[\"share\",\"lease\",\"find-by-key\",\"events\"]}}",
        policy);
    AUTO(free_json) json_t *domains = json_loads(domain, 0, NULL);
    AUTO(free_json) json_t *descriptor = service ? json_pack("{s:s, s:s}", "service", service, "version", "1.0.0") : NULL;
    const struct plan_facts facts = {.domains = domains, .service = descriptor};
    AUTO(pipeline_free) struct pipeline *pipeline = NULL;
    struct diagnostics list = {0};
    struct plan *plan = NULL;
    assert_int_equal(pipeline_load(&(struct source_set){&source, 1}, step_types_builtin, &list, &pipeline), 0);
    if (plan_build(pipeline, &facts, NULL, &list, &plan)) print_error("%s\n", list.items[0].message);
    assert_non_null(plan);
    diagnostics_release(&list);
    return plan;
}

/* "a:fifo b:reject" */
static void expect_groups(const struct plan_stage *stage, const char *expected)
{
    static const char *const queues[] = {"fifo", "supersede", "reject"};
    struct text text = {0};
    for (uint32_t i = 0; i < stage->group_count; i++)
        text_add_format(&text, "%s%s:%s", i ? " " : "", stage->groups[i].name, queues[stage->groups[i].queue]);
    assert_string_equal(text_view(&text), expected);
    text_release(&text);
}

/* A digit for each stage: its claim, "-" where it has none. */
static void expect_claims(const struct plan *plan, const char *expected)
{
    char claims[32] = "";
    for (uint32_t i = 0; i < plan->stage_count; i++)
        claims[i] = plan->stages[i].claim == NO_CLAIM ? '-' : (char)('0' + plan->stages[i].claim);
    assert_string_equal(claims, expected);
}

#define SCALE "  steps: [{ scale: { domain: lab, service: \"4.1\", replicas: 2 } }]\n"

static void who_orders_is_in_a_group_of_its_service(void **unused)
{
    (void)unused;
    struct plan *plan = plan_at("stages:\n- stage: a\n  steps: [{ run: make }]\n- stage: b\n" SCALE, "{}", "hello");
    expect_groups(&plan->stages[0], "");
    expect_groups(&plan->stages[1], "lab/hello:fifo");
    expect_claims(plan, "-0");
    plan_free(&plan);
    plan = plan_at("stages:\n- stage: b\n" SCALE, "{\"concurrency\":\"reject\"}", NULL);
    expect_groups(&plan->stages[0], "lab:reject");
    plan_free(&plan);
}

/* A pipeline may say the same group by name, but is not laxer than the domain. */
static void the_stricter_queue_counts(void **unused)
{
    (void)unused;
    static const char text[] = "stages:\n- stage: b\n  concurrency: { group: lab/hello, queue: supersede }\n" SCALE;
    struct plan *plan = plan_at(text, "{\"concurrency\":\"queue\"}", "hello");
    expect_groups(&plan->stages[0], "lab/hello:supersede");
    plan_free(&plan);
    plan = plan_at(text, "{\"concurrency\":\"reject\"}", "hello");
    expect_groups(&plan->stages[0], "lab/hello:reject");
    plan_free(&plan);
}

static const char used[] =
    "stages:\n- stage: one\n  steps: [{ run: make }]\n- stage: two\n  concurrency: radio\n  steps: [{ run: make }]\n";

static void a_scope_is_one_claim(void **unused)
{
    (void)unused;
    struct plan *plan = plan_of("stages:\n- stage: a\n  use: canary\n  concurrency: a\n- stage: b\n  use: canary\n- stage: c\n"
                                "  concurrency: other\n  steps: [{ run: make }]\n",
        used);
    expect_groups(&plan->stages[0], "a:fifo");
    expect_groups(&plan->stages[1], "a:fifo radio:fifo");
    expect_groups(&plan->stages[2], "");
    expect_claims(plan, "00001"); /* a and b share radio; c waits for all of them and is on its own */
    assert_int_equal(plan->claims[0].stage_count, 4);
    assert_int_equal(plan->claims[0].group_count, 2);
    plan_free(&plan);
}

static void rolled_back_whole_is_one_claim(void **unused)
{
    (void)unused;
    static const char stages[] = "stages:\n- stage: a\n  concurrency: a\n  steps: [{ run: make }]\n- stage: b\n  steps: [{ run: make }]\n"
                                 "- stage: c\n  concurrency: c\n  steps: [{ run: make }]\n";
    struct plan *plan = plan_of(stages, NULL);
    expect_claims(plan, "0-1");
    plan_free(&plan);
    AUTO(free_text) char *whole = mem_format("on-failure: { rollback: run }\n%s", stages);
    plan = plan_of(whole, NULL);
    expect_claims(plan, "000");
    plan_free(&plan);
    AUTO(free_text) char *step = mem_format("%s- stage: d\n  steps: [{ rollback: { because: x, scope: run } }]\n", stages);
    plan = plan_of(step, NULL);
    expect_claims(plan, "0000");
    plan_free(&plan);
}

/* b is waited for while the group of a and c is held; d is over before that, e comes behind it. */
static void what_stands_between_is_of_the_claim(void **unused)
{
    (void)unused;
    struct plan *plan =
        plan_of("stages:\n- stage: d\n  concurrency: d\n  steps: [{ run: make }]\n"
                "- stage: a\n  concurrency: lab\n  steps: [{ run: make }]\n- stage: b\n  concurrency: b\n  steps: [{ run: make }]\n"
                "- stage: c\n  concurrency: lab\n  steps: [{ run: make }]\n- stage: e\n  concurrency: e\n  steps: [{ run: make }]\n",
            NULL);
    expect_claims(plan, "01112");
    plan_free(&plan);
    plan = plan_of("stages:\n- stage: a\n  concurrency: lab\n  steps: [{ run: make }]\n"
                   "- stage: b\n  needs: []\n  concurrency: b\n  steps: [{ run: make }]\n"
                   "- stage: c\n  needs: [a, b]\n  concurrency: lab\n  steps: [{ run: make }]\n"
                   "- stage: f\n  needs: []\n  concurrency: f\n  steps: [{ run: make }]\n",
        NULL);
    expect_claims(plan, "0001");
    plan_free(&plan);
}

static void a_plan_that_was_read_has_the_same_claims(void **unused)
{
    (void)unused;
    struct plan *plan = plan_of("stages:\n- stage: a\n  use: canary\n- stage: c\n  concurrency: { group: other, queue: reject }\n"
                                "  steps: [{ run: make }]\n",
        used);
    AUTO(free_json) json_t *json = plan_to_json(plan);
    struct plan *read = NULL;
    struct error err;
    assert_int_equal(plan_from_json(json, &read, &err), 0);
    expect_claims(read, "001");
    expect_groups(&read->stages[2], "other:reject");
    assert_string_equal(read->digest, plan->digest);
    plan_free(&read);
    plan_free(&plan);
}

static void wrong_groups_are_not_read(void **unused)
{
    (void)unused;
    static const char *const wrong[] = {"[]", "[{}]", "[{\"name\":\"\",\"queue\":\"fifo\"}]", "[{\"name\":\"a\",\"queue\":\"lifo\"}]",
        "[7]", "[{\"name\":\"a\",\"queue\":\"fifo\"},{\"name\":\"a\",\"queue\":\"reject\"}]", "{\"name\":\"a\",\"queue\":\"fifo\"}"};
    struct plan *plan = plan_of("stages:\n- stage: a\n  concurrency: a\n  steps: [{ run: make }]\n", NULL);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        AUTO(free_json) json_t *json = plan_to_json(plan);
        json_put(json_array_get(json_object_get(json, "stages"), 0), "groups", json_loads(wrong[i], JSON_DECODE_ANY, NULL));
        struct plan *read = NULL;
        struct error err;
        assert_int_equal(plan_from_json(json, &read, &err), -ERROR_INVALID);
    }
    plan_free(&plan);
}

/* Thousands of groups, each stage behind another: it must not take long, and everything may be one claim then. */
static void many_groups_are_cheap(void **unused)
{
    (void)unused;
    struct text text = {0};
    text_add(&text, "stages:\n");
    for (int i = 0; i < 4000; i++)
        text_add_format(&text, "- stage: s%d\n  concurrency: g%d\n  checkout: none\n  steps: [{ run: make }]\n", i, i);
    struct plan *plan = plan_of(text_view(&text), NULL);
    assert_int_equal(plan->claim_count, 1);
    plan_free(&plan);
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_orders_is_in_a_group_of_its_service),
        cmocka_unit_test(the_stricter_queue_counts),
        cmocka_unit_test(a_scope_is_one_claim),
        cmocka_unit_test(rolled_back_whole_is_one_claim),
        cmocka_unit_test(what_stands_between_is_of_the_claim),
        cmocka_unit_test(a_plan_that_was_read_has_the_same_claims),
        cmocka_unit_test(wrong_groups_are_not_read),
        cmocka_unit_test(many_groups_are_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

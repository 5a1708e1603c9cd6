/* test_plan.c: what a pipeline becomes: the graph, the values, the defaults; and what is said when it cannot be planned. */
#include "planned.h"

static void checkout_comes_first_and_defaults_hold(void **state)
{
    (void)state;
    AUTO(plan_free)
    struct plan *plan =
        plan_of("stages:\n  - stage: a\n    steps:\n      - run: make\n  - stage: b\n    checkout: none\n    steps:\n      - run: |\n"
                "          # why\n          make test  \n          more\n",
            NULL);
    assert_int_equal(plan->stage_count, 2);
    assert_int_equal(plan->step_count, 3);
    const struct plan_step *checkout = &plan->steps[0], *make = step_of(plan, "a/run"), *test = step_of(plan, "b/run");
    assert_string_equal(checkout->path, "a/checkout");
    assert_string_equal(checkout->type, "checkout");
    assert_json(checkout->with, "{}");
    assert_true(plan->stages[0].checkout);
    assert_false(plan->stages[1].checkout);
    assert_int_equal(make->index, 1);
    assert_string_equal(make->title, "make");
    assert_string_equal(test->title, "make test");
    assert_int_equal(make->timeout_ms, 3600000);
    assert_int_equal(make->grace_ms, 10000);
    assert_json(make->sandbox, "{\"disk\":4294967296,\"mode\":\"default\",\"network\":\"none\",\"processes\":4096}");
    assert_true(make->ready_ahead);
    assert_json(make->effects, "[]");
    assert_null(make->outputs[0]);
    assert_int_equal(plan->stages[1].need_count, 1);
    assert_int_equal(plan->stages[1].needs[0], 0);
    assert_int_equal(plan->stages[0].user_count, 1);
    assert_int_equal(plan->stages[0].users[0], 1);
    assert_null(plan_find_step(plan, "a/nothing"));
}

static void the_inner_setting_wins(void **state)
{
    (void)state;
    AUTO(plan_free)
    struct plan *plan = plan_of("env: { A: pipeline, B: pipeline, C: pipeline }\nsandbox: { memory: 1GiB, processes: 10 }\nstages:\n  - "
                                "stage: s\n    env: { B: stage, C: stage }\n"
                                "    sandbox: { processes: 20, cpu: 2 }\n    steps:\n      - run: x\n        env: { C: step }\n        "
                                "sandbox: { cpu: 0.5 }\n      - run: y\n        sandbox: none\n",
        NULL);
    assert_json(step_of(plan, "s/run")->env, "{\"A\":\"pipeline\",\"B\":\"stage\",\"C\":\"step\"}");
    assert_json(step_of(plan, "s/run")->sandbox,
        "{\"cpu\":0.5,\"disk\":4294967296,\"memory\":1073741824,\"mode\":\"default\",\"network\":\"none\",\"processes\":20}");
    assert_string_equal(json_text(step_of(plan, "s/run-2")->sandbox, "mode", ""), "none");
    assert_json(step_of(plan, "s/run-2")->env, "{\"A\":\"pipeline\",\"B\":\"stage\",\"C\":\"stage\"}");
    assert_json(step_of(plan, "s/checkout")->env, "{}");
}

static void conditions_fold(void **state)
{
    (void)state;
    AUTO(plan_free)
    struct plan *plan = plan_of(
        "params: { go: { type: boolean, default: true } }\nstages:\n  - stage: s\n    if: run.branch == 'main' && params.go\n    steps:\n"
        "      - { id: a, run: x, outputs: [o] }\n      - { id: b, run: x, if: params.go }\n      - { id: c, run: x, if: '!params.go' }\n"
        "      - { id: d, run: x, if: \"params.go && steps.a.o == 'y'\" }\n      - { id: e, run: x, if: failed() || always() }\n",
        NULL);
    assert_null(plan->stages[0].condition);
    assert_null(step_of(plan, "s/b")->condition);
    assert_true(step_of(plan, "s/b")->ready_ahead);
    assert_string_equal(step_of(plan, "s/c")->condition, "false");
    assert_string_equal(step_of(plan, "s/d")->condition, "stages.s.a.o == 'y'");
    assert_false(step_of(plan, "s/d")->ready_ahead);
    assert_false(step_of(plan, "s/d")->condition_overrides);
    assert_string_equal(step_of(plan, "s/e")->condition, "failed() || always()");
    assert_true(step_of(plan, "s/e")->condition_overrides);
}

static const char CANARY[] = "params:\n  offering: text\n  replicas: { type: integer, default: 1 }\n  say: { default: hi }\n"
                             "stages:\n  - stage: release\n    steps:\n      - { id: order, run: x, env: { O: \"${{ params.offering }}\", "
                             "R: \"${{ params.replicas }}\" }, outputs: [v] }\n"
                             "  - stage: other\n    needs: []\n    if: params.replicas > 1\n    steps: [{ run: y }]\n  - stage: last\n    "
                             "needs: [release]\n    steps: [{ run: z }]\n"
                             "outputs: { verdict: \"${{ stages.release.order.v }}\", fixed: \"${{ params.say }}\" }\n";
static const char USER[] =
    "stages:\n  - stage: build\n    steps: [{ id: p, run: x, outputs: [f] }]\n  - stage: indoor\n    if: stages.build.p.f != ''\n    use: "
    "canary\n"
    "    with: { offering: \"o-${{ stages.build.p.f }}\" }\n  - stage: after\n    steps:\n"
    "      - { id: show, run: x, env: { V: \"${{ stages.indoor.verdict }}\", F: \"${{ stages.indoor.fixed }}\" } }\n";

static void use_is_flattened_hygienically(void **state)
{
    (void)state;
    AUTO(plan_free) struct plan *plan = plan_of(USER, CANARY);
    assert_int_equal(plan->stage_count, 5);
    assert_string_equal(plan->stages[1].path, "indoor/release");
    assert_string_equal(plan->stages[1].scope, "indoor");
    assert_string_equal(plan->stages[0].scope, "");
    /* what needs nothing inside needs what the caller needs; who needs the use needs all its ends */
    assert_int_equal(plan->stages[1].needs[0], 0);
    assert_int_equal(plan->stages[2].needs[0], 0);
    assert_int_equal(plan->stages[3].needs[0], 1);
    assert_int_equal(plan->stages[4].need_count, 2);
    assert_int_equal(plan->stages[4].needs[0], 2);
    assert_int_equal(plan->stages[4].needs[1], 3);
    assert_string_equal(plan->stages[1].condition, "stages.build.p.f != ''");
    assert_string_equal(plan->stages[2].condition, "false");
    const json_t *env = step_of(plan, "indoor/release/order")->env;
    assert_string_equal(json_text(json_object_get(env, "O"), "$unknown", ""), "concat('o-', stages.build.p.f)");
    assert_string_equal(json_text(env, "R", ""), "1");
    assert_false(step_of(plan, "indoor/release/order")->ready_ahead);
    env = step_of(plan, "after/show")->env;
    assert_string_equal(json_text(json_object_get(env, "V"), "$unknown", ""), "stages.indoor/release.order.v");
    assert_string_equal(json_text(env, "F", ""), "hi");
    assert_int_equal(json_array_size(plan->includes), 1);
    assert_string_equal(json_text(json_array_get(plan->includes, 0), "name", ""), "pipelines/canary.yaml");
    assert_int_equal(strlen(json_text(json_array_get(plan->includes, 0), "digest", "")), 64);
}

static void inputs_and_approvals_become_steps(void **state)
{
    (void)state;
    AUTO(plan_free)
    struct plan *plan =
        plan_of("stages:\n  - stage: build\n    steps: [{ run: x }]\n  - stage: ok\n    approve: { by: [ops], ask: 'Go?', expires: 1h }\n"
                "  - stage: ship\n    inputs: { build: ['out/**'] }\n    steps: [{ run: y }]\n",
            NULL);
    const struct plan_step *approve = step_of(plan, "ok/approve");
    assert_string_equal(approve->type, "approve");
    assert_string_equal(approve->title, "Go?");
    assert_int_equal(json_whole(approve->with, "expires", 0), 3600000);
    assert_false(approve->ready_ahead);
    assert_false(plan->stages[1].checkout);
    assert_json(step_of(plan, "ship/checkout")->with, "{\"inputs\":[{\"globs\":[\"out/**\"],\"stage\":\"build\"}]}");
    assert_string_equal(step_of(plan, "ship/checkout")->title, "check out the commit");
}

static void inputs_come_without_the_commit(void **state)
{
    (void)state;
    AUTO(plan_free)
    struct plan *plan = plan_of("stages:\n  - stage: build\n    steps: [{ run: x }]\n  - stage: ship\n    checkout: none\n"
                                "    inputs: { build: ['out/**'] }\n    steps: [{ run: y }]\n",
        NULL);
    assert_true(plan->stages[1].checkout);
    assert_int_equal(plan->stages[1].step_count, 2);
    assert_json(step_of(plan, "ship/checkout")->with, "{\"inputs\":[{\"globs\":[\"out/**\"],\"stage\":\"build\"}],\"source\":false}");
    assert_string_equal(step_of(plan, "ship/checkout")->title, "copy the inputs");
}

struct wrong {
    const char *text, *used, *params, *code, *message, *hint;
    unsigned line;
};

static void mistakes_are_told(void **state)
{
    (void)state;
#define STAGES "stages: [{ stage: s, steps: [{ run: x }] }]\n"
    static const struct wrong wrongs[] = {
        {"params: { n: integer }\n" STAGES, NULL, NULL, "missing-param", "crescendo.yaml needs the parameter 'n'",
            "give it with --param NAME=VALUE, or write a default", 1},
        {"params: { n: integer }\n" STAGES, NULL, "{\"n\": \"x\"}", "wrong-param", "parameter 'n': \"x\" is not a value of type integer",
            NULL, 0},
        {"params: { n: { type: integer, min: 1, max: 16 } }\n" STAGES, NULL, "{\"n\": \"17\"}", "wrong-param",
            "parameter 'n': must be at most 16", NULL, 0},
        {"params: { n: { type: integer, min: 1, max: 16 } }\n" STAGES, NULL, "{\"n\": 0}", "wrong-param",
            "parameter 'n': must be at least 1", NULL, 0},
        {"params: { n: { default: a, choices: [a, blue] } }\n" STAGES, NULL, "{\"n\": \"bleu\"}", "wrong-param",
            "parameter 'n': 'bleu' is not one of a, blue", "did you mean blue?", 0},
        {"params: { n: { type: duration, default: 1s } }\n" STAGES, NULL, "{\"n\": \"5\"}", "wrong-param",
            "parameter 'n': \"5\" is not a value of type duration", "a duration is a number with a unit: 500ms 30s 10m 2h 1d", 0},
        {"params: { replicas: { default: a } }\n" STAGES, NULL, "{\"replica\": \"b\"}", "unknown-param",
            "crescendo.yaml has no parameter 'replica'", "did you mean replicas?", 0},
        {STAGES, NULL, "{\"a\": \"b\"}", "unknown-param", "crescendo.yaml has no parameter 'a'", "the pipeline declares no parameters", 0},
        {"stages:\n  - stage: s\n    steps:\n      - run: x\n        env: { A: \"${{ concat('a', run.commit) }}\" }\n", NULL, NULL,
            "wrong-value", "concat() cannot take null",
            "a skipped step's output is null: give a value in its place with default(x, 'text')", 5},
    };
    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        AUTO(diagnostics_release) struct diagnostics list = {0};
        struct plan *plan = plan_texts(wrongs[i].text, wrongs[i].used, wrongs[i].params, &list);
        if (plan || list.count != 1) print_error("case %zu: %zu diagnostics: %s\n", i, list.count, list.count ? list.items[0].message : "");
        assert_null(plan);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].message, wrongs[i].message);
        assert_string_equal(list.items[0].code, wrongs[i].code);
        assert_int_equal(list.items[0].at.line, wrongs[i].line);
        assert_true(text_equal(list.items[0].hint, wrongs[i].hint));
    }
}

static void texts_from_a_command_line_are_converted(void **state)
{
    (void)state;
    struct diagnostics list = {0};
    AUTO(plan_free)
    struct plan *plan = plan_texts("params: { i: integer, b: boolean, d: duration, s: size, t: text, n: number }\n" STAGES, NULL,
        "{\"i\": \"3\", \"b\": \"true\", \"d\": \"10m\", \"s\": \"64KiB\", \"t\": \"3.10\", \"n\": \"1.5\"}", &list);
    assert_non_null(plan);
    assert_json(plan->params, "{\"b\":true,\"d\":600000,\"i\":3,\"n\":1.5,\"s\":65536,\"t\":\"3.10\"}");
}

static void the_same_plan_has_the_same_digest(void **state)
{
    (void)state;
    AUTO(plan_free) struct plan *one = plan_of(USER, CANARY), *two = plan_of(USER, CANARY), *other = plan_of(STAGES, NULL);
    assert_string_equal(one->digest, two->digest);
    assert_string_not_equal(one->digest, other->digest);
    assert_int_equal(strlen(one->digest), 64);
}

/* --- resolving --------------------------------------------------------------------------------------------------------- */

static enum lookup look_up(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
    char **ret_residual, struct error *err)
{
    (void)err;
    assert_string_equal(root, "stages");
    assert_int_equal(part_count, 3);
    json_t *value = json_object_get(context, parts[2]);
    if (value) return *ret_value = json_incref(value), LOOKUP_KNOWN;
    *ret_residual = mem_format("stages.%s.%s.%s", parts[0], parts[1], parts[2]);
    return LOOKUP_UNKNOWN;
}

/* "= JSON", or "CODE: message". */
static char *resolved(const char *text)
{
    AUTO(free_json) json_t *outputs = json_pack("{s:s,s:n,s:[s,s],s:i}", "three", "3", "null", "list", "a", "b", "number", 7);
    AUTO(free_json) json_t *value = json_loads(text, 0, NULL), *result = NULL;
    struct scope scope = {look_up, outputs};
    struct error err = {0};
    assert_non_null(value);
    if (plan_resolve(value, &scope, &result, &err)) return mem_format("%s: %s", error_code_name(err.code), err.message);
    AUTO(free_text) char *shown = json_canonical(result);
    return mem_format("= %s", shown);
}

static void unknowns_are_filled_in_and_checked(void **state)
{
    (void)state;
    static const char *const examples[][2] = {
        {"{\"a\": 1, \"b\": [\"x\"]}", "= {\"a\":1,\"b\":[\"x\"]}"},
        {"{\"a\": {\"$unknown\": \"stages.s.i.three\", \"$type\": \"integer\"}}", "= {\"a\":3}"},
        {"{\"a\": [{\"$unknown\": \"concat('v', stages.s.i.three)\", \"$type\": \"text\"}, 1]}", "= {\"a\":[\"v3\",1]}"},
        {"{\"a\": {\"$unknown\": \"stages.s.i.number\", \"$type\": \"text\"}}", "= {\"a\":\"7\"}"},
        {"{\"a\": {\"$unknown\": \"stages.s.i.list\", \"$type\": \"text-list\"}}", "= {\"a\":[\"a\",\"b\"]}"},
        {"{\"a\": {\"$unknown\": \"default(stages.s.i.null, 'x')\", \"$type\": \"text\"}}", "= {\"a\":\"x\"}"},
        {"{\"a\": {\"$unknown\": \"stages.s.i.null\", \"$type\": \"text\", \"$at\": \"crescendo.yaml:7:3\"}}",
            "INVALID: crescendo.yaml:7:3: null is not a value of type text"},
        {"{\"a\": {\"$unknown\": \"stages.s.i.list\", \"$type\": \"text\"}}", "INVALID: [\"a\",\"b\"] is not a value of type text"},
        {"{\"a\": {\"$unknown\": \"stages.s.i.list\", \"$type\": \"integer\"}}", "INVALID: [\"a\",\"b\"] is not a value of type integer"},
        {"{\"a\": {\"$unknown\": \"stages.s.i.later\", \"$type\": \"text\"}}", "STATE: stages.s.i.later is not known yet"},
        {"{\"a\": {\"$unknown\": \"((\", \"$type\": \"text\"}}", "INVALID: the expression ends where a value should follow"},
    };
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        AUTO(free_text) char *outcome = resolved(examples[i][0]);
        assert_string_equal(outcome, examples[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkout_comes_first_and_defaults_hold),
        cmocka_unit_test(the_inner_setting_wins),
        cmocka_unit_test(conditions_fold),
        cmocka_unit_test(use_is_flattened_hygienically),
        cmocka_unit_test(inputs_and_approvals_become_steps),
        cmocka_unit_test(inputs_come_without_the_commit),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(texts_from_a_command_line_are_converted),
        cmocka_unit_test(the_same_plan_has_the_same_digest),
        cmocka_unit_test(unknowns_are_filled_in_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_plan_json.c: a plan's JSON there and back, and JSON that was made by somebody else. */
#include "planned.h"

static const char RICH[] = "pipeline: rich\nservice: service.yaml\ntimeout: 2h\nparams: { n: { type: integer, default: 2 } }\nenv: { A: "
                           "\"${{ params.n }}\" }\nstages:\n"
                           "  - stage: build\n    timeout: 30m\n    steps:\n      - { id: m, run: make, outputs: [v], timeout: 5m, retry: "
                           "{ times: 2, on: [timeout], wait: 1s }, allow-failure: true }\n"
                           "      - { run: \"true\", sandbox: none, name: nothing, if: failed() }\n      - package: { contents: { a: b }, "
                           "version: \"${{ steps.m.v }}\" }\n"
                           "  - stage: ok\n    approve: { by: [ops] }\n  - stage: use\n    if: stages.build.m.v != ''\n    use: canary\n   "
                           " with: { v: \"${{ stages.build.m.v }}\" }\n"
                           "  - stage: end\n    allow-failure: true\n    inputs: { build: [x] }\n    steps: [{ run: z }]\n";
static const char USED[] = "params: { v: text }\nstages:\n  - stage: s\n    steps: [{ id: i, run: a, env: { V: \"${{ params.v }}\" }, "
                           "outputs: [o] }]\noutputs: { o: \"${{ stages.s.i.o }}\" }\n";

static void assert_same_both_ways(const struct plan *plan)
{
    AUTO(free_json) json_t *json = plan_to_json(plan), *again = NULL;
    AUTO(plan_free) struct plan *read = NULL;
    AUTO(text_release) struct text before = {0}, after = {0};
    struct error err = {0};
    if (plan_from_json(json, &read, &err)) print_error("%s\n", err.message);
    assert_non_null(read);
    again = plan_to_json(read);
    assert_true(json_equal(json, again));
    assert_string_equal(plan->digest, read->digest);
    AUTO(free_text) char *text = plan_to_text(plan), *text_again = plan_to_text(read), *canonical = json_canonical(json);
    assert_string_equal(text, canonical);
    assert_string_equal(text_again, canonical);
    plan_print_text(plan, (struct plan_look){.bodies = true}, &before);
    plan_print_text(read, (struct plan_look){.bodies = true}, &after);
    assert_string_equal(text_view(&before), text_view(&after));
    for (uint32_t i = 0; i < plan->step_count; i++)
        assert_ptr_equal(plan_find_step(read, plan->steps[i].path), &read->steps[i]);
}

static void json_goes_there_and_back(void **state)
{
    (void)state;
    AUTO(plan_free) struct plan *rich = plan_of(RICH, USED), *plain = plan_of("stages: [{ stage: s, steps: [{ run: x }] }]\n", NULL);
    AUTO(plan_free)
    struct plan *secret =
        plan_of("secrets: { t: file:a/b }\nstages: [{ stage: s, steps: [{ run: x, env: { T: \"${{ secrets.t }}\" } }] }]\n", NULL);
    assert_same_both_ways(rich);
    assert_same_both_ways(plain);
    assert_same_both_ways(secret);
}

/* Replaces one member anywhere below json by another value, by a path of keys and positions. */
static void set_member(json_t *json, const char *path, json_t *value)
{
    AUTO(free_text) char *copy = mem_copy_text(path);
    char *part = copy, *dot;
    while ((dot = strchr(part, '.'))) {
        *dot = '\0';
        json = json_is_array(json) ? json_array_get(json, (size_t)strtoul(part, NULL, 10)) : json_object_get(json, part);
        part = dot + 1;
    }
    if (json_is_array(json))
        assert_int_equal(json_array_set_new(json, (size_t)strtoul(part, NULL, 10), value), 0);
    else if (value)
        assert_int_equal(json_object_set_new(json, part, value), 0);
    else
        assert_int_equal(json_object_del(json, part), 0);
}

static void wrong_json_is_refused(void **state)
{
    (void)state;
    static const char *const wrongs[][3] = {
        {"plan", "2", "plan: its format is version 2, this program reads version 1"},
        {"plan", "\"1\"", "plan: its format is version 0, this program reads version 1"},
        {"name", "", "plan: the whole: 'name' is missing"},
        {"name", "1", "plan: the whole: 'name' has the wrong type"},
        {"extra", "1", "plan: the whole: unknown member 'extra'"},
        {"facts.extra", "\"x\"", "plan: facts: unknown member 'extra'"},
        {"defaults.timeout_ms", "1", "plan: defaults: not those of version 1"},
        {"params", "{}", "plan: the whole: 'params' is empty"},
        {"secrets", "{}", "plan: the whole: 'secrets' is empty"},
        {"secrets", "{\"t\":1}", "plan: secrets: each is a name and where it is found"},
        {"secrets", "{\"../t\":\"file:a\"}", "plan: secrets: each is a name and where it is found"},
        {"secrets", "{\"t\":\"file:../a\"}", "plan: secrets: \"../a\" is no file below the server's secrets/"},
        {"stages.0.steps.1.env", "{\"T\":{\"$secret\":\"t\"}}", "plan: build/m: 'env' names a secret that it cannot have"},
        {"stages", "[]", "plan: stages: there are none, or too many"},
        {"stages", "{}", "plan: the whole: 'stages' has the wrong type"},
        {"stages.0", "1", "plan: a stage: must be an object"},
        {"stages.0.path", "\"../x\"", "plan: ../x: an id must be a name"},
        {"stages.0.path", "\"a//b\"", "plan: a//b: an id must be a name"},
        {"stages.1.path", "\"build\"", "plan: build: there are two stages of this path"},
        {"stages.0.steps", "[]", "plan: build: 'steps' is empty"},
        {"stages.0.steps", "\"x\"", "plan: a stage: 'steps' has the wrong type"},
        {"stages.0.needs", "[0]", "plan: stages: they need each other in a circle"},
        {"stages.0.needs", "[3]", "plan: stages: they need each other in a circle"},
        {"stages.0.needs", "[4]", "plan: build: 'needs' holds positions of stages"},
        {"stages.0.needs", "[-1]", "plan: build: 'needs' holds positions of stages"},
        {"stages.0.needs", "[\"ok\"]", "plan: build: 'needs' holds positions of stages"},
        {"stages.0.needs", "[0,0,0,0,0]", "plan: build: 'needs' is too long"},
        {"stages.0.checkout", "false", "plan: a stage: 'checkout' has the wrong type"},
        {"stages.1.checkout", "true", "plan: ok: the first step is not its checkout"},
        {"stages.0.condition", "\"a b\"", "plan: build: condition: 'a' means nothing here"},
        {"stages.0.timeout_ms", "-5", "plan: build: 'timeout_ms' is not a value that it may have"},
        {"stages.3.inputs.0", "{}", "plan: end: 'stage' is missing"},
        {"stages.3.inputs.0.globs", "[1]", "plan: end: 'globs' holds texts"},
        {"stages.0.steps.1", "{}", "plan: build: 'id' is missing"},
        {"stages.0.steps.1.id", "\"checkout\"", "plan: build: two steps have the same id"},
        {"stages.0.steps.1.id", "\"a/b\"", "plan: build: an id must be a name"},
        {"stages.0.steps.1.timeout_ms", "0", "plan: build/m: 'timeout_ms' is not a value that it may have"},
        {"stages.0.steps.1.timeout_ms", "9223372036854775807", "plan: build/m: 'timeout_ms' is not a value that it may have"},
        {"stages.0.steps.1.retry.reasons", "[\"bored\"]", "plan: build/m: 'reasons' holds reasons, each once, in their order"},
        {"stages.0.steps.1.retry.reasons", "[\"timeout\",\"timeout\"]",
            "plan: build/m: 'reasons' holds reasons, each once, in their order"},
        {"stages.0.steps.1.retry.times", "99999999999", "plan: build/m: 'retry' is out of bounds"},
        {"stages.0.steps.1.outputs", "[null]", "plan: build/m: 'outputs' holds names"},
        {"stages.0.steps.1.with", "[]", "plan: build: 'with' has the wrong type"},
    };
    AUTO(plan_free) struct plan *plan = plan_of(RICH, USED);
    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        AUTO(free_json) json_t *shared = plan_to_json(plan), *json = json_deep_copy(shared);
        struct plan *read = NULL;
        struct error err = {0};
        set_member(json, wrongs[i][0], *wrongs[i][1] ? json_loads(wrongs[i][1], JSON_DECODE_ANY, NULL) : NULL);
        if (!plan_from_json(json, &read, &err)) print_error("accepted: %s = %s\n", wrongs[i][0], wrongs[i][1]);
        assert_null(read);
        assert_string_equal(err.message, wrongs[i][2]);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"null", "[]", "1", "\"plan\"", "{}", "{\"plan\":1}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO(free_json) json_t *json = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        struct plan *read = NULL;
        struct error err = {0};
        assert_true(plan_from_json(json, &read, &err) < 0);
        assert_true(plan_from_json(json, &read, NULL) < 0);
        assert_true(*err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_goes_there_and_back),
        cmocka_unit_test(wrong_json_is_refused),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

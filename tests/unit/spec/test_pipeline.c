/* test_pipeline.c: what the loader makes of a file: values typed by their keys, defaults, and the limits. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/diagnose.h"
#include "spec/pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct field run_fields[] = {
    {.name = "script", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SHORT | FIELD_SCRIPT},
    {.name = "shell", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .fallback = "sh"},
    FIELD_END,
};
static const struct field make_fields[] = {
    {.name = "size", .type = FIELD_SIZE},
    {.name = "count", .type = FIELD_INTEGER, .fallback = "3", .min = 1, .max = 9},
    {.name = "names", .type = FIELD_NAME_LIST},
    {.name = "contents", .type = FIELD_TEXT_MAP},
    {.name = "extra", .type = FIELD_ANY},
    FIELD_END,
};
static const struct field make_outputs[] = {{.name = "file", .type = FIELD_TEXT}, {.name = "all", .type = FIELD_TEXT_LIST}, FIELD_END};
static const struct step_type run_type = {.name = "run", .fields = run_fields};
static const struct step_type make_type = {.name = "make", .fields = make_fields, .outputs = make_outputs};
static const struct step_type *const types[] = {&run_type, &make_type, NULL};

/* A loaded file, or what is wrong with it. */
struct loaded {
    struct pipeline *pipeline;
    struct diagnostics list;
};

static struct loaded load_bytes(const char *bytes, size_t size, const char *used)
{
    struct loaded loaded = {0};
    const struct source items[] = {{"crescendo.yaml", bytes, size}, {"pipelines/part.yaml", used, used ? strlen(used) : 0}};
    const struct source_set sources = {items, used ? 2 : 1};
    int failed = pipeline_load(&sources, types, &loaded.list, &loaded.pipeline);
    assert_int_equal(failed != 0, loaded.list.error_count != 0);
    if (failed) assert_null(loaded.pipeline);
    return loaded;
}

static struct loaded load(const char *text)
{
    return load_bytes(text, strlen(text), NULL);
}

static void loaded_release(struct loaded *loaded)
{
    pipeline_free(&loaded->pipeline);
    diagnostics_release(&loaded->list);
}

static void expect_first(struct loaded *loaded, const char *code, unsigned line, unsigned column)
{
    if (!loaded->list.count) fail_msg("nothing is wrong; %s was expected", code);
    const struct diagnostic *first = &loaded->list.items[0];
    if (strcmp(first->code, code) != 0) fail_msg("%s instead of %s: %s", first->code, code, first->message);
    assert_int_equal(first->at.line, line);
    assert_int_equal(first->at.column, column);
}

static void expect_code(const char *text, const char *code, unsigned line, unsigned column)
{
    AUTO(loaded_release) struct loaded loaded = load(text);
    expect_first(&loaded, code, line, column);
}

#define STEPS "stages:\n  - stage: a\n    steps:\n"

static void values_are_typed_by_their_keys(void **state)
{
    (void)state;
    AUTO(loaded_release)
    struct loaded loaded = load(STEPS "      - make: { size: 1KiB, names: one, contents: { 3.10: 0755 }, extra: [1, { b: yes }] }\n"
                                      "        timeout: 90s\n        retry: 2\n        env: { V: 1e3 }\n        sandbox: none\n");
    assert_non_null(loaded.pipeline);
    const struct pipeline_step *step = &loaded.pipeline->stages[0].steps[0];
    AUTO(free_text) char *with = json_canonical(step->with);
    assert_string_equal(
        with, "{\"contents\":{\"3.10\":\"0755\"},\"count\":3,\"extra\":[\"1\",{\"b\":\"yes\"}],\"names\":[\"one\"],\"size\":1024}");
    assert_string_equal(json_text(step->env, "V", ""), "1e3");
    assert_string_equal(json_text(step->sandbox, "mode", ""), "none");
    assert_int_equal(step->timeout_ms, 90000);
    assert_int_equal(step->retry.times, 2);
    assert_int_not_equal(step->retry.reasons, 0);
    assert_string_equal(step->id, "make");
    assert_int_equal(step->output_count, 2);
}

static void an_expression_keeps_its_type_or_becomes_concat(void **state)
{
    (void)state;
    AUTO(loaded_release)
    struct loaded loaded = load("params: { n: { type: integer, default: 1 } }\n" STEPS
                                "      - make: { count: \"${{ params.n }}\", contents: { a: \"it's ${{params.n}}/$${{ x\" } }\n");
    assert_non_null(loaded.pipeline);
    const json_t *with = loaded.pipeline->stages[0].steps[0].with;
    const json_t *count = json_object_get(with, "count"), *text = json_object_get(json_object_get(with, "contents"), "a");
    assert_string_equal(json_text(count, "$expression", ""), "params.n");
    assert_string_equal(json_text(count, "$type", ""), "integer");
    assert_string_equal(json_text(count, "$at", ""), "crescendo.yaml:5:28");
    assert_string_equal(json_text(text, "$expression", ""), "concat('it''s ', params.n, '/${{ x')");
    assert_string_equal(json_text(text, "$type", ""), "text");
}

static void made_ids_avoid_given_ones(void **state)
{
    (void)state;
    AUTO(loaded_release)
    struct loaded loaded = load(STEPS "      - run: a\n      - { id: run-2, run: b }\n      - run: c\n      - run: d\n");
    assert_non_null(loaded.pipeline);
    static const char *const ids[] = {"run", "run-2", "run-3", "run-4"};
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_string_equal(loaded.pipeline->stages[0].steps[i].id, ids[i]);
}

static void stages_follow_the_one_above(void **state)
{
    (void)state;
    AUTO(loaded_release)
    struct loaded loaded = load(STEPS "      - run: a\n  - stage: b\n    steps: [{ run: b }]\n"
                                      "  - stage: c\n    needs: []\n    checkout: none\n    steps: [{ run: c }]\n  - stage: d\n    needs: "
                                      "[a, c]\n    approve: { by: me }\n");
    assert_non_null(loaded.pipeline);
    const struct pipeline_stage *stages = loaded.pipeline->stages;
    assert_int_equal(stages[0].need_count, 0);
    assert_string_equal(stages[1].needs[0].stage, "a");
    assert_int_equal(stages[2].need_count, 0);
    assert_false(stages[2].checkout);
    assert_int_equal(stages[3].need_count, 2);
    assert_int_equal(json_whole(stages[3].approve, "quorum", 0), 1);
    assert_true(loaded.pipeline->on_push);
}

static void a_used_file_is_loaded_once_and_typed(void **state)
{
    (void)state;
    const char *text =
        "stages:\n  - stage: x\n    use: part\n    with: { n: 4 }\n  - stage: y\n    use: part\n    with: { n: \"${{ stages.x.out }}\" }\n";
    const char *part =
        "params: { n: integer }\n" STEPS "      - { id: i, run: a, outputs: [o] }\noutputs: { out: \"${{ stages.a.i.o }}\" }\n";
    AUTO(loaded_release) struct loaded loaded = load_bytes(text, strlen(text), part);
    assert_non_null(loaded.pipeline);
    const struct pipeline_stage *stages = loaded.pipeline->stages;
    assert_ptr_equal(stages[0].used, stages[1].used);
    assert_int_equal(json_whole(stages[0].with, "n", 0), 4);
    assert_string_equal(stages[0].used->file, "pipelines/part.yaml");
    assert_string_equal(json_text(stages[0].used->outputs[0].value, "$expression", ""), "stages.a.i.o");
    assert_string_not_equal(stages[0].used->digest, loaded.pipeline->digest);
}

static void a_push_is_filtered(void **state)
{
    (void)state;
    AUTO(loaded_release)
    struct loaded loaded = load("on: { push: { branches: [main, \"release/*\"], paths: [\"src/**\"] } }\n" STEPS "      - run: a\n");
    static const char *const inside[] = {"README.md", "src/a/b.c", NULL}, *const outside[] = {"README.md", NULL};
    assert_true(pipeline_wants_push(loaded.pipeline, "main", inside));
    assert_true(pipeline_wants_push(loaded.pipeline, "release/1", NULL));
    assert_false(pipeline_wants_push(loaded.pipeline, "release/1/2", NULL));
    assert_false(pipeline_wants_push(loaded.pipeline, "main", outside));
    AUTO(loaded_release) struct loaded never = load("on: {}\n" STEPS "      - run: a\n");
    assert_false(pipeline_wants_push(never.pipeline, "main", NULL));
}

static void limits_hold(void **state)
{
    (void)state;
    AUTO(text_release) struct text large = {0}, deep = {0}, many = {0};
    text_add(&large, STEPS "      - run: a # ");
    text_add_repeated(&large, 'x', LIMIT_PIPELINE_BYTES);
    expect_code(text_view(&large), "too-large", 1, 1);
    text_add(&deep, "a: ");
    text_add_repeated(&deep, '[', 100000);
    expect_code(text_view(&deep), "too-deep", 1, 4 + LIMIT_YAML_DEPTH - 1);
    text_add(&many, "a: [");
    for (int i = 0; i < LIMIT_YAML_NODES + 1; i++)
        text_add(&many, "x, ");
    text_add(&many, "]\n");
    expect_code(text_view(&many), "too-many-nodes", 1, 3 * LIMIT_YAML_NODES - 1); /* the key counts, and what is open */
}

static void bytes_that_deceive_are_refused(void **state)
{
    (void)state;
    AUTO(loaded_release) struct loaded nul = load_bytes("a: b\0c", 6, NULL);
    expect_first(&nul, "character", 1, 5);
    expect_code("a: \"b\\0c\"", "character", 1, 4);
    expect_code("a: \xff", "encoding", 1, 4);
    expect_code("\xc3\xa4: \xe2\x80\xae", "character", 1, 4);
    expect_code("", "empty-file", 1, 1);
}

static void at_most_a_hundred_are_kept_the_first_of_the_file(void **state)
{
    (void)state;
    AUTO(text_release) struct text text = {0};
    text_add(&text, STEPS "      - run: a\n");
    for (int i = 0; i < 150; i++)
        text_add_format(&text, "key%d: x\n", i);
    AUTO(loaded_release) struct loaded loaded = load(text_view(&text));
    assert_int_equal(loaded.list.count, LIMIT_DIAGNOSTICS);
    assert_int_equal(loaded.list.error_count, 150);
    assert_int_equal(loaded.list.dropped, 50);
    expect_first(&loaded, "unknown-key", 5, 1);
}

/* A chain of thousands in which each refers far back: nothing recurses, nothing is quadratic. */
static void a_large_file_loads(void **state)
{
    (void)state;
    enum { STAGES = 8000 };
    AUTO(text_release) struct text text = {0};
    text_add(&text, STEPS "      - { id: i, run: a, outputs: [o] }\n");
    for (int i = 1; i < STAGES; i++)
        text_add_format(
            &text, "  - stage: s%d\n    steps:\n      - { id: i, run: a, outputs: [o], env: { X: \"${{ stages.a.i.o }}\" } }\n", i);
    AUTO(loaded_release) struct loaded loaded = load(text_view(&text));
    if (!loaded.pipeline) fail_msg("%s", loaded.list.items[0].message);
    assert_int_equal(loaded.pipeline->stage_count, STAGES);
}

static void a_diagnostic_never_writes_control_characters(void **state)
{
    (void)state;
    AUTO(text_release) struct text shown = {0};
    const char *text = "\"\\e[31m\": x\n\"\\u202E\": \"\x1b[0m\"\n";
    const struct source item = {"crescendo.yaml", text, strlen(text)};
    const struct source_set sources = {&item, 1};
    AUTO(loaded_release) struct loaded loaded = load(text);
    diagnose_text(&loaded.list, &sources, DIAGNOSE_PLAIN, &shown);
    assert_non_null(strstr(text_view(&shown), "\\x1b[0m"));
    for (const char *at = text_view(&shown); *at; at++)
        assert_true(*at == '\n' || (unsigned char)*at >= 0x20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_typed_by_their_keys),
        cmocka_unit_test(an_expression_keeps_its_type_or_becomes_concat),
        cmocka_unit_test(made_ids_avoid_given_ones),
        cmocka_unit_test(stages_follow_the_one_above),
        cmocka_unit_test(a_used_file_is_loaded_once_and_typed),
        cmocka_unit_test(a_push_is_filtered),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(bytes_that_deceive_are_refused),
        cmocka_unit_test(at_most_a_hundred_are_kept_the_first_of_the_file),
        cmocka_unit_test(a_large_file_loads),
        cmocka_unit_test(a_diagnostic_never_writes_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_template.c: ${{ }} in a scalar: whole values, text beside expressions, escapes, and what is refused where. */
#include "base/json.h"
#include "base/mem.h"
#include "spec/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct template_case {
    const char *yaml, *expected; /* expected: JSON, "=EXPRESSION" with its place, or "COLUMN: CODE" */
    enum field_type type;
    unsigned flags;
};

static char *result_of(const json_t *value, const struct diagnostics *list)
{
    const char *expression = json_text(value, "$expression", NULL);
    if (list->count) return mem_format("%u: %s", list->items[0].at.column, list->items[0].code);
    if (expression) return mem_format("=%s at %s", expression, json_text(value, "$at", ""));
    return json_canonical(value);
}

static void check(const struct template_case *given)
{
    AUTO(free_text) char *text = mem_format("x: %s\n", given->yaml);
    const struct source source = {"f", text, strlen(text)};
    const struct field field = {.name = "x", .type = given->type, .flags = given->flags};
    struct arena *arena = arena_new();
    struct diagnostics list = {0};
    struct yaml_document document;
    assert_int_equal(yaml_read(&source, arena, &list, &document), 0);
    struct reader reader = {.arena = arena, .list = &list, .document = &document, .stage = SITE_NONE, .step = SITE_NONE};
    AUTO(free_json) json_t *value = template_read(&reader, yaml_find(document.root, "x"), &field);
    AUTO(free_text) char *got = result_of(value, &list);
    if (strcmp(got, given->expected) != 0) fail_msg("%s: %s\nexpected: %s", given->yaml, got, given->expected);
    free(reader.sites);
    diagnostics_release(&list);
    arena_free(&arena);
}

static void expressions_and_text(void **state)
{
    (void)state;
    static const struct template_case cases[] = {{"plain", "\"plain\"", FIELD_TEXT, 0},
        {"\"${{ params.n }}\"", "=params.n at f:1:8", FIELD_INTEGER, 0}, {"\"${{params.n}}\"", "=params.n at f:1:8", FIELD_TEXT, 0},
        {"\"a ${{ params.n }} b\"", "=concat('a ', params.n, ' b') at f:1:10", FIELD_TEXT, 0},
        {"\"${{ params.n }}${{ run.ref }}\"", "=concat(params.n, run.ref) at f:1:8", FIELD_TEXT, 0},
        {"\"it's ${{ params.n }}\"", "=concat('it''s ', params.n) at f:1:13", FIELD_TEXT, 0},
        {"\"${{ join(params.l, ' }} ') }}\"", "=join(params.l, ' }} ') at f:1:8", FIELD_TEXT, 0},
        {"\"a ${{ params.n }}\"", "10: wrong-type", FIELD_INTEGER, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(&cases[i]);
}

static void escapes(void **state)
{
    (void)state;
    static const struct template_case cases[] = {{"\"$${{ params.n }}\"", "\"${{ params.n }}\"", FIELD_TEXT, 0},
        {"\"$${{\"", "\"${{\"", FIELD_TEXT, 0}, {"\"a $${{ b $${{\"", "\"a ${{ b ${{\"", FIELD_TEXT, 0},
        {"\"$${{ a }} ${{ params.n }}\"", "=concat('${{ a }} ', params.n) at f:1:18", FIELD_TEXT, 0},
        {"\"${ a } $$ }}\"", "\"${ a } $$ }}\"", FIELD_TEXT, 0},
        {"\"$${{ params.n }}\"", "\"${{ params.n }}\"", FIELD_TEXT, FIELD_LITERAL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(&cases[i]);
}

static void refusals(void **state)
{
    (void)state;
    static const struct template_case cases[] = {{"\"${{ params.n\"", "5: unterminated-expression", FIELD_TEXT, 0},
        {"\"${{\"", "5: unterminated-expression", FIELD_TEXT, 0}, {"\"a ${{ 'b }}\"", "7: unterminated-expression", FIELD_TEXT, 0},
        {"\"${{ params.n }} ${{\"", "21: unterminated-expression", FIELD_TEXT, 0},
        {"\"${{ params.n }}\"", "5: expression-not-allowed", FIELD_NAME, FIELD_LITERAL},
        {"\"make ${{ params.n }}\"", "10: expression-not-allowed", FIELD_TEXT, FIELD_SCRIPT},
        {"\"${{ true }}\"", "5: expression-not-allowed", FIELD_CONDITION, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expressions_and_text), cmocka_unit_test(escapes), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

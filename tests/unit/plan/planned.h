/* planned.h: makes plans of texts for the tests of this folder. */
#ifndef TEST_PLANNED_H
#define TEST_PLANNED_H

#include "base/json.h"
#include "base/mem.h"
#include "plan/plan.h"
#include "steps/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* text: crescendo.yaml; used: pipelines/canary.yaml or NULL; params: JSON or NULL. NULL: it is wrong, list says why. */
static inline struct plan *plan_texts(const char *text, const char *used, const char *params, struct diagnostics *list)
{
    const struct source sources[] = {
        {"crescendo.yaml", text, strlen(text)}, {"pipelines/canary.yaml", used ? used : "", used ? strlen(used) : 0}};
    const struct source_set set = {sources, used ? 2 : 1};
    const struct plan_facts facts = {.branch = "main", .repository = "hello"};
    AUTO(pipeline_free) struct pipeline *pipeline = NULL;
    AUTO(free_json) json_t *given = params ? json_loads(params, 0, NULL) : NULL;
    struct plan *plan = NULL;
    if (pipeline_load(&set, step_types_builtin, list, &pipeline)) return NULL;
    if (plan_build(pipeline, &facts, given, list, &plan)) return NULL;
    return plan;
}

static inline struct plan *plan_of(const char *text, const char *used)
{
    struct diagnostics list = {0};
    struct plan *plan = plan_texts(text, used, NULL, &list);
    for (size_t i = 0; i < list.count; i++)
        print_error("%u:%u: %s\n", list.items[i].at.line, list.items[i].at.column, list.items[i].message);
    diagnostics_release(&list);
    assert_non_null(plan);
    return plan;
}

static inline const struct plan_step *step_of(const struct plan *plan, const char *path)
{
    const struct plan_step *step = plan_find_step(plan, path);
    if (!step) print_error("no step %s\n", path);
    assert_non_null(step);
    return step;
}

static inline void assert_json(const json_t *value, const char *expected)
{
    AUTO(free_text) char *text = json_canonical(value);
    assert_string_equal(text, expected);
}

#endif

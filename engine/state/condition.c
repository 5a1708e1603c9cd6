/* condition.c: evaluates a residual condition against what the run knows, and resolves stages.PATH.ID.OUT. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct condition_scope {
    const struct run_state *state;
    struct circumstances circumstances;
};

static bool is_declared(const struct plan_step *step, const char *name)
{
    for (const char *const *output = step->outputs; output && *output; output++)
        if (!strcmp(*output, name)) return true;
    return false;
}

static enum lookup miss(struct error *err, const char *format, const char *what)
{
    (void)error_set(err, ERROR_NOT_FOUND, NOWHERE, "%s: %s", what, format);
    return LOOKUP_MISSING;
}

/* A step that ended without the output (skipped, failed) gives null: rule 5 of the language. */
static enum lookup look_up_output(
    const struct run_state *state, const char *const *parts, size_t part_count, json_t **ret_value, char **ret_residual, struct error *err)
{
    if (part_count != 3) return miss(err, "a reference is stages.STAGE.STEP.OUTPUT", part_count ? parts[0] : "stages");
    AUTO(free_text) char *path = mem_format("%s/%s", parts[0], parts[1]);
    const struct plan_step *plan = plan_find_step(state->plan, path);
    if (!plan) return miss(err, "the plan has no such step", path);
    if (!is_declared(plan, parts[2])) return miss(err, "the step declares no such output", parts[2]);
    const struct step_state *step = &state->steps[plan->index];
    if (!step_status_at_rest(step->status)) {
        *ret_residual = mem_format("stages.%s.%s.%s", parts[0], parts[1], parts[2]);
        return LOOKUP_UNKNOWN;
    }
    json_t *value = json_object_get(step->outputs, parts[2]);
    *ret_value = value ? json_incref(value) : json_null();
    return LOOKUP_KNOWN;
}

static enum lookup look_up_plain(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
    char **ret_residual, struct error *err)
{
    if (strcmp(root, "stages") != 0) return miss(err, "it is not known while the run is under way", root);
    return look_up_output(context, parts, part_count, ret_value, ret_residual, err);
}

static enum lookup look_up_condition(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
    char **ret_residual, struct error *err)
{
    const struct condition_scope *scope = context;
    const struct circumstances *is = &scope->circumstances;
    if (!strcmp(root, "always"))
        *ret_value = json_true();
    else if (!strcmp(root, "failed"))
        *ret_value = json_boolean(is->failed);
    else if (!strcmp(root, "cancelled"))
        *ret_value = json_boolean(is->cancelled);
    else if (!strcmp(root, "succeeded"))
        *ret_value = json_boolean(!is->failed && !is->cancelled);
    else if (!strcmp(root, "stages"))
        return look_up_output(scope->state, parts, part_count, ret_value, ret_residual, err);
    else
        return miss(err, "it is not known while the run is under way", root);
    return LOOKUP_KNOWN;
}

struct scope run_state_scope(const struct run_state *state)
{
    return (struct scope){.look_up = look_up_plain, .context = (void *)(uintptr_t)state};
}

int condition_holds(const struct run_state *state, const char *condition, struct circumstances circumstances, bool *ret, struct error *err)
{
    if (!condition || !strcmp(condition, "true")) return *ret = true, 0;
    if (!strcmp(condition, "false")) return *ret = false, 0;
    AUTO(expression_free) struct expression *expression = NULL;
    int result = expression_parse(condition, NOWHERE, &expression, err);
    if (result) return result;
    struct condition_scope context = {state, circumstances};
    struct scope scope = {.look_up = look_up_condition, .context = &context};
    AUTO(free_json) json_t *value = NULL;
    AUTO(free_text) char *residual = NULL;
    result = expression_evaluate(expression, &scope, &value, &residual, err);
    if (result) return result;
    if (!json_is_boolean(value)) return error_set(err, ERROR_INVALID, NOWHERE, "it gives no yes or no");
    *ret = json_is_true(value);
    return 0;
}

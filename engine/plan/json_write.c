/* json_write.c: a plan as JSON, version 1 (docs/formats/plan.md). What has its default is left out, and the defaults
   themselves stand at the top, so that a plan means the same for ever. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"
#include "plan/json_parts.h"

#include <string.h>

const char *const plan_reason_names[] = {
#define REASON(name, exit, help) #name,
#include "crescendo/reasons.def"
#undef REASON
    NULL,
};

const char *const group_queue_names[] = {[GROUP_FIFO] = "fifo", [GROUP_SUPERSEDE] = "supersede", [GROUP_REJECT] = "reject", NULL};

static json_t *groups_to_json(const struct plan_stage *stage)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < stage->group_count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", stage->groups[i].name, "queue", group_queue_names[stage->groups[i].queue]));
    return list;
}

static json_t *retry_to_json(const struct retry *retry)
{
    json_t *object = json_object(), *reasons = json_array();
    json_put_whole(object, "times", retry->times);
    if (retry->wait_ms) json_put_whole(object, "wait_ms", retry->wait_ms);
    for (unsigned i = 0; plan_reason_names[i]; i++)
        if (retry->reasons & (1u << i)) json_array_append_new(reasons, json_string(plan_reason_names[i]));
    json_put(object, "reasons", reasons);
    return object;
}

static void put_shared(json_t *object, const char *key, json_t *value)
{
    if (value && (json_object_size(value) || json_array_size(value))) json_object_set(object, key, value);
}

static void put_true(json_t *object, const char *key, bool value)
{
    if (value) json_put_flag(object, key, true);
}

static json_t *step_to_json(const struct plan_step *step, const json_t *default_sandbox)
{
    json_t *object = json_object();
    json_put_text(object, "id", step->id);
    json_put_text(object, "type", step->type);
    if (strcmp(step->title, step->id) != 0) json_put_text(object, "title", step->title);
    put_shared(object, "with", step->with);
    put_shared(object, "env", step->env);
    if (step->sandbox != default_sandbox && !json_equal(step->sandbox, default_sandbox)) json_object_set(object, "sandbox", step->sandbox);
    json_put_text(object, "condition", step->condition);
    put_true(object, "condition_overrides", step->condition_overrides);
    if (step->timeout_ms != PLAN_TIMEOUT_MS) json_put_whole(object, "timeout_ms", step->timeout_ms);
    if (step->grace_ms != PLAN_GRACE_MS) json_put_whole(object, "grace_ms", step->grace_ms);
    if (step->retry.times || step->retry.wait_ms || step->retry.reasons) json_put(object, "retry", retry_to_json(&step->retry));
    put_true(object, "allow_failure", step->allow_failure);
    json_t *outputs = step->outputs[0] ? json_array() : NULL;
    for (size_t i = 0; step->outputs[i]; i++)
        json_array_append_new(outputs, json_string(step->outputs[i]));
    json_put(object, "outputs", outputs);
    put_shared(object, "effects", step->effects);
    put_true(object, "ready_ahead", step->ready_ahead);
    return object;
}

static json_t *stage_to_json(const struct plan *plan, const struct plan_stage *stage, const json_t *default_sandbox)
{
    json_t *object = json_object(), *needs = json_array(), *steps = json_array();
    json_put_text(object, "path", stage->path);
    for (uint32_t i = 0; i < stage->need_count; i++)
        json_array_append_new(needs, json_integer(stage->needs[i]));
    json_put(object, "needs", needs);
    json_put_text(object, "condition", stage->condition);
    put_true(object, "condition_overrides", stage->condition_overrides);
    put_true(object, "allow_failure", stage->allow_failure);
    if (stage->timeout_ms) json_put_whole(object, "timeout_ms", stage->timeout_ms);
    put_true(object, "checkout", stage->checkout);
    put_shared(object, "inputs", stage->inputs);
    if (*stage->scope) json_put_text(object, "scope", stage->scope);
    if (stage->group_count) json_put(object, "groups", groups_to_json(stage));
    for (uint32_t i = 0; i < stage->step_count; i++)
        json_array_append_new(steps, step_to_json(&plan->steps[stage->first_step + i], default_sandbox));
    json_put(object, "steps", steps);
    return object;
}

static json_t *facts_to_json(const struct plan_facts *facts)
{
    json_t *object = json_object();
    json_put_text(object, "repository", facts->repository);
    json_put_text(object, "ref", facts->ref);
    json_put_text(object, "branch", facts->branch);
    json_put_text(object, "commit", facts->commit);
    json_put_text(object, "author", facts->author);
    json_put_text(object, "trigger", facts->trigger);
    return object;
}

static json_t *defaults_to_json(void)
{
    json_t *object = json_object();
    json_put(object, "sandbox", plan_default_sandbox());
    json_put_whole(object, "timeout_ms", PLAN_TIMEOUT_MS);
    json_put_whole(object, "grace_ms", PLAN_GRACE_MS);
    return object;
}

/* All but what stands last in canonical order: the stages and the timeout. */
static json_t *head_to_json(const struct plan *plan)
{
    json_t *object = json_object();
    json_put_whole(object, "plan", PLAN_VERSION);
    json_put_text(object, "name", plan->name);
    json_put_text(object, "service", plan->service);
    json_put(object, "facts", facts_to_json(&plan->facts));
    json_put(object, "defaults", defaults_to_json());
    put_true(object, "rollback_run", plan->rollback_run);
    put_shared(object, "params", plan->params);
    put_shared(object, "includes", plan->includes);
    put_shared(object, "domains", plan->domains);
    put_shared(object, "secrets", plan->secrets);
    put_shared(object, "service_descriptor", plan->service_descriptor);
    put_shared(object, "outputs", plan->outputs);
    return object;
}

json_t *plan_to_json(const struct plan *plan)
{
    json_t *object = head_to_json(plan), *stages = json_array();
    const json_t *default_sandbox = json_object_get(json_object_get(object, "defaults"), "sandbox");
    for (uint32_t i = 0; i < plan->stage_count; i++)
        json_array_append_new(stages, stage_to_json(plan, &plan->stages[i], default_sandbox));
    json_put(object, "stages", stages);
    if (plan->timeout_ms) json_put_whole(object, "timeout_ms", plan->timeout_ms);
    return object;
}

/* A stage at a time: as one tree a large plan would need ten times the memory of its text. */
static void add_stages(struct text *out, const struct plan *plan, const json_t *default_sandbox)
{
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        AUTO(free_json) json_t *stage = stage_to_json(plan, &plan->stages[i], default_sandbox);
        if (i) text_add_char(out, ',');
        json_add_canonical(out, stage);
    }
}

char *plan_to_text(const struct plan *plan)
{
    struct text out = {0};
    AUTO(free_json) json_t *head = head_to_json(plan);
    json_add_canonical(&out, head);
    out.bytes[--out.size] = '\0'; /* the brace: "stages" and "timeout_ms" are last */
    text_add(&out, ",\"stages\":[");
    add_stages(&out, plan, json_object_get(json_object_get(head, "defaults"), "sandbox"));
    text_add_char(&out, ']');
    if (plan->timeout_ms) text_add_format(&out, ",\"timeout_ms\":%lld", (long long)plan->timeout_ms);
    text_add_char(&out, '}');
    return text_take(&out);
}

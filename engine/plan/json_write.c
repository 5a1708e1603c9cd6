/* json_write.c: a plan as JSON, version 1 (docs/formats/plan.md). What has its default is left out, and the defaults
   themselves stand at the top, so that a plan means the same for ever. Stages and steps are written as canonical text at once, their
   keys in the order of their bytes: as a tree first they cost a quarter of making a plan. */
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

struct writer {
    const struct plan *plan;
    struct text *out;
    const json_t *default_sandbox;
    const json_t *sandbox;    /* that of the step before, which most have in common, ... */
    struct text sandbox_text; /* ... and how it is written; empty: it is the default */
};

static void writer_release(struct writer *writer)
{
    text_release(&writer->sandbox_text);
}

/* --- members of the object that is being written ----------------------------------------------------------------------- */

static void add_key(struct text *out, const char *key)
{
    if (out->bytes[out->size - 1] != '{') text_add_char(out, ',');
    text_add_char(out, '"');
    text_add(out, key);
    text_add_bytes(out, "\":", 2);
}

static void add_text(struct text *out, const char *key, const char *text)
{
    if (!text) return;
    add_key(out, key);
    json_add_text(out, text);
}

static void add_whole(struct text *out, const char *key, int64_t value, int64_t unless)
{
    if (value == unless) return;
    add_key(out, key);
    json_add_whole(out, value);
}

static void add_true(struct text *out, const char *key, bool value)
{
    if (!value) return;
    add_key(out, key);
    text_add(out, "true");
}

static void add_json(struct text *out, const char *key, const json_t *value)
{
    if (!json_object_size(value) && !json_array_size(value)) return;
    add_key(out, key);
    json_add_canonical(out, value);
}

static void next_item(struct text *out)
{
    if (out->bytes[out->size - 1] != '[') text_add_char(out, ',');
}

/* names: NULL-ended. */
static void add_names(struct text *out, const char *key, const char *const *names)
{
    if (!names[0]) return;
    add_key(out, key);
    text_add_char(out, '[');
    for (; *names; names++) {
        next_item(out);
        json_add_text(out, *names);
    }
    text_add_char(out, ']');
}

/* --- steps and stages -------------------------------------------------------------------------------------------------- */

static void write_retry(struct text *out, const struct retry *retry)
{
    if (!retry->times && !retry->wait_ms && !retry->reasons) return;
    add_key(out, "retry");
    text_add(out, "{\"reasons\":[");
    for (unsigned i = 0; plan_reason_names[i]; i++) {
        if (!(retry->reasons & (1u << i))) continue;
        next_item(out);
        json_add_text(out, plan_reason_names[i]);
    }
    text_add_char(out, ']');
    add_whole(out, "times", retry->times, -1);
    add_whole(out, "wait_ms", retry->wait_ms, 0);
    text_add_char(out, '}');
}

static void write_sandbox(struct writer *writer, const json_t *sandbox)
{
    if (sandbox != writer->sandbox) {
        writer->sandbox_text.size = 0;
        if (!json_equal(sandbox, writer->default_sandbox)) json_add_canonical(&writer->sandbox_text, sandbox);
        writer->sandbox = sandbox;
    }
    if (!writer->sandbox_text.size) return;
    add_key(writer->out, "sandbox");
    text_add_bytes(writer->out, text_view(&writer->sandbox_text), writer->sandbox_text.size);
}

static void write_step(struct writer *writer, const struct plan_step *step)
{
    struct text *out = writer->out;
    text_add_char(out, '{');
    add_true(out, "allow_failure", step->allow_failure);
    add_text(out, "condition", step->condition);
    add_true(out, "condition_overrides", step->condition_overrides);
    add_json(out, "effects", step->effects);
    add_json(out, "env", step->env);
    add_whole(out, "grace_ms", step->grace_ms, PLAN_GRACE_MS);
    add_text(out, "id", step->id);
    add_names(out, "outputs", step->outputs);
    add_true(out, "ready_ahead", step->ready_ahead);
    write_retry(out, &step->retry);
    write_sandbox(writer, step->sandbox);
    add_whole(out, "timeout_ms", step->timeout_ms, PLAN_TIMEOUT_MS);
    if (strcmp(step->title, step->id) != 0) add_text(out, "title", step->title);
    add_text(out, "type", step->type);
    add_json(out, "with", step->with);
    text_add_char(out, '}');
}

static void write_groups(struct text *out, const struct plan_stage *stage)
{
    if (!stage->group_count) return;
    add_key(out, "groups");
    text_add_char(out, '[');
    for (uint32_t i = 0; i < stage->group_count; i++) {
        next_item(out);
        text_add_char(out, '{');
        add_text(out, "name", stage->groups[i].name);
        add_text(out, "queue", group_queue_names[stage->groups[i].queue]);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

static void write_needs(struct text *out, const struct plan_stage *stage)
{
    add_key(out, "needs");
    text_add_char(out, '[');
    for (uint32_t i = 0; i < stage->need_count; i++) {
        next_item(out);
        json_add_whole(out, stage->needs[i]);
    }
    text_add_char(out, ']');
}

static void write_steps(struct writer *writer, const struct plan_stage *stage)
{
    add_key(writer->out, "steps");
    text_add_char(writer->out, '[');
    for (uint32_t i = 0; i < stage->step_count; i++) {
        next_item(writer->out);
        write_step(writer, &writer->plan->steps[stage->first_step + i]);
    }
    text_add_char(writer->out, ']');
}

static void write_stage(struct writer *writer, const struct plan_stage *stage)
{
    struct text *out = writer->out;
    text_add_char(out, '{');
    add_true(out, "allow_failure", stage->allow_failure);
    add_true(out, "checkout", stage->checkout);
    add_text(out, "condition", stage->condition);
    add_true(out, "condition_overrides", stage->condition_overrides);
    write_groups(out, stage);
    add_json(out, "inputs", stage->inputs);
    write_needs(out, stage);
    add_text(out, "path", stage->path);
    if (*stage->scope) add_text(out, "scope", stage->scope);
    write_steps(writer, stage);
    add_whole(out, "timeout_ms", stage->timeout_ms, 0);
    text_add_char(out, '}');
}

/* --- the plan ---------------------------------------------------------------------------------------------------------- */

static void put_shared(json_t *object, const char *key, json_t *value)
{
    if (value && (json_object_size(value) || json_array_size(value))) json_object_set(object, key, value);
}

static void put_true(json_t *object, const char *key, bool value)
{
    if (value) json_put_flag(object, key, true);
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

/* The head's closing brace makes room: "stages" and "timeout_ms" are last. */
char *plan_to_text(const struct plan *plan)
{
    struct text out = {0};
    AUTO(free_json) json_t *head = head_to_json(plan);
    AUTO(writer_release)
    struct writer writer = {.plan = plan, .out = &out, .default_sandbox = json_object_get(json_object_get(head, "defaults"), "sandbox")};
    json_add_canonical(&out, head);
    out.bytes[--out.size] = '\0';
    add_key(&out, "stages");
    text_add_char(&out, '[');
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        next_item(&out);
        write_stage(&writer, &plan->stages[i]);
    }
    text_add_char(&out, ']');
    add_whole(&out, "timeout_ms", plan->timeout_ms, 0);
    text_add_char(&out, '}');
    return text_take(&out);
}

json_t *plan_to_json(const struct plan *plan)
{
    AUTO(free_text) char *text = plan_to_text(plan);
    json_t *json = NULL;
    struct error err;
    return json_parse_stored(text, strlen(text), "the plan", &json, &err) ? NULL : json;
}

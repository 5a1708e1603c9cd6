/* steps.c: a stage's steps: the checkout before them, what they would do, with what, where and for how long. */
#include "base/json.h"
#include "base/mem.h"
#include "crescendo/limits.h"
#include "plan/build.h"
#include "plan/show.h"
#include "spec/beside.h"
#include "spec/place.h"

#include <stdlib.h>
#include <string.h>

/* What the steps of one stage have in common, merged once. */
struct surroundings {
    struct build *build;
    const struct frame *frame;
    const struct pipeline_stage *stage;
    const struct plan_stage *planned;
    struct scope scope;
    json_t *env, *asked, *sandbox; /* resolved; owned by the arena; asked: what the file says of the sandbox */
};

/* base with what more says instead; more may be NULL. Owned by the arena. */
static json_t *merge(struct build *build, json_t *base, const json_t *more)
{
    if (!json_object_size(more)) return base;
    json_t *merged = json_copy(base);
    json_object_update(merged, (json_t *)more);
    return arena_own_json(build->arena, merged);
}

/* Limits that nobody asked for belong to the default sandbox: `sandbox: none` costs nothing but what it says. */
static json_t *make_sandbox(struct build *build, const json_t *given)
{
    bool none = text_equal(json_text(given, "mode", "default"), "none");
    json_t *base = build->default_sandbox;
    if (none) {
        base = arena_own_json(build->arena, json_copy(base));
        json_object_del(base, "processes");
        json_object_del(base, "disk");
    }
    return merge(build, base, given);
}

static json_t *sandbox_of(struct build *build, const json_t *given)
{
    if (build->asked != given) build->answered = make_sandbox(build, given);
    build->asked = given;
    return build->answered;
}

/* Evaluates; after a mistake the value is empty, so that the others are found too. */
static json_t *resolved(const struct surroundings *around, const json_t *value, struct location at)
{
    struct build *build = around->build;
    struct error err = {0};
    json_t *result = NULL;
    if (!value) return build->empty_object;
    if (value_resolve(value, &around->scope, around->frame->pipeline->file, &result, &err)) {
        build_fail(build, "wrong-value", at, &err);
        return build->empty_object;
    }
    return arena_own_json(build->arena, result);
}

static struct plan_step *step_add(const struct surroundings *around, const char *id)
{
    struct build *build = around->build;
    build->steps = mem_grow(build->steps, &build->step_capacity, build->step_count + 1, sizeof *build->steps);
    struct plan_step *step = &build->steps[build->step_count];
    *step = (struct plan_step){.index = (uint32_t)build->step_count++,
        .stage = around->planned->index,
        .id = arena_copy_text(build->arena, id),
        .env = build->empty_object,
        .sandbox = around->sandbox,
        .with = build->empty_object,
        .effects = build->empty_array,
        .timeout_ms = PLAN_TIMEOUT_MS,
        .grace_ms = PLAN_GRACE_MS};
    size_t stage_size = strlen(around->planned->path), id_size = strlen(id);
    char *path = arena_alloc(build->arena, stage_size + id_size + 2);
    memcpy(path, around->planned->path, stage_size);
    path[stage_size] = '/';
    memcpy(path + stage_size + 1, id, id_size);
    step->path = path;
    step->title = step->id;
    return step;
}

/* A step's output names: declared by itself, or by its type. */
static const char *const *output_names(struct build *build, const struct pipeline_step *step)
{
    size_t count = step->output_count;
    for (const struct field *field = step->type->outputs; field && field->name; field++)
        count++;
    const char **names = arena_alloc_array(build->arena, count + 1, sizeof *names);
    count = 0;
    for (size_t i = 0; i < step->output_count; i++)
        names[count++] = arena_copy_text(build->arena, step->outputs[i].name);
    for (const struct field *field = step->type->outputs; field && field->name; field++)
        names[count++] = arena_copy_text(build->arena, field->name);
    return names;
}

/* What stands in the list of steps: the step's own name, else the first line of its script that does something. */
static const char *title_of(struct build *build, const struct pipeline_step *step, const struct plan_step *planned)
{
    if (step->title) return arena_copy_text(build->arena, step->title);
    const char *script = json_text(planned->with, "script", NULL);
    while (script && *script) {
        script += strspn(script, " \t\r\n");
        size_t size = strcspn(script, "\r\n");
        while (size && (script[size - 1] == ' ' || script[size - 1] == '\t'))
            size--;
        if (size && script[0] != '#' && strncmp(script, "set -", 5) != 0) return arena_copy_bytes(build->arena, script, size);
        script += strcspn(script, "\n");
    }
    return planned->id;
}

/* The domain that the step names, pinned in the plan. false: a mistake, which was said. NULL: it names none. */
static bool find_domain(
    const struct surroundings *around, const struct pipeline_step *step, const struct plan_step *planned, const json_t **ret)
{
    struct build *build = around->build;
    const struct frame *frame = around->frame;
    struct location at = place_of_domain(step, frame->caller ? &frame->caller->pipeline->stages[frame->caller_stage] : NULL);
    const char *key = step_type_domain_key(step->type);
    const json_t *value = key ? json_object_get(planned->with, key) : NULL;
    const char *name = json_string_value(value);
    *ret = NULL;
    if (text_starts(json_text(value, "$unknown", ""), "stages.wrong.wrong.")) return false; /* its parameter is wrong, which was said */
    if (value_is_unknown(value)) {
        AUTO(text_release) struct text when = {0};
        show_unknown(&when, json_text(value, "$unknown", ""), build->stages[planned->stage].path);
        diagnostics_add(build->list, "unknown-domain", at, 0, "write its name, or take it from a parameter",
            "a domain must be known when the step is planned; this one is not %s", text_view(&when));
        return false;
    }
    if (!name) return true;
    *ret = beside_find(build->domains, step->type, name, at, build->list);
    if (*ret) json_object_set(build->plan->domains, name, (json_t *)*ret);
    return *ret != NULL;
}

/* Where the key was written with which the message begins; else where the step was. */
static struct location place_in(const struct pipeline_step *step, const struct error *err)
{
    const struct yaml_node *node = place_of(step->with_node, err->message);
    return node ? node->at : step->at;
}

static void describe(const struct surroundings *around, const struct pipeline_step *step, struct plan_step *planned)
{
    struct build *build = around->build;
    struct error err = {0};
    json_t *effects = NULL;
    const json_t *domain;
    if (step->type->effects) planned->effects = arena_own_json(build->arena, json_deep_copy(step->type->effects));
    if (!find_domain(around, step, planned, &domain) || step->type->effects || !step->type->describe) return;
    const struct planned facts = {.path = planned->path, .with = planned->with, .domain = domain, .service = build->service};
    if (step->type->describe(&facts, &effects, &err))
        build_fail(build, err.code == ERROR_DENIED ? "denied" : "wrong-value", place_in(step, &err), &err);
    else
        planned->effects = arena_own_json(build->arena, effects ? effects : json_array());
}

/* Values that an expression gave must be within the field's bounds, as those of the file are. */
static void check_fields(struct build *build, const struct pipeline_step *step, const json_t *with)
{
    if (with == step->with) return;
    for (const struct field *field = step->type->fields; field && field->name; field++) {
        const json_t *value = json_object_get(with, field->name);
        const struct param bounds = {
            .name = field->name, .type = field->type, .min = field->min, .max = field->max, .choices = field->choices};
        struct error err = {0};
        if (!value || value_is_unknown(value) || value == json_object_get(step->with, field->name)) continue;
        if (!param_check(&bounds, value, &err)) continue;
        error_wrap(&err, "%s", field->name);
        build_fail(build, "wrong-value", place_in(step, &err), &err);
    }
}

/* Secrets under the plan's names. */
static json_t *with_secrets_named(struct build *build, const struct frame *frame, json_t *env)
{
    json_t *named = NULL, *value;
    const char *variable;
    json_object_foreach(env, variable, value)
    {
        const char *name = json_text(value, "$secret", NULL);
        if (!name || text_equal(json_text(frame->secrets, name, ""), name)) continue;
        if (!named) named = arena_own_json(build->arena, json_copy(env));
        json_object_set_new(named, variable, json_pack("{s:s}", "$secret", json_text(frame->secrets, name, "")));
    }
    return named ? named : env;
}

static void step_build(const struct surroundings *around, const struct pipeline_step *step)
{
    struct build *build = around->build;
    struct place place = {.frame = around->frame, .stage = around->stage};
    struct plan_step *planned = step_add(around, step->id);
    planned->type = arena_copy_text(build->arena, step->type->name);
    planned->with = resolved(around, step->with, step->at);
    planned->env = step->env ? merge(build, around->env, resolved(around, step->env, step->at)) : around->env;
    planned->env = with_secrets_named(build, around->frame, planned->env);
    planned->sandbox =
        step->sandbox ? sandbox_of(build, merge(build, around->asked, resolved(around, step->sandbox, step->at))) : around->sandbox;
    planned->title = title_of(build, step, planned);
    planned->outputs = output_names(build, step);
    planned->retry = step->retry;
    planned->allow_failure = step->allow_failure;
    if (step->timeout_ms) planned->timeout_ms = step->timeout_ms;
    if (step->condition && condition_fold(step->condition, &place, step->at, &planned->condition, &planned->condition_overrides))
        planned->condition = "false";
    check_fields(build, step, planned->with);
    describe(around, step, planned);
    planned->ready_ahead = !planned->condition && !planned->condition_overrides && !value_has_unknown(planned->with) &&
                           !value_has_unknown(planned->env) && !value_has_unknown(planned->sandbox);
}

static const char *const *no_names(struct build *build)
{
    return arena_alloc_array(build->arena, 1, sizeof(const char *));
}

static void checkout_build(const struct surroundings *around)
{
    struct build *build = around->build;
    bool source = around->stage->checkout;
    for (size_t i = 0; i < around->stage->step_count; i++)
        if (text_equal(around->stage->steps[i].id, "checkout"))
            diagnostics_add(build->list, "duplicate-id", around->stage->steps[i].at, 0,
                source ? "give it another `id:`, or write `checkout: none`" : "give it another `id:`",
                "the id 'checkout' is that of the stage's first step, which %s", source ? "fetches the commit" : "copies its inputs");
    struct plan_step *planned = step_add(around, "checkout");
    planned->type = "checkout";
    planned->title = source ? "check out the commit" : "copy the inputs";
    planned->ready_ahead = !value_has_unknown(around->sandbox);
    planned->outputs = no_names(build);
    if (!json_array_size(around->planned->inputs)) return;
    planned->with = arena_own_json(build->arena, json_object());
    json_object_set(planned->with, "inputs", around->planned->inputs);
    if (!source) json_put_flag(planned->with, "source", false);
}

static void approve_build(const struct surroundings *around)
{
    struct plan_step *planned = step_add(around, "approve");
    planned->type = "approve";
    planned->with = resolved(around, around->stage->approve, around->stage->at);
    planned->outputs = no_names(around->build);
    const char *ask = json_text(planned->with, "ask", NULL);
    if (ask) planned->title = arena_copy_text(around->build->arena, ask);
}

void steps_build(struct build *build, const struct frame *frame, const struct pipeline_stage *stage, struct plan_stage *planned)
{
    struct place place = {.frame = frame, .stage = stage};
    struct surroundings around = {.build = build, .frame = frame, .stage = stage, .planned = planned, .scope = place_scope(&place)};
    around.env = merge(build, resolved(&around, frame->pipeline->env, NOWHERE), resolved(&around, stage->env, stage->at));
    around.asked = merge(build, resolved(&around, frame->pipeline->sandbox, NOWHERE), resolved(&around, stage->sandbox, stage->at));
    around.sandbox = sandbox_of(build, around.asked);
    planned->first_step = (uint32_t)build->step_count;
    if (stage->approve) approve_build(&around);
    if (planned->checkout) checkout_build(&around);
    for (size_t i = 0; i < stage->step_count && build->step_count <= LIMIT_STEPS; i++)
        step_build(&around, &stage->steps[i]);
    planned->step_count = (uint32_t)build->step_count - planned->first_step;
    if (build->step_count > LIMIT_STEPS)
        diagnostics_add(build->list, "too-many-steps", stage->at, 0, "split the pipeline", "the plan has more than %d steps", LIMIT_STEPS);
    else if (!planned->step_count)
        diagnostics_add(build->list, "no-steps", stage->at, 0, "add a step", "stage '%s' has no steps", planned->path);
}

/* frames.c: one frame for each use of a pipeline file: its parameters, what references in it mean, what it declares as outputs.
   Frames are opened in the order of needs, so that what a `with` refers to is known before it is evaluated. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"

#include <stdlib.h>
#include <string.h>

/* --- what a reference means -------------------------------------------------------------------------------------------- */

/* A value of params or of a used stage's outputs: known, or the residual that will give it. */
static enum lookup look_up_member(
    const json_t *object, const char *name, const char *what, json_t **ret_value, char **ret_residual, struct error *err)
{
    json_t *value = json_object_get(object, name);
    const char *residual = json_text(value, "$unknown", NULL);
    if (!value) {
        error_set(err, ERROR_INVALID, NOWHERE, "there is no %s '%s'", what, name);
        return LOOKUP_MISSING;
    }
    if (residual)
        *ret_residual = mem_copy_text(residual);
    else
        *ret_value = json_incref(value);
    return residual ? LOOKUP_UNKNOWN : LOOKUP_KNOWN;
}

static enum lookup look_up_run(const struct plan_facts *facts, const char *name, json_t **ret_value, struct error *err)
{
    static const char *const names[] = {"repository", "ref", "branch", "commit", "author", "trigger", NULL};
    const char *const values[] = {facts->repository, facts->ref, facts->branch, facts->commit, facts->author, facts->trigger};
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *ret_value = values[i] ? json_string(values[i]) : json_null();
        return LOOKUP_KNOWN;
    }
    const char *near = text_nearest(name, names);
    error_set(err, ERROR_INVALID, NOWHERE, "there is no run.%s", name);
    error_hint(err, near ? "did you mean run.%s?" : "there are repository, ref, branch, commit, author and trigger", near);
    return LOOKUP_MISSING;
}

static char *stage_path(const struct frame *frame, const char *id)
{
    return *frame->path ? mem_format("%s/%s", frame->path, id) : mem_copy_text(id);
}

static enum lookup look_up_stage(
    const struct frame *frame, const char *const *parts, size_t part_count, json_t **ret_value, char **ret_residual, struct error *err)
{
    json_int_t number = json_whole(frame->stage_numbers, parts[0], -1);
    if (number < 0) {
        error_set(err, ERROR_INVALID, NOWHERE, "there is no stage '%.63s'", parts[0]);
        return LOOKUP_MISSING;
    }
    if (frame->used[number]) {
        if (part_count == 2) return look_up_member(frame->outputs[number], parts[1], "output", ret_value, ret_residual, err);
        error_set(err, ERROR_INVALID, NOWHERE, "the stages of '%.63s' are its own; only its declared outputs are seen", parts[0]);
        return LOOKUP_MISSING;
    }
    if (part_count != 3) {
        error_set(err, ERROR_INVALID, NOWHERE, "stage '%.63s' has steps: name the step whose output is meant", parts[0]);
        return LOOKUP_MISSING;
    }
    AUTO(free_text) char *path = stage_path(frame, parts[0]);
    *ret_residual = mem_format("stages.%s.%s.%s", path, parts[1], parts[2]);
    return LOOKUP_UNKNOWN;
}

static enum lookup look_up(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
    char **ret_residual, struct error *err)
{
    const struct place *place = context;
    if (part_count == 0) return *ret_residual = mem_format("%s()", root), LOOKUP_UNKNOWN;
    if (strcmp(root, "params") == 0) return look_up_member(place->frame->params, parts[0], "parameter", ret_value, ret_residual, err);
    if (strcmp(root, "run") == 0) return look_up_run(place->frame->build->facts, parts[0], ret_value, err);
    if (strcmp(root, "stages") == 0) return look_up_stage(place->frame, parts, part_count, ret_value, ret_residual, err);
    if (strcmp(root, "steps") != 0) { /* a secret: the loader has put each where it may stand */
        error_set(err, ERROR_INVALID, NOWHERE, "%.20s.%.63s is not known here", root, parts[0]);
        return LOOKUP_MISSING;
    }
    if (!place->stage) {
        error_set(err, ERROR_INVALID, NOWHERE, "there are no steps here: write stages.STAGE.ID.OUTPUT");
        return LOOKUP_MISSING;
    }
    AUTO(free_text) char *path = stage_path(place->frame, place->stage->id);
    *ret_residual = mem_format("stages.%s.%s.%s", path, parts[0], parts[1]);
    return LOOKUP_UNKNOWN;
}

struct scope place_scope(const struct place *place)
{
    return (struct scope){.look_up = look_up, .context = (void *)(uintptr_t)place};
}

/* --- opening ----------------------------------------------------------------------------------------------------------- */

static size_t need_number(const struct frame *frame, const struct need *need)
{
    return (size_t)json_whole(frame->stage_numbers, need->stage, -1);
}

static void note_users(struct frame *frame)
{
    for (size_t i = 0; i < frame->pipeline->stage_count; i++)
        for (size_t j = 0; j < frame->pipeline->stages[i].need_count; j++) {
            size_t number = need_number(frame, &frame->pipeline->stages[i].needs[j]);
            if (number < frame->pipeline->stage_count) frame->has_users[number] = true;
        }
}

/* The file's stages, each behind all that it needs, by depth-first search with a stack of our own. A circle, which the loader
   has refused, ends the search at the stage that closes it. */
static void order_stages(const struct frame *frame, size_t *order)
{
    size_t count = frame->pipeline->stage_count, done = 0, depth;
    struct visit {
        size_t stage, next_need;
    } *stack = mem_alloc_array(count + 1, sizeof *stack);
    bool *seen = mem_alloc_array(count + 1, sizeof *seen);
    for (size_t i = 0; i < count; i++) {
        if (seen[i]) continue;
        seen[i] = true;
        stack[0] = (struct visit){.stage = i};
        for (depth = 1; depth;) {
            struct visit *top = &stack[depth - 1];
            const struct pipeline_stage *stage = &frame->pipeline->stages[top->stage];
            size_t number = top->next_need < stage->need_count ? need_number(frame, &stage->needs[top->next_need]) : count;
            if (top->next_need++ >= stage->need_count) {
                order[done++] = top->stage;
                depth--;
            } else if (number < count && !seen[number]) {
                seen[number] = true;
                stack[depth++] = (struct visit){.stage = number};
            }
        }
    }
    free(stack);
    free(seen);
}

/* What the outputs of a used file are, seen from the file itself. */
static json_t *resolve_outputs(const struct frame *frame)
{
    struct build *build = frame->build;
    struct place place = {.frame = frame};
    struct scope scope = place_scope(&place);
    json_t *outputs = arena_own_json(build->arena, json_object());
    for (size_t i = 0; i < frame->pipeline->output_count; i++) {
        const struct output_declaration *output = &frame->pipeline->outputs[i];
        struct error err = {0};
        json_t *value = NULL;
        if (value_resolve(output->value, &scope, frame->pipeline->file, &value, &err))
            build_fail(build, "wrong-output", output->at, &err);
        else
            json_put(outputs, output->name, value);
    }
    return outputs;
}

static void add_include(struct build *build, const struct pipeline *pipeline)
{
    for (size_t i = 0; i < json_array_size(build->plan->includes); i++)
        if (text_equal(json_text(json_array_get(build->plan->includes, i), "name", NULL), pipeline->file)) return;
    json_t *include = json_object();
    json_put_text(include, "name", pipeline->file);
    json_put_text(include, "digest", pipeline->digest);
    json_array_append_new(build->plan->includes, include);
}

/* The caller's own conditions and those of the using stage, joined: they hold for every stage of the used file. */
static void inherit(struct frame *frame, const struct pipeline_stage *use)
{
    const struct frame *caller = frame->caller;
    struct place place = {.frame = caller};
    const char *condition = NULL;
    bool overrides = false;
    if (use->condition && condition_fold(use->condition, &place, use->at, &condition, &overrides)) return;
    frame->condition = condition_join(frame->build, caller->condition, condition, use->at);
    frame->condition_overrides = overrides || caller->condition_overrides;
    frame->allow_failure = use->allow_failure || caller->allow_failure;
    frame->timeout_ms = timeout_shorter(caller->timeout_ms, use->timeout_ms);
}

/* What a used file calls a secret is one of its caller's; the outermost file's are the plan's. */
static json_t *name_secrets(const struct frame *frame)
{
    const struct frame *caller = frame->caller;
    json_t *names = arena_own_json(frame->build->arena, json_object());
    for (size_t i = 0; i < frame->pipeline->secret_count; i++) {
        const char *name = frame->pipeline->secrets[i].name;
        const json_t *given = caller ? json_object_get(caller->pipeline->stages[frame->caller_stage].secrets, name) : NULL;
        json_put_text(names, name, caller ? json_text(caller->secrets, json_text(given, "$secret", ""), "") : name);
    }
    return names;
}

static void open_used(struct frame *frame, size_t number)
{
    const struct pipeline_stage *stage = &frame->pipeline->stages[number];
    struct build *build = frame->build;
    struct place place = {.frame = frame};
    struct scope scope = place_scope(&place);
    struct error err = {0};
    AUTO(free_json) json_t *with = NULL;
    AUTO(free_text) char *path = stage_path(frame, stage->id);
    if (stage->with && value_resolve(stage->with, &scope, frame->pipeline->file, &with, &err))
        build_fail(build, "wrong-value", stage->at, &err);
    json_t *params = params_resolve(build, stage->used, with, stage->at);
    add_include(build, stage->used);
    frame->used[number] = frame_open(build, stage->used, path, frame, number, params);
    frame->outputs[number] = resolve_outputs(frame->used[number]);
    if (json_object_size(frame->outputs[number])) json_object_set(build->plan->outputs, path, frame->outputs[number]);
}

struct frame *frame_open(
    struct build *build, const struct pipeline *pipeline, const char *path, const struct frame *caller, size_t caller_stage, json_t *params)
{
    struct frame *frame = arena_alloc(build->arena, sizeof *frame);
    size_t count = pipeline->stage_count;
    *frame = (struct frame){.build = build,
        .pipeline = pipeline,
        .path = arena_copy_text(build->arena, path),
        .caller = caller,
        .caller_stage = caller_stage,
        .params = params,
        .stage_numbers = arena_own_json(build->arena, json_object())};
    frame->used = arena_alloc_array(build->arena, count, sizeof *frame->used);
    frame->outputs = arena_alloc_array(build->arena, count, sizeof *frame->outputs);
    frame->indices = arena_alloc_array(build->arena, count, sizeof *frame->indices);
    frame->has_users = arena_alloc_array(build->arena, count, sizeof *frame->has_users);
    for (size_t i = 0; i < count; i++)
        json_put_whole(frame->stage_numbers, pipeline->stages[i].id, (int64_t)i);
    frame->secrets = name_secrets(frame);
    note_users(frame);
    if (caller) inherit(frame, &caller->pipeline->stages[caller_stage]);
    groups_inherit(frame);
    size_t *order = arena_alloc_array(build->arena, count, sizeof *order);
    order_stages(frame, order);
    for (size_t i = 0; i < count; i++)
        if (pipeline->stages[order[i]].used) open_used(frame, order[i]);
    return frame;
}

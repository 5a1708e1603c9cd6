/* stages.c: the plan's stages, in the order of the files, and the graph between them. */
#include "base/json.h"
#include "base/mem.h"
#include "crescendo/limits.h"
#include "plan/build.h"

#include <stdlib.h>
#include <string.h>

/* --- the stages -------------------------------------------------------------------------------------------------------- */

struct index_list {
    uint32_t *items;
    size_t count, capacity;
};

static void index_list_add(struct index_list *list, uint32_t index)
{
    list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = index;
}

static void free_index_list(struct index_list *list)
{
    free(list->items);
}

static void plan_stage_at(struct build *build, struct frame *frame, size_t number)
{
    const struct pipeline_stage *stage = &frame->pipeline->stages[number];
    struct place place = {.frame = frame, .stage = stage};
    const char *condition = NULL;
    bool overrides = false;
    struct plan_stage planned = {.index = (uint32_t)build->stage_count,
        .first_step = (uint32_t)build->step_count,
        .checkout = (stage->checkout || stage->input_count) && stage->steps,
        .scope = frame->path,
        .timeout_ms = timeout_shorter(stage->timeout_ms, frame->timeout_ms),
        .allow_failure = stage->allow_failure || frame->allow_failure};
    planned.path = *frame->path ? arena_format(build->arena, "%s/%s", frame->path, stage->id) : arena_copy_text(build->arena, stage->id);
    if (stage->condition && condition_fold(stage->condition, &place, stage->at, &condition, &overrides)) condition = "false";
    planned.condition = condition_join(build, frame->condition, condition, stage->at);
    planned.condition_overrides = overrides || frame->condition_overrides;
    planned.inputs = build->empty_array;
    frame->indices[number] = planned.index;
    build->origins = mem_grow((void *)(uintptr_t)build->origins, &build->origin_capacity, build->stage_count + 1, sizeof *build->origins);
    ((struct stage_origin *)(uintptr_t)build->origins)[build->stage_count] = (struct stage_origin){frame, number};
    build->stages = mem_grow(build->stages, &build->stage_capacity, build->stage_count + 1, sizeof *build->stages);
    build->stages[build->stage_count++] = planned;
}

void stages_build(struct build *build, struct frame *frame)
{
    for (size_t i = 0; i < frame->pipeline->stage_count; i++) {
        if (frame->used[i])
            stages_build(build, frame->used[i]);
        else if (build->stage_count < LIMIT_STAGES)
            plan_stage_at(build, frame, i);
        else {
            diagnostics_add(build->list, "too-many-stages", frame->pipeline->stages[i].at, 0, "split the pipeline",
                "the plan has more than %d stages", LIMIT_STAGES);
            return;
        }
    }
}

/* --- inputs ------------------------------------------------------------------------------------------------------------ */

static size_t stage_number(const struct frame *frame, const char *id)
{
    return (size_t)json_whole(frame->stage_numbers, id, -1);
}

/* The stages at a stage's end: itself, or of a used file those that no other of its stages needs. */
static void collect_lasts(const struct frame *frame, size_t number, struct index_list *list)
{
    if (number >= frame->pipeline->stage_count) return;
    const struct frame *used = frame->used[number];
    if (!used) index_list_add(list, frame->indices[number]);
    for (size_t i = 0; used && i < used->pipeline->stage_count; i++)
        if (!used->has_users[i]) collect_lasts(used, i, list);
}

static json_t *input_from(const char *stage, const struct input_declaration *input)
{
    json_t *object = json_object(), *globs = json_array();
    for (size_t i = 0; i < input->glob_count; i++)
        json_array_append_new(globs, json_string(input->globs[i]));
    json_put_text(object, "stage", stage);
    json_put(object, "globs", globs);
    return object;
}

static void inputs_build(struct build *build, struct plan_stage *planned, const struct frame *frame, const struct pipeline_stage *stage)
{
    if (!stage->input_count) return;
    planned->inputs = arena_own_json(build->arena, json_array());
    for (size_t i = 0; i < stage->input_count; i++) {
        AUTO(free_index_list) struct index_list from = {0};
        collect_lasts(frame, stage_number(frame, stage->inputs[i].stage), &from);
        for (size_t j = 0; j < from.count; j++)
            json_array_append_new(planned->inputs, input_from(build->stages[from.items[j]].path, &stage->inputs[i]));
    }
}

/* --- the graph --------------------------------------------------------------------------------------------------------- */

/* What the stage waits for; one of a used file that needs nothing there waits for what its caller waits for. */
static void collect_needs(const struct frame *frame, size_t number, struct index_list *list)
{
    while (frame->pipeline->stages[number].need_count == 0 && frame->caller) {
        number = frame->caller_stage;
        frame = frame->caller;
    }
    const struct pipeline_stage *stage = &frame->pipeline->stages[number];
    for (size_t i = 0; i < stage->need_count && list->count <= PLAN_EDGES_MAX; i++)
        collect_lasts(frame, stage_number(frame, stage->needs[i].stage), list);
}

/* Each once, in their first order; stamps[i] == stamp: seen before. */
static void drop_repeated(struct index_list *list, uint32_t *stamps, uint32_t stamp)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (stamps[list->items[i]] == stamp) continue;
        stamps[list->items[i]] = stamp;
        list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

void needs_build(struct build *build)
{
    AUTO(free_index_list) struct index_list list = {0};
    uint32_t *stamps = arena_alloc_array(build->arena, build->stage_count, sizeof *stamps);
    size_t edges = 0;
    for (size_t i = 0; i < build->stage_count; i++) {
        const struct stage_origin *origin = &build->origins[i];
        const struct pipeline_stage *stage = &origin->frame->pipeline->stages[origin->stage];
        struct plan_stage *planned = &build->stages[i];
        list.count = 0;
        collect_needs(origin->frame, origin->stage, &list);
        drop_repeated(&list, stamps, (uint32_t)i + 1);
        if ((edges += list.count) > PLAN_EDGES_MAX) {
            diagnostics_add(build->list, "too-many-needs", stage->at, 0, "put one small stage between, which needs all of them",
                "the stages need each other more than %d times", PLAN_EDGES_MAX);
            return;
        }
        uint32_t *needs = arena_alloc_array(build->arena, list.count, sizeof *needs);
        if (list.count) memcpy(needs, list.items, list.count * sizeof *needs);
        planned->needs = needs;
        planned->need_count = (uint32_t)list.count;
        inputs_build(build, planned, origin->frame, stage);
    }
}

/* Kahn's algorithm: a stage is reached when all that it needs have been. */
static bool reaches_all(const struct plan_stage *stages, uint32_t count)
{
    uint32_t *open = mem_alloc_array((size_t)count + 1, sizeof *open), *queue = mem_alloc_array((size_t)count + 1, sizeof *queue);
    uint32_t queued = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!(open[i] = stages[i].need_count)) queue[queued++] = i;
    for (uint32_t at = 0; at < queued; at++)
        for (uint32_t i = 0; i < stages[queue[at]].user_count; i++)
            if (!--open[stages[queue[at]].users[i]]) queue[queued++] = stages[queue[at]].users[i];
    free(open);
    free(queue);
    return queued == count;
}

bool plan_link_users(struct arena *arena, struct plan_stage *stages, uint32_t count)
{
    uint32_t **users = mem_alloc_array((size_t)count + 1, sizeof *users);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < stages[i].need_count; j++)
            stages[stages[i].needs[j]].user_count++;
    for (uint32_t i = 0; i < count; i++) {
        stages[i].users = users[i] = arena_alloc_array(arena, stages[i].user_count, sizeof **users);
        stages[i].user_count = 0;
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < stages[i].need_count; j++) {
            uint32_t need = stages[i].needs[j];
            users[need][stages[need].user_count++] = i;
        }
    free(users);
    return reaches_all(stages, count);
}

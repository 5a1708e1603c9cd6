/* plan.c: the life of a plan: building it from a pipeline, finding a step in it, freeing it. */
#include "plan/plan.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "plan/build.h"
#include "spec/secret.h"

#include <stdlib.h>
#include <string.h>

void build_fail(const struct build *build, const char *code, struct location at, const struct error *err)
{
    diagnostics_add(build->list, code, err->at.line ? err->at : at, 0, *err->hint ? err->hint : NULL, "%s", err->message);
}

/* --- finding ----------------------------------------------------------------------------------------------------------- */

static uint32_t hash_path(const char *path)
{
    return (uint32_t)text_hash(TEXT_HASH_SEED, path);
}

void plan_index(struct plan *plan)
{
    uint32_t count = 8;
    while (count / 2 < plan->step_count)
        count *= 2;
    uint32_t *slots = arena_alloc_array(plan->arena, count, sizeof *slots); /* index + 1; 0 = free */
    for (uint32_t i = 0; i < plan->step_count; i++) {
        uint32_t slot = hash_path(plan->steps[i].path) & (count - 1);
        while (slots[slot])
            slot = (slot + 1) & (count - 1);
        slots[slot] = i + 1;
    }
    plan->slots = slots;
    plan->slot_count = count;
}

const struct plan_step *plan_find_step(const struct plan *plan, const char *path)
{
    for (uint32_t i = 0; !plan->slots && i < plan->step_count; i++)
        if (text_equal(plan->steps[i].path, path)) return &plan->steps[i];
    if (!plan->slots) return NULL;
    for (uint32_t slot = hash_path(path) & (plan->slot_count - 1); plan->slots[slot]; slot = (slot + 1) & (plan->slot_count - 1)) {
        const struct plan_step *step = &plan->steps[plan->slots[slot] - 1];
        if (text_equal(step->path, path)) return step;
    }
    return NULL;
}

/* --- building ---------------------------------------------------------------------------------------------------------- */

json_t *plan_default_sandbox(void)
{
    json_t *sandbox = json_object();
    json_put_text(sandbox, "mode", "default");
    json_put_text(sandbox, "network", "none");
    json_put_whole(sandbox, "processes", 4096);
    json_put_whole(sandbox, "disk", 4LL << 30);
    return sandbox;
}

static struct plan_facts copy_facts(struct arena *arena, const struct plan_facts *facts)
{
    return (struct plan_facts){.repository = arena_copy_text(arena, facts->repository),
        .ref = arena_copy_text(arena, facts->ref),
        .branch = arena_copy_text(arena, facts->branch),
        .commit = arena_copy_text(arena, facts->commit),
        .author = arena_copy_text(arena, facts->author),
        .trigger = arena_copy_text(arena, facts->trigger)};
}

static struct plan *plan_begin(const struct pipeline *pipeline, const struct plan_facts *facts)
{
    static const struct plan_facts none;
    struct plan *plan = mem_alloc(sizeof *plan);
    struct arena *arena = plan->arena = arena_new();
    plan->name = arena_copy_text(arena, pipeline->name);
    plan->service = arena_copy_text(arena, pipeline->service);
    plan->facts = copy_facts(arena, facts ? facts : &none);
    plan->timeout_ms = pipeline->timeout_ms;
    plan->rollback_run = pipeline->rollback_run;
    plan->includes = arena_own_json(arena, json_array());
    plan->outputs = arena_own_json(arena, json_object());
    plan->domains = arena_own_json(arena, json_object());
    plan->secrets = arena_own_json(arena, json_object());
    if (facts && facts->service) plan->service_descriptor = arena_own_json(arena, json_incref((json_t *)facts->service));
    return plan;
}

/* Moves the grown arrays into the arena. */
static void plan_adopt(struct plan *plan, struct build *build)
{
    struct plan_stage *stages = arena_alloc_array(plan->arena, build->stage_count, sizeof *stages);
    struct plan_step *steps = arena_alloc_array(plan->arena, build->step_count, sizeof *steps);
    if (build->stage_count) memcpy(stages, build->stages, build->stage_count * sizeof *stages);
    if (build->step_count) memcpy(steps, build->steps, build->step_count * sizeof *steps);
    plan->stages = stages;
    plan->stage_count = (uint32_t)build->stage_count;
    plan->steps = steps;
    plan->step_count = (uint32_t)build->step_count;
    if (!plan_link_users(plan->arena, stages, plan->stage_count))
        diagnostics_add(build->list, "circle", NOWHERE, 0, "take one `needs` out", "the stages need each other in a circle");
}

static void build_release(struct build *build)
{
    free(build->stages);
    free(build->steps);
    free((void *)(uintptr_t)build->origins);
}

static void build_graph(struct build *build, const struct pipeline *pipeline, json_t *params)
{
    struct frame *outermost = frame_open(build, pipeline, "", NULL, 0, params);
    stages_build(build, outermost);
    needs_build(build);
    for (size_t i = 0; i < build->stage_count; i++) {
        const struct stage_origin *origin = &build->origins[i];
        steps_build(build, origin->frame, &origin->frame->pipeline->stages[origin->stage], &build->stages[i]);
        groups_build(build, origin, &build->stages[i]);
    }
    promotions_check(outermost);
}

static void take_secrets(struct build *build, const struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->secret_count; i++) {
        const struct secret *secret = &pipeline->secrets[i];
        if (strcmp(secret->source, SECRET_GIVEN) == 0)
            diagnostics_add(build->list, "missing-secret", secret->at, 0, "use this file from another one, or write file:NAME",
                "nobody gives the secret \"%s\"", secret->name);
        json_put_text(build->plan->secrets, secret->name, secret->source);
    }
}

static void digest_plan(struct plan *plan)
{
    plan->text = plan_to_text(plan);
    sha256_hex(plan->text, strlen(plan->text), plan->digest);
}

char *plan_take_text(struct plan *plan)
{
    return plan->text ? take(&plan->text) : plan_to_text(plan);
}

int plan_build(
    const struct pipeline *pipeline, const struct plan_facts *facts, const json_t *params, struct diagnostics *list, struct plan **ret)
{
    AUTO(plan_free) struct plan *plan = plan_begin(pipeline, facts);
    AUTO(build_release) struct build build = {.arena = plan->arena, .list = list, .plan = plan, .facts = &plan->facts};
    size_t errors_before = list->error_count;
    build.domains = facts ? facts->domains : NULL;
    build.service = facts ? facts->service : NULL;
    build.default_sandbox = arena_own_json(plan->arena, plan_default_sandbox());
    build.empty_object = arena_own_json(plan->arena, json_object());
    build.empty_array = arena_own_json(plan->arena, json_array());
    plan->params = params_resolve(&build, pipeline, params, NOWHERE);
    take_secrets(&build, pipeline);
    build_graph(&build, pipeline, plan->params);
    if (list->error_count == errors_before) plan_adopt(plan, &build);
    if (list->error_count > errors_before) return -ERROR_INVALID;
    plan_index(plan);
    claims_make(plan);
    digest_plan(plan);
    *ret = take(&plan);
    return 0;
}

struct plan *plan_empty(const char *name)
{
    struct plan *plan = mem_alloc(sizeof *plan);
    plan->arena = arena_new();
    plan->name = arena_copy_text(plan->arena, name);
    return plan;
}

void plan_free(struct plan **plan)
{
    if (!*plan) return;
    struct arena *arena = (*plan)->arena;
    free((*plan)->text);
    free(*plan);
    arena_free(&arena);
    *plan = NULL;
}

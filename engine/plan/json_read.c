/* json_read.c: a plan from its JSON. The JSON may come from anywhere: each member is checked, none is trusted, and what is
   accepted is written again as the same JSON. Members that version 1 does not know are refused, because a plan that is
   understood in part would be another plan. */
#include "base/json.h"
#include "base/mem.h"
#include "crescendo/limits.h"
#include "plan/build.h"
#include "plan/json_parts.h"
#include "plan/json_reading.h"
#include "spec/secret.h"

#include <stdlib.h>
#include <string.h>

/* --- stages ------------------------------------------------------------------------------------------------------------ */

static int read_needs(struct reading *reading, const json_t *list, size_t stage_count, struct plan_stage *stage)
{
    size_t count = json_array_size(list);
    uint32_t *needs = arena_alloc_array(reading->arena, count, sizeof *needs);
    if (count > stage_count || (reading->edge_count += count) > PLAN_EDGES_MAX)
        return reading_fail(reading, stage->path, "'needs' is too long");
    for (size_t i = 0; i < count; i++) {
        const json_t *need = json_array_get(list, i);
        if (!json_is_integer(need) || json_integer_value(need) < 0 || (size_t)json_integer_value(need) >= stage_count)
            return reading_fail(reading, stage->path, "'needs' holds positions of stages");
        needs[i] = (uint32_t)json_integer_value(need);
    }
    stage->needs = needs;
    stage->need_count = (uint32_t)count;
    return 0;
}

/* PART or PART/PART..., each a name. */
static int check_stage_path(const struct reading *reading, const char *path)
{
    AUTO(free_text) char *copy = mem_copy_text(path);
    for (char *part = copy, *slash; part; part = slash ? slash + 1 : NULL) {
        slash = strchr(part, '/');
        if (slash) *slash = '\0';
        int result = reading_id(reading, part, path);
        if (result) return result;
    }
    if (json_object_get(reading->stage_paths, path)) return reading_fail(reading, path, "there are two stages of this path");
    json_put_flag(reading->stage_paths, path, true);
    return 0;
}

static int check_inputs(const struct reading *reading, const json_t *inputs, const char *path)
{
    static const struct member members[] = {{"stage", JSON_STRING, true}, {"globs", JSON_ARRAY, true}, {.name = NULL}};
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const json_t *input = json_array_get(inputs, i), *globs = json_object_get(input, "globs");
        int result = reading_check(reading, input, path, members);
        if (result) return result;
        for (size_t j = 0; j < json_array_size(globs); j++)
            if (!json_is_string(json_array_get(globs, j))) return reading_fail(reading, path, "'globs' holds texts");
    }
    return 0;
}

static int read_queue(const char *name, enum group_queue *ret)
{
    for (int queue = 0; queue < GROUP_QUEUE_COUNT; queue++)
        if (text_equal(group_queue_names[queue], name)) return *ret = (enum group_queue)queue, 0;
    return -ERROR_INVALID;
}

static int read_groups(const struct reading *reading, const json_t *list, struct plan_stage *stage)
{
    static const struct member members[] = {{"name", JSON_STRING, true}, {"queue", JSON_STRING, true}, {.name = NULL}};
    size_t count = json_array_size(list);
    struct plan_group *groups = arena_alloc_array(reading->arena, count, sizeof *groups);
    for (size_t i = 0; i < count; i++) {
        const json_t *group = json_array_get(list, i);
        int result = reading_check(reading, group, stage->path, members);
        if (result) return result;
        groups[i].name = reading_text(reading, group, "name");
        if (!*groups[i].name || read_queue(json_text(group, "queue", ""), &groups[i].queue))
            return reading_fail(reading, stage->path, "'groups' holds a name and a queue each");
        for (size_t j = 0; j < i; j++)
            if (text_equal(groups[j].name, groups[i].name)) return reading_fail(reading, stage->path, "'groups' holds each once");
    }
    stage->groups = groups;
    stage->group_count = (uint32_t)count;
    return 0;
}

static int read_stage(struct reading *reading, const json_t *json, size_t stage_count, struct plan_stage *stage)
{
    static const struct member members[] = {{"path", JSON_STRING, true}, {"needs", JSON_ARRAY, true}, {"condition", JSON_STRING, false},
        {"condition_overrides", JSON_TRUE, false}, {"allow_failure", JSON_TRUE, false}, {"timeout_ms", JSON_INTEGER, false},
        {"checkout", JSON_TRUE, false}, {"inputs", JSON_ARRAY, false}, {"scope", JSON_STRING, false}, {"groups", JSON_ARRAY, false},
        {"steps", JSON_ARRAY, true}, {.name = NULL}};
    static const char *const filled[] = {"inputs", "groups", "steps", NULL};
    int result = reading_check(reading, json, "a stage", members);
    if (result || (result = check_stage_path(reading, json_text(json, "path", "")))) return result;
    stage->path = reading_text(reading, json, "path");
    if ((result = reading_filled(reading, json, stage->path, filled))) return result;
    if ((result = read_needs(reading, json_object_get(json, "needs"), stage_count, stage))) return result;
    stage->condition = reading_text(reading, json, "condition");
    if ((result = reading_condition(reading, stage->condition, stage->path))) return result;
    stage->condition_overrides = json_flag(json, "condition_overrides", false);
    stage->allow_failure = json_flag(json, "allow_failure", false);
    stage->checkout = json_flag(json, "checkout", false);
    stage->inputs = reading_shared(reading, json, "inputs", reading->empty_array);
    if ((result = check_inputs(reading, stage->inputs, stage->path))) return result;
    if ((result = read_groups(reading, json_object_get(json, "groups"), stage))) return result;
    stage->scope = reading_text(reading, json, "scope");
    if (!stage->scope)
        stage->scope = "";
    else if (!*stage->scope)
        return reading_fail(reading, stage->path, "'scope' is empty");
    return reading_whole(reading, json, "timeout_ms", stage->path, 0, &stage->timeout_ms);
}

static int check_checkout(const struct reading *reading, const struct plan_stage *stage)
{
    bool first = strcmp(reading->steps[stage->first_step].type, "checkout") == 0;
    return stage->checkout && !first ? reading_fail(reading, stage->path, "the first step is not its checkout") : 0;
}

static int check_step_ids(const struct reading *reading, const struct plan_stage *stage)
{
    AUTO(free_json) json_t *ids = json_object();
    for (uint32_t i = 0; i < stage->step_count; i++)
        json_put_flag(ids, reading->steps[stage->first_step + i].id, true);
    return json_object_size(ids) == stage->step_count ? 0 : reading_fail(reading, stage->path, "two steps have the same id");
}

static int read_graph(struct reading *reading, const json_t *list)
{
    struct plan *plan = reading->plan;
    size_t stage_count = json_array_size(list), step_count = 0;
    for (size_t i = 0; i < stage_count; i++)
        step_count += json_array_size(json_object_get(json_array_get(list, i), "steps"));
    if (stage_count == 0 || stage_count > LIMIT_STAGES || step_count > LIMIT_STEPS)
        return reading_fail(reading, "stages", "there are none, or too many");
    reading->stages = arena_alloc_array(reading->arena, stage_count, sizeof *reading->stages);
    reading->steps = arena_alloc_array(reading->arena, step_count, sizeof *reading->steps);
    for (size_t i = 0; i < stage_count; i++) {
        struct plan_stage *stage = &reading->stages[i];
        const json_t *json = json_array_get(list, i), *steps = json_object_get(json, "steps");
        stage->index = (uint32_t)i;
        stage->first_step = plan->step_count;
        int result = read_stage(reading, json, stage_count, stage);
        for (size_t j = 0; !result && j < json_array_size(steps); j++) {
            struct plan_step *step = &reading->steps[plan->step_count];
            step->index = plan->step_count++;
            stage->step_count++;
            result = reading_step(reading, json_array_get(steps, j), stage, step);
        }
        if (result || (result = check_step_ids(reading, stage)) || (result = check_checkout(reading, stage))) return result;
    }
    plan->stages = reading->stages;
    plan->steps = reading->steps;
    plan->stage_count = (uint32_t)stage_count;
    if (plan_link_users(reading->arena, reading->stages, plan->stage_count)) return 0;
    return reading_fail(reading, "stages", "they need each other in a circle");
}

/* --- the whole --------------------------------------------------------------------------------------------------------- */

static int read_facts(const struct reading *reading, const json_t *json, struct plan_facts *ret)
{
    static const struct member members[] = {{"repository", JSON_STRING, false}, {"ref", JSON_STRING, false}, {"branch", JSON_STRING, false},
        {"commit", JSON_STRING, false}, {"author", JSON_STRING, false}, {"trigger", JSON_STRING, false}, {.name = NULL}};
    int result = reading_check(reading, json, "facts", members);
    if (result) return result;
    *ret = (struct plan_facts){.repository = reading_text(reading, json, "repository"),
        .ref = reading_text(reading, json, "ref"),
        .branch = reading_text(reading, json, "branch"),
        .commit = reading_text(reading, json, "commit"),
        .author = reading_text(reading, json, "author"),
        .trigger = reading_text(reading, json, "trigger")};
    return 0;
}

/* Version 1 has one set of defaults; a later version that changes them must lift version 1 here. */
static int read_defaults(struct reading *reading, const json_t *json)
{
    static const struct member members[] = {
        {"sandbox", JSON_OBJECT, true}, {"timeout_ms", JSON_INTEGER, true}, {"grace_ms", JSON_INTEGER, true}, {.name = NULL}};
    int result = reading_check(reading, json, "defaults", members);
    if (result) return result;
    reading->default_sandbox = arena_own_json(reading->arena, plan_default_sandbox());
    reading->default_timeout_ms = json_whole(json, "timeout_ms", 0);
    reading->default_grace_ms = json_whole(json, "grace_ms", 0);
    if (reading->default_timeout_ms == PLAN_TIMEOUT_MS && reading->default_grace_ms == PLAN_GRACE_MS &&
        json_equal(json_object_get(json, "sandbox"), reading->default_sandbox))
        return 0;
    return reading_fail(reading, "defaults", "not those of version 1");
}

/* What a step is told of its domain: at least what it is called and where it answers. */
static int check_domains(const struct reading *reading, const json_t *domains)
{
    const char *name;
    json_t *domain;
    json_object_foreach((json_t *)domains, name, domain)
    {
        if (text_equal(json_text(domain, "domain", NULL), name) && json_text(domain, "url", NULL) && json_text(domain, "digest", NULL))
            continue;
        return reading_fail(reading, "domains", "each has its name as `domain`, a `url` and a `digest`");
    }
    return 0;
}

static int check_secrets(const struct reading *reading, const json_t *secrets)
{
    enum secret_scheme scheme;
    const char *name, *found;
    json_t *source;
    json_object_foreach((json_t *)secrets, name, source)
    {
        if (!text_is_name(name) || !json_is_string(source)) return reading_fail(reading, "secrets", "each is a name and where it is found");
        if (secret_source_parse(json_string_value(source), &scheme, &found, reading->err)) return error_wrap(reading->err, "plan: secrets");
    }
    return 0;
}

static int read_plan(struct reading *reading, const json_t *json)
{
    static const struct member members[] = {{"plan", JSON_INTEGER, true}, {"name", JSON_STRING, true}, {"service", JSON_STRING, false},
        {"facts", JSON_OBJECT, true}, {"defaults", JSON_OBJECT, true}, {"timeout_ms", JSON_INTEGER, false},
        {"rollback_run", JSON_TRUE, false}, {"params", JSON_OBJECT, false}, {"includes", JSON_ARRAY, false},
        {"domains", JSON_OBJECT, false}, {"secrets", JSON_OBJECT, false}, {"service_descriptor", JSON_OBJECT, false},
        {"outputs", JSON_OBJECT, false}, {"stages", JSON_ARRAY, true}, {.name = NULL}};
    static const char *const filled[] = {"params", "includes", "domains", "secrets", "service_descriptor", "outputs", NULL};
    struct plan *plan = reading->plan;
    if (json_is_object(json) && json_whole(json, "plan", 0) != PLAN_VERSION) {
        error_set(reading->err, ERROR_UNSUPPORTED, NOWHERE, "plan: its format is version %lld, this program reads version %d",
            (long long)json_whole(json, "plan", 0), PLAN_VERSION);
        return error_hint(reading->err, "use the program that made it, or a newer one");
    }
    int result = reading_check(reading, json, "the whole", members);
    if (result || (result = reading_filled(reading, json, "the whole", filled))) return result;
    if ((result = read_facts(reading, json_object_get(json, "facts"), &plan->facts))) return result;
    if ((result = read_defaults(reading, json_object_get(json, "defaults")))) return result;
    if ((result = reading_whole(reading, json, "timeout_ms", "the whole", 0, &plan->timeout_ms))) return result;
    plan->rollback_run = json_flag(json, "rollback_run", false);
    plan->name = reading_text(reading, json, "name");
    plan->service = reading_text(reading, json, "service");
    plan->params = reading_shared(reading, json, "params", reading->empty_object);
    plan->includes = reading_shared(reading, json, "includes", reading->empty_array);
    plan->outputs = reading_shared(reading, json, "outputs", reading->empty_object);
    plan->service_descriptor = reading_shared(reading, json, "service_descriptor", NULL);
    plan->domains = reading_shared(reading, json, "domains", reading->empty_object);
    if ((result = check_domains(reading, plan->domains))) return result;
    plan->secrets = reading_shared(reading, json, "secrets", reading->empty_object);
    if ((result = check_secrets(reading, plan->secrets))) return result;
    return read_graph(reading, json_object_get(json, "stages"));
}

/* All but its digest. */
static int read_whole(const json_t *json, struct plan **ret, struct error *err)
{
    AUTO(plan_free) struct plan *plan = mem_alloc(sizeof *plan);
    struct error unwanted = {0};
    plan->arena = arena_new();
    struct reading reading = {.arena = plan->arena, .plan = plan, .err = err ? err : &unwanted};
    reading.empty_object = arena_own_json(plan->arena, json_object());
    reading.empty_array = arena_own_json(plan->arena, json_array());
    reading.stage_paths = arena_own_json(plan->arena, json_object());
    int result = read_plan(&reading, json);
    if (result) return result;
    plan_index(plan);
    claims_make(plan);
    *ret = take(&plan);
    return 0;
}

int plan_from_json(const json_t *json, struct plan **ret, struct error *err)
{
    int result = read_whole(json, ret, err);
    if (!result) json_digest(json, (*ret)->digest);
    return result;
}

int plan_from_stored(const json_t *json, const char *digest, struct plan **ret, struct error *err)
{
    int result = read_whole(json, ret, err);
    if (!result) snprintf((*ret)->digest, sizeof(*ret)->digest, "%s", digest);
    return result;
}

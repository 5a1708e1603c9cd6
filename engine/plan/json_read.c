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

/* Conditions are evaluated later; one that cannot be read is refused now. */
static int check_condition(const struct reading *reading, const char *condition, const char *path)
{
    AUTO(expression_free) struct expression *expression = NULL;
    if (!condition || strcmp(condition, "false") == 0) return 0;
    if (!expression_parse(condition, NOWHERE, &expression, reading->err)) return 0;
    return error_wrap(reading->err, "plan: %.80s: condition", path);
}

/* --- steps ------------------------------------------------------------------------------------------------------------- */

static int read_names(const struct reading *reading, const json_t *list, const char *path, const char *const **ret)
{
    size_t count = json_array_size(list);
    const char **names = arena_alloc_array(reading->arena, count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = arena_copy_text(reading->arena, json_string_value(json_array_get(list, i)));
        if (!names[i]) return reading_fail(reading, path, "'outputs' holds names");
    }
    *ret = names;
    return 0;
}

static int read_reasons(const struct reading *reading, const json_t *list, const char *path, unsigned *ret)
{
    unsigned reasons = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        unsigned bit = 0;
        while (plan_reason_names[bit] && !text_equal(plan_reason_names[bit], name))
            bit++;
        if (!plan_reason_names[bit] || reasons >> bit)
            return reading_fail(reading, path, "'reasons' holds reasons, each once, in their order");
        reasons |= 1u << bit;
    }
    *ret = reasons;
    return 0;
}

static int read_retry(const struct reading *reading, const json_t *json, const char *path, struct retry *ret)
{
    static const struct member members[] = {
        {"times", JSON_INTEGER, true}, {"wait_ms", JSON_INTEGER, false}, {"reasons", JSON_ARRAY, true}, {.name = NULL}};
    int64_t times;
    if (!json) return 0;
    int result = reading_check(reading, json, path, members);
    if (result || (result = reading_whole(reading, json, "times", path, -1, &times))) return result;
    if ((result = reading_whole(reading, json, "wait_ms", path, 0, &ret->wait_ms))) return result;
    if ((result = read_reasons(reading, json_object_get(json, "reasons"), path, &ret->reasons))) return result;
    if (times > 1000 * 1000 || (!times && !ret->wait_ms && !ret->reasons)) return reading_fail(reading, path, "'retry' is out of bounds");
    ret->times = (unsigned)times;
    return 0;
}

/* A name in a path; the engine makes folders and argument lists of it. */
static int check_id(const struct reading *reading, const char *id, const char *path)
{
    return text_is_name(id) ? 0 : reading_fail(reading, path, "an id must be a name");
}

static int read_step_texts(const struct reading *reading, const json_t *json, const char *stage_path, struct plan_step *step)
{
    static const char *const filled[] = {"with", "env", "outputs", "effects", NULL};
    int result = check_id(reading, json_text(json, "id", ""), stage_path);
    if (result) return result;
    step->id = reading_text(reading, json, "id");
    step->path = arena_format(reading->arena, "%s/%s", stage_path, step->id);
    step->type = reading_text(reading, json, "type");
    step->title = reading_text(reading, json, "title");
    if (text_equal(step->title, step->id)) return reading_fail(reading, step->path, "'title' repeats the id");
    if (!step->title) step->title = step->id;
    step->condition = reading_text(reading, json, "condition");
    if ((result = check_condition(reading, step->condition, step->path))) return result;
    return reading_filled(reading, json, step->path, filled);
}

/* A secret goes to a run step, and is one of the plan's. */
static int check_env(const struct reading *reading, const struct plan_step *step)
{
    const char *variable;
    json_t *value;
    json_object_foreach(step->env, variable, value)
    {
        const char *name = json_text(value, "$secret", NULL);
        if (!name) continue;
        if (json_object_size(value) == 1 && text_equal(step->type, "run") && json_object_get(reading->plan->secrets, name)) continue;
        return reading_fail(reading, step->path, "'env' names a secret that it cannot have");
    }
    return 0;
}

static int read_step(struct reading *reading, const json_t *json, const struct plan_stage *stage, struct plan_step *step)
{
    static const struct member members[] = {{"id", JSON_STRING, true}, {"type", JSON_STRING, true}, {"title", JSON_STRING, false},
        {"with", JSON_OBJECT, false}, {"env", JSON_OBJECT, false}, {"sandbox", JSON_OBJECT, false}, {"condition", JSON_STRING, false},
        {"condition_overrides", JSON_TRUE, false}, {"timeout_ms", JSON_INTEGER, false}, {"grace_ms", JSON_INTEGER, false},
        {"retry", JSON_OBJECT, false}, {"allow_failure", JSON_TRUE, false}, {"outputs", JSON_ARRAY, false}, {"effects", JSON_ARRAY, false},
        {"ready_ahead", JSON_TRUE, false}, {.name = NULL}};
    int result = reading_check(reading, json, stage->path, members);
    if (result || (result = read_step_texts(reading, json, stage->path, step))) return result;
    step->stage = stage->index;
    step->with = reading_shared(reading, json, "with", reading->empty_object);
    step->env = reading_shared(reading, json, "env", reading->empty_object);
    step->sandbox = reading_shared(reading, json, "sandbox", reading->default_sandbox);
    if (step->sandbox != reading->default_sandbox && json_equal(step->sandbox, reading->default_sandbox))
        return reading_fail(reading, step->path, "'sandbox' repeats the default");
    if ((result = check_env(reading, step))) return result;
    step->condition_overrides = json_flag(json, "condition_overrides", false);
    step->allow_failure = json_flag(json, "allow_failure", false);
    step->effects = reading_shared(reading, json, "effects", reading->empty_array);
    step->ready_ahead = json_flag(json, "ready_ahead", false);
    if ((result = reading_whole(reading, json, "timeout_ms", step->path, reading->default_timeout_ms, &step->timeout_ms))) return result;
    if ((result = reading_whole(reading, json, "grace_ms", step->path, reading->default_grace_ms, &step->grace_ms))) return result;
    if (!step->timeout_ms) return reading_fail(reading, step->path, "'timeout_ms' is not a value that it may have");
    if ((result = read_retry(reading, json_object_get(json, "retry"), step->path, &step->retry))) return result;
    return read_names(reading, json_object_get(json, "outputs"), step->path, &step->outputs);
}

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
        int result = check_id(reading, part, path);
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
    if ((result = check_condition(reading, stage->condition, stage->path))) return result;
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
            result = read_step(reading, json_array_get(steps, j), stage, step);
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

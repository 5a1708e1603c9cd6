/* json_read_step.c: a step of a plan from its JSON. */
#include "base/json.h"
#include "plan/json_parts.h"
#include "plan/json_reading.h"

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

static int read_step_texts(const struct reading *reading, const json_t *json, const char *stage_path, struct plan_step *step)
{
    static const char *const filled[] = {"with", "env", "outputs", "effects", NULL};
    int result = reading_id(reading, json_text(json, "id", ""), stage_path);
    if (result) return result;
    step->id = reading_text(reading, json, "id");
    step->path = arena_format(reading->arena, "%s/%s", stage_path, step->id);
    step->type = reading_text(reading, json, "type");
    step->title = reading_text(reading, json, "title");
    if (text_equal(step->title, step->id)) return reading_fail(reading, step->path, "'title' repeats the id");
    if (!step->title) step->title = step->id;
    step->condition = reading_text(reading, json, "condition");
    if ((result = reading_condition(reading, step->condition, step->path))) return result;
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

int reading_step(struct reading *reading, const json_t *json, const struct plan_stage *stage, struct plan_step *step)
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

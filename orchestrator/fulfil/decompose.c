/* decompose.c: a checked order becomes a plan. What a step needs stands in its `with`; only the service's id is made by the step itself,
   since it begins with the order's number, which is its run's. */
#include "orchestrator/fulfil/decompose.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tmf/characteristic.h"
#include "plan/plan.h"

enum {
    START_MS = 30 * 1000, /* what the keeper waits for a first healthy instance, when the descriptor does not say */
    DRAIN_MS = 10 * 1000,
    GRACE_MS = 5 * 1000,
    SPARE_MS = 30 * 1000,    /* for the keeper to come up and for what else takes a while */
    RELEASE_MS = 60 * 1000,  /* of steps that only report */
    SLOWEST_MS = 600 * 1000, /* the longest that a descriptor may ask for */
};

struct decomposing {
    const json_t *checked;
    const struct fulfil_places *places;
};

static int64_t bounded(const json_t *part, const char *name, int64_t fallback)
{
    int64_t ms = json_whole(part, name, fallback);
    return ms < 1 ? 1 : ms > SLOWEST_MS ? SLOWEST_MS : ms;
}

static void put_keeper(const struct decomposing *decomposing, const json_t *item, json_t *with)
{
    AUTO(free_text) char *keeper = mem_format("%s/%s", decomposing->places->keepers, json_text(item, "domain", ""));
    json_put_text(with, "keeper", keeper);
}

/* Percent to hundredths of one, which the keeper counts in. */
static void put_share(json_t *with, const json_t *asked)
{
    const json_t *share = json_object_get(asked, "share");
    if (share) json_put_whole(with, "share", (int64_t)(json_number_value(share) * 100 + 0.5));
    if (json_object_get(asked, "lease")) json_put_whole(with, "lease_ms", json_whole(asked, "lease", 0));
}

/* steals with, effects */
static json_t *step_of(const char *id, const char *type, json_t *with, json_t *effects, int64_t timeout_ms)
{
    json_t *step = json_object();
    json_put_text(step, "id", id);
    json_put_text(step, "type", type);
    if (json_object_size(with))
        json_put(step, "with", with);
    else
        json_decref(with);
    json_put(step, "sandbox", json_pack("{s:s, s:s}", "mode", "none", "network", "host"));
    json_put_whole(step, "timeout_ms", timeout_ms);
    json_put(step, "retry", json_pack("{s:i, s:i, s:[s]}", "times", 3, "wait_ms", 500, "reasons", "worker_lost"));
    json_put(step, "effects", effects);
    json_put_flag(step, "ready_ahead", true);
    return step;
}

/* steals summary */
static json_t *effect_of(const char *name, const char *target, char *summary, const char *compensation)
{
    AUTO(free_text) char *text = summary;
    json_t *effect = json_object();
    json_put_text(effect, "name", name);
    json_put_text(effect, "target", target);
    json_put_text(effect, "summary", text);
    json_put_text(effect, "compensation", compensation);
    if (!compensation) json_put_flag(effect, "pivot", true);
    return effect;
}

static const char *version_of(const json_t *item)
{
    return json_text(json_object_get(item, "specification"), "version", "");
}

/* --- the kinds of steps --------------------------------------------------------------------------------------------------------- */

static void put_program(json_t *with, const json_t *part)
{
    json_put(with, "command", json_incref(json_object_get(part, "command")));
    json_put(with, "env", json_incref(json_object_get(part, "env")));
    json_put(with, "ports", json_incref(json_object_get(part, "ports")));
    json_put_text(with, "health", json_text(part, "health", NULL));
    json_put_whole(with, "start_ms", bounded(part, "start", START_MS));
    json_put_whole(with, "drain_ms", bounded(part, "drain", DRAIN_MS));
    json_put_whole(with, "grace_ms", bounded(part, "grace", GRACE_MS));
}

static void put_limits(json_t *with, const json_t *limits)
{
    static const char *const names[] = {"cpu", "memory", "disk"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        int64_t value = (int64_t)json_number_value(json_object_get(limits, names[i]));
        if (value > 0) json_put_whole(with, names[i], value);
    }
}

static json_t *activate_step(const struct decomposing *decomposing, const json_t *item)
{
    const json_t *asked = json_object_get(item, "asked"), *part = json_object_get(item, "part");
    const char *family = json_text(item, "family", ""), *artifact = json_text(item, "artifact", "sha256:");
    int64_t replicas = json_whole(asked, "replicas", 1);
    AUTO(free_text) char *file = mem_format("%s/%s", decomposing->places->artifacts, artifact + sizeof "sha256:" - 1);
    AUTO(free_text) char *target = mem_format("%s of %s", family, json_text(item, "domain", ""));
    json_t *with = json_object(), *effects = json_array();
    put_keeper(decomposing, item, with);
    json_put_text(with, "item", json_text(item, "id", ""));
    json_put_text(with, "family", family);
    json_put_text(with, "version", version_of(item));
    json_put_text(with, "artifact", file);
    json_put_text(with, "digest", artifact);
    json_put_whole(with, "replicas", replicas);
    put_share(with, asked);
    put_program(with, part);
    put_limits(with, json_object_get(item, "limits"));
    json_array_append_new(effects,
        effect_of("start", target, mem_format("start %lld x %s %s", (long long)replicas, family, version_of(item)), "it is stopped"));
    if (json_object_get(asked, "lease"))
        json_array_append_new(effects,
            effect_of("share", target, mem_format("lend it %g %% of the requests", json_number_value(json_object_get(asked, "share"))),
                "it gets what it had"));
    json_t *step = step_of("activate", "activate", with, effects, bounded(part, "start", START_MS) + 2 * SPARE_MS);
    json_put(step, "outputs", json_pack("[s,s,s,s]", "address", "message", "ready", "share"));
    return step;
}

static json_t *modify_step(const struct decomposing *decomposing, const json_t *item)
{
    const json_t *asked = json_object_get(item, "asked"), *before = json_object_get(item, "before");
    const char *id = json_text(before, "id", "");
    json_t *with = json_object(), *effects = json_array();
    put_keeper(decomposing, item, with);
    json_put_text(with, "service", id);
    if (json_object_get(asked, "replicas")) {
        json_put(with, "replicas", json_incref(json_object_get(asked, "replicas")));
        json_array_append_new(effects,
            effect_of("replicas", id, mem_format("scale to %lld", (long long)json_whole(asked, "replicas", 0)), "it gets what it had"));
    }
    put_share(with, asked);
    if (json_object_get(asked, "share"))
        json_array_append_new(
            effects, effect_of("share", id, mem_format("give it %g %% of the requests", json_number_value(json_object_get(asked, "share"))),
                         "it gets what it had"));
    json_put_whole(with, "start_ms", characteristic_whole(json_object_get(before, "serviceCharacteristic"), "start", START_MS));
    json_t *step = step_of("modify", "modify", with, effects, START_MS + DRAIN_MS + GRACE_MS + 2 * SPARE_MS);
    json_put(step, "outputs", json_pack("[s,s]", "message", "ready"));
    return step;
}

static json_t *deactivate_step(const struct decomposing *decomposing, const json_t *item)
{
    const char *id = json_text(json_object_get(item, "before"), "id", "");
    json_t *with = json_object(), *effects = json_array();
    put_keeper(decomposing, item, with);
    json_put_text(with, "service", id);
    json_array_append_new(effects, effect_of("stop", id, mem_format("end %s %s", json_text(item, "family", "it"), version_of(item)), NULL));
    json_t *step = step_of("deactivate", "deactivate", with, effects, SLOWEST_MS + SPARE_MS);
    json_put(step, "outputs", json_pack("[s]", "message"));
    return step;
}

/* What the inventory records, and no driver does. */
static json_t *record_step(const char *id, const char *type, const char *kind, const char *name, const json_t *values)
{
    json_t *with = json_object();
    json_put_text(with, "kind", kind);
    json_put_text(with, "name", name);
    if (json_object_size(values)) json_put(with, "values", json_incref((json_t *)values));
    return step_of(id, type, with, NULL, RELEASE_MS);
}

static json_t *refuse_step(const char *because)
{
    json_t *with = json_object();
    json_put_text(with, "because", because);
    json_t *step = step_of("refuse", "refuse", with, NULL, RELEASE_MS);
    json_put(step, "outputs", json_pack("[s]", "message"));
    return step;
}

/* --- stages ------------------------------------------------------------------------------------------------------------------------ */

static void add_released(json_t *steps, const json_t *item)
{
    const json_t *service;
    size_t index;
    json_array_foreach(json_object_get(item, "released"), index, service)
    {
        AUTO(free_text) char *id = mem_format("release-%zu", index + 1);
        json_array_append_new(
            steps, record_step(id, "release", json_text(service, "category", "network"), json_text(service, "id", ""), NULL));
    }
}

static json_t *steps_of(const struct decomposing *decomposing, const json_t *item)
{
    const char *action = json_text(item, "action", ""), *kind = json_text(item, "kind", "");
    bool is_compute = text_equal(kind, "compute");
    json_t *steps = json_array();
    if (json_object_get(item, "impossible"))
        json_array_append_new(steps, refuse_step(json_text(item, "impossible", "")));
    else if (text_equal(action, "add") && is_compute)
        json_array_append_new(steps, activate_step(decomposing, item));
    else if (text_equal(action, "add"))
        json_array_append_new(
            steps, record_step("reserve", "reserve", kind, json_text(item, "component", ""), json_object_get(item, "limits")));
    else if (text_equal(action, "modify") && !json_object_size(json_object_get(item, "asked")))
        json_array_append_new(steps, record_step("note", "note", kind, json_text(json_object_get(item, "before"), "id", ""), NULL));
    else if (text_equal(action, "modify"))
        json_array_append_new(steps, modify_step(decomposing, item));
    else if (is_compute)
        json_array_append_new(steps, deactivate_step(decomposing, item));
    else
        json_array_append_new(steps, record_step("release", "release", kind, json_text(json_object_get(item, "before"), "id", ""), NULL));
    add_released(steps, item);
    return steps;
}

static bool is_needed(const json_t *item, const json_t *other)
{
    const json_t *need;
    size_t index;
    if (json_object_get(other, "impossible")) return true; /* nothing is begun that is known to be undone */
    json_array_foreach(json_object_get(item, "needs"), index, need)
    {
        if (json_equal(json_object_get(other, "id"), need)) return true;
    }
    return false;
}

static json_t *needs_of(const json_t *checked, const json_t *item)
{
    json_t *needs = json_array();
    const json_t *items = json_object_get(checked, "items"), *other;
    size_t at;
    if (json_object_get(checked, "starts_ms")) json_array_append_new(needs, json_integer((json_int_t)json_array_size(items)));
    if (json_object_get(item, "impossible")) return needs;
    json_array_foreach(items, at, other)
    {
        if (is_needed(item, other)) json_array_append_new(needs, json_integer((json_int_t)at));
    }
    return needs;
}

/* Steals needs, steps. */
static json_t *stage_of(const char *path, json_t *needs, json_t *steps)
{
    json_t *stage = json_object();
    json_put_text(stage, "path", path);
    json_put(stage, "needs", needs);
    json_put_text(stage, "scope", "order");
    json_put(stage, "steps", steps);
    return stage;
}

char *order_stage_path(size_t index)
{
    return mem_format("item-%zu", index + 1);
}

/* Behind the items' stages, and before all of them. */
static json_t *start_stage(int64_t starts_ms)
{
    json_t *with = json_object(), *steps = json_array();
    json_put_whole(with, "until", starts_ms);
    json_array_append_new(steps, step_of("await", "await", with, NULL, RELEASE_MS));
    return stage_of("start", json_array(), steps);
}

json_t *order_decompose(const json_t *checked, const struct fulfil_places *places)
{
    AUTO(plan_free) struct plan *empty = plan_empty("order");
    const struct decomposing decomposing = {checked, places};
    const json_t *items = json_object_get(checked, "items"), *item;
    json_t *plan = plan_to_json(empty), *stages = json_array();
    size_t index;
    json_array_foreach(items, index, item)
    {
        AUTO(free_text) char *path = order_stage_path(index);
        json_array_append_new(stages, stage_of(path, needs_of(checked, item), steps_of(&decomposing, item)));
    }
    if (json_object_get(checked, "starts_ms")) json_array_append_new(stages, start_stage(json_whole(checked, "starts_ms", 0)));
    json_put_text(json_object_get(plan, "facts"), "trigger", "order");
    json_put_text(json_object_get(plan, "facts"), "author", json_text(checked, "requester", NULL));
    json_put(plan, "stages", stages);
    return plan;
}

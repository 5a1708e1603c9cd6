/* outputs.c: what a step leaves that later ones refer to: its effects' names, its service, its outputs, made up from its type's table. */
#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

/* --- effects ------------------------------------------------------------------------------------------------------------------------- */

const char *effect_name(const struct world *world, uint32_t step, uint32_t effect)
{
    return json_text(json_array_get(world->plan->steps[step].effects, effect), "name", "order");
}

uint32_t effect_by_name(const struct world *world, uint32_t step, const char *name)
{
    size_t count = json_array_size(world->plan->steps[step].effects);
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(effect_name(world, step, i), name)) return i;
    return 0;
}

/* --- the service --------------------------------------------------------------------------------------------------------------------- */

/* Of what the step was given; NULL: it names none, or it is not known yet. New. */
static json_t *given(const struct world *world, const struct plan_step *step, const char *name)
{
    struct scope scope = run_state_scope(world->engine.state);
    json_t *value = json_object_get(step->with, name), *known = NULL;
    if (!value || plan_resolve(value, &scope, &known, NULL)) return NULL;
    return known;
}

static void name_new_service(const struct world *world, const struct plan_step *step, char ret[SERVICE_BYTES])
{
    const json_t *descriptor = world->plan->service_descriptor;
    const char *domain = json_text(step->with, "domain", "domain");
    snprintf(ret, SERVICE_BYTES, "%.60s-%.20s-%.30s", json_text(descriptor, "service", "service"), json_text(descriptor, "version", "1"),
        domain);
}

void service_of(const struct world *world, uint32_t index, char ret[SERVICE_BYTES])
{
    const struct plan_step *step = &world->plan->steps[index];
    *ret = '\0';
    if (!world->odds) {
        snprintf(ret, SERVICE_BYTES, "%u", index);
        return;
    }
    AUTO(free_json) json_t *service = given(world, step, "service");
    if (json_is_string(service)) snprintf(ret, SERVICE_BYTES, "%s", json_string_value(service));
    if (!service && !strcmp(step->type, "order")) name_new_service(world, step, ret);
}

/* --- outputs ------------------------------------------------------------------------------------------------------------------------- */

static const struct field *field_of(const struct world *world, const char *type, const char *name)
{
    for (step_types *each = world->types; each && *each; each++)
        for (const struct field *field = (*each)->outputs; field && field->name && !strcmp((*each)->name, type); field++)
            if (!strcmp(field->name, name)) return field;
    return NULL;
}

static json_t *text_value(const struct world *world, const struct plan_step *step, const char *name)
{
    char service[SERVICE_BYTES];
    service_of(world, step->index, service);
    if (!strcmp(name, "service") && *service) return json_string(service);
    if (!strcmp(name, "verdict")) return json_string("promote");
    if (!strcmp(name, "version")) return json_string(json_text(world->plan->service_descriptor, "version", "1"));
    AUTO(free_text) char *value = mem_format("%s-of-%s", name, step->id);
    return json_string(value);
}

/* Every domain has a version in service before ours. */
static json_t *before(const struct plan_step *step)
{
    AUTO(free_text) char *value = mem_format("service-before-%s", json_text(step->with, "domain", step->id));
    return json_string(value);
}

static json_t *value_of(const struct world *world, const struct plan_step *step, const struct field *field)
{
    bool is_other = !strcmp(field->name, "previous") || !strcmp(field->name, "baseline");
    switch (field->type) {
    case FIELD_BOOLEAN: return json_true();
    case FIELD_INTEGER:
    case FIELD_SIZE:
    case FIELD_CPU:
    case FIELD_BITRATE: return json_integer(1);
    case FIELD_DURATION: return json_integer(1000);
    case FIELD_NUMBER:
    case FIELD_PERCENT:
    case FIELD_RATE:
    case FIELD_LATENCY: return json_real(strcmp(field->name, "share") ? 1 : 100);
    case FIELD_CHOICE: return json_string(field->choices ? field->choices[0] : "");
    case FIELD_TEXT_LIST:
    case FIELD_NAME_LIST:
    case FIELD_PERCENT_LIST:
    case FIELD_OBJECT_LIST: return json_array();
    case FIELD_TEXT_MAP:
    case FIELD_OBJECT:
    case FIELD_OBJECT_MAP: return json_object();
    case FIELD_ANY: return is_other ? before(step) : text_value(world, step, field->name);
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_PATH:
    case FIELD_CONDITION: break;
    }
    return text_value(world, step, field->name);
}

json_t *outputs_of(const struct world *world, uint32_t index)
{
    const struct plan_step *step = &world->plan->steps[index];
    if (!world->odds) return json_pack("{s:s}", "o", "value");
    json_t *outputs = json_object();
    for (const char *const *name = step->outputs; name && *name; name++) {
        const struct field *field = field_of(world, step->type, *name);
        json_put(outputs, *name, field ? value_of(world, step, field) : json_string("1")); /* a text that is a number, too */
    }
    return outputs;
}

/* beside.c: finds and reads what stands beside a pipeline, and checks that its steps name domains that are there and can do what is asked.
 */
#include "spec/beside.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/domain.h"
#include "spec/fields.h"
#include "spec/judged.h"
#include "spec/place.h"
#include "spec/service.h"

#include <stdlib.h>
#include <string.h>

/* --- reading --------------------------------------------------------------------------------------------------------------------- */

bool beside_is_domain(const char *source_name)
{
    const char *slash = strrchr(source_name, '/');
    if (!slash || !text_ends(slash, ".yaml")) return false;
    size_t folder = (size_t)(slash - source_name), size = strlen("domains");
    return folder >= size && strncmp(slash - size, "domains", size) == 0 && (folder == size || slash[-1 - (ptrdiff_t)size] == '/');
}

char *beside_service_name(const char *pipeline_file, const char *service)
{
    const char *slash = strrchr(pipeline_file, '/');
    return mem_format("%.*s%s", slash ? (int)(slash + 1 - pipeline_file) : 0, pipeline_file, service);
}

/* What is wrong with a domain's file, for those who name it. */
static json_t *mistake_of(const struct diagnostics *list)
{
    const struct diagnostic *first = &list->items[0];
    AUTO(free_text)
    char *text = mem_format("%s:%u:%u: %s", first->at.file ? first->at.file : "", first->at.line, first->at.column, first->message);
    return json_string(text);
}

static void read_domain(const struct source *source, json_t *domains)
{
    AUTO(diagnostics_release) struct diagnostics list = {0};
    const char *base = strrchr(source->name, '/') + 1;
    AUTO(free_text) char *name = mem_copy_bytes(base, strlen(base) - strlen(".yaml"));
    json_t *domain = NULL;
    if (json_object_get(domains, name)) return;
    json_put(domains, name, domain_load(source, &list, &domain) ? mistake_of(&list) : domain);
}

static int read_service(const struct pipeline *pipeline, const struct source_set *sources, struct diagnostics *list, json_t **ret)
{
    if (!pipeline->service) return 0;
    AUTO(free_text) char *name = beside_service_name(pipeline->file, pipeline->service);
    for (size_t i = 1; i < sources->count; i++)
        if (text_equal(sources->items[i].name, name)) return service_load(&sources->items[i], list, ret);
    if (!pipeline_reaches_out(pipeline)) return 0;
    AUTO(free_text) char *hint = mem_format("write %s beside the pipeline, or take `service` out", pipeline->service);
    diagnostics_add(list, "missing-file", pipeline->service_at, 0, hint, "there is no %s", name);
    return -ERROR_INVALID;
}

int beside_load(const struct pipeline *pipeline, const struct source_set *sources, struct diagnostics *list, struct beside *ret)
{
    AUTO(free_json) json_t *domains = json_object(), *service = NULL;
    for (size_t i = 1; i < sources->count; i++)
        if (beside_is_domain(sources->items[i].name)) read_domain(&sources->items[i], domains);
    int failed = read_service(pipeline, sources, list, &service);
    if (failed) return failed;
    *ret = (struct beside){take(&domains), take(&service)};
    return 0;
}

void beside_release(struct beside *beside)
{
    json_decref(beside->domains);
    json_decref(beside->service);
    *beside = (struct beside){0};
}

/* --- what steps say of domains ------------------------------------------------------------------------------------------------------ */

const char *step_type_domain_key(const struct step_type *type)
{
    if (!type->reaches_out && !type->capabilities) return NULL;
    return field_find(type->fields, "domain") ? "domain" : field_find(type->fields, "catalogue") ? "catalogue" : NULL;
}

bool pipeline_reaches_out(const struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->stage_count; i++) {
        const struct pipeline_stage *stage = &pipeline->stages[i];
        if (stage->used && pipeline_reaches_out(stage->used)) return true;
        for (size_t k = 0; k < stage->step_count; k++)
            if (stage->steps[k].type->reaches_out || stage->steps[k].type->capabilities) return true;
    }
    return false;
}

static void add_unknown(const json_t *domains, const char *name, struct location at, struct diagnostics *list)
{
    const char **names = mem_alloc_array(json_object_size(domains) + 1, sizeof *names), *key;
    size_t count = 0;
    json_t *domain;
    json_object_foreach((json_t *)domains, key, domain) names[count++] = key;
    const char *near = text_nearest(name, names);
    AUTO(free_text)
    char *hint =
        near ? mem_format("did you mean \"%s\"?", near)
             : mem_format("it would be domains/%s.yaml beside the pipeline, or in the data folder of the server that runs it", name);
    diagnostics_add(list, "unknown-domain", at, 0, hint, "there is no domain \"%s\"", name);
    free(names);
}

static bool has_capability(const json_t *domain, const char *wanted)
{
    const json_t *capabilities = json_object_get(domain, "capabilities");
    for (size_t i = 0; i < json_array_size(capabilities); i++)
        if (text_equal(json_string_value(json_array_get(capabilities, i)), wanted)) return true;
    return false;
}

static void add_denied(
    const json_t *domain, const struct step_type *type, const char *lacking, struct location at, struct diagnostics *list)
{
    const char *name = json_text(domain, "domain", ""), *owner = json_text(domain, "owner", NULL);
    AUTO(free_text)
    char *hint = mem_format(
        "take a domain that can, or ask %s: what it can do is `capabilities` in domains/%s.yaml", owner ? owner : "its owner", name);
    diagnostics_add(list, "denied", at, 0, hint, "the domain \"%s\" cannot do what \"%s\" needs: it has not %s", name, type->name, lacking);
}

const json_t *beside_find(
    const json_t *domains, const struct step_type *type, const char *name, struct location at, struct diagnostics *list)
{
    const json_t *domain = json_object_get(domains, name);
    AUTO(text_release) struct text lacking = {0};
    if (!domain) {
        add_unknown(domains, name, at, list);
        return NULL;
    }
    if (json_is_string(domain)) {
        AUTO(free_text) char *hint = mem_format("crescendo lint domains/%s.yaml shows all of it", name);
        diagnostics_add(list, "wrong-domain", at, 0, hint, "the file of the domain \"%s\" is wrong: %s", name, json_string_value(domain));
        return NULL;
    }
    for (const char *const *wanted = type->capabilities; wanted && *wanted; wanted++) {
        if (has_capability(domain, *wanted)) continue;
        text_add_format(&lacking, "%s\"%s\"", lacking.size ? ", " : "", *wanted);
    }
    if (!lacking.size) return domain;
    add_denied(domain, type, text_view(&lacking), at, list);
    return NULL;
}

/* --- what the files alone tell ------------------------------------------------------------------------------------------------------ */

/* A file, and what its user gives its params. */
struct user {
    const struct pipeline *pipeline;
    const json_t *given;              /* NULL: nobody uses it */
    const struct pipeline_stage *use; /* the user's stage */
    const struct user *caller;
};

/* What an expression comes to through params and their defaults; borrowed; NULL: it cannot be told. */
static const json_t *literal_of(const struct user *user, const char *expression)
{
    if (!text_starts(expression, "params.")) return NULL;
    const char *name = expression + strlen("params.");
    const json_t *given = json_object_get(user->given, name), *fallback = NULL;
    const char *outer = json_text(given, "$expression", NULL);
    if (given && outer) return user->caller ? literal_of(user->caller, outer) : NULL;
    for (size_t i = 0; i < user->pipeline->param_count; i++)
        if (text_equal(user->pipeline->params[i].name, name)) fallback = user->pipeline->params[i].fallback;
    return given ? given : fallback;
}

/* A value as planning would have it: what the files alone do not tell is {"$unknown"}. As deep as a `with` is. New. */
static json_t *known_of(const struct user *user, const json_t *value)
{
    const char *expression = json_text(value, "$expression", NULL), *key;
    const json_t *literal = expression ? literal_of(user, expression) : value;
    json_t *copy = literal ? json_copy((json_t *)literal) : json_pack("{s:s}", "$unknown", expression), *member;
    size_t i;
    if (expression) return copy;
    json_object_foreach((json_t *)value, key, member) json_put(copy, key, known_of(user, member));
    json_array_foreach(value, i, member) json_array_set_new(copy, i, known_of(user, member));
    return copy;
}

/* Does the owner of the domain allow it? A step's own words for anything else are planning's to say, which knows more. */
static void check_policy(
    const struct pipeline_step *step, const json_t *with, const json_t *domain, const json_t *service, struct diagnostics *list)
{
    struct error err = {0};
    AUTO(free_json) json_t *effects = NULL;
    const struct planned planned = {.path = step->id, .with = with, .domain = domain, .service = service};
    if (!step->type->describe || step->type->effects || !step->type->describe(&planned, &effects, &err)) return;
    const struct yaml_node *node = place_of(step->with_node, err.message);
    if (err.code == ERROR_DENIED)
        diagnostics_add(
            list, "denied", node ? node->at : step->at, node ? yaml_width(node) : 0, err.hint[0] ? err.hint : NULL, "%s", err.message);
}

static void check_step(const struct user *user, const struct pipeline_step *step, const struct beside *beside, struct diagnostics *list)
{
    const char *key = step_type_domain_key(step->type);
    if (!key) return;
    AUTO(free_json) json_t *with = known_of(user, step->with);
    const char *name = json_text(with, key, NULL);
    const json_t *domain = name ? beside_find(beside->domains, step->type, name, place_of_domain(step, user->use), list) : NULL;
    if (domain) check_policy(step, with, domain, beside->service, list);
}

static void check_promotions(const struct user *user, const struct beside *beside, struct diagnostics *list)
{
    AUTO(free_json) json_t *steps = json_array();
    for (size_t i = 0; i < user->pipeline->stage_count; i++) {
        const struct pipeline_stage *stage = &user->pipeline->stages[i];
        json_t *known = json_array();
        for (size_t k = 0; k < stage->step_count; k++)
            json_array_append_new(known, known_of(user, stage->steps[k].with));
        json_array_append_new(steps, known);
    }
    judged_check(user->pipeline, &(struct judged_facts){beside->domains, steps, false}, list);
}

static void check_steps(const struct user *user, const struct beside *beside, struct diagnostics *list)
{
    check_promotions(user, beside, list);
    for (size_t i = 0; i < user->pipeline->stage_count; i++) {
        const struct pipeline_stage *stage = &user->pipeline->stages[i];
        if (stage->used) check_steps(&(struct user){stage->used, stage->with, stage, user}, beside, list);
        for (size_t k = 0; k < stage->step_count; k++)
            check_step(user, &stage->steps[k], beside, list);
    }
}

void beside_check(const struct pipeline *pipeline, const struct beside *beside, struct diagnostics *list)
{
    if (json_object_size(beside->domains)) check_steps(&(struct user){.pipeline = pipeline}, beside, list);
}

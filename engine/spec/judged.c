/* judged.c: on a domain whose owner has every version judged, nothing takes all requests without it. */
#include "spec/judged.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct check {
    const struct pipeline *pipeline;
    const struct judged_facts *facts;
    size_t **needs; /* by stage: the stages that it needs; as many as its need_count */
};

/* A step, by its place in the file. */
struct spot {
    size_t stage, step;
};

static const struct pipeline_step *step_at(const struct check *check, struct spot spot)
{
    return &check->pipeline->stages[spot.stage].steps[spot.step];
}

static const json_t *with_of(const struct check *check, struct spot spot)
{
    return json_array_get(json_array_get(check->facts->steps, spot.stage), spot.step);
}

/* --- the same service ---------------------------------------------------------------------------------------------------------------- */

/* What is not known yet is the same where the same output is meant: a stage may call its own by `steps`. Caller frees. */
static char *service_of(const struct check *check, struct spot spot)
{
    const json_t *service = json_object_get(with_of(check, spot), "service");
    const char *expression = json_text(service, "$unknown", NULL);
    if (!expression) return mem_copy_text(json_string_value(service));
    if (!text_starts(expression, "steps.")) return mem_format("= %s", expression);
    return mem_format("= stages.%s.%s", check->pipeline->stages[spot.stage].id, expression + strlen("steps."));
}

static bool is_of_same(const struct check *check, struct spot kpi, struct spot promote)
{
    AUTO(free_text) char *judged = service_of(check, kpi), *promoted = service_of(check, promote);
    const char *domain = json_text(with_of(check, promote), "domain", NULL);
    return promoted && text_equal(judged, promoted) && text_equal(json_text(with_of(check, kpi), "domain", NULL), domain);
}

/* --- before it ----------------------------------------------------------------------------------------------------------------------- */

static bool runs_after_failure(const char *condition)
{
    return condition && (strstr(condition, "failed()") || strstr(condition, "cancelled()") || strstr(condition, "always()"));
}

/* Skipped it would judge nothing: a condition must be that of the promotion, too. */
static bool is_as_sure(const char *condition, const char *other)
{
    return !condition || text_equal(condition, other);
}

static bool counts(const struct check *check, struct spot kpi, struct spot promote)
{
    const struct pipeline_stage *stage = &check->pipeline->stages[kpi.stage], *user = &check->pipeline->stages[promote.stage];
    const struct pipeline_step *step = step_at(check, kpi);
    if (!text_equal(step->type->name, "kpi") || step->allow_failure || !is_of_same(check, kpi, promote)) return false;
    if (!is_as_sure(step->condition, step_at(check, promote)->condition)) return false;
    if (stage == user) return true;
    return !stage->allow_failure && is_as_sure(stage->condition, user->condition) && !runs_after_failure(user->condition) &&
           !check->facts->runs_after_failure;
}

static bool has_kpi(const struct check *check, size_t stage, size_t step_count, struct spot promote)
{
    for (size_t i = 0; i < step_count; i++)
        if (counts(check, (struct spot){stage, i}, promote)) return true;
    return false;
}

/* Puts what a stage needs behind what was found already, each once. */
static size_t add_needs(const struct check *check, size_t stage, size_t *found, size_t count, bool *seen)
{
    for (size_t i = 0; i < check->pipeline->stages[stage].need_count; i++) {
        size_t need = check->needs[stage][i];
        if (need >= check->pipeline->stage_count || seen[need]) continue;
        seen[need] = true;
        found[count++] = need;
    }
    return count;
}

static bool is_judged(const struct check *check, struct spot promote)
{
    size_t stages = check->pipeline->stage_count, *found = mem_alloc_array(stages, sizeof *found);
    bool *seen = mem_alloc_array(stages, sizeof *seen), judged = has_kpi(check, promote.stage, promote.step, promote);
    size_t count = add_needs(check, promote.stage, found, 0, seen);
    for (size_t i = 0; !judged && i < count; i++) {
        judged = has_kpi(check, found[i], check->pipeline->stages[found[i]].step_count, promote);
        count = add_needs(check, found[i], found, count, seen);
    }
    free(found);
    free(seen);
    return judged && !runs_after_failure(step_at(check, promote)->condition);
}

/* Each stage's needs by number; one that is not there is stage_count. free_needs frees. */
static size_t **number_needs(const struct pipeline *pipeline)
{
    size_t **needs = mem_alloc_array(pipeline->stage_count, sizeof *needs);
    AUTO(free_json) json_t *numbers = json_object();
    for (size_t i = 0; i < pipeline->stage_count; i++)
        json_put_whole(numbers, pipeline->stages[i].id, (int64_t)i);
    for (size_t i = 0; i < pipeline->stage_count; i++) {
        needs[i] = mem_alloc_array(pipeline->stages[i].need_count, sizeof **needs);
        for (size_t k = 0; k < pipeline->stages[i].need_count; k++)
            needs[i][k] = (size_t)json_whole(numbers, pipeline->stages[i].needs[k].stage, (int64_t)pipeline->stage_count);
    }
    return needs;
}

static void free_needs(size_t **needs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(needs[i]);
    free(needs);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------------ */

static void deny(const struct pipeline_step *step, const json_t *domain, struct diagnostics *list)
{
    const char *name = json_text(domain, "domain", ""), *owner = json_text(domain, "owner", NULL);
    AUTO(free_text)
    char *hint = mem_format(
        "use: canary, or a kpi step before it; what is allowed is `policy` in domains/%s.yaml, of %s", name, owner ? owner : "its owner");
    diagnostics_add(list, "denied", step->at, 0, hint,
        "the policy of domain %s has every version judged, and no kpi step of the same service is sure to come before this promote", name);
}

/* The domain of a promote step whose owner wants it judged; NULL: any other step. */
static const json_t *judging_domain(const struct check *check, struct spot spot)
{
    const char *name = json_text(with_of(check, spot), "domain", NULL);
    const json_t *domain = name ? json_object_get(check->facts->domains, name) : NULL;
    if (!text_equal(step_at(check, spot)->type->name, "promote")) return NULL;
    return text_equal(json_text(json_object_get(domain, "policy"), "promotion", NULL), "judged") ? domain : NULL;
}

void judged_check(const struct pipeline *pipeline, const struct judged_facts *facts, struct diagnostics *list)
{
    struct check check = {pipeline, facts, NULL};
    for (size_t i = 0; i < pipeline->stage_count; i++)
        for (size_t k = 0; k < pipeline->stages[i].step_count; k++) {
            const struct spot spot = {i, k};
            const json_t *domain = judging_domain(&check, spot);
            if (domain && !check.needs) check.needs = number_needs(pipeline);
            if (domain && !is_judged(&check, spot)) deny(step_at(&check, spot), domain, list);
        }
    if (check.needs) free_needs(check.needs, pipeline->stage_count);
}

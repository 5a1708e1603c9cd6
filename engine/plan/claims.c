/* claims.c: which stages of a plan ask for their groups together, get them at once, and give them back at once.
   Stages that share a group or a scope are one claim, and so is what stands between them, so that no run holds one group while it waits for
   another. docs/explanation/concurrency.md. Deterministic: a plan that was read has the claims that it had when it was made. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"

#include <stdlib.h>
#include <string.h>

/* Stages that belong together, as a forest: each points towards its tree's root. */
struct forest {
    uint32_t *up;
    json_t *seen; /* what was said of a stage before → that stage */
};

static uint32_t root_of(struct forest *forest, uint32_t stage)
{
    while (forest->up[stage] != stage)
        stage = forest->up[stage] = forest->up[forest->up[stage]];
    return stage;
}

/* Joins the stage with the one of which the same was said before; kind keeps scopes and groups apart. */
static void join(struct forest *forest, uint32_t stage, char kind, const char *what)
{
    AUTO(free_text) char *key = mem_format("%c%s", kind, what);
    json_t *before = json_object_get(forest->seen, key);
    if (before)
        forest->up[root_of(forest, stage)] = root_of(forest, (uint32_t)json_integer_value(before));
    else
        json_put_whole(forest->seen, key, stage);
}

/* Its own and those round it: what fails in one of them concerns the stage. */
static void join_scopes(struct forest *forest, uint32_t stage, const char *scope)
{
    AUTO(free_text) char *path = mem_copy_text(scope);
    for (char *slash; *path; *slash = '\0') {
        join(forest, stage, 's', path);
        slash = strrchr(path, '/');
        if (!slash) return;
    }
}

/* Can all that the run did be undone, whichever stage fails? */
static bool undoes_all(const struct plan *plan)
{
    bool all = plan->rollback_run;
    for (uint32_t i = 0; i < plan->step_count && !all; i++)
        all = strcmp(plan->steps[i].type, "rollback") == 0 && text_equal(json_text(plan->steps[i].with, "scope", NULL), "run");
    return all;
}

static void plant(const struct plan *plan, struct forest *forest)
{
    bool all = undoes_all(plan);
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const struct plan_stage *stage = &plan->stages[i];
        forest->up[i] = i;
        if (all) join(forest, i, 'r', "");
        join_scopes(forest, i, stage->scope);
        for (uint32_t k = 0; k < stage->group_count; k++)
            join(forest, i, 'g', stage->groups[k].name);
    }
}

/* --- what stands between ---------------------------------------------------------------------------------------------------- */

/* A claim waits for what its stages need. So a stage that is in another group and that is needed by one of them, but is not over before the
   first of them begins, belongs to it, too: otherwise the run would hold the claim and wait for that group. */
struct search {
    const struct plan *plan;
    struct forest *forest;
    bool *behind;           /* by stage: does it need the one that is looked at? */
    uint32_t *queue;        /* room for all stages */
    bool *touched, *partly; /* by root: is one of its stages behind; is one that is in a group not? */
    uint64_t work;
};

enum { SEARCH_WORK_MAX = 20 * 1000 * 1000 };

static void mark_behind(struct search *search, uint32_t stage)
{
    uint32_t count = 1;
    memset(search->behind, 0, search->plan->stage_count * sizeof *search->behind);
    search->queue[0] = stage;
    for (uint32_t at = 0; at < count; at++) {
        const struct plan_stage *from = &search->plan->stages[search->queue[at]];
        search->work += from->user_count + 1;
        for (uint32_t i = 0; i < from->user_count; i++) {
            if (search->behind[from->users[i]]) continue;
            search->behind[from->users[i]] = true;
            search->queue[count++] = from->users[i];
        }
    }
}

/* true: the stage was joined with another claim. */
static bool join_behind(struct search *search, uint32_t stage)
{
    const struct plan *plan = search->plan;
    bool joined = false;
    mark_behind(search, stage);
    memset(search->touched, 0, plan->stage_count * sizeof *search->touched);
    memset(search->partly, 0, plan->stage_count * sizeof *search->partly);
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        uint32_t root = root_of(search->forest, i);
        search->touched[root] |= search->behind[i];
        search->partly[root] |= !search->behind[i] && plan->stages[i].group_count;
    }
    search->work += plan->stage_count;
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        if (!search->touched[i] || !search->partly[i] || root_of(search->forest, stage) == root_of(search->forest, i)) continue;
        search->forest->up[root_of(search->forest, i)] = root_of(search->forest, stage);
        joined = true;
    }
    return joined;
}

/* Where there is too much to look at, all is one claim: that is always right, and makes runs wait for longer. */
static void join_all(const struct plan *plan, struct forest *forest)
{
    for (uint32_t i = 0; i < plan->stage_count; i++)
        if (plan->stages[i].group_count) join(forest, i, 'a', "");
}

static bool has_several(const struct plan *plan, struct forest *forest)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        if (!plan->stages[i].group_count) continue;
        if (first == UINT32_MAX) first = root_of(forest, i);
        if (root_of(forest, i) != first) return true;
    }
    return false;
}

static void join_between(const struct plan *plan, struct forest *forest)
{
    if (!has_several(plan, forest)) return;
    size_t count = plan->stage_count;
    struct search search = {.plan = plan, .forest = forest, .queue = mem_alloc_array(count + 1, sizeof *search.queue)};
    search.behind = mem_alloc_array(count, sizeof *search.behind);
    search.touched = mem_alloc_array(count, sizeof *search.touched);
    search.partly = mem_alloc_array(count, sizeof *search.partly);
    for (bool again = true; again && search.work <= SEARCH_WORK_MAX;) {
        again = false;
        for (uint32_t i = 0; i < count && search.work <= SEARCH_WORK_MAX; i++)
            if (plan->stages[i].group_count) again |= join_behind(&search, i);
    }
    if (search.work > SEARCH_WORK_MAX) join_all(plan, forest);
    free(search.queue);
    free(search.behind);
    free(search.touched);
    free(search.partly);
}

/* --- the claims ------------------------------------------------------------------------------------------------------------- */

static void claim_fill(struct plan *plan, struct plan_claim *claim, uint32_t number)
{
    size_t groups = 0, stages = 0;
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        groups += plan->stages[i].claim == number ? plan->stages[i].group_count : 0;
        stages += plan->stages[i].claim == number;
    }
    struct group_list list = {.items = arena_alloc_array(plan->arena, groups, sizeof *list.items)};
    uint32_t *members = arena_alloc_array(plan->arena, stages, sizeof *members);
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const struct plan_stage *stage = &plan->stages[i];
        if (stage->claim != number) continue;
        members[claim->stage_count++] = i;
        for (uint32_t k = 0; k < stage->group_count; k++)
            group_list_add(&list, stage->groups[k].name, stage->groups[k].queue);
    }
    claim->stages = members;
    claim->groups = list.items;
    claim->group_count = list.count;
}

static bool has_groups(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->stage_count; i++)
        if (plan->stages[i].group_count) return true;
    return false;
}

static void number_claims(struct plan *plan, struct forest *forest, struct plan_stage *stages)
{
    uint32_t *numbers = arena_alloc_array(plan->arena, plan->stage_count, sizeof *numbers); /* by root, from 1 */
    for (uint32_t i = 0; i < plan->stage_count; i++)
        if (stages[i].group_count && !numbers[root_of(forest, i)]) numbers[root_of(forest, i)] = ++plan->claim_count;
    for (uint32_t i = 0; i < plan->stage_count; i++)
        stages[i].claim = numbers[root_of(forest, i)] - 1; /* NO_CLAIM where there is none */
}

void claims_make(struct plan *plan)
{
    struct plan_stage *stages = (struct plan_stage *)(uintptr_t)plan->stages; /* ours until the plan is handed over */
    for (uint32_t i = 0; i < plan->stage_count; i++)
        stages[i].claim = NO_CLAIM;
    if (!has_groups(plan)) return;
    struct forest forest = {mem_alloc_array(plan->stage_count, sizeof *forest.up), json_object()};
    plant(plan, &forest);
    join_between(plan, &forest);
    number_claims(plan, &forest, stages);
    struct plan_claim *claims = arena_alloc_array(plan->arena, plan->claim_count, sizeof *claims);
    for (uint32_t i = 0; i < plan->claim_count; i++)
        claim_fill(plan, &claims[i], i);
    plan->claims = claims;
    free(forest.up);
    json_decref(forest.seen);
}

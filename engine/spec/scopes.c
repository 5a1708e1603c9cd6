/* scopes.c: warns of a canary that one scope orders and another one promotes: what fails between them undoes neither.
   A scope is a stage, or all stages of a file that is used (docs/explanation/rolling-back.md). */
#include "base/text.h"
#include "spec/loader.h"

#include <string.h>

/* The first step of a scope that is of one of these types, NULL-ended; NULL: there is none. */
static const struct pipeline_step *find_step(const struct pipeline_stage *stages, size_t count, const char *const *types)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < stages[i].step_count; k++)
            for (const char *const *type = types; *type; type++)
                if (text_equal(stages[i].steps[k].type->name, *type)) return &stages[i].steps[k];
    return NULL;
}

/* The same in the scope that one of a pipeline's stages is, or uses. */
static const struct pipeline_step *find_in_scope(const struct pipeline_stage *stage, const char *const *types)
{
    return stage->used ? find_step(stage->used->stages, stage->used->stage_count, types) : find_step(stage, 1, types);
}

void check_scopes(const struct pipeline *pipeline, struct diagnostics *list)
{
    static const char *const begins[] = {"order", "shift", "kpi", NULL}, *const ends[] = {"promote", NULL};
    const struct pipeline_step *last = NULL; /* the last promotion of a scope that does not begin with its own canary */
    for (size_t i = pipeline->stage_count; i-- > 0 && !pipeline->rollback_run;) {
        const struct pipeline_stage *stage = &pipeline->stages[i];
        const struct pipeline_step *begin = find_in_scope(stage, begins), *end = find_in_scope(stage, ends);
        if (end && !begin) last = end;
        if (!begin || end || !last) continue;
        diagnostics_warn(list, "split-canary", begin->at, 0,
            "put both into one stage or one used file, or write on-failure: { rollback: run }",
            "what \"%s\" does here is promoted in another stage: should one between them fail, it stays as it is", begin->type->name);
    }
}

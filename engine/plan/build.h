/* build.h: what the files that build a plan share; nobody else includes it.

   frames.c   opens one frame for each use of a file, outermost first: its params, its references, its declared outputs
   stages.c   walks the frames in the files' order and makes the plan's stages, then their needs and users
   steps.c    makes a stage's steps
   groups.c   which groups a stage is in
   claims.c   which stages ask for their groups together
   promotions.c  what takes all requests is judged first
   values.c   evaluates what stands in `with` and `env`, and converts it to its field's type
   A mistake is added to build->list and the walk goes on, so that all of them are told together. */
#ifndef CRESCENDO_PLAN_BUILD_H
#define CRESCENDO_PLAN_BUILD_H

#include "base/arena.h"
#include "plan/plan.h"

struct frame;
struct build {
    struct arena *arena; /* the plan's */
    struct diagnostics *list;
    struct plan *plan;
    const struct plan_facts *facts;
    const json_t *domains, *service; /* as in struct plan_facts */
    struct plan_stage *stages;
    size_t stage_count, stage_capacity;
    struct plan_step *steps;
    size_t step_count, step_capacity;
    const struct stage_origin { /* beside build->stages: where each comes from */
        const struct frame *frame;
        size_t stage;
    } * origins;
    size_t origin_capacity;
    json_t *default_sandbox, *empty_object, *empty_array; /* shared by all steps; owned by the arena */
    const json_t *asked;                                  /* what was last asked of a sandbox, owned by the arena, ... */
    json_t *answered;                                     /* ... and what that made: most stages ask the same */
};

/* One use of a pipeline file; the outermost has no caller. All of it lives in the arena. */
struct frame {
    struct build *build;
    const struct pipeline *pipeline;
    const char *path; /* "" or "indoor/inner" */
    const struct frame *caller;
    size_t caller_stage; /* index in caller->pipeline->stages */
    json_t *params;
    json_t *secrets;                 /* name → its name in the plan */
    json_t *stage_numbers;           /* id → index in pipeline->stages */
    struct frame **used;             /* by stage: the frame of its `use`, or NULL */
    json_t **outputs;                /* by stage: what its `use` declares, resolved; or NULL */
    uint32_t *indices;               /* by stage: the plan's stage */
    bool *has_users;                 /* by stage: does another stage of the file need it? */
    const struct plan_group *groups; /* those of the callers' stages and of the files */
    uint32_t group_count;
    const char *condition; /* the callers' `if`s, folded; NULL = true */
    bool condition_overrides, allow_failure;
    int64_t timeout_ms; /* the callers' shortest; 0 = none */
};

/* --- values.c --- */
/* In which frame, and inside which stage (NULL: none, then there is no `steps`). */
struct place {
    const struct frame *frame;
    const struct pipeline_stage *stage;
};
struct scope place_scope(const struct place *place);
/* Replaces every {"$expression"} in value. file: what positions in it refer to. Shares what has none. */
int value_resolve(const json_t *value, const struct scope *scope, const char *file, json_t **ret, struct error *err) MUST_CHECK;
/* To the JSON that field.h gives for the type; texts are read as a scalar of the file would be. */
int value_convert(const json_t *value, enum field_type type, json_t **ret, struct error *err) MUST_CHECK;
bool value_is_unknown(const json_t *value);  /* {"$unknown": ...} itself */
bool value_has_unknown(const json_t *value); /* anywhere in it */
/* Evaluates a bare condition. *ret: NULL = true, "false", or a residual, in the frame's arena. */
int condition_fold(const char *condition, const struct place *place, struct location at, const char **ret, bool *ret_overrides);

/* a && b, NULL being true. */
const char *condition_join(const struct build *build, const char *a, const char *b, struct location at);
int64_t timeout_shorter(int64_t a_ms, int64_t b_ms); /* 0 being none */

/* --- params.c --- */
/* given: values, or unknowns, by name. at: the `use` that gives them, or NOWHERE for a command line. */
json_t *params_resolve(const struct build *build, const struct pipeline *pipeline, const json_t *given, struct location at);

int param_check(const struct param *param, const json_t *value, struct error *err) MUST_CHECK; /* bounds and choices */

/* --- frames.c --- */
struct frame *frame_open(struct build *build, const struct pipeline *pipeline, const char *path, const struct frame *caller,
    size_t caller_stage, json_t *params);

/* --- stages.c, steps.c --- */
void stages_build(struct build *build, struct frame *frame);
void needs_build(struct build *build);
void steps_build(struct build *build, const struct frame *frame, const struct pipeline_stage *stage, struct plan_stage *planned);

/* --- groups.c --- */
void groups_inherit(struct frame *frame);                                                              /* once its params are known */
void groups_build(struct build *build, const struct stage_origin *origin, struct plan_stage *planned); /* once its steps are there */
struct group_list {
    struct plan_group *items; /* with room for all that will come */
    uint32_t count;
};
void group_list_add(struct group_list *list, const char *name, enum group_queue queue); /* said twice, the stricter queue counts */

/* --- promotions.c --- */
void promotions_check(const struct frame *frame); /* of it and what it uses, once all steps are there */

/* --- claims.c --- */
void claims_make(struct plan *plan); /* once its stages have their users */

/* --- plan.c --- */
void build_fail(const struct build *build, const char *code, struct location at, const struct error *err);
void plan_index(struct plan *plan); /* fills slots */
json_t *plan_default_sandbox(void);
enum { PLAN_VERSION = 1, PLAN_TIMEOUT_MS = 3600 * 1000, PLAN_GRACE_MS = 10 * 1000, PLAN_EDGES_MAX = 1000 * 1000 };

/* The opposite of needs. false: the needs go round in a circle. Used on what is built and on what is read. */
bool plan_link_users(struct arena *arena, struct plan_stage *stages, uint32_t count);

#endif

/* plan.h: a pipeline with its inputs filled in: a graph of stages and steps, what each would do, in which order.
   Its JSON is stored by digest with the accepted run and is never computed again; plan_from_json reads it back. Pure. */
#ifndef CRESCENDO_PLAN_PLAN_H
#define CRESCENDO_PLAN_PLAN_H

#include "base/text.h"
#include "spec/expression.h"
#include "spec/pipeline.h"

/* Facts of the run that is planned; any may be NULL (`crescendo plan` on a laptop). They are the root `run`. */
struct plan_facts {
    const char *repository, *ref, *branch, *commit, *author, *trigger;
    /* What stands beside the pipeline (spec/beside.h); borrowed by plan_build, which keeps what is used of it in the plan; NULL later. */
    const json_t *domains, *service;
};

struct plan_step {
    uint32_t index;           /* in plan->steps */
    uint32_t stage;           /* index in plan->stages */
    const char *path;         /* "build/test", "indoor/release/order": unique in the plan */
    const char *id, *title;   /* title: to show; the script's first line for an unnamed run step */
    const char *type;         /* "run", "package", "checkout", "approve", ... */
    json_t *with;             /* resolved as far as can be; what is not known is {"$unknown": RESIDUAL, "$type": ..., "$at": ...} */
    json_t *env;              /* the merged environment of pipeline, stage, step; object */
    json_t *sandbox;          /* merged and typed: {mode: "default"|"none", network: "none"|"host", memory, cpu, processes, disk} */
    const char *condition;    /* residual, or NULL; a condition known to be true is gone, a false one is "false" */
    bool condition_overrides; /* it names failed(), cancelled() or always() */
    int64_t timeout_ms;       /* never 0: the default is an hour */
    int64_t grace_ms;         /* between SIGTERM and SIGKILL */
    struct retry retry;
    bool allow_failure;
    const char *const *outputs; /* declared names, NULL-ended */
    json_t *effects;            /* array; empty where there are none */
    bool ready_ahead;           /* nothing in it is unknown and it has no condition: may be handed to the shim early */
};

/* What becomes of a run that comes while another is in the group; the strictest last. */
enum group_queue { GROUP_FIFO, GROUP_SUPERSEDE, GROUP_REJECT, GROUP_QUEUE_COUNT };
struct plan_group {
    const char *name; /* the same for all runs of a server */
    enum group_queue queue;
};

#define NO_CLAIM UINT32_MAX

struct plan_stage {
    uint32_t index;
    const char *path;                /* "build", "indoor/release" */
    uint32_t first_step, step_count; /* its steps stand together in plan->steps, in order; at least one */
    const uint32_t *needs, *users;   /* stage indices: what it waits for, what waits for it */
    uint32_t need_count, user_count;
    const char *condition;
    bool condition_overrides, allow_failure;
    int64_t timeout_ms;              /* 0 = none beyond its steps' */
    bool checkout;                   /* then its first step is of type "checkout" */
    json_t *inputs;                  /* array of {stage, globs} */
    const char *scope;               /* path of the innermost `use`, or "" */
    const struct plan_group *groups; /* in which one run at a time is; each once */
    uint32_t group_count;
    uint32_t claim; /* the one that it belongs to; NO_CLAIM where neither it nor another stage of its scope is in a group */
};

/* What a run asks for, gets and gives back at once (groups.c): the groups of stages that belong together. */
struct plan_claim {
    const struct plan_group *groups; /* each once */
    const uint32_t *stages;          /* indices; also those that are in no group themselves but in the scope of one that is */
    uint32_t group_count, stage_count;
};

struct plan {
    const char *name, *service;
    char digest[65];         /* of the canonical JSON */
    char *text;              /* the canonical JSON, until it is taken; NULL where the plan was read */
    struct plan_facts facts; /* strings owned by the plan */
    json_t *params;          /* resolved */
    const struct plan_stage *stages;
    const struct plan_step *steps;
    uint32_t stage_count, step_count;
    const struct plan_claim *claims; /* follows from the stages' groups and scopes, and is not written */
    uint32_t claim_count;
    json_t *includes; /* [{name, digest}] */
    json_t
        *domains; /* name → the domain as it is now, typed and with its digest, of those that steps name; an empty object or NULL: none */
    json_t *secrets;            /* name → where the server finds it, "file:release/key"; an empty object or NULL: none */
    json_t *service_descriptor; /* typed; NULL = none */
    json_t *outputs;            /* of used stages: {"indoor": {"verdict": {"$unknown": RESIDUAL}}} */
    int64_t timeout_ms;
    bool rollback_run;     /* a run that ends badly undoes all that it did, not only in the scope that failed */
    const uint32_t *slots; /* a hash table of step indices by path, for plan_find_step; NULL: it looks at each */
    uint32_t slot_count;
    struct arena *arena;
};

/* params: object of given values (texts from a command line are converted by the declared types); may be NULL.
   Mistakes go to *list with positions in the pipeline, or NOWHERE for a parameter from outside. */
int plan_build(const struct pipeline *pipeline, const struct plan_facts *facts, const json_t *params, struct diagnostics *list,
    struct plan **ret) MUST_CHECK;
/* The plan of a run that has nothing to run: its file is missing or wrong. */
struct plan *plan_empty(const char *name);
void plan_free(struct plan **plan);

/* As docs/formats/plan.md says, in canonical form, which is digested and stored. Caller frees. */
char *plan_to_text(const struct plan *plan);
/* The same as values; NULL: they are nested deeper than JSON is read. */
json_t *plan_to_json(const struct plan *plan);
/* The text that plan_build has made for the digest, once; made anew afterwards. Caller frees. */
char *plan_take_text(struct plan *plan);
int plan_from_json(const json_t *json, struct plan **ret, struct error *err) MUST_CHECK;
/* The same, of JSON whose canonical text is known to have this digest. */
int plan_from_stored(const json_t *json, const char *digest, struct plan **ret, struct error *err) MUST_CHECK;

const struct plan_step *plan_find_step(const struct plan *plan, const char *path); /* NULL when there is none */

/* Fills in what a step's `with` and `env` could not know at planning time. scope resolves stages.PATH.ID.OUT. */
int plan_resolve(const json_t *value, const struct scope *scope, json_t **ret_value, struct error *err) MUST_CHECK;

struct plan_look {
    bool colour;
    bool bodies; /* what effects send, in full; else how large it is */
};
void plan_print_text(const struct plan *plan, struct plan_look look, struct text *out);
void plan_print_dot(const struct plan *plan, struct text *out);

#endif

/* pipeline.h: a checked pipeline: what the text says, typed, with positions; nothing is evaluated yet. */
#ifndef CRESCENDO_SPEC_PIPELINE_H
#define CRESCENDO_SPEC_PIPELINE_H

#include "crescendo/diagnostics.h"
#include "crescendo/step.h"

#include <stdint.h>

/* A text that the loader may need, read before: "crescendo.yaml", "pipelines/canary.yaml". name is what diagnostics
   print. Borrowed by the call and by the locations in its diagnostics. */
struct source {
    const char *name, *bytes;
    size_t size;
};
struct source_set {
    const struct source *items;
    size_t count;
};

/* Values. Wherever the language allows ${{ }}, a JSON value of the pipeline is either of its field's type or
       {"$expression": "EXPR", "$type": "text", "$at": "file:line:column"}
   where EXPR is the bare expression; text around one is folded into concat('text ', EXPR). $type names the field's
   type (field_type_name). engine/spec/expression.h evaluates EXPR. Expressions are type-checked and their references
   are resolved against the pipeline when it is loaded, so what remains to fail later is a value out of bounds. */

enum { RETRY_REASONS_MAX = 8 };
struct retry {
    unsigned times;   /* further attempts after the first; 0 = none */
    int64_t wait_ms;  /* pause before each */
    unsigned reasons; /* bit set by enum reason (state/state.h): worker_lost, timeout, failed */
};

struct param {
    const char *name, *help;
    enum field_type type;
    json_t *fallback; /* NULL: must be given */
    int64_t min, max;
    const char *const *choices;
    struct location at;
};

/* A secret by its name in the file, and where the server finds it ("file:release/key"), or "given" by the file that uses this one: never
   its value. */
struct secret {
    const char *name, *source;
    struct location at;
};

struct output_declaration { /* of a run step (`outputs: [name]`), or of a used file (`outputs: { name: expr }`) */
    const char *name;
    json_t *value; /* an {"$expression"}; NULL for a run step */
    struct location at;
};

struct pipeline_step {
    const char *id;    /* given, or the type's name, with -2, -3 behind where that is taken in the stage */
    const char *title; /* `name:`, or NULL */
    const struct step_type *type;
    json_t *with;          /* object, typed by type->fields */
    json_t *env;           /* object name → text, expression or {"$secret": NAME}; NULL */
    json_t *sandbox;       /* object typed by sandbox_fields; NULL = the stage's */
    const char *condition; /* `if:`, a bare boolean expression; NULL */
    int64_t timeout_ms;    /* 0 = the default */
    struct retry retry;
    bool allow_failure;
    const struct output_declaration *outputs;
    size_t output_count;
    struct location at;
    struct location domain_at;         /* of the name of its domain; without one, of the step */
    const struct yaml_node *with_node; /* what `with` was read from; place.h */
};

struct need {
    const char *stage;
    struct location at;
};

struct pipeline_stage {
    const char *id;
    const struct need *needs; /* `needs:`, or the stage above, or none */
    size_t need_count;
    const char *condition;
    json_t *env, *sandbox;
    json_t *concurrency; /* object typed by concurrency_fields; NULL */
    struct location concurrency_at;
    int64_t timeout_ms;
    bool checkout; /* false: `checkout: none` */
    bool allow_failure;
    const struct input_declaration {
        const char *stage; /* files from an earlier stage's workspace; must be among the transitive needs */
        const char *const *globs;
        size_t glob_count;
        struct location at;
    } * inputs;
    size_t input_count;
    /* exactly one of the three */
    const struct pipeline_step *steps;
    size_t step_count;
    json_t *approve;             /* object typed by approve_fields: by, quorum, not-author, expires, ask */
    const struct pipeline *used; /* `use: NAME`, loaded; with its `with` below */
    json_t *with;
    json_t *secrets;                   /* the used file's name → {"$secret": NAME}; NULL */
    const struct yaml_node *with_node; /* where it was written; NULL: nowhere */
    struct location at;
};

struct push_filter {
    const char *const *branches; /* globs; none = every branch */
    size_t branch_count;
    const char *const *paths;
    size_t path_count;
};

struct pipeline {
    const char *name;    /* `pipeline:`, or the file's stem */
    const char *file;    /* the source's name */
    char digest[65];     /* SHA-256 of the file's bytes */
    const char *service; /* `service:`, or NULL */
    struct location service_at;
    bool on_push; /* true also where `on:` is absent */
    struct push_filter push;
    const struct param *params;
    size_t param_count;
    const struct secret *secrets;
    size_t secret_count;
    json_t *env;
    json_t *sandbox;
    json_t *concurrency; /* of all its stages; object typed by concurrency_fields; NULL */
    struct location concurrency_at;
    int64_t timeout_ms; /* of the whole run; 0 = none */
    bool rollback_run;  /* `on-failure: { rollback: run }` */
    const struct pipeline_stage *stages;
    size_t stage_count;
    const struct output_declaration *outputs;
    size_t output_count;
    struct arena *arena; /* owns all of it; of a used pipeline: the user's */
};

/* Loads sources->items[0] and the files that it uses ("NAME" is looked for as pipelines/NAME.yaml in the set). All mistakes
   go to *list; on any error *ret is not set and the return is -ERROR_INVALID. types: the joined step types. Pure. */
int pipeline_load(const struct source_set *sources, step_types *types, struct diagnostics *list, struct pipeline **ret) MUST_CHECK;
void pipeline_free(struct pipeline **pipeline);

/* The tables behind the loader, also the source of the JSON schema and docs/reference/pipeline.md. */
extern const struct field pipeline_fields[], stage_fields[], step_fields[], sandbox_fields[], approve_fields[], retry_fields[],
    param_fields[], push_fields[], on_failure_fields[], concurrency_fields[];

const char *field_type_name(enum field_type type); /* "text", "duration", ... */

/* Does a push of these changed paths (NULL-ended; NULL = unknown, which matches) on this branch start the pipeline? */
bool pipeline_wants_push(const struct pipeline *pipeline, const char *branch, const char *const *paths);

#endif

/* loader.h: what the parts of the loader share while a pipeline is loaded. */
#ifndef CRESCENDO_SPEC_LOADER_H
#define CRESCENDO_SPEC_LOADER_H

#include "spec/fields.h"
#include "spec/names.h"
#include "spec/pipeline.h"

/* One file declares at most this many; whoever looks one up may go through all of them. */
enum { PARAMS_MAX = 256, OUTPUTS_MAX = 256, SECRETS_MAX = 256 };

/* One call of pipeline_load. */
struct loader {
    struct arena *arena;
    step_types *types;
    const struct source_set *sources;
    struct diagnostics *list;
    struct used_file { /* each used file is loaded once; pipeline is NULL when it is broken */
        const char *name;
        const struct pipeline *pipeline;
    } * used;
    size_t used_count, used_capacity;
};

/* One file while it is loaded. */
struct file {
    struct loader *loader;
    struct reader reader;
    struct pipeline *pipeline;
    struct pipeline_stage *stages;  /* pipeline->stages */
    struct name_table stage_names;  /* id → index */
    uint32_t *order;                /* stage indices, each behind what it needs; made by check_graph */
    bool *broken;                   /* by stage: its body is wrong and that was said; complaints about its outputs would mislead */
    struct name_table *step_tables; /* by stage: step id → index; each made on first use */
    bool is_used;                   /* by another file */
    bool graph_is_broken;           /* unknown needs or a cycle: reachability means nothing */
};

/* Loads one source into the loader's arena. NULL after any error. (pipeline.c) */
const struct pipeline *load_file(struct loader *loader, const struct source *source, bool is_used);

/* Each fills its part of file->pipeline; mistakes go to the list. */
void load_params(struct file *file, const struct yaml_node *node);
void load_secrets(struct file *file, const struct yaml_entry *entry);
void load_stages(struct file *file, const struct yaml_node *node);
void load_stage_body(struct file *file, const struct yaml_node *node, uint32_t index); /* steps, use or approve */
void load_steps(struct file *file, const struct yaml_node *node, uint32_t stage);
void load_use(struct file *file, const struct yaml_node *stage_node, const struct yaml_node *name, uint32_t stage);
void load_outputs(struct file *file, const struct yaml_node *node);
void check_graph(struct file *file);                                          /* needs exist, no cycles (graph.c) */
void check_scopes(const struct pipeline *pipeline, struct diagnostics *list); /* of the outermost file, when all is loaded (scopes.c) */
void check_references(struct file *file);                                     /* inputs and expressions (references.c) */

/* Which stages a stage transitively needs, as rows of bits; made on first use. (graph.c) */
struct reach {
    uint64_t *bits;
    size_t words;
};
void reach_make(const struct file *file, struct reach *reach); /* no-op when made; only on a sound graph */
void reach_release(struct reach *reach);
bool reach_has(const struct reach *reach, uint32_t stage, uint32_t earlier);

/* A stage's step by its id; false: there is none. (references.c) */
bool step_find(struct file *file, uint32_t stage, const char *id, uint32_t *ret_index);

const struct output_declaration *output_find(const struct output_declaration *outputs, size_t count, const char *name);

/* "did you mean X?" for one of a file's stages, or NULL; in the arena. */
const char *stage_suggestion(const struct file *file, const char *name);

#endif

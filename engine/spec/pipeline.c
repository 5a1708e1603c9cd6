/* pipeline.c: loads a pipeline: the file's own keys here, stages, steps, params and used files in load_*.c, then the checks that
   need the whole file (graph.c, references.c). Every part goes on after a mistake, so that all are said together. */
#include "spec/pipeline.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "spec/loader.h"

#include <stdlib.h>
#include <string.h>

/* "dir/canary.yaml" → "canary", as far as it can be a name. */
static const char *stem_of(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file, *dot = strchr(base, '.');
    const char *stem = arena_copy_bytes(arena, base, dot ? (size_t)(dot - base) : strlen(base));
    return text_is_name(stem) ? stem : "pipeline";
}

static const char *const *copy_texts(struct arena *arena, const json_t *list, size_t *ret_count)
{
    size_t count = json_array_size(list);
    const char **texts = arena_alloc_array(arena, count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = arena_copy_text(arena, json_string_value(json_array_get(list, i)));
    *ret_count = count;
    return texts;
}

static void refuse_exclusions(struct file *file, const struct yaml_node *push)
{
    static const char *const keys[] = {"branches", "paths"};
    for (size_t k = 0; k < COUNT_OF(keys); k++) {
        const struct yaml_node *globs = yaml_find(push, keys[k]);
        for (size_t i = 0; globs && globs->kind == YAML_LIST && i < globs->count; i++) {
            const struct yaml_node *glob = globs->entries[i].value;
            if (glob->kind == YAML_TEXT && glob->text[0] == '!')
                diagnostics_add(file->reader.list, "not-in-this-version", glob->at, yaml_width(glob), "list what shall match",
                    "patterns that exclude are not in this version");
        }
    }
}

static void load_triggers(struct file *file, const struct yaml_node *node, const json_t *on)
{
    struct pipeline *pipeline = file->pipeline;
    const json_t *push = json_object_get(on, "push");
    pipeline->on_push = !node || push;
    if (!push) return;
    const struct yaml_node *push_node = yaml_find(node, "push");
    if (push_node) refuse_exclusions(file, push_node);
    pipeline->push.branches = copy_texts(pipeline->arena, json_object_get(push, "branches"), &pipeline->push.branch_count);
    pipeline->push.paths = copy_texts(pipeline->arena, json_object_get(push, "paths"), &pipeline->push.path_count);
}

bool env_is_sound(struct reader *reader, const struct yaml_node *map)
{
    bool sound = true;
    for (size_t i = 0; map && map->kind == YAML_MAP && i < map->count; i++) {
        const struct yaml_node *key = map->entries[i].key;
        size_t size = strspn(key->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
        if (size && !key->text[size] && !strchr("0123456789", key->text[0])) continue;
        if (key->text[0] == '$' || strstr(key->text, "${{")) continue; /* said by the reader */
        diagnostics_add(reader->list, "wrong-name", key->at, yaml_width(key), "letters, digits and _, no digit first",
            "\"%s\" is no name for an environment variable", yaml_excerpt(reader->arena, key->text));
        sound = false;
    }
    return sound;
}

const struct output_declaration *output_find(const struct output_declaration *outputs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(outputs[i].name, name) == 0) return &outputs[i];
    return NULL;
}

void load_outputs(struct file *file, const struct yaml_node *node)
{
    static const struct field value_field = {.name = "outputs", .type = FIELD_ANY};
    if (!node) return;
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(&file->reader, node, "outputs", "a map", "write { NAME: \"${{ stages.STAGE.ID.OUTPUT }}\" }");
        return;
    }
    if (node->count > OUTPUTS_MAX) {
        diagnostics_add(
            file->reader.list, "too-many", node->at, 0, "have fewer", "%zu outputs; at most %d are allowed", node->count, OUTPUTS_MAX);
        return;
    }
    struct output_declaration *outputs = arena_alloc_array(file->reader.arena, node->count, sizeof *outputs);
    size_t count = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        json_t *value = arena_own_json(file->reader.arena, fields_read_value(&file->reader, entry->value, &value_field));
        if (!text_is_name(entry->key->text))
            diagnostics_add(file->reader.list, "wrong-name", entry->key->at, yaml_width(entry->key),
                "names are lower-case letters, digits and hyphens, a letter first", "\"%s\" is not a name",
                yaml_excerpt(file->reader.arena, entry->key->text));
        else if (value && !json_object_get(value, "$expression"))
            diagnostics_add(file->reader.list, "wrong-type", entry->value->at, yaml_width(entry->value),
                "write \"${{ stages.STAGE.ID.OUTPUT }}\"", "an output of a file is an expression");
        else if (value)
            outputs[count++] = (struct output_declaration){entry->key->text, value, entry->key->at};
    }
    file->pipeline->outputs = outputs;
    file->pipeline->output_count = count;
}

static void load_head(struct file *file, const struct yaml_node *root)
{
    struct pipeline *pipeline = file->pipeline;
    const json_t *head = fields_read(&file->reader, root, pipeline_fields, 0, "a pipeline");
    const char *name = json_text(head, "pipeline", NULL);
    pipeline->name = name ? arena_copy_text(pipeline->arena, name) : stem_of(pipeline->arena, pipeline->file);
    pipeline->service = arena_copy_text(pipeline->arena, json_text(head, "service", NULL));
    if (pipeline->service) pipeline->service_at = yaml_find(root, "service")->at;
    pipeline->env = json_object_get(head, "env");
    pipeline->sandbox = json_object_get(head, "sandbox");
    pipeline->concurrency = json_object_get(head, "concurrency");
    if (pipeline->concurrency) pipeline->concurrency_at = yaml_find(root, "concurrency")->at;
    pipeline->timeout_ms = json_whole(head, "timeout", 0);
    pipeline->rollback_run = text_equal(json_text(json_object_get(head, "on-failure"), "rollback", NULL), "run");
    env_is_sound(&file->reader, yaml_find(root, "env"));
    load_triggers(file, yaml_find(root, "on"), json_object_get(head, "on"));
}

/* A key of the whole run. */
static void warn_of_ignored(struct file *file, const struct yaml_node *root, const char *key, const char *hint)
{
    const struct yaml_entry *entry = yaml_find_entry(root, key);
    if (entry && file->is_used)
        diagnostics_warn(
            file->reader.list, "ignored", entry->key->at, yaml_width(entry->key), hint, "\"%s\" means nothing in a file that is used", key);
}

static void load_document(struct file *file, const struct yaml_node *root)
{
    if (root->kind != YAML_MAP) {
        diagnostics_add(file->reader.list, "wrong-type", root->at, yaml_width(root), "begin with 'stages:' and the list below it",
            "a pipeline file must be a map, not %s", root->kind == YAML_LIST ? "a list" : "text");
        return;
    }
    warn_of_ignored(file, root, "on", "the pipeline that uses this file says when it runs");
    warn_of_ignored(file, root, "on-failure", "the pipeline that uses this file says what is undone");
    load_head(file, root);
    load_params(file, yaml_find(root, "params"));
    load_secrets(file, yaml_find_entry(root, "secrets"));
    load_stages(file, yaml_find(root, "stages"));
    file->reader.stage = SITE_OUTPUTS;
    file->reader.step = SITE_NONE;
    load_outputs(file, yaml_find(root, "outputs"));
    check_graph(file);
    check_references(file);
}

static void file_release(struct file *file)
{
    free(file->reader.sites);
}

const struct pipeline *load_file(struct loader *loader, const struct source *source, bool is_used)
{
    size_t errors_before = loader->list->error_count;
    struct yaml_document document;
    if (yaml_read(source, loader->arena, loader->list, &document)) return NULL;
    struct pipeline *pipeline = arena_alloc(loader->arena, sizeof *pipeline);
    *pipeline = (struct pipeline){.file = source->name, .arena = loader->arena};
    sha256_hex(source->bytes, source->size, pipeline->digest);
    AUTO(file_release)
    struct file file = {.loader = loader,
        .pipeline = pipeline,
        .is_used = is_used,
        .reader = {.arena = loader->arena, .list = loader->list, .document = &document, .stage = SITE_NONE, .step = SITE_NONE}};
    load_document(&file, document.root);
    return loader->list->error_count == errors_before ? pipeline : NULL;
}

static void free_arena(struct arena **arena)
{
    arena_free(arena);
}

static void loader_release(struct loader *loader)
{
    free(loader->used);
}

int pipeline_load(const struct source_set *sources, step_types *types, struct diagnostics *list, struct pipeline **ret)
{
    AUTO(free_arena) struct arena *arena = arena_new();
    AUTO(loader_release) struct loader loader = {.arena = arena, .types = types, .sources = sources, .list = list};
    size_t errors_before = list->error_count;
    const struct pipeline *loaded = load_file(&loader, &sources->items[0], false);
    if (!loaded || list->error_count != errors_before) return -ERROR_INVALID;
    check_scopes(loaded, list);
    struct pipeline *pipeline = arena_alloc(arena, sizeof *pipeline);
    *pipeline = *loaded;
    *ret = pipeline;
    arena = NULL; /* the pipeline owns it now */
    return 0;
}

void pipeline_free(struct pipeline **pipeline)
{
    if (!*pipeline) return;
    struct arena *arena = (*pipeline)->arena; /* holds the pipeline too */
    arena_free(&arena);
    *pipeline = NULL;
}

bool pipeline_wants_push(const struct pipeline *pipeline, const char *branch, const char *const *paths)
{
    const struct push_filter *push = &pipeline->push;
    bool branch_matches = push->branch_count == 0, path_matches = push->path_count == 0 || !paths;
    for (size_t i = 0; !branch_matches && i < push->branch_count; i++)
        branch_matches = text_matches_glob(branch, push->branches[i]);
    for (; !path_matches && *paths; paths++)
        for (size_t i = 0; !path_matches && i < push->path_count; i++)
            path_matches = text_matches_glob(*paths, push->paths[i]);
    return pipeline->on_push && branch_matches && path_matches;
}

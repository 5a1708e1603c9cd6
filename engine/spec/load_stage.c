/* load_stage.c: `stages:`: each one's own keys, then what it does: steps, a used file or an approval. */
#include "base/json.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/loader.h"

#include <string.h>

static void load_needs(struct file *file, const struct yaml_node *node, uint32_t index)
{
    struct pipeline_stage *stage = &file->stages[index];
    const struct field field = {.name = "needs", .type = FIELD_NAME_LIST, .flags = FIELD_LITERAL};
    if (!node) {
        if (index == 0 || !file->stages[index - 1].id) return;
        struct need *above = arena_alloc(file->reader.arena, sizeof *above);
        *above = (struct need){file->stages[index - 1].id, stage->at};
        stage->needs = above;
        stage->need_count = 1;
        return;
    }
    size_t errors_before = file->reader.list->error_count;
    const json_t *names = arena_own_json(file->reader.arena, fields_read_value(&file->reader, node, &field));
    if (file->reader.list->error_count != errors_before) {
        file->graph_is_broken = true;
        return;
    }
    size_t count = json_array_size(names);
    struct need *needs = arena_alloc_array(file->reader.arena, count, sizeof *needs);
    for (size_t i = 0; i < count; i++)
        needs[i] =
            (struct need){json_string_value(json_array_get(names, i)), node->kind == YAML_LIST ? node->entries[i].value->at : node->at};
    stage->needs = needs;
    stage->need_count = count;
}

static const char *const *load_globs(struct file *file, const struct yaml_entry *entry, size_t *ret_count)
{
    const struct field field = {.name = entry->key->text, .type = FIELD_TEXT_LIST, .flags = FIELD_LITERAL};
    const json_t *list = arena_own_json(file->reader.arena, fields_read_value(&file->reader, entry->value, &field));
    const char **globs = arena_alloc_array(file->reader.arena, json_array_size(list) + 1, sizeof *globs);
    for (size_t i = 0; i < json_array_size(list); i++) {
        globs[i] = json_string_value(json_array_get(list, i));
        bool climbs = strcmp(globs[i], "..") == 0 || text_starts(globs[i], "../") || strstr(globs[i], "/../") || text_ends(globs[i], "/..");
        const struct yaml_node *at =
            entry->value->kind == YAML_LIST && i < entry->value->count ? entry->value->entries[i].value : entry->value;
        if (!*globs[i] || *globs[i] == '/' || climbs)
            diagnostics_add(file->reader.list, "wrong-path", at->at, yaml_width(at), "write a relative path or pattern, like \"build/**\"",
                "\"%s\" is not inside the workspace", yaml_excerpt(file->reader.arena, globs[i]));
    }
    *ret_count = json_array_size(list);
    return globs;
}

static void load_inputs(struct file *file, const struct yaml_node *node, struct pipeline_stage *stage)
{
    if (!node) return;
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(&file->reader, node, "inputs", "a map", "write { STAGE: [\"build/**\"] }");
        return;
    }
    struct input_declaration *inputs = arena_alloc_array(file->reader.arena, node->count, sizeof *inputs);
    for (size_t i = 0; i < node->count; i++) {
        inputs[i] = (struct input_declaration){.stage = node->entries[i].key->text, .at = node->entries[i].key->at};
        inputs[i].globs = load_globs(file, &node->entries[i], &inputs[i].glob_count);
    }
    stage->inputs = inputs;
    stage->input_count = node->count;
}

static void copy_keys(struct file *file, const json_t *read, struct pipeline_stage *stage)
{
    stage->id = json_text(read, "stage", NULL);
    stage->condition = arena_copy_text(file->reader.arena, json_text(read, "if", NULL));
    stage->env = json_object_get(read, "env");
    stage->sandbox = json_object_get(read, "sandbox");
    stage->concurrency = json_object_get(read, "concurrency");
    stage->secrets = json_object_get(read, "secrets");
    stage->timeout_ms = json_whole(read, "timeout", 0);
    stage->checkout = strcmp(json_text(read, "checkout", "clean"), "none") != 0;
    stage->allow_failure = json_flag(read, "allow-failure", false);
    stage->approve = json_object_get(read, "approve");
}

/* It was said, and is likely a misspelt `steps`. */
static bool has_unknown_key(const struct yaml_node *node)
{
    for (size_t i = 0; i < node->count; i++)
        if (!field_find(stage_fields, node->entries[i].key->text)) return true;
    return false;
}

/* Exactly one of steps, use and approve. */
static void load_body(struct file *file, const struct yaml_node *node, uint32_t index)
{
    const struct yaml_entry *steps = yaml_find_entry(node, "steps"), *use = yaml_find_entry(node, "use"),
                            *approve = yaml_find_entry(node, "approve");
    const struct yaml_entry *with = yaml_find_entry(node, "with");
    if ((steps != NULL) + (use != NULL) + (approve != NULL) > 1) {
        const struct yaml_node *key = steps && (!use || steps > use) && (!approve || steps > approve) ? steps->key
                                      : use && (!approve || use > approve)                            ? use->key
                                                                                                      : approve->key;
        diagnostics_add(file->reader.list, "several-bodies", key->at, yaml_width(key), "make two stages of it",
            "a stage has only one of steps, use and approve");
        file->broken[index] = true;
        return;
    }
    if (!steps && !use && !approve) {
        if (!has_unknown_key(node))
            diagnostics_add(
                file->reader.list, "missing-key", node->at, 0, "add what it does: steps:, use: or approve:", "the stage does nothing");
        file->broken[index] = true;
    }
    if (with && !use)
        diagnostics_add(file->reader.list, "unknown-key", with->key->at, 4, "a step's values stand under its type",
            "\"with\" belongs to a stage with \"use\"");
    const struct yaml_entry *secrets = yaml_find_entry(node, "secrets");
    if (secrets && !use)
        diagnostics_add(file->reader.list, "unknown-key", secrets->key->at, yaml_width(secrets->key),
            "declare them at the file's top; a run step gets one by its env: { NAME: \"${{ secrets.NAME }}\" }",
            "\"secrets\" belongs to a stage with \"use\"");
    if (steps) load_steps(file, steps->value, index);
    if (use) load_use(file, node, use->value, index);
}

/* What makes sense only beside steps. */
static void check_unused_keys(struct file *file, const struct yaml_node *node)
{
    static const char *const keys[] = {"env", "sandbox", "checkout", "inputs", "timeout", NULL};
    const char *body = yaml_find(node, "use") ? "use" : yaml_find(node, "approve") ? "approve" : NULL;
    if (!body || yaml_find(node, "steps")) return;
    for (const char *const *name = keys; *name; name++) {
        const struct yaml_entry *entry = yaml_find_entry(node, *name);
        if (entry)
            diagnostics_add(file->reader.list, "misplaced-key", entry->key->at, yaml_width(entry->key),
                strcmp(body, "use") == 0 ? "hand it over as a param: a used file sees nothing of its caller"
                                         : "only expires limits an approval",
                "\"%s\" means nothing beside \"%s\"", *name, body);
    }
}

static void load_stage(struct file *file, const struct yaml_node *node, uint32_t index)
{
    struct pipeline_stage *stage = &file->stages[index];
    file->reader.stage = index;
    file->reader.step = SITE_NONE;
    stage->at = node->at;
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(&file->reader, node, "stages", "a list of maps", "each begins with '- stage: NAME'");
        file->broken[index] = file->graph_is_broken = true;
        return;
    }
    copy_keys(file, fields_read(&file->reader, node, stage_fields, 0, "a stage"), stage);
    if (stage->concurrency) stage->concurrency_at = yaml_find(node, "concurrency")->at;
    if (!stage->id) file->broken[index] = file->graph_is_broken = true;
    const struct yaml_entry *name = yaml_find_entry(node, "stage");
    if (stage->id && !names_add(&file->stage_names, stage->id, index)) {
        diagnostics_add(file->reader.list, "duplicate-id", name->value->at, yaml_width(name->value), "give one of them another name",
            "there are two stages \"%s\"", stage->id);
        file->graph_is_broken = true;
    }
    env_is_sound(&file->reader, yaml_find(node, "env"));
    load_needs(file, yaml_find(node, "needs"), index);
    load_inputs(file, yaml_find(node, "inputs"), stage);
    check_unused_keys(file, node);
    load_body(file, node, index);
}

void load_stages(struct file *file, const struct yaml_node *node)
{
    if (!node) return;
    if (node->kind != YAML_LIST || node->count == 0) {
        fields_add_wrong_list(&file->reader, node, "stages", "stage", "each begins with '- stage: NAME'");
        return;
    }
    if (node->count > LIMIT_STAGES) {
        diagnostics_add(
            file->reader.list, "too-many", node->at, 0, "split the file", "%zu stages; at most %d are allowed", node->count, LIMIT_STAGES);
        return;
    }
    file->stages = arena_alloc_array(file->reader.arena, node->count, sizeof *file->stages);
    file->broken = arena_alloc_array(file->reader.arena, node->count, sizeof *file->broken);
    file->pipeline->stages = file->stages;
    file->pipeline->stage_count = node->count;
    names_init(&file->stage_names, file->reader.arena, node->count);
    for (uint32_t i = 0; i < node->count; i++)
        load_stage(file, node->entries[i].value, i);
}

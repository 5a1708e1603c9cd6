/* load_use.c: `use: NAME`: another file's stages, hygienically (rule 10): it sees only the params that it declares. One level. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/beside.h"
#include "spec/loader.h"

#include <string.h>

/* The source "pipelines/NAME.yaml", or one in whichever folder's pipelines/; the first one wins. */
static const struct source *find_source(const struct source_set *sources, const char *name)
{
    AUTO(free_text) char *path = mem_format("pipelines/%s.yaml", name);
    AUTO(free_text) char *below = mem_format("/%s", path);
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->items[i].name, path) == 0 || text_ends(sources->items[i].name, below)) return &sources->items[i];
    return NULL;
}

/* The names that can be used, for a suggestion. */
static const char *suggest(const struct loader *loader, const char *name)
{
    const char **names = arena_alloc_array(loader->arena, loader->sources->count + 1, sizeof *names);
    size_t count = 0;
    for (size_t i = 1; i < loader->sources->count; i++) {
        const char *path = loader->sources->items[i].name, *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        if (text_ends(base, ".yaml") && !beside_is_domain(path))
            names[count++] = arena_copy_bytes(loader->arena, base, strlen(base) - strlen(".yaml"));
    }
    names[count] = NULL;
    return text_nearest(name, names);
}

static void add_missing(struct file *file, const struct yaml_node *name)
{
    const char *near = suggest(file->loader, name->text);
    AUTO(free_text)
    char *hint = near ? mem_format("did you mean \"%s\"?", near) : mem_format("write pipelines/%s.yaml beside this file", name->text);
    diagnostics_add(file->reader.list, "unknown-use", name->at, yaml_width(name), hint, "there is no pipelines/%s.yaml", name->text);
}

/* NULL when it is broken, which has been said. */
static const struct pipeline *load_used(struct loader *loader, const struct source *source)
{
    for (size_t i = 0; i < loader->used_count; i++)
        if (loader->used[i].name == source->name) return loader->used[i].pipeline;
    const struct pipeline *pipeline = load_file(loader, source, true);
    loader->used = mem_grow(loader->used, &loader->used_capacity, loader->used_count + 1, sizeof *loader->used);
    loader->used[loader->used_count++] = (struct used_file){source->name, pipeline};
    return pipeline;
}

/* Its params as a table of fields, so that `with` is read as everything else is. */
static const struct field *fields_of(struct arena *arena, const struct pipeline *used)
{
    struct field *fields = arena_alloc_array(arena, used->param_count + 1, sizeof *fields);
    for (size_t i = 0; i < used->param_count; i++) {
        const struct param *param = &used->params[i];
        fields[i] = (struct field){.name = param->name,
            .type = param->type,
            .flags = param->fallback ? 0 : FIELD_REQUIRED,
            .min = param->min,
            .max = param->max,
            .choices = param->choices,
            .help = param->help};
    }
    return fields;
}

static void load_with(struct file *file, const struct yaml_node *stage_node, const struct yaml_node *name, uint32_t stage)
{
    const struct yaml_node *with = yaml_find(stage_node, "with");
    const struct yaml_node absent = {.kind = YAML_MAP, .at = name->at};
    AUTO(free_text) char *what = mem_format("\"%s\"", name->text);
    const struct field *fields = fields_of(file->reader.arena, file->stages[stage].used);
    file->stages[stage].with_node = with;
    file->stages[stage].with = fields_read(&file->reader, with ? with : &absent, fields, 0, what);
}

static bool is_given(const struct pipeline *used, const char *name)
{
    for (size_t i = 0; i < used->secret_count; i++)
        if (strcmp(used->secrets[i].name, name) == 0) return true;
    return false;
}

static void check_given_secret(struct file *file, const struct pipeline *used, const struct yaml_entry *entry, const json_t *value)
{
    const char *names[SECRETS_MAX + 1] = {NULL}, *name = entry->key->text, *expression = json_text(value, "$expression", "");
    for (size_t i = 0; i < used->secret_count; i++)
        names[i] = used->secrets[i].name;
    const char *near = text_nearest(name, names);
    AUTO(free_text)
    char *hint = near ? mem_format("did you mean \"%s\"?", near) : mem_format("declare it there: secrets: { %.63s: given }", name);
    if (!is_given(used, name))
        diagnostics_add(file->reader.list, "unknown-secret", entry->key->at, yaml_width(entry->key), hint, "%s has no secret \"%s\"",
            used->file, yaml_excerpt(file->reader.arena, name));
    else if (value && !strstr(expression, "secrets."))
        diagnostics_add(file->reader.list, "wrong-secret", entry->value->at, yaml_width(entry->value),
            "write \"${{ secrets.NAME }}\", and declare NAME at the top of this file", "a secret is handed over by its name in this file");
}

/* Each secret of the used file is one of this file's; that those exist is seen with all other references. */
static void check_secrets(struct file *file, const struct yaml_node *stage_node, const struct yaml_node *name, uint32_t stage)
{
    const struct pipeline *used = file->stages[stage].used;
    const struct yaml_node *node = yaml_find(stage_node, "secrets");
    const json_t *given = file->stages[stage].secrets;
    for (size_t i = 0; node && node->kind == YAML_MAP && i < node->count; i++)
        check_given_secret(file, used, &node->entries[i], json_object_get(given, node->entries[i].key->text));
    for (size_t i = 0; i < used->secret_count; i++) {
        const char *secret = used->secrets[i].name;
        AUTO(free_text) char *hint = mem_format("add to this stage: secrets: { %s: \"${{ secrets.NAME }}\" }", secret);
        if (!json_object_get(given, secret))
            diagnostics_add(
                file->reader.list, "missing-secret", name->at, yaml_width(name), hint, "%s wants the secret \"%s\"", used->file, secret);
    }
}

void load_use(struct file *file, const struct yaml_node *stage_node, const struct yaml_node *name, uint32_t stage)
{
    file->broken[stage] = true;                                       /* until it is there */
    if (name->kind != YAML_TEXT || !text_is_name(name->text)) return; /* said by the reader */
    if (file->is_used) {
        diagnostics_add(file->reader.list, "nested-use", name->at, yaml_width(name), "write the stages out here",
            "a file that is used cannot use another one in this version");
        return;
    }
    const struct source *source = find_source(file->loader->sources, name->text);
    if (!source) {
        add_missing(file, name);
        return;
    }
    if (source == &file->loader->sources->items[0]) {
        diagnostics_add(file->reader.list, "nested-use", name->at, yaml_width(name), "use another file", "a file cannot use itself");
        return;
    }
    file->stages[stage].used = load_used(file->loader, source);
    if (!file->stages[stage].used) return;
    file->broken[stage] = false;
    load_with(file, stage_node, name, stage);
    check_secrets(file, stage_node, name, stage);
}

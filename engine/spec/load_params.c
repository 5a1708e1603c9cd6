/* load_params.c: `params:`: typed values from outside, with defaults and bounds. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/loader.h"
#include "spec/value.h"

#include <string.h>

/* A domain is named; that there is one is seen when a step is to act there. */
static enum field_type type_of(const char *name)
{
    if (strcmp(name, "domain") == 0) return FIELD_NAME;
    for (enum field_type type = FIELD_TEXT; type <= FIELD_ANY; type++)
        if (strcmp(field_type_name(type), name) == 0) return type;
    return FIELD_TEXT;
}

static bool has_bounds(enum field_type type)
{
    return type == FIELD_INTEGER || type == FIELD_NUMBER || type == FIELD_DURATION || type == FIELD_SIZE;
}

/* One bound, in the units of the param's own type. */
static int64_t read_bound(struct file *file, const struct yaml_node *map, const char *key, enum field_type type, int64_t fallback)
{
    const struct field field = {.name = key, .type = type == FIELD_NUMBER ? FIELD_INTEGER : type, .flags = FIELD_LITERAL};
    const struct yaml_node *node = yaml_find(map, key);
    if (!node || yaml_is_empty(node)) return fallback;
    if (!has_bounds(type)) {
        diagnostics_add(file->reader.list, "wrong-bound", node->at, yaml_width(node), "remove it, or give the param another type",
            "a %s has no \"%s\"", field_type_name(type), key);
        return fallback;
    }
    AUTO(free_json) json_t *value = fields_read_value(&file->reader, node, &field);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

static void read_bounds(struct file *file, const struct yaml_node *map, struct param *param)
{
    if (map->kind != YAML_MAP || (!yaml_find(map, "min") && !yaml_find(map, "max"))) return;
    param->min = read_bound(file, map, "min", param->type, param->type == FIELD_INTEGER || param->type == FIELD_NUMBER ? INT64_MIN : 0);
    param->max = read_bound(file, map, "max", param->type, INT64_MAX);
    if (param->min > param->max)
        diagnostics_add(
            file->reader.list, "wrong-bound", param->at, 0, "swap them", "\"min\" of \"%s\" is greater than its \"max\"", param->name);
}

static void read_choices(struct file *file, const json_t *list, struct param *param)
{
    size_t count = json_array_size(list);
    if (!count) return;
    if (param->type != FIELD_TEXT && param->type != FIELD_NAME) {
        diagnostics_add(file->reader.list, "wrong-bound", param->at, 0, "remove type, or choices",
            "only a text has choices, and \"%s\" is %s", param->name, value_type_phrase(param->type));
        return;
    }
    const char **choices = arena_alloc_array(file->reader.arena, count + 1, sizeof *choices);
    for (size_t i = 0; i < count; i++)
        choices[i] = arena_copy_text(file->reader.arena, json_string_value(json_array_get(list, i)));
    param->choices = choices;
    param->type = FIELD_CHOICE;
}

static void load_param(struct file *file, const struct yaml_entry *entry, struct param *param)
{
    static const char *const what = "a param";
    const json_t *read = fields_read(&file->reader, entry->value, param_fields, FIELDS_FILL, what);
    *param = (struct param){.name = entry->key->text,
        .at = entry->key->at,
        .type = type_of(json_text(read, "type", "text")),
        .help = arena_copy_text(file->reader.arena, json_text(read, "help", NULL))};
    read_bounds(file, entry->value, param);
    read_choices(file, json_object_get(read, "choices"), param);
    const struct yaml_node *fallback = yaml_find(entry->value, "default");
    const struct field field = {
        .name = "default", .type = param->type, .flags = FIELD_LITERAL, .min = param->min, .max = param->max, .choices = param->choices};
    if (fallback) param->fallback = arena_own_json(file->reader.arena, fields_read_value(&file->reader, fallback, &field));
}

void load_params(struct file *file, const struct yaml_node *node)
{
    if (!node) return;
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(&file->reader, node, "params", "a map", "write { NAME: { type: text, default: ... } }");
        return;
    }
    if (node->count > PARAMS_MAX) {
        diagnostics_add(
            file->reader.list, "too-many", node->at, 0, "have fewer", "%zu params; at most %d are allowed", node->count, PARAMS_MAX);
        return;
    }
    struct param *params = arena_alloc_array(file->reader.arena, node->count, sizeof *params);
    size_t count = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key;
        if (text_is_name(key->text))
            load_param(file, &node->entries[i], &params[count++]);
        else
            diagnostics_add(file->reader.list, "wrong-name", key->at, yaml_width(key),
                "names are lower-case letters, digits and hyphens, a letter first", "\"%s\" is not a name",
                yaml_excerpt(file->reader.arena, key->text));
    }
    file->pipeline->params = params;
    file->pipeline->param_count = count;
}

/* load_step.c: `steps:`: a step has exactly one key that names its type; the others mean the same on every step. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/beside.h"
#include "spec/loader.h"

#include <string.h>

/* retry.reasons is a bit set by enum reason of the layer above; both are made from reasons.def. */
enum retry_reason {
#define REASON(name, exit, help) RETRY_ON_##name,
#include "crescendo/reasons.def"
#undef REASON
};

/* What the engine adds by itself nobody writes. */
static bool is_internal(const char *name)
{
    return strcmp(name, "checkout") == 0 || strcmp(name, "approve") == 0;
}

static const struct step_type *find_type(const struct file *file, const char *name)
{
    for (step_types *type = file->loader->types; *type; type++)
        if (strcmp((*type)->name, name) == 0 && !is_internal(name)) return *type;
    return NULL;
}

enum { CANDIDATES_MAX = 128 };

static void add_unknown_key(struct file *file, const struct yaml_node *key)
{
    const char *names[CANDIDATES_MAX + 1];
    size_t count = 0;
    for (step_types *type = file->loader->types; *type && count < CANDIDATES_MAX / 2; type++)
        if (!is_internal((*type)->name)) names[count++] = (*type)->name;
    for (const struct field *field = step_fields; field->name && count < CANDIDATES_MAX; field++)
        if (!(field->flags & FIELD_LATER)) names[count++] = field->name;
    names[count] = NULL;
    fields_add_unknown_key(&file->reader, key, "a step", names);
}

static bool is_later_type(const char *name)
{
    for (const char *const *later = later_step_types; *later; later++)
        if (strcmp(*later, name) == 0) return true;
    return false;
}

/* `shell: bash` beside `run: make`: a key of the type's own map. The hint shows where it goes. */
static void add_misplaced_key(struct file *file, const struct yaml_entry *entry, const struct step_type *type)
{
    const struct field *brief = field_short(type->fields);
    const char *key = entry->key->text, *value = entry->value->kind == YAML_TEXT ? entry->value->text : "";
    bool fits = *value && strlen(value) <= 40 && !strpbrk(value, "{}[],:#\"'\n");
    AUTO(text_release) struct text hint = {0};
    text_add_format(&hint, "write %s: { ", type->name);
    if (brief) text_add_format(&hint, "%s: ", brief->name);
    text_add_format(&hint, "..., %s: %s }", key, fits ? value : "...");
    diagnostics_add(file->reader.list, "misplaced-key", entry->key->at, yaml_width(entry->key), text_view(&hint),
        "\"%s\" is a key of \"%s\": it stands inside of it", key, type->name);
}

/* A key that no step has. type: the step's, or NULL. */
static void add_wrong_key(struct file *file, const struct yaml_entry *entry, const struct step_type *type)
{
    if (type && field_find(type->fields, entry->key->text))
        add_misplaced_key(file, entry, type);
    else if (is_later_type(entry->key->text))
        fields_add_later(&file->reader, entry->key);
    else
        add_unknown_key(file, entry->key);
}

static const struct step_type *first_type(const struct file *file, const struct yaml_node *node)
{
    const struct step_type *type = NULL;
    for (size_t i = 0; !type && i < node->count; i++)
        type = find_type(file, node->entries[i].key->text);
    return type;
}

/* The entry that names the step's type; NULL after a mistake. */
static const struct yaml_entry *find_type_entry(struct file *file, const struct yaml_node *node, const struct step_type **ret)
{
    const struct yaml_entry *found = NULL;
    const struct step_type *first = first_type(file, node);
    bool unknown = false, several = false;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key;
        const struct step_type *type = find_type(file, key->text);
        if (!type && field_find(step_fields, key->text)) continue;
        if (!type) {
            add_wrong_key(file, &node->entries[i], first);
            unknown = true;
        } else if (found) {
            diagnostics_add(file->reader.list, "several-types", key->at, yaml_width(key), "make two steps of it",
                "the step is of type \"%s\" already", found->key->text);
            several = true;
        } else {
            found = &node->entries[i];
            *ret = type;
        }
    }
    if (!found && !unknown)
        diagnostics_add(
            file->reader.list, "missing-type", node->at, 0, "add the key that names its type, like 'run: make'", "the step does nothing");
    return several ? NULL : found;
}

static struct retry read_retry(const json_t *read)
{
    static const struct {
        const char *name;
        unsigned bit;
    } reasons[] = {{"worker_lost", 1u << RETRY_ON_worker_lost}, {"timeout", 1u << RETRY_ON_timeout}, {"failed", 1u << RETRY_ON_failed}};
    struct retry retry = {.times = (unsigned)json_whole(read, "times", 0), .wait_ms = json_whole(read, "wait", 0)};
    const json_t *on = json_object_get(read, "on"), *reason;
    size_t i;
    json_array_foreach(on, i, reason)
    {
        for (size_t k = 0; k < COUNT_OF(reasons); k++)
            if (text_equal(json_string_value(reason), reasons[k].name)) retry.reasons |= reasons[k].bit;
    }
    return retry;
}

static void declare_output(
    struct file *file, struct pipeline_step *step, struct output_declaration *outputs, const char *name, const struct yaml_node *node)
{
    if (output_find(outputs, step->output_count, name))
        diagnostics_add(
            file->reader.list, "duplicate-id", node->at, yaml_width(node), "name it once", "the output \"%s\" is declared twice", name);
    else
        outputs[step->output_count++] = (struct output_declaration){.name = name, .at = node->at};
}

/* Of a run step what `outputs:` names, else what the type's table has. */
static void load_step_outputs(struct file *file, const struct yaml_entry *entry, struct pipeline_step *step)
{
    const struct field field = {.name = "outputs", .type = FIELD_NAME_LIST, .flags = FIELD_LITERAL};
    size_t table = 0;
    while (step->type->outputs && step->type->outputs[table].name)
        table++;
    if (step->type->outputs && entry)
        diagnostics_add(file->reader.list, "misplaced-key", entry->key->at, yaml_width(entry->key),
            "remove it; docs/reference/pipeline.md lists its outputs", "a step of type \"%s\" has outputs of its own", step->type->name);
    const json_t *names =
        !step->type->outputs && entry ? arena_own_json(file->reader.arena, fields_read_value(&file->reader, entry->value, &field)) : NULL;
    if (entry && json_array_size(names) > OUTPUTS_MAX) {
        diagnostics_add(file->reader.list, "too-many", entry->value->at, 0, "have fewer", "%zu outputs; at most %d are allowed",
            json_array_size(names), OUTPUTS_MAX);
        return;
    }
    struct output_declaration *outputs = arena_alloc_array(file->reader.arena, table + json_array_size(names), sizeof *outputs);
    for (size_t i = 0; i < table; i++)
        outputs[step->output_count++] = (struct output_declaration){.name = step->type->outputs[i].name, .at = step->at};
    for (size_t i = 0; entry && i < json_array_size(names); i++) {
        const struct yaml_node *list = entry->value;
        bool in_step = list->kind == YAML_LIST && i < list->count; /* after a bad item the rest is shifted, and an error anyway */
        declare_output(file, step, outputs, json_string_value(json_array_get(names, i)), in_step ? list->entries[i].value : list);
    }
    step->outputs = outputs;
}

static void load_with(struct file *file, const struct yaml_entry *entry, struct pipeline_step *step)
{
    AUTO(text_release) struct text what = {0};
    text_add(&what, "a step of type \"");
    text_add(&what, step->type->name);
    text_add_char(&what, '"');
    size_t errors_before = file->reader.list->error_count;
    step->with = fields_read(&file->reader, entry->value, step->type->fields, FIELDS_FILL, text_view(&what));
    step->with_node = entry->value;
    const char *domain = step_type_domain_key(step->type);
    const struct yaml_node *named = domain && entry->value->kind == YAML_MAP ? yaml_find(entry->value, domain) : NULL;
    step->domain_at = named ? named->at : step->at;
    if (step->type->check && file->reader.list->error_count == errors_before) {
        int failed = step->type->check(step->with, entry->value->at, file->reader.list);
        if (failed && file->reader.list->error_count == errors_before) /* it said nothing itself */
            diagnostics_add(file->reader.list, "wrong-value", entry->value->at, 0, NULL, "these values do not fit a step of type \"%s\"",
                step->type->name);
    }
}

static void load_step(struct file *file, const struct yaml_node *node, struct pipeline_step *step)
{
    step->at = node->at;
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(&file->reader, node, "steps", "a list of maps", "write '- run: COMMAND'");
        return;
    }
    const struct yaml_entry *type = find_type_entry(file, node, &step->type);
    bool says_more = !type || node->count > 1; /* most steps of a long list are their type and nothing else */
    const json_t *read = says_more ? fields_read(&file->reader, node, step_fields, FIELDS_IGNORE_UNKNOWN, "a step") : NULL;
    step->id = json_text(read, "id", NULL);
    step->title = json_text(read, "name", NULL);
    step->condition = json_text(read, "if", NULL);
    step->env = json_object_get(read, "env");
    step->sandbox = json_object_get(read, "sandbox");
    step->timeout_ms = json_whole(read, "timeout", 0);
    step->retry = read_retry(json_object_get(read, "retry"));
    step->allow_failure = json_flag(read, "allow-failure", false);
    env_is_sound(&file->reader, yaml_find(node, "env"));
    if (!type) return;
    load_with(file, type, step);
    load_step_outputs(file, yaml_find_entry(node, "outputs"), step);
}

/* TYPE-NUMBER */
static const char *make_id(struct arena *arena, const char *type, uint32_t number)
{
    AUTO(text_release) struct text id = {0};
    text_add(&id, type);
    text_add_char(&id, '-');
    json_add_whole(&id, number);
    return arena_copy_bytes(arena, id.bytes, id.size);
}

/* Given ids first, so that a made one never takes a given one's name. */
static void name_steps(struct file *file, const struct yaml_node *node, struct pipeline_step *steps)
{
    struct name_table taken, next; /* next: by type, the number to try */
    names_init(&taken, file->reader.arena, node->count);
    for (uint32_t i = 0; i < node->count; i++) {
        if (!steps[i].id || names_add(&taken, steps[i].id, i)) continue;
        const struct yaml_node *id = yaml_find(node->entries[i].value, "id");
        diagnostics_add(file->reader.list, "duplicate-id", id->at, yaml_width(id), "give one of them another id",
            "there are two steps \"%s\" in the stage", steps[i].id);
    }
    names_init(&next, file->reader.arena, node->count);
    for (uint32_t i = 0, number; i < node->count; i++) {
        if (steps[i].id || !steps[i].type) continue;
        const char *type = steps[i].type->name, *id = type;
        number = 2;
        names_find(&next, type, &number);
        while (!names_add(&taken, id, i))
            id = make_id(file->reader.arena, type, number++);
        names_set(&next, type, number);
        steps[i].id = id;
    }
}

void load_steps(struct file *file, const struct yaml_node *node, uint32_t stage)
{
    if (node->kind != YAML_LIST || node->count == 0) {
        fields_add_wrong_list(&file->reader, node, "steps", "step", "write '- run: COMMAND'");
        file->broken[stage] = true;
        return;
    }
    if (node->count > LIMIT_STEPS) {
        diagnostics_add(
            file->reader.list, "too-many", node->at, 0, "split the stage", "%zu steps; at most %d are allowed", node->count, LIMIT_STEPS);
        return;
    }
    struct pipeline_step *steps = arena_alloc_array(file->reader.arena, node->count, sizeof *steps);
    for (uint32_t i = 0; i < node->count; i++) {
        file->reader.step = i;
        load_step(file, node->entries[i].value, &steps[i]);
        if (!steps[i].type) file->broken[stage] = true;
    }
    file->reader.step = SITE_NONE;
    name_steps(file, node, steps);
    file->stages[stage].steps = steps;
    file->stages[stage].step_count = node->count;
}

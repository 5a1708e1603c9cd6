/* external_table.c: turns the JSON table of an external step type into a struct step_type. */
#include "external_table.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

enum { TABLE_BYTES_MAX = 256 * 1024, TABLE_FIELDS_MAX = 200 };

static const char *const type_names[] = {
    [FIELD_TEXT] = "text",
    [FIELD_NAME] = "name",
    [FIELD_PATH] = "path",
    [FIELD_BOOLEAN] = "boolean",
    [FIELD_INTEGER] = "integer",
    [FIELD_NUMBER] = "number",
    [FIELD_DURATION] = "duration",
    [FIELD_SIZE] = "size",
    [FIELD_CHOICE] = "choice",
    [FIELD_TEXT_LIST] = "text-list",
    [FIELD_NAME_LIST] = "name-list",
    [FIELD_TEXT_MAP] = "text-map",
    [FIELD_ANY] = "any",
};

/* What is known of a type whose program has no table beside it. */
static const struct field any_fields[] = {
    {.name = "value", .type = FIELD_ANY, .flags = FIELD_SHORT, .help = "Handed to the program as it is written"},
    FIELD_END,
};

/* The file being read and where its texts go. */
struct reading {
    const char *file;
    struct arena *arena;
};

static int wrong(const struct reading *reading, struct error *err, const char *problem, const char *what)
{
    error_set(err, ERROR_INVALID, NOWHERE, "%s: %s%s%s", reading->file, problem, what ? ": " : "", what ? what : "");
    return error_hint(err, "the keys of a step's table are listed in docs/how-to/write-a-step.md");
}

static int read_type(const struct reading *reading, const json_t *item, enum field_type *ret, struct error *err)
{
    const char *name = json_text(item, "type", "text");
    for (size_t i = 0; i < COUNT_OF(type_names); i++) {
        if (!type_names[i] || strcmp(type_names[i], name) != 0) continue;
        *ret = (enum field_type)i;
        return 0;
    }
    return wrong(reading, err, "there is no such type of field", name);
}

static const char *const *read_choices(const struct reading *reading, const json_t *choices)
{
    size_t index, count = json_array_size(choices);
    const char **list = arena_alloc_array(reading->arena, count + 1, sizeof *list);
    json_t *choice;
    json_array_foreach(choices, index, choice)
    {
        if (!json_is_string(choice)) return NULL;
        list[index] = arena_copy_text(reading->arena, json_string_value(choice));
    }
    return count ? list : NULL;
}

static int read_field(const struct reading *reading, const json_t *item, struct field *ret, struct error *err)
{
    const char *name = json_text(item, "name", NULL);
    if (!name || !text_is_name(name)) return wrong(reading, err, "a field needs a name of a-z, 0-9 and -", name);
    int failed = read_type(reading, item, &ret->type, err);
    if (failed) return failed;
    ret->name = arena_copy_text(reading->arena, name);
    ret->help = arena_copy_text(reading->arena, json_text(item, "help", ""));
    ret->fallback = arena_copy_text(reading->arena, json_text(item, "default", NULL));
    ret->min = json_whole(item, "min", 0);
    ret->max = json_whole(item, "max", 0);
    ret->flags = (json_flag(item, "required", false) ? FIELD_REQUIRED : 0U) | (json_flag(item, "short", false) ? FIELD_SHORT : 0U);
    ret->choices = read_choices(reading, json_object_get(item, "choices"));
    if (ret->type == FIELD_CHOICE && !ret->choices) return wrong(reading, err, "a choice needs \"choices\", a list of texts", name);
    return 0;
}

static bool name_repeats(const struct field *fields, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(fields[i].name, fields[index].name) == 0) return true;
    return false;
}

/* A list of fields under key; absent is an empty list. */
static int read_fields(const struct reading *reading, const json_t *table, const char *key, const struct field **ret, struct error *err)
{
    const json_t *list = json_object_get(table, key);
    size_t index, count = json_array_size(list), short_count = 0;
    if (list && !json_is_array(list)) return wrong(reading, err, "must be a list", key);
    if (count > TABLE_FIELDS_MAX) return wrong(reading, err, "has more than 200 entries", key);
    struct field *fields = arena_alloc_array(reading->arena, count + 1, sizeof *fields);
    json_t *item;
    json_array_foreach(list, index, item)
    {
        int failed = read_field(reading, item, &fields[index], err);
        if (failed) return failed;
        if (name_repeats(fields, index)) return wrong(reading, err, "a name stands twice", fields[index].name);
        short_count += (fields[index].flags & FIELD_SHORT) != 0;
    }
    if (short_count > 1) return wrong(reading, err, "only one field may be \"short\"", NULL);
    *ret = fields;
    return 0;
}

/* Nothing more can be known before the program runs; what matters is that the plan shows it and `intend` is allowed. */
static int describe_effects(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    (void)planned, (void)err;
    json_t *effects = json_array(), *effect = json_object();
    json_put_text(effect, "name", "external");
    json_put_text(effect, "target", "outside");
    json_put_text(effect, "summary", "changes something outside; what, is known when it runs");
    json_array_append_new(effects, effect);
    *ret_effects = effects;
    return 0;
}

/* "effects": [{name, target, summary, compensation, pivot}]: the plan has them as they stand, so that they can be undone by name. */
static int check_effects(const struct reading *reading, const json_t *effects, struct error *err)
{
    size_t index;
    json_t *effect;
    json_array_foreach(effects, index, effect)
    {
        const char *name = json_text(effect, "name", NULL);
        if (!name || !*name) return wrong(reading, err, "an effect needs a name", NULL);
        if (!json_text(effect, "target", NULL) || !json_text(effect, "summary", NULL))
            return wrong(reading, err, "an effect needs a target and a summary", name);
    }
    return 0;
}

static int read_table(const struct reading *reading, const json_t *table, struct step_type *type, struct error *err)
{
    if (!json_is_object(table)) return wrong(reading, err, "must hold an object", NULL);
    type->summary = arena_copy_text(reading->arena, json_text(table, "summary", "An external step"));
    json_t *effects = json_object_get(table, "effects");
    int failed = check_effects(reading, effects, err);
    if (failed) return failed;
    if (json_is_true(effects)) type->describe = describe_effects;
    if (json_array_size(effects)) type->effects = arena_own_json(reading->arena, json_incref(effects));
    failed = read_fields(reading, table, "fields", &type->fields, err);
    return failed ? failed : read_fields(reading, table, "outputs", &type->outputs, err);
}

int external_table_read(const char *program, const char *name, struct arena *arena, struct step_type **ret, struct error *err)
{
    struct reading reading = {.file = arena_format(arena, "%s.json", program), .arena = arena};
    struct step_type *type = arena_alloc(arena, sizeof *type);
    *type = (struct step_type){.name = arena_copy_text(arena, name), .summary = "An external step", .fields = any_fields};
    if (file_exists(reading.file)) {
        AUTO(free_text) char *bytes = NULL;
        AUTO(free_json) json_t *table = NULL;
        size_t size = 0;
        int failed = file_read(reading.file, TABLE_BYTES_MAX, &bytes, &size, err);
        if (!failed) failed = json_parse(bytes, size, reading.file, &table, err);
        if (!failed) failed = read_table(&reading, table, type, err);
        if (failed) return failed;
    }
    *ret = type;
    return 0;
}

static const char refused_prefix[] = "nothing: ";

/* The only field's name says what is wrong: a pure function of `with` has nowhere else to find it. */
static int refuse_step(const json_t *with, struct location at, struct diagnostics *list)
{
    const char *key = json_object_iter_key(json_object_iter((json_t *)with));
    diagnostics_add(list, "wrong-table", at, 0, "correct the table of this step type", "this step type cannot be used: %s",
        key ? key + strlen(refused_prefix) : "its table is wrong");
    return -ERROR_INVALID;
}

struct step_type *external_table_refuse(const char *name, const struct error *mistake, struct arena *arena)
{
    struct field *fields = arena_alloc_array(arena, 2, sizeof *fields);
    fields[0] = (struct field){.name = arena_format(arena, "%s%s", refused_prefix, mistake->message),
        .type = FIELD_ANY,
        .flags = FIELD_SHORT,
        .fallback = "wrong",
        .help = "Its table is wrong"};
    struct step_type *type = arena_alloc(arena, sizeof *type);
    *type = (struct step_type){.name = arena_copy_text(arena, name), .summary = "Cannot be used", .fields = fields, .check = refuse_step};
    return type;
}

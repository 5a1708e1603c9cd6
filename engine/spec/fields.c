/* fields.c: a YAML node and a table of fields → typed JSON, with every mistake in the list.
   One mistake never hides the next: a bad value is left out and the reading goes on. Recursion follows the YAML tree,
   whose depth is limited. */
#include "spec/fields.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/value.h"

#include <string.h>

enum { CANDIDATES_MAX = 64 };

const struct field *field_find(const struct field *fields, const char *name)
{
    for (; fields && fields->name; fields++)
        if (strcmp(fields->name, name) == 0) return fields;
    return NULL;
}

static void put_item(json_t *list, json_t *item)
{
    if (item) json_array_append_new(list, item);
}

static const char *kind_phrase(const struct yaml_node *node)
{
    if (yaml_is_empty(node)) return "nothing";
    return node->kind == YAML_LIST ? "a list" : node->kind == YAML_MAP ? "a map" : "text";
}

void fields_add_wrong_list(struct reader *reader, const struct yaml_node *node, const char *name, const char *item, const char *hint)
{
    AUTO(free_text) char *wanted = mem_format("a list of %ss", item);
    if (node->kind != YAML_LIST)
        fields_add_wrong_kind(reader, node, name, wanted, hint);
    else
        diagnostics_add(
            reader->list, "missing-value", node->at, yaml_width(node), hint, "\"%s\" is empty: it needs at least one %s", name, item);
}

void fields_add_wrong_kind(struct reader *reader, const struct yaml_node *node, const char *name, const char *wanted, const char *hint)
{
    diagnostics_add(reader->list, yaml_is_empty(node) ? "missing-value" : "wrong-type", node->at, yaml_width(node), hint,
        "\"%s\" must be %s, not %s", yaml_excerpt(reader->arena, name), wanted, kind_phrase(node));
}

void fields_add_unknown_key(struct reader *reader, const struct yaml_node *key, const char *what, const char *const *candidates)
{
    if (key->plain && strcmp(key->text, "<<") == 0) return;                                /* said by the reader of YAML */
    const char *near = reader->list->dropped ? NULL : text_nearest(key->text, candidates); /* enough said: save the time */
    AUTO(text_release) struct text hint = {0};
    if (near)
        text_add_format(&hint, "did you mean \"%s\"?", near);
    else
        text_add(&hint, "it may have: ");
    for (const char *const *name = candidates; !near && *name; name++)
        text_add_format(&hint, "%s%s", name == candidates ? "" : ", ", *name);
    diagnostics_add(reader->list, "unknown-key", key->at, yaml_width(key), text_view(&hint), "%s has no key \"%s\"", what,
        yaml_excerpt(reader->arena, key->text));
}

const struct field *field_short(const struct field *fields)
{
    for (; fields && fields->name; fields++)
        if (fields->flags & FIELD_SHORT) return fields;
    return NULL;
}

static const char *example_of(enum field_type type)
{
    switch (type) {
    case FIELD_TEXT_LIST:
    case FIELD_NAME_LIST: return "[NAME]";
    case FIELD_PERCENT_LIST: return "[5%]";
    case FIELD_OBJECT_LIST: return "[{ KEY: VALUE }]";
    case FIELD_TEXT_MAP: return "{ NAME: TEXT }";
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_PATH:
    case FIELD_BOOLEAN:
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_PERCENT:
    case FIELD_CPU:
    case FIELD_BITRATE:
    case FIELD_RATE:
    case FIELD_LATENCY:
    case FIELD_CHOICE:
    case FIELD_CONDITION:
    case FIELD_OBJECT:
    case FIELD_OBJECT_MAP:
    case FIELD_ANY: break;
    }
    return "VALUE";
}

/* The smallest map that would do, for a hint. */
static const char *smallest_map(struct arena *arena, const struct field *fields)
{
    AUTO(text_release) struct text out = {0};
    for (; fields->name; fields++)
        if (fields->flags & FIELD_REQUIRED) text_add_format(&out, "%s%s: %s", out.size ? ", " : "", fields->name, example_of(fields->type));
    return out.size ? arena_format(arena, "write it like { %s }", text_view(&out)) : "write { key: value }; {} is the empty one";
}

static void add_error(struct reader *reader, const struct yaml_node *node, const struct error *err)
{
    const char *code = err->code == ERROR_LIMIT ? "out-of-bounds" : err->code == ERROR_UNSUPPORTED ? "not-in-this-version" : "wrong-type";
    diagnostics_add(reader->list, code, node->at, yaml_width(node), err->hint[0] ? err->hint : NULL, "%s", err->message);
}

static json_t *read_scalar(struct reader *reader, const struct yaml_node *node, const struct field *field)
{
    if (node->kind != YAML_TEXT) {
        fields_add_wrong_kind(reader, node, field->name, value_type_phrase(field->type), value_type_hint(field->type));
        return NULL;
    }
    AUTO(free_json) json_t *text = template_read(reader, node, field);
    if (!text || json_is_object(text)) return take(&text);
    struct error err;
    json_t *value;
    if (value_from_text(field, json_string_value(text), &value, &err) == 0) return value;
    struct error shown = err;
    if (strchr(shown.message, '\n')) /* a long text: say less */
        error_set(&shown, err.code, NOWHERE, "\"%s\" must be %s", field->name, value_type_phrase(field->type));
    memcpy(shown.hint, err.hint, sizeof shown.hint);
    add_error(reader, node, &shown);
    return NULL;
}

static json_t *read_list(struct reader *reader, const struct yaml_node *node, const struct field *field)
{
    struct field item = value_item_field(field);
    if (node->kind == YAML_MAP) {
        fields_add_wrong_kind(reader, node, field->name, value_type_phrase(field->type), "write [one, two]");
        return NULL;
    }
    if (node->kind == YAML_TEXT && strstr(node->text, "${{") && !strstr(node->text, "$${{") && !(field->flags & FIELD_LITERAL)) {
        json_t *whole = template_read(reader, node, field);
        return whole;
    }
    if (node->kind == YAML_LIST && !node->count && field->flags & FIELD_REQUIRED) {
        fields_add_wrong_list(reader, node, field->name, "name", field->help);
        return NULL;
    }
    json_t *list = json_array();
    if (node->kind == YAML_TEXT) put_item(list, read_scalar(reader, node, &item));
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *value = node->entries[i].value;
        if (yaml_is_empty(value))
            fields_add_wrong_kind(reader, value, field->name, "a list without empty items", "remove the '-', or write text behind it");
        else
            put_item(list, read_scalar(reader, value, &item));
    }
    return list;
}

static bool key_is_free(struct reader *reader, const struct yaml_node *key)
{
    if (key->text[0] != '$' && !strstr(key->text, "${{")) return true;
    diagnostics_add(reader->list, "wrong-key", key->at, yaml_width(key), "expressions stand in values only",
        "a key cannot begin with $ or hold ${{ }}");
    return false;
}

static json_t *read_text_map(struct reader *reader, const struct yaml_node *node, const struct field *field)
{
    struct field value = {.name = field->name, .type = FIELD_TEXT, .flags = field->flags, .choices = field->choices};
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(reader, node, field->name, "a map", "write { NAME: text }");
        return NULL;
    }
    json_t *map = json_object();
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        if (!key_is_free(reader, entry->key)) continue;
        value.name = entry->key->text;
        if (yaml_is_empty(entry->value))
            fields_add_wrong_kind(reader, entry->value, value.name, "text", "write \"\" for an empty text");
        else
            json_put(map, entry->key->text, read_scalar(reader, entry->value, &value));
    }
    return map;
}

static json_t *read_object_map(struct reader *reader, const struct yaml_node *node, const struct field *field)
{
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(reader, node, field->name, "a map", "write { NAME: { key: value } }");
        return NULL;
    }
    json_t *map = json_object();
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        if (!text_is_name(entry->key->text))
            diagnostics_add(reader->list, "wrong-name", entry->key->at, yaml_width(entry->key),
                "names are lower-case letters, digits and hyphens, a letter first", "\"%s\" is not a name",
                yaml_excerpt(reader->arena, entry->key->text));
        else
            json_put(map, entry->key->text, json_incref(fields_read(reader, entry->value, field->fields, FIELDS_FILL, field->name)));
    }
    return map;
}

static json_t *read_object_list(struct reader *reader, const struct yaml_node *node, const struct field *field)
{
    if (node->kind != YAML_LIST || !node->count) {
        fields_add_wrong_list(reader, node, field->name, "map", value_type_hint(field->type));
        return NULL;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < node->count; i++)
        json_array_append(list, fields_read(reader, node->entries[i].value, field->fields, FIELDS_FILL, field->name));
    return list;
}

/* Anything: scalars are text. */
static json_t *read_any(struct reader *reader, const struct yaml_node *node, const struct field *field)
{
    if (node->kind == YAML_TEXT) return read_scalar(reader, node, field);
    json_t *value = node->kind == YAML_LIST ? json_array() : json_object();
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        if (entry->key && !key_is_free(reader, entry->key)) continue;
        json_t *item = read_any(reader, entry->value, field);
        if (entry->key)
            json_put(value, entry->key->text, item);
        else
            put_item(value, item);
    }
    return value;
}

json_t *fields_read_value(struct reader *reader, const struct yaml_node *node, const struct field *field)
{
    if (yaml_is_empty(node)) {
        fields_add_wrong_kind(reader, node, field->name, value_type_phrase(field->type), "write a value behind the ':', or remove the key");
        return NULL;
    }
    switch (field->type) {
    case FIELD_TEXT_LIST:
    case FIELD_NAME_LIST:
    case FIELD_PERCENT_LIST: return read_list(reader, node, field);
    case FIELD_TEXT_MAP: return read_text_map(reader, node, field);
    case FIELD_OBJECT: return json_incref(fields_read(reader, node, field->fields, FIELDS_FILL, field->name));
    case FIELD_OBJECT_MAP: return read_object_map(reader, node, field);
    case FIELD_OBJECT_LIST: return read_object_list(reader, node, field);
    case FIELD_ANY: return read_any(reader, node, field);
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_PATH:
    case FIELD_BOOLEAN:
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_PERCENT:
    case FIELD_CPU:
    case FIELD_BITRATE:
    case FIELD_RATE:
    case FIELD_LATENCY:
    case FIELD_CHOICE:
    case FIELD_CONDITION: return read_scalar(reader, node, field);
    }
    return NULL;
}

static void add_unknown(struct reader *reader, const struct yaml_node *key, const struct field *fields, const char *what)
{
    const char *names[CANDIDATES_MAX + 1];
    size_t count = 0;
    for (; fields->name && count < CANDIDATES_MAX; fields++)
        if (!(fields->flags & FIELD_LATER)) names[count++] = fields->name;
    names[count] = NULL;
    fields_add_unknown_key(reader, key, what, names);
}

void fields_add_later(struct reader *reader, const struct yaml_node *key)
{
    diagnostics_add(reader->list, "not-in-this-version", key->at, yaml_width(key), "remove it until a version has it",
        "\"%s\" is in the language, but not in this version", key->text);
}

static void read_entry(struct reader *reader, const struct yaml_entry *entry, const struct field *field, json_t *object)
{
    if (field->flags & FIELD_LATER)
        fields_add_later(reader, entry->key);
    else if (!(field->flags & FIELD_RAW))
        json_put(object, field->name, fields_read_value(reader, entry->value, field));
}

/* Is one of the keys, unknown as it is, meant to be this one? That has been said then. */
static bool is_misspelt(const struct yaml_node *node, const struct field *fields, const char *name)
{
    const char *const names[] = {name, NULL};
    for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++)
        if (!field_find(fields, node->entries[i].key->text) && text_nearest(node->entries[i].key->text, names)) return true;
    return false;
}

/* What was not written: required ones are missed, others get their fallback. */
static void complete(
    struct reader *reader, const struct yaml_node *node, const struct field *fields, unsigned flags, const char *what, json_t *object)
{
    for (const struct field *field = fields; field->name; field++) {
        json_t *value;
        bool is_required = field->flags & FIELD_REQUIRED, is_filled = flags & FIELDS_FILL && field->fallback;
        if (!is_required && !is_filled) continue;
        if (node->kind == YAML_MAP ? yaml_find(node, field->name) != NULL : (field->flags & FIELD_SHORT) != 0) continue;
        if (is_required && !is_misspelt(node, fields, field->name))
            diagnostics_add(reader->list, "missing-key", node->at, 0, field->help, "%s needs the key \"%s\"", what, field->name);
        else if (is_filled && value_from_text(field, field->fallback, &value, NULL) == 0)
            json_put(object, field->name, value);
    }
}

json_t *fields_read(struct reader *reader, const struct yaml_node *node, const struct field *fields, unsigned flags, const char *what)
{
    json_t *object = arena_own_json(reader->arena, json_object());
    const struct field *brief = field_short(fields);
    if (node->kind != YAML_MAP && brief && !yaml_is_empty(node)) {
        json_put(object, brief->name, fields_read_value(reader, node, brief));
    } else if (node->kind != YAML_MAP) {
        diagnostics_add(reader->list, yaml_is_empty(node) ? "missing-value" : "wrong-type", node->at, yaml_width(node),
            brief ? "write a value behind the ':'" : smallest_map(reader->arena, fields), "%s must be %s, not %s", what,
            brief ? value_type_phrase(brief->type) : "a map", kind_phrase(node));
        return object;
    }
    for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        const struct field *field = field_find(fields, entry->key->text);
        if (field)
            read_entry(reader, entry, field, object);
        else if (!(flags & FIELDS_IGNORE_UNKNOWN))
            add_unknown(reader, entry->key, fields, what);
    }
    complete(reader, node, fields, flags, what, object);
    return object;
}

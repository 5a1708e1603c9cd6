/* schema.c: the JSON schema of pipeline files. YAML for editors has types by looks, we have none (rule 1): where text is meant, a
   number or a boolean is text too, so the schema allows it. Where ${{ }} may stand, text that holds one is allowed. */
#include "spec/schema.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/fields.h"
#include "spec/value.h"

#include <string.h>

static json_t *table_schema(const struct field *fields);

static json_t *type_of(const char *name)
{
    return json_pack("{s:s}", "type", name);
}

static json_t *pattern_of(const char *pattern)
{
    return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static json_t *any_scalar(void)
{
    return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
}

static json_t *choices_of(const char *const *choices)
{
    json_t *all = json_array();
    for (; *choices; choices++)
        json_array_append_new(all, json_string(*choices));
    return json_pack("{s:o}", "enum", all);
}

static json_t *any_of(json_t *a, json_t *b)
{
    return json_pack("{s:[o, o]}", "anyOf", a, b);
}

static json_t *list_of(json_t *item)
{
    return any_of(json_incref(item), json_pack("{s:s, s:o}", "type", "array", "items", item));
}

static json_t *integer_schema(const struct field *field)
{
    json_t *schema = type_of("integer");
    if (!field->min && !field->max) return schema;
    json_put_whole(schema, "minimum", field->min);
    json_put_whole(schema, "maximum", field->max);
    return schema;
}

static json_t *percent_schema(void)
{
    return pattern_of("^[0-9]+(\\.[0-9]+)?%$");
}

static json_t *map_of(json_t *value)
{
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", value);
}

static json_t *type_schema(const struct field *field)
{
    switch (field->type) {
    case FIELD_TEXT: return field->choices ? choices_of(field->choices) : any_scalar();
    case FIELD_NAME: return pattern_of("^[a-z][a-z0-9-]{0,62}$");
    case FIELD_PATH:
    case FIELD_CONDITION: return any_scalar();
    case FIELD_BOOLEAN: return type_of("boolean");
    case FIELD_INTEGER: return integer_schema(field);
    case FIELD_NUMBER: return type_of("number");
    case FIELD_DURATION: return pattern_of("^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$");
    case FIELD_SIZE: return any_of(type_of("integer"), pattern_of("^[0-9]+(\\.[0-9]+)?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)?$"));
    case FIELD_PERCENT: return percent_schema();
    case FIELD_CPU: return any_of(type_of("number"), pattern_of("^[0-9]+(\\.[0-9]+)?m?$"));
    case FIELD_BITRATE: return pattern_of("^[0-9]+(\\.[0-9]+)?(bps|kbps|Mbps|Gbps)$");
    case FIELD_RATE: return pattern_of("^[0-9]+(\\.[0-9]+)?/(s|m|h)$");
    case FIELD_LATENCY: return pattern_of("^[0-9]+(\\.[0-9]+)?(us|ms|s)$");
    case FIELD_CHOICE: return choices_of(field->choices);
    case FIELD_TEXT_LIST: return list_of(field->choices ? choices_of(field->choices) : any_scalar());
    case FIELD_NAME_LIST: return list_of(pattern_of("^[a-z][a-z0-9-]{0,62}$"));
    case FIELD_PERCENT_LIST: return list_of(percent_schema());
    case FIELD_TEXT_MAP: return map_of(any_scalar());
    case FIELD_OBJECT: return table_schema(field->fields);
    case FIELD_OBJECT_MAP: return map_of(table_schema(field->fields));
    case FIELD_OBJECT_LIST: return json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", 1, "items", table_schema(field->fields));
    case FIELD_ANY: return json_object();
    }
    return json_object();
}

static bool needs_expression(const struct field *field)
{
    bool text_already = field->type == FIELD_TEXT || field->type == FIELD_PATH || field->type == FIELD_CONDITION ||
                        field->type == FIELD_TEXT_MAP || field->type == FIELD_ANY || field->type == FIELD_OBJECT ||
                        field->type == FIELD_OBJECT_MAP || field->type == FIELD_OBJECT_LIST;
    return !(field->flags & (FIELD_LITERAL | FIELD_SCRIPT)) && !(text_already && !field->choices);
}

static json_t *field_schema(const struct field *field)
{
    json_t *schema = type_schema(field);
    if (needs_expression(field)) schema = any_of(schema, pattern_of("\\$\\{\\{"));
    json_put_text(schema, "description", field->help);
    if (field->type != FIELD_OBJECT) json_put_text(schema, "default", field->fallback);
    return schema;
}

/* A map with the table's keys, or the short form. */
static json_t *table_schema(const struct field *fields)
{
    json_t *properties = json_object(), *required = json_array(), *brief = NULL;
    for (; fields && fields->name; fields++) {
        if (fields->flags & FIELD_LATER) continue;
        json_put(properties, fields->name, field_schema(fields));
        if (fields->flags & FIELD_REQUIRED) json_array_append_new(required, json_string(fields->name));
        if (fields->flags & FIELD_SHORT) brief = field_schema(fields);
    }
    json_t *schema = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
    if (json_array_size(required))
        json_put(schema, "required", required);
    else
        json_decref(required);
    return brief ? any_of(schema, brief) : schema;
}

static bool is_writable(const struct step_type *type)
{
    return strcmp(type->name, "checkout") != 0 && strcmp(type->name, "approve") != 0;
}

/* The keys of every step and those that name a type, of which exactly one. */
static json_t *step_schema(step_types *types)
{
    json_t *schema = table_schema(step_fields), *properties = json_object_get(schema, "properties"), *one = json_array();
    for (; *types; types++) {
        if (!is_writable(*types)) continue;
        json_t *type = table_schema((*types)->fields);
        json_put_text(type, "description", (*types)->summary);
        json_put(properties, (*types)->name, type);
        json_array_append_new(one, json_pack("{s:[s]}", "required", (*types)->name));
    }
    json_put(schema, "oneOf", one);
    return schema;
}

static void put_description(json_t *properties, const char *key, json_t *schema)
{
    const json_t *known = json_object_get(properties, key);
    json_put_text(schema, "description", json_text(known, "description", NULL));
    json_put(properties, key, schema);
}

static json_t *stage_schema(void)
{
    json_t *schema = table_schema(stage_fields), *properties = json_object_get(schema, "properties");
    put_description(properties, "steps", json_pack("{s:s, s:i, s:{s:s}}", "type", "array", "minItems", 1, "items", "$ref", "#/$defs/step"));
    put_description(properties, "with", type_of("object"));
    put_description(properties, "inputs", map_of(list_of(type_of("string"))));
    json_put(schema, "oneOf", json_pack("[{s:[s]}, {s:[s]}, {s:[s]}]", "required", "steps", "required", "use", "required", "approve"));
    return schema;
}

json_t *schema_make(step_types *types)
{
    json_t *schema = table_schema(pipeline_fields), *properties = json_object_get(schema, "properties");
    put_description(
        properties, "stages", json_pack("{s:s, s:i, s:{s:s}}", "type", "array", "minItems", 1, "items", "$ref", "#/$defs/stage"));
    json_t *head = json_pack("{s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title", "Crescendo pipeline");
    json_object_update(head, schema);
    json_decref(schema);
    json_put(head, "$defs", json_pack("{s:o, s:o}", "stage", stage_schema(), "step", step_schema(types)));
    return head;
}

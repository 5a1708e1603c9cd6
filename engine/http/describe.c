/* describe.c: an OpenAPI 3.0 description of mounted routes, from the tables that dispatch and validate. */
#include "http/server.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

static json_t *describe_object(const struct field *fields);

static json_t *typed(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *describe_field(const struct field *field)
{
    switch (field->type) {
    case FIELD_BOOLEAN: return typed("boolean");
    case FIELD_INTEGER: return typed("integer");
    case FIELD_NUMBER:
    case FIELD_PERCENT:
    case FIELD_CPU:
    case FIELD_BITRATE:
    case FIELD_RATE:
    case FIELD_LATENCY: return typed("number");
    case FIELD_NAME: return json_pack("{s:s, s:s}", "type", "string", "pattern", "^[a-z][a-z0-9-]*$");
    case FIELD_DURATION: return json_pack("{s:s, s:s}", "type", "string", "example", "30s");
    case FIELD_SIZE: return json_pack("{s:s, s:s}", "type", "string", "example", "64KiB");
    case FIELD_TEXT_LIST:
    case FIELD_NAME_LIST: return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
    case FIELD_PERCENT_LIST: return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "number");
    case FIELD_TEXT_MAP: return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type", "string");
    case FIELD_OBJECT: return describe_object(field->fields);
    case FIELD_OBJECT_MAP: return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", describe_object(field->fields));
    case FIELD_OBJECT_LIST: return json_pack("{s:s, s:o}", "type", "array", "items", describe_object(field->fields));
    case FIELD_ANY: return json_object();
    case FIELD_CHOICE: {
        json_t *choices = json_array();
        for (const char *const *choice = field->choices; *choice; choice++)
            json_array_append_new(choices, json_string(*choice));
        return json_pack("{s:s, s:o}", "type", "string", "enum", choices);
    }
    case FIELD_TEXT:
    case FIELD_PATH:
    case FIELD_CONDITION: break;
    }
    return typed("string");
}

static json_t *describe_object(const struct field *fields)
{
    json_t *properties = json_object(), *required = json_array();
    for (; fields->name; fields++) {
        json_t *property = describe_field(fields);
        json_put_text(property, "description", fields->help);
        json_put(properties, fields->name, property);
        if (fields->flags & FIELD_REQUIRED) json_array_append_new(required, json_string(fields->name));
    }
    json_t *object = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
    if (json_array_size(required))
        json_put(object, "required", required);
    else
        json_decref(required);
    return object;
}

/* {run} and its like, as path parameters. */
static json_t *describe_parts(const char *path)
{
    json_t *parts = json_array();
    for (const char *open = strchr(path, '{'); open; open = strchr(open + 1, '{')) {
        AUTO(free_text) char *name = mem_copy_bytes(open + 1, strcspn(open + 1, "}"));
        json_array_append_new(
            parts, json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", "path", "required", 1, "schema", "type", "string"));
    }
    return parts;
}

static json_t *describe_route(const struct route *route)
{
    json_t *operation = json_pack("{s:s, s:o, s:{s:{s:s}, s:{s:s}}}", "summary", route->summary ? route->summary : "", "parameters",
        describe_parts(route->path), "responses", "2XX", "description", "done", "default", "description",
        "{\"error\": {\"code\", \"message\", \"hint\"}}");
    if (route->body)
        json_put(
            operation, "requestBody", json_pack("{s:{s:{s:o}}}", "content", "application/json", "schema", describe_object(route->body)));
    return operation;
}

json_t *http_describe(const struct http_mount *mounts, const char *title, const char *version)
{
    json_t *paths = json_object();
    for (; mounts->routes; mounts++) {
        for (const struct route *route = mounts->routes; route->method; route++) {
            AUTO(free_text) char *method = mem_copy_text(route->method);
            for (char *at = method; *at; at++)
                *at = (char)tolower((unsigned char)*at);
            json_t *path = json_object_get(paths, route->path);
            if (!path) {
                path = json_object();
                json_put(paths, route->path, path);
            }
            json_put(path, method, describe_route(route));
        }
    }
    return json_pack("{s:s, s:{s:s, s:s}, s:{s:{s:{s:s, s:s}}}, s:[{s:[]}], s:o}", "openapi", "3.0.3", "info", "title", title, "version",
        version, "components", "securitySchemes", "token", "type", "http", "scheme", "bearer", "security", "token", "paths", paths);
}

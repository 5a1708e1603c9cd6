/* service.c: reads a service's descriptor: its table first, then the components, whose one key says what each is, and the goals, whose
   numbers are in the unit of their KPI. */
#include "spec/service.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/descriptor.h"

#include <string.h>

static const struct component_kind {
    const char *name, *what;
    const struct field *fields;
} component_kinds[] = {{"compute", "a compute", service_compute_fields}, {"network", "a network", service_network_fields},
    {"user", "a user", service_user_fields}};

/* --- a compute --------------------------------------------------------------------------------------------------------------------- */

static void check_path(struct reader *reader, const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = map && map->kind == YAML_MAP ? yaml_find(map, key) : NULL;
    if (!node || node->kind != YAML_TEXT || (node->text[0] == '/' && !strpbrk(node->text, " \t\r\n?#"))) return;
    if (yaml_is_empty(node)) return;
    diagnostics_add(reader->list, "wrong-value", node->at, yaml_width(node), "write a path that begins with /, like /healthz",
        "\"%s\" must be a path of the service, not \"%s\"", key, yaml_excerpt(reader->arena, node->text));
}

static void read_ports(struct reader *reader, const struct yaml_node *node, json_t *compute)
{
    struct field port = {.type = FIELD_INTEGER, .flags = FIELD_LITERAL, .min = 1, .max = 65535};
    if (!node) return;
    if (node->kind != YAML_MAP || !node->count || node->count > SERVICE_PORTS_MAX) {
        fields_add_wrong_kind(reader, node, "ports", "a map of at most 32 ports", "write { http: 8080 }");
        return;
    }
    json_t *ports = json_object();
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key;
        port.name = key->text;
        if (text_is_name(key->text))
            json_put(ports, key->text, fields_read_value(reader, node->entries[i].value, &port));
        else
            diagnostics_add(reader->list, "wrong-name", key->at, yaml_width(key),
                "names are lower-case letters, digits and hyphens, a letter first", "\"%s\" is not a name",
                yaml_excerpt(reader->arena, key->text));
    }
    json_put(compute, "ports", ports);
}

static void read_environment(struct reader *reader, const struct yaml_node *node, json_t *compute)
{
    const struct field field = {.name = "env", .type = FIELD_TEXT_MAP, .flags = FIELD_LITERAL};
    if (!node) return;
    env_is_sound(reader, node);
    json_put(compute, "env", fields_read_value(reader, node, &field));
}

/* Is one of the keys, unknown as it is, meant to be "command"? That has been said then. */
static bool misspells_command(const struct yaml_node *node)
{
    static const char *const names[] = {"command", NULL};
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->entries[i].key->text;
        if (!field_find(service_compute_fields, key) && text_nearest(key, names)) return true;
    }
    return false;
}

static void check_command(struct reader *reader, const struct yaml_node *node, const json_t *compute, bool required)
{
    const struct yaml_node *written = yaml_find(node, "command");
    const json_t *command = json_object_get(compute, "command");
    const char *program = json_string_value(json_array_get(command, 0));
    if (!written && required && !misspells_command(node))
        diagnostics_add(reader->list, "missing-key", node->at, 0, "write command: [bin/PROGRAM, ARGUMENT]",
            "the compute of a microservice needs the key \"command\"");
    else if (written && command && (!program || !*program))
        diagnostics_add(reader->list, "missing-value", written->at, yaml_width(written), "write command: [bin/PROGRAM, ARGUMENT]",
            "\"command\" names no program");
}

static void read_compute(struct reader *reader, const struct yaml_node *node, json_t *compute, bool is_microservice)
{
    if (node->kind != YAML_MAP) return;
    read_ports(reader, yaml_find(node, "ports"), compute);
    read_environment(reader, yaml_find(node, "env"), compute);
    check_command(reader, node, compute, is_microservice);
    check_path(reader, yaml_find(node, "health"), "http");
    check_path(reader, node, "metrics");
}

/* --- components ---------------------------------------------------------------------------------------------------------------------- */

static const struct component_kind *kind_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(component_kinds); i++)
        if (strcmp(component_kinds[i].name, name) == 0) return &component_kinds[i];
    return NULL;
}

/* The one entry that says what the component is; NULL after a mistake. */
static const struct yaml_entry *find_kind(struct reader *reader, const struct yaml_node *node)
{
    static const char *const names[] = {"compute", "network", "user", NULL};
    const struct yaml_entry *found = NULL;
    if (node->kind == YAML_MAP && !node->count)
        diagnostics_add(
            reader->list, "missing-value", node->at, yaml_width(node), "write '- compute: { name: NAME }'", "the component is empty");
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(reader, node, "components", "a list of maps", "write '- compute: { name: NAME }'");
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key;
        if (!kind_find(key->text))
            fields_add_unknown_key(reader, key, "a component", names);
        else if (found)
            diagnostics_add(reader->list, "several-types", key->at, yaml_width(key), "make two components of it",
                "the component is a \"%s\" already", found->key->text);
        else
            found = &node->entries[i];
    }
    return found;
}

static void check_unique(struct reader *reader, const struct yaml_node *node, const json_t *component, json_t *names)
{
    const char *name = json_text(component, "name", NULL);
    const struct yaml_node *written = node->kind == YAML_MAP ? yaml_find(node, "name") : NULL;
    if (!name || !written) return;
    if (json_object_get(names, name))
        diagnostics_add(reader->list, "duplicate-id", written->at, yaml_width(written), "give one of them another name",
            "there are two components \"%s\"", name);
    json_put_flag(names, name, true);
}

static void read_components(struct reader *reader, const struct yaml_node *list, json_t *service)
{
    AUTO(free_json) json_t *names = json_object();
    bool is_microservice = text_equal(json_text(service, "kind", NULL), "microservice");
    if (!list) return;
    if (list->kind != YAML_LIST || !list->count) {
        fields_add_wrong_list(reader, list, "components", "component", "write '- compute: { name: NAME }'");
        return;
    }
    if (list->count > SERVICE_COMPONENTS_MAX) {
        diagnostics_add(reader->list, "too-many", list->at, 0, "make two services of it", "%zu components; at most %d are allowed",
            list->count, SERVICE_COMPONENTS_MAX);
        return;
    }
    json_t *components = json_array();
    json_put(service, "components", components);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_entry *entry = find_kind(reader, list->entries[i].value);
        const struct component_kind *kind = entry ? kind_find(entry->key->text) : NULL;
        if (!kind) continue;
        json_t *component = fields_read(reader, entry->value, kind->fields, FIELDS_FILL, kind->what);
        if (kind->fields == service_compute_fields) read_compute(reader, entry->value, component, is_microservice);
        check_unique(reader, entry->value, component, names);
        json_array_append_new(components, json_pack("{s:O}", kind->name, component));
    }
}

/* --- goals --------------------------------------------------------------------------------------------------------------------------- */

static enum field_type unit_of(const char *kpi)
{
    if (text_equal(kpi, "latency")) return FIELD_LATENCY;
    if (text_equal(kpi, "errors")) return FIELD_PERCENT;
    return text_equal(kpi, "throughput") ? FIELD_BITRATE : FIELD_NUMBER;
}

static void read_bound(struct reader *reader, const struct yaml_node *node, const char *key, json_t *goal)
{
    const struct yaml_node *written = yaml_find(node, key);
    const struct field field = {.name = key, .type = unit_of(json_text(goal, "kpi", NULL)), .flags = FIELD_LITERAL};
    if (written) json_put(goal, key, fields_read_value(reader, written, &field));
}

static void read_goals(struct reader *reader, const struct yaml_node *list, json_t *service)
{
    if (!list) return;
    if (list->kind != YAML_LIST || !list->count || list->count > SERVICE_GOALS_MAX) {
        fields_add_wrong_list(reader, list, "sla", "goal", "write '- { kpi: latency, quantile: 95%, below: 40ms }'; at most 64");
        return;
    }
    json_t *goals = json_array();
    json_put(service, "sla", goals);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *node = list->entries[i].value;
        json_t *goal = fields_read(reader, node, service_goal_fields, FIELDS_FILL, "a goal");
        json_array_append(goals, goal);
        if (node->kind != YAML_MAP) continue;
        read_bound(reader, node, "below", goal);
        read_bound(reader, node, "above", goal);
        if (!yaml_find(node, "below") && !yaml_find(node, "above"))
            diagnostics_add(
                reader->list, "missing-key", node->at, 0, "write what it must be: below: 40ms", "a goal needs \"below\" or \"above\"");
    }
}

/* --- the whole ----------------------------------------------------------------------------------------------------------------------- */

static void check_version(struct reader *reader, const struct yaml_node *node)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    if (!node || node->kind != YAML_TEXT || yaml_is_empty(node)) return;
    size_t size = strspn(node->text, allowed);
    if (size && size <= 64 && !node->text[size]) return;
    diagnostics_add(reader->list, "wrong-value", node->at, yaml_width(node), "write letters, digits and ._+-, at most 64, like 1.4.0",
        "\"%s\" is no version", yaml_excerpt(reader->arena, node->text));
}

static void read_service(struct reader *reader, const struct yaml_node *root, json_t *service)
{
    check_version(reader, yaml_find(root, "version"));
    read_components(reader, yaml_find(root, "components"), service);
    read_goals(reader, yaml_find(root, "sla"), service);
}

int service_load(const struct source *source, struct diagnostics *list, json_t **ret)
{
    return descriptor_read(source, service_fields, "a service descriptor", read_service, list, ret);
}

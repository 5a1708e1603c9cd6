/* load_secrets.c: `secrets:`: names for what the server has, and where it has it. */
#include "base/json.h"
#include "base/text.h"
#include "spec/loader.h"
#include "spec/secret.h"

#include <string.h>

/* secrets has room for one more. */
static void load_secret(struct file *file, const struct yaml_entry *entry, struct secret *secrets)
{
    static const struct field field = {.name = "secrets", .type = FIELD_TEXT, .flags = FIELD_LITERAL};
    struct diagnostics *list = file->reader.list;
    struct pipeline *pipeline = file->pipeline;
    enum secret_scheme scheme;
    struct error err = {0};
    const char *name = entry->key->text, *found;
    if (!text_is_name(name)) {
        diagnostics_add(list, "wrong-name", entry->key->at, yaml_width(entry->key),
            "names are lower-case letters, digits and hyphens, a letter first", "\"%s\" is not a name",
            yaml_excerpt(file->reader.arena, name));
        return;
    }
    const json_t *value = arena_own_json(file->reader.arena, fields_read_value(&file->reader, entry->value, &field));
    const char *source = json_string_value(value);
    /* Known by its name even if its place is wrong: one complaint is enough. */
    secrets[pipeline->secret_count++] = (struct secret){name, source ? source : "", entry->key->at};
    bool given = source && strcmp(source, SECRET_GIVEN) == 0;
    if (source && file->is_used && !given)
        diagnostics_add(list, "wrong-secret", entry->value->at, yaml_width(entry->value),
            "write " SECRET_GIVEN "; the stage that uses the file has the key secrets",
            "a file that is used gets its secrets from the file that uses it");
    if (!source || given || file->is_used || !secret_source_parse(source, &scheme, &found, &err)) return;
    diagnostics_add(list, err.code == ERROR_UNSUPPORTED ? "not-in-this-version" : "wrong-secret", entry->value->at,
        yaml_width(entry->value), err.hint, "%s", err.message);
}

void load_secrets(struct file *file, const struct yaml_entry *entry)
{
    if (!entry) return;
    const struct yaml_node *node = entry->value;
    if (node->kind != YAML_MAP) {
        fields_add_wrong_kind(&file->reader, node, "secrets", "a map", "write { NAME: file:NAME }");
        return;
    }
    if (node->count > SECRETS_MAX) {
        diagnostics_add(
            file->reader.list, "too-many", node->at, 0, "have fewer", "%zu secrets; at most %d are allowed", node->count, SECRETS_MAX);
        return;
    }
    struct secret *secrets = arena_alloc_array(file->reader.arena, node->count, sizeof *secrets);
    file->pipeline->secrets = secrets;
    for (size_t i = 0; i < node->count; i++)
        load_secret(file, &node->entries[i], secrets);
}

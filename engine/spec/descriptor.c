/* descriptor.c: reads a file that is one map of fields, and tells such files from pipelines. */
#include "spec/descriptor.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

static void free_arena(struct arena **arena)
{
    arena_free(arena);
}

static void release_reader(struct reader *reader)
{
    free(reader->sites);
}

int descriptor_read(const struct source *source, const struct field *fields, const char *what,
    void (*read_rest)(struct reader *reader, const struct yaml_node *root, json_t *object), struct diagnostics *list, json_t **ret)
{
    AUTO(free_arena) struct arena *arena = arena_new();
    struct yaml_document document;
    size_t errors_before = list->error_count;
    if (yaml_read(source, arena, list, &document)) return -ERROR_INVALID;
    AUTO(release_reader)
    struct reader reader = {.arena = arena, .list = list, .document = &document, .stage = SITE_NONE, .step = SITE_NONE};
    json_t *object = fields_read(&reader, document.root, fields, FIELDS_FILL, what);
    if (document.root->kind == YAML_MAP) read_rest(&reader, document.root, object);
    if (list->error_count != errors_before) return -ERROR_INVALID;
    *ret = json_incref(object);
    return 0;
}

enum descriptor_kind descriptor_kind(const struct source *source)
{
    AUTO(free_arena) struct arena *arena = arena_new();
    AUTO(diagnostics_release) struct diagnostics unwanted = {0};
    struct yaml_document document;
    if (yaml_read(source, arena, &unwanted, &document) || document.root->kind != YAML_MAP) return DESCRIPTOR_PIPELINE;
    const struct yaml_node *root = document.root;
    if (yaml_find(root, "stages") || yaml_find(root, "pipeline")) return DESCRIPTOR_PIPELINE;
    if (yaml_find(root, "domain")) return DESCRIPTOR_DOMAIN;
    return yaml_find(root, "service") ? DESCRIPTOR_SERVICE : DESCRIPTOR_PIPELINE;
}

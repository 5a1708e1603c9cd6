/* yaml_node.c: questions about a node of the tree. */
#include "base/text.h"
#include "spec/yaml.h"

#include <string.h>

const struct yaml_entry *yaml_find_entry(const struct yaml_node *map, const char *key)
{
    if (map->kind != YAML_MAP) return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->entries[i].key->text, key) == 0) return &map->entries[i];
    return NULL;
}

const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key)
{
    const struct yaml_entry *entry = yaml_find_entry(map, key);
    return entry ? entry->value : NULL;
}

bool yaml_is_empty(const struct yaml_node *node)
{
    return node->kind == YAML_TEXT && node->plain && !*node->text;
}

unsigned yaml_width(const struct yaml_node *node)
{
    return node->end_line == node->at.line && node->end_column > node->at.column ? node->end_column - node->at.column : 0;
}

/* One character on; a line feed leads to the next line. */
static void cursor_step(const struct source *source, struct yaml_cursor *cursor)
{
    if (source->bytes[cursor->offset++] == '\n') {
        cursor->line++;
        cursor->column = 1;
    } else if (cursor->offset >= source->size || ((unsigned char)source->bytes[cursor->offset] & 0xc0) != 0x80) {
        cursor->column++;
    }
}

struct location yaml_locate_next(const struct yaml_document *document, const struct yaml_node *node, struct yaml_cursor *cursor)
{
    const struct source *source = document->source;
    if (cursor->line == 0) {
        *cursor = (struct yaml_cursor){document->line_starts[node->at.line - 1], node->at.line, 1};
        while (cursor->offset < source->size && cursor->line == node->at.line && cursor->column < node->at.column)
            cursor_step(source, cursor);
    }
    while (cursor->line <= node->end_line && cursor->offset + 3 <= source->size) {
        struct location at = {source->name, cursor->line, cursor->column};
        bool found = memcmp(source->bytes + cursor->offset, "${{", 3) == 0;
        cursor_step(source, cursor);
        if (found) return at;
    }
    return node->at; /* written with escapes */
}

const char *yaml_excerpt(struct arena *arena, const char *text)
{
    enum { MOST = 60 };
    size_t size = strcspn(text, "\r\n");
    if (size <= MOST && !text[size]) return text;
    if (size > MOST) size = MOST;
    while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--;
    return arena_format(arena, "%.*s...", (int)size, text);
}

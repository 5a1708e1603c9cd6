/* yaml.c: libyaml's events → a tree of nodes.
   The tree is built on a stack of at most LIMIT_YAML_DEPTH open collections, never by recursion. Aliases share nodes, so the
   tree is a graph without cycles; node_count and height count an alias as its whole copy, and both are limited, so that
   whoever walks the tree may recurse and ends. */
#include "spec/yaml.h"

#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/names.h"
#include "spec/yaml_bytes.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct open_node { /* a collection that is being read */
    struct yaml_node *node;
    struct yaml_entry *entries; /* grows on the heap; copied to the arena at its end */
    size_t count, capacity;
    const struct yaml_node *key; /* read, waits for its value */
    const char *anchor;
};

struct anchor {
    const char *name;
    const struct yaml_node *node; /* NULL while its collection is open: an alias would contain itself */
};

struct builder {
    yaml_parser_t parser;
    struct arena *arena;
    struct diagnostics *list;
    const struct source *source;
    struct open_node open[LIMIT_YAML_DEPTH];
    size_t depth;
    struct anchor *anchors;
    size_t anchor_count, anchor_capacity;
    const struct yaml_node *root;
    unsigned nodes;
    bool documents_ended;
};

static void builder_release(struct builder *builder)
{
    yaml_parser_delete(&builder->parser);
    for (size_t i = 0; i < builder->depth; i++)
        free(builder->open[i].entries);
    free(builder->anchors);
}

static struct location location_of(const struct builder *builder, yaml_mark_t mark)
{
    return (struct location){builder->source->name, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static int refuse(struct builder *builder, const char *code, struct location at, const char *hint, const char *message)
{
    diagnostics_add(builder->list, code, at, 0, hint, "%s", message);
    return -ERROR_INVALID;
}

/* --- what libyaml says, in words for somebody who never read the YAML specification --- */

static const struct {
    const char *problem, *message, *hint;
} syntax_faults[] = {
    {"mapping values are not allowed in this context", "a second ':' on this line, or a key at the wrong indentation",
        "put text that contains ': ' in quotes, and line keys up with their neighbours"},
    {"could not find expected ':'", "this line is no 'key: value'",
        "every line of a map is 'key: value'; a longer text needs quotes or '|'"},
    {"did not find expected key", "the indentation does not fit the lines above", "line the keys of one map up in one column"},
    {"did not find expected '-' indicator", "this line does not fit the list above",
        "line the items of one list up, each with '- ' before it"},
    {"found character that cannot start any token", "this character cannot begin a value",
        "indent with spaces, not tabs, and put text that begins with @, ` or % in quotes"},
    {"found undefined tag handle", "a tag that was not declared", "tags are not supported: remove it"},
    {"did not find expected ',' or '}'", "the '{' above is not closed here", "close it with '}', or put a comma between two entries"},
    {"did not find expected ',' or ']'", "the '[' above is not closed here", "close it with ']', or put a comma between two items"},
    {"found unexpected end of stream", "a quote is not closed before the end of the file", "close the quoted text"},
    {"block sequence entries are not allowed in this context", "a list cannot begin on the line of its key",
        "begin the list on the next line, or write [a, b]"},
    {"found unknown escape character", "an unknown escape in a double-quoted text",
        "use single quotes, in which a backslash is a backslash"},
};

static int refuse_syntax(struct builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    const char *problem = parser->problem ? parser->problem : "not valid YAML", *hint = "check quotes, brackets and indentation";
    for (size_t i = 0; i < COUNT_OF(syntax_faults); i++) {
        if (strcmp(problem, syntax_faults[i].problem) != 0) continue;
        problem = syntax_faults[i].message;
        hint = syntax_faults[i].hint;
        break;
    }
    struct location at = location_of(builder, parser->problem_mark);
    unsigned began = (unsigned)parser->context_mark.line + 1;
    if (parser->context && began < at.line)
        diagnostics_add(builder->list, "syntax", at, 0, hint, "%s (it belongs to what begins on line %u)", problem, began);
    else
        diagnostics_add(builder->list, "syntax", at, 0, hint, "%s", problem);
    return -ERROR_INVALID;
}

/* --- anchors --- */

static struct anchor *anchor_find(struct builder *builder, const char *name)
{
    for (size_t i = builder->anchor_count; i-- > 0;)
        if (strcmp(builder->anchors[i].name, name) == 0) return &builder->anchors[i];
    return NULL;
}

static int anchor_set(struct builder *builder, const char *name, const struct yaml_node *node, struct location at)
{
    struct anchor *known = anchor_find(builder, name);
    if (known) {
        known->node = node;
        return 0;
    }
    if (builder->anchor_count == LIMIT_YAML_DEPTH)
        return refuse(builder, "too-many-anchors", at, "put what repeats into a file that is used", "more than 64 anchors in one file");
    builder->anchors = mem_grow(builder->anchors, &builder->anchor_capacity, builder->anchor_count + 1, sizeof *builder->anchors);
    builder->anchors[builder->anchor_count++] = (struct anchor){arena_copy_text(builder->arena, name), node};
    return 0;
}

/* --- the tree --- */

static bool key_is_next(const struct builder *builder)
{
    const struct open_node *parent = builder->depth ? &builder->open[builder->depth - 1] : NULL;
    return parent && parent->node->kind == YAML_MAP && !parent->key;
}

/* Puts a finished node where it belongs. added: the nodes that were not counted yet. */
static int place(struct builder *builder, const struct yaml_node *node, unsigned added, struct location at)
{
    builder->nodes += added;
    if (builder->nodes > LIMIT_YAML_NODES)
        return refuse(builder, "too-many-nodes", at, "split the file, or use fewer aliases: each counts as a copy",
            "more than 200000 values in one file");
    if (builder->depth + node->height > LIMIT_YAML_DEPTH)
        return refuse(builder, "too-deep", at, "nest less: no pipeline needs this", "nested more than 64 levels deep");
    if (builder->depth == 0) {
        builder->root = node;
        return 0;
    }
    struct open_node *parent = &builder->open[builder->depth - 1];
    if (key_is_next(builder)) {
        parent->key = node;
        return 0;
    }
    parent->entries = mem_grow(parent->entries, &parent->capacity, parent->count + 1, sizeof *parent->entries);
    parent->entries[parent->count++] = (struct yaml_entry){parent->key, node};
    parent->key = NULL;
    parent->node->node_count += node->node_count;
    if (node->height >= parent->node->height) parent->node->height = node->height + 1;
    return 0;
}

static struct yaml_node *node_new(struct builder *builder, enum yaml_kind kind, const yaml_event_t *event)
{
    struct yaml_node *node = arena_alloc(builder->arena, sizeof *node);
    node->kind = kind;
    node->at = location_of(builder, event->start_mark);
    node->end_line = (unsigned)event->end_mark.line + 1;
    node->end_column = (unsigned)event->end_mark.column + 1;
    node->node_count = 1;
    node->height = kind == YAML_TEXT ? 0 : 1;
    return node;
}

/* An anchor stands before its value and libyaml counts it in; the value is what the message is about. A tag is refused. */
static void check_tag(struct builder *builder, const yaml_char_t *tag, struct location at)
{
    if (tag)
        diagnostics_add(builder->list, "tag", at, 0, "remove it: the type of a value comes from its key", "tags are not supported (%.40s)",
            (const char *)tag);
}

static int add_scalar(struct builder *builder, const yaml_event_t *event)
{
    struct yaml_node *node = node_new(builder, YAML_TEXT, event);
    const char *value = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    check_tag(builder, event->data.scalar.tag, node->at);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (memchr(value, 0, size)) return refuse(builder, "character", node->at, "remove \\0", "a text cannot hold the character NUL");
    if (!text_is_utf8(value, size))
        return refuse(builder, "character", node->at, "remove the \\u escape", "an escape that is no character");
    node->text = arena_copy_bytes(builder->arena, value, size);
    if (key_is_next(builder) && node->plain && strcmp(node->text, "<<") == 0)
        diagnostics_add(builder->list, "merge-key", node->at, 2, "write the keys out, or put what repeats into a file that is used",
            "the merge key << is not supported");
    const char *anchor = (const char *)event->data.scalar.anchor;
    int failed = anchor ? anchor_set(builder, anchor, node, node->at) : 0;
    return failed ? failed : place(builder, node, 1, node->at);
}

static int add_alias(struct builder *builder, const yaml_event_t *event)
{
    struct location at = location_of(builder, event->start_mark);
    const struct anchor *anchor = anchor_find(builder, (const char *)event->data.alias.anchor);
    if (key_is_next(builder)) return refuse(builder, "alias-key", at, "write the key out", "an alias cannot be a key");
    if (!anchor)
        return refuse(
            builder, "unknown-alias", at, "an anchor (&name) must stand before its alias", "an alias of an anchor that does not exist");
    if (!anchor->node)
        return refuse(builder, "self-reference", at, "move the anchor to a smaller part", "an alias inside what it stands for");
    return place(builder, anchor->node, anchor->node->node_count, at);
}

static int open_collection(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind)
{
    struct yaml_node *node = node_new(builder, kind, event);
    const yaml_char_t *tag = kind == YAML_MAP ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    const char *anchor = (const char *)(kind == YAML_MAP ? event->data.mapping_start.anchor : event->data.sequence_start.anchor);
    check_tag(builder, tag, node->at);
    if (key_is_next(builder))
        return refuse(
            builder, "complex-key", node->at, "put {{ }} and [ ] in quotes where they are text", "a list or a map cannot be a key");
    if (builder->depth == LIMIT_YAML_DEPTH)
        return refuse(builder, "too-deep", node->at, "nest less: no pipeline needs this", "nested more than 64 levels deep");
    int failed = anchor ? anchor_set(builder, anchor, NULL, node->at) : 0;
    if (failed) return failed;
    builder->open[builder->depth++] = (struct open_node){.node = node, .anchor = anchor ? arena_copy_text(builder->arena, anchor) : NULL};
    return 0;
}

/* Most maps have a few keys: looking is cheaper than a table. */
static bool keys_differ(const struct yaml_node *map)
{
    if (map->count > 12) return false;
    for (size_t i = 1; i < map->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(map->entries[i].key->text, map->entries[k].key->text) == 0) return false;
    return true;
}

static void check_duplicates(struct builder *builder, const struct yaml_node *map)
{
    struct name_table seen;
    if (keys_differ(map)) return;
    names_init(&seen, builder->arena, map->count);
    for (uint32_t i = 0, first; i < map->count; i++) {
        const struct yaml_node *key = map->entries[i].key;
        if (names_add(&seen, key->text, i)) continue;
        names_find(&seen, key->text, &first);
        AUTO(free_text) char *hint = mem_format("the first one is on line %u; keep one of them", map->entries[first].key->at.line);
        diagnostics_add(builder->list, "duplicate-key", key->at, yaml_width(key), hint, "the key \"%s\" stands here twice",
            yaml_excerpt(builder->arena, key->text));
    }
}

static int close_collection(struct builder *builder, const yaml_event_t *event)
{
    struct open_node closed = builder->open[--builder->depth];
    struct yaml_node *node = closed.node;
    struct yaml_entry *entries = arena_alloc_array(builder->arena, closed.count, sizeof *entries);
    if (closed.count) memcpy(entries, closed.entries, closed.count * sizeof *entries);
    free(closed.entries);
    node->entries = entries;
    node->count = closed.count;
    node->end_line = (unsigned)event->end_mark.line + 1;
    node->end_column = (unsigned)event->end_mark.column + 1;
    if (node->kind == YAML_MAP) check_duplicates(builder, node);
    if (closed.anchor) anchor_set(builder, closed.anchor, node, node->at); /* known already: it cannot fail */
    return place(builder, node, 1, node->at);
}

static int take_event(struct builder *builder, const yaml_event_t *event)
{
    if (builder->nodes + builder->depth > LIMIT_YAML_NODES)
        return refuse(
            builder, "too-many-nodes", location_of(builder, event->start_mark), "split the file", "more than 200000 values in one file");
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (builder->root)
            return refuse(builder, "several-documents", location_of(builder, event->start_mark),
                "one file is one pipeline: remove the '---' line and what follows", "a second document in the file");
        return 0;
    case YAML_SCALAR_EVENT: return add_scalar(builder, event);
    case YAML_ALIAS_EVENT: return add_alias(builder, event);
    case YAML_SEQUENCE_START_EVENT: return open_collection(builder, event, YAML_LIST);
    case YAML_MAPPING_START_EVENT: return open_collection(builder, event, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_collection(builder, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return 0;
    }
    return 0;
}

static int take_all_events(struct builder *builder)
{
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&builder->parser, &event)) return refuse_syntax(builder);
        int failed = take_event(builder, &event);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (failed) return failed;
    }
    return 0;
}

int yaml_read(const struct source *source, struct arena *arena, struct diagnostics *list, struct yaml_document *ret)
{
    struct yaml_document document = {0};
    int failed = yaml_check_bytes(source, arena, list, &document);
    if (failed) return failed;
    AUTO(builder_release) struct builder builder = {.arena = arena, .list = list, .source = document.source};
    if (!yaml_parser_initialize(&builder.parser)) abort(); /* only without memory */
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)document.source->bytes, document.source->size);
    failed = take_all_events(&builder);
    if (failed) return failed;
    if (!builder.root || yaml_is_empty(builder.root))
        return refuse(&builder, "empty-file", (struct location){source->name, 1, 1},
            "begin with 'stages:' and one '- stage: NAME' with its steps", "the file is empty");
    document.root = builder.root;
    *ret = document;
    return 0;
}

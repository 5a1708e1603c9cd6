/* yaml.h: YAML text → a tree of nodes that know where they stand. Types are nobody's business here (rule 1). */
#ifndef CRESCENDO_SPEC_YAML_H
#define CRESCENDO_SPEC_YAML_H

#include "base/arena.h"
#include "crescendo/diagnostics.h"
#include "spec/pipeline.h"

#include <stdbool.h>
#include <stdint.h>

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool plain; /* of a text: neither quoted nor a block: only such a one can mean "nothing here" */
    struct location at;
    unsigned end_line, end_column;
    const char *text; /* of a text: NUL-terminated, without a NUL inside */
    const struct yaml_entry {
        const struct yaml_node *key, *value; /* of a list: key is NULL */
    } * entries;
    size_t count;
    /* of the whole subtree, an alias counted each time it is used; height of a text is 0 */
    unsigned node_count, height;
};

struct yaml_document {
    const struct source *source;
    const struct yaml_node *root;
    const size_t *line_starts; /* byte offset of each line */
    size_t line_count;
};

/* Reads one document into arena. Mistakes go to *list; returns -ERROR_INVALID where there is no tree to go on with. A
   document with duplicate keys, tags or merge keys has them in *list and is returned nevertheless. */
int yaml_read(const struct source *source, struct arena *arena, struct diagnostics *list, struct yaml_document *ret) MUST_CHECK;

/* The value of a key; NULL when absent. For maps whose keys are a table's, thus few. */
const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key);
const struct yaml_entry *yaml_find_entry(const struct yaml_node *map, const char *key);

/* Nothing was written where a value belongs ("key:"). */
bool yaml_is_empty(const struct yaml_node *node);

/* Characters from the node's start to its end, or to the end of its first line as far as known (then 0). */
unsigned yaml_width(const struct yaml_node *node);

/* Finds one "${{" of a text's source after the other, so that an expression can be shown where it was written. Starts as {0}. */
struct yaml_cursor {
    size_t offset;
    unsigned line, column; /* 0: not begun */
};
struct location yaml_locate_next(const struct yaml_document *document, const struct yaml_node *node, struct yaml_cursor *cursor);

/* At most 60 bytes of text on one line, for a message. */
const char *yaml_excerpt(struct arena *arena, const char *text);

#endif

/* fields.h: a YAML node and a table of fields → typed JSON, with every mistake in the list. */
#ifndef CRESCENDO_SPEC_FIELDS_H
#define CRESCENDO_SPEC_FIELDS_H

#include "spec/yaml.h"

enum {
    FIELD_RAW = 256, /* beside enum field_flag: the table names the key, its owner reads the node itself */
};

/* An expression in the file: found while reading, checked when all stages are known (references.c). */
#define SITE_NONE UINT32_MAX          /* a site's stage or step: outside of one */
#define SITE_OUTPUTS (UINT32_MAX - 1) /* a site's stage: the file's `outputs:`, which sees all stages */

struct site {
    const char *text;     /* the bare expression */
    struct location at;   /* of its first character */
    enum field_type type; /* of the value that it gives */
    bool within_text;     /* other text stands beside it */
    uint32_t stage, step; /* indices, or as above */
};

struct reader {
    struct arena *arena;
    struct diagnostics *list;
    const struct yaml_document *document;
    struct site *sites; /* heap */
    size_t site_count, site_capacity;
    uint32_t stage, step; /* where sites found from now on stand */
};

enum fields_flag {
    FIELDS_FILL = 1,           /* absent members get their fallbacks */
    FIELDS_IGNORE_UNKNOWN = 2, /* unknown keys are somebody else's */
};

/* Reads a map (or the short form of a table with a FIELD_SHORT) into an object, leaving raw fields out. what: "a stage", for
   messages. Mistakes go to the list; then the object holds what could be read. Never NULL; owned by the arena. */
json_t *fields_read(struct reader *reader, const struct yaml_node *node, const struct field *fields, unsigned flags, const char *what);

/* One value. NULL after a mistake; else a new reference. */
json_t *fields_read_value(struct reader *reader, const struct yaml_node *node, const struct field *field);

const struct field *field_find(const struct field *fields, const char *name); /* NULL when absent; fields may be NULL */
const struct field *field_short(const struct field *fields);                  /* the one that may stand for the whole map, or NULL */

/* "wrong-type": what must be there and what is. */
void fields_add_wrong_kind(struct reader *reader, const struct yaml_node *node, const char *name, const char *wanted, const char *hint);

/* The same for a list that is none, or empty; item: "stage". */
void fields_add_wrong_list(struct reader *reader, const struct yaml_node *node, const char *name, const char *item, const char *hint);

/* Adds an unknown key with the nearest of candidates (NULL-ended). */
void fields_add_unknown_key(struct reader *reader, const struct yaml_node *key, const char *what, const char *const *candidates);

/* Are the keys of a map names of environment variables? (pipeline.c) */
bool env_is_sound(struct reader *reader, const struct yaml_node *map);

/* Step types of the language that this version has not; NULL-ended. (tables.c) */
extern const char *const later_step_types[];

/* "not-in-this-version" at a key that the language has. */
void fields_add_later(struct reader *reader, const struct yaml_node *key);

/* template.c: a scalar that may hold ${{ }}: the text without escapes, or the expression object. NULL after a mistake. */
json_t *template_read(struct reader *reader, const struct yaml_node *node, const struct field *field);

#endif

/* select.h: what a list or a single answer is asked for: filters, and the members that it shows. Pure. */
#ifndef CRESCENDO_TMF_SELECT_H
#define CRESCENDO_TMF_SELECT_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stddef.h>

enum { SELECT_FILTERS_MAX = 32, SELECT_FIELDS_MAX = 64, SELECT_DEPTH_MAX = 16, SELECT_PATH_BYTES = 256 };

/* Starts as {0}; select_release frees. */
struct selection {
    struct select_filter *filters; /* all must hold */
    size_t filter_count;
    char **fields; /* "name", "a.b"; none = the whole document */
    size_t field_count;
};

/* "name,place.id": id and href are always shown. Empty = all. -ERROR_INVALID: too many, too long, too deep. */
int select_add_fields(struct selection *selection, const char *list, struct error *err) MUST_CHECK;
/* path "place.id" through objects and arrays; values "a,b": one of them. Copies. */
int select_add_filter(struct selection *selection, const char *path, const char *values, struct error *err) MUST_CHECK;
void select_release(struct selection *selection);

/* Does every filter hold? A path that leads nowhere does not. Numbers and booleans are compared as they are written. */
bool select_matches(const struct selection *selection, const json_t *document);
/* The document with the members that are asked for; a new reference. */
json_t *select_show(const struct selection *selection, const json_t *document);
/* Text that each matching document's canonical text holds; caller frees. NULL = there is none to go by. */
char *select_hint(const struct selection *selection);

#endif

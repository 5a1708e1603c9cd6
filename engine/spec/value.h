/* value.h: one text → the typed JSON value that a field wants. Used for files, defaults and parameters of a command line. */
#ifndef CRESCENDO_SPEC_VALUE_H
#define CRESCENDO_SPEC_VALUE_H

#include "crescendo/error.h"
#include "crescendo/field.h"

#include <jansson.h>

/* Reads text as field->type says and checks bounds and choices. Lists: items stand between commas. ERROR_INVALID: of another type;
   ERROR_LIMIT: out of bounds; ERROR_UNSUPPORTED: a choice that this version lacks. The message begins with the field's name. Caller owns
   *ret_value. */
int value_from_text(const struct field *field, const char *text, json_t **ret_value, struct error *err) MUST_CHECK;

/* What the items of a list of texts, names or percents are. */
struct field value_item_field(const struct field *list);

/* The object of a table's fallbacks alone. Caller's. */
json_t *value_defaults(const struct field *fields);

/* "a duration", "text": for messages. */
const char *value_type_phrase(enum field_type type);
const char *value_type_hint(enum field_type type); /* how to write one; NULL for choices */

#endif

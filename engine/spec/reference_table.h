/* reference_table.h: a table of fields as a table of a reference page. */
#ifndef CRESCENDO_SPEC_REFERENCE_TABLE_H
#define CRESCENDO_SPEC_REFERENCE_TABLE_H

#include "base/text.h"
#include "crescendo/field.h"

void reference_add_table(struct text *out, const struct field *fields); /* NULL or empty: "None." */
void reference_add_section(struct text *out, const char *title, const char *words, const struct field *fields);

#endif

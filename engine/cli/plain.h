/* plain.h: JSON in a few words for a person: "command bin/hello  ports http=8080". Pure. */
#ifndef CRESCENDO_CLI_PLAIN_H
#define CRESCENDO_CLI_PLAIN_H

#include "base/text.h"

#include <jansson.h>

/* Adds a value: texts as they are, members as name=value, items with commas between. At most a few levels deep. */
void plain_add(struct text *out, const json_t *value);
/* Adds a number in the unit that a descriptor keeps it in, by the member's or the KPI's name: memory in bytes, latency in milliseconds, cpu
   in thousandths (docs/reference/service.md); what is no number, or of another name, as it is. */
void plain_add_unit(struct text *out, const char *name, const json_t *value);
/* Adds the members of an object as "name value  name value", in their units, but for those named in skip ("name kpi"; NULL = none). */
void plain_add_members(struct text *out, const json_t *object, const char *skip);

#endif

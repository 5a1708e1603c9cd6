/* quantity.h: numbers with a unit that a service or a domain is described with: processors, bit rates, latencies, rates, percentages. */
#ifndef CRESCENDO_SPEC_QUANTITY_H
#define CRESCENDO_SPEC_QUANTITY_H

#include "crescendo/field.h"

#include <jansson.h>
#include <stdbool.h>

/* Reads the whole text as FIELD_PERCENT, FIELD_CPU, FIELD_BITRATE, FIELD_RATE or FIELD_LATENCY into the number that field.h gives for it.
   false: it is none, or the type is another one. Caller owns *ret_value. */
bool quantity_from_text(enum field_type type, const char *text, json_t **ret_value);

#endif

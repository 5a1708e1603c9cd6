/* outputs.h: the file that a run step hands its outputs over in ($CRESCENDO_OUTPUT). Pure. */
#ifndef CRESCENDO_RUN_OUTPUTS_H
#define CRESCENDO_RUN_OUTPUTS_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stddef.h>

/* Lines `name=value`, or `name<<EOF`, lines, `EOF`. Later ones win. *ret_outputs: an object of texts (new reference), NULL where
   the file is empty. A line that is neither, a text that is not UTF-8 or a missing end mark is -ERROR_INVALID with its number. */
int outputs_parse(const char *bytes, size_t size, json_t **ret_outputs, struct error *err) MUST_CHECK;

#endif

/* schema.h: the JSON schema (draft 2020-12) of pipeline files, for editors; from the tables that the loader uses. */
#ifndef CRESCENDO_SPEC_SCHEMA_H
#define CRESCENDO_SPEC_SCHEMA_H

#include "spec/pipeline.h"

json_t *schema_make(step_types *types); /* caller owns */

#endif

/* validate.h: does a JSON body hold what a table of fields allows? */
#ifndef CRESCENDO_HTTP_VALIDATE_H
#define CRESCENDO_HTTP_VALIDATE_H

#include "crescendo/error.h"
#include "crescendo/field.h"

#include <jansson.h>

/* The first mistake is the error; its message names the member ("files.name"). Values are checked, never changed: a duration or a
   size may be text ("30s") or a number of milliseconds or bytes. */
int validate_body(const json_t *body, const struct field *fields, struct error *err) MUST_CHECK;

#endif

/* params.h: --param NAME=VALUE, as plan and run take it. */
#ifndef CRESCENDO_CLI_PARAMS_H
#define CRESCENDO_CLI_PARAMS_H

#include "cli/options.h"
#include "crescendo/error.h"

#include <jansson.h>

/* Every --param as a member of *ret, an object of texts; the last of a name wins. Caller frees. -ERROR_INVALID: not NAME=VALUE, or not
   UTF-8. */
int params_read(const struct options *options, json_t **ret, struct error *err) MUST_CHECK;

#endif

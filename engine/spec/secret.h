/* secret.h: where a server finds a secret: "file:NAME", a file below its data folder's secrets/; "env:NAME", a variable of its own
   environment. A reference, which may be shown to everybody. Pure. */
#ifndef CRESCENDO_SPEC_SECRET_H
#define CRESCENDO_SPEC_SECRET_H

#include "crescendo/error.h"

/* A name that begins so is the leave that whoever starts a server gives to hand the variable out. */
#define SECRET_VARIABLE_PREFIX "CRESCENDO_SECRET_"

/* In a file that is used: what the one that uses it hands over. No source of a plan. */
#define SECRET_GIVEN "given"

enum secret_scheme { SECRET_FILE, SECRET_ENV };

/* *ret_name: the part behind the scheme, in source. ERROR_UNSUPPORTED: a scheme of the language that this version lacks; ERROR_INVALID:
   no scheme, an unknown one, or a name that is none ("../key"). */
int secret_source_parse(const char *source, enum secret_scheme *ret_scheme, const char **ret_name, struct error *err) MUST_CHECK;

#endif

/* neighbour.h: the other programs of the installation, and the private server that `crescendo run` starts when there is none. */
#ifndef CRESCENDO_CLI_NEIGHBOUR_H
#define CRESCENDO_CLI_NEIGHBOUR_H

#include "crescendo/error.h"

#include <stddef.h>

/* The path of a program beside this one or in ../libexec/crescendo. -ERROR_NOT_FOUND. Caller frees. */
int neighbour_find(const char *name, char **ret_path, struct error *err) MUST_CHECK;

/* types_mark: kept in DATA/step-types while it runs, so that a later command sees whether the step types changed since; NULL: not known.
   Starts `crescendo-server serve --data DATA --allow-no-sandbox --exit-when-idle` in a session of its own, so that Ctrl-C does not reach
   it, and blocks until it is ready. Its log goes to DATA/server.log, whose last lines the error shows. It ends by itself once no run is
   open. */
int neighbour_start_server(const char *data, const char *types_mark, struct error *err) MUST_CHECK;
/* Was the private server of this folder started with these step types? */
bool neighbour_knows_types(const char *data, const char *types_mark);

/* Runs a program with its output read into *ret_output (caller frees; at most limit bytes) and standard error dropped. *ret_status: its
   exit code, or 128 + the signal that ended it. argv[0] is looked for on PATH. Blocks. */
int neighbour_read(
    const char *const *argv, size_t limit_bytes, char **ret_output, size_t *ret_size, int *ret_status, struct error *err) MUST_CHECK;
/* The same with bytes on standard input, and standard error let through. */
int neighbour_filter(const char *const *argv, const char *input, size_t input_size, size_t limit_bytes, char **ret_output, size_t *ret_size,
    int *ret_status, struct error *err) MUST_CHECK;

#endif

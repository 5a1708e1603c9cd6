/* filter.h: a neighbouring program as a filter: bytes in, bytes out. Blocks. */
#ifndef CRESCENDO_SERVER_FILTER_H
#define CRESCENDO_SERVER_FILTER_H

#include "crescendo/error.h"

#include <stddef.h>

/* Runs argv[0] (a path) with the input and reads all that it prints (at most limit bytes; caller frees). Its standard error is ours. An
   exit with anything but 0 is -ERROR_INVALID. */
int filter_run(const char *const *argv, const char *input, size_t limit, char **ret_output, struct error *err) MUST_CHECK;

#endif

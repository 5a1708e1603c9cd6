/* output.h: the few ways in which commands write to standard output. */
#ifndef CRESCENDO_CLI_OUTPUT_H
#define CRESCENDO_CLI_OUTPUT_H

#include "base/text.h"
#include "cli/table.h"

#include <jansson.h>

int print_json(const json_t *json); /* indented, a line break behind; returns 0, the exit code. A command that lists prints an array (NULL:
                                      []), every other one object */
void print_text(struct text *text); /* and releases it */
void write_table(struct table **table, const struct terminal *terminal); /* and frees it */
void print_clean(const char *text);                                      /* text from outside, one line, no line break behind */

#endif

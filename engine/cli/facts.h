/* facts.h: "name        value" lines, as `show` commands print them above their tables. Pure: prints into a text. */
#ifndef CRESCENDO_CLI_FACTS_H
#define CRESCENDO_CLI_FACTS_H

#include "cli/terminal.h"

enum { FACT_NAME_COLUMNS = 12 };

/* A line; nothing where the value is NULL or empty. The value is cleaned, and cut to the terminal. */
void fact_add(struct text *out, const struct terminal *terminal, const char *name, const char *value);
void fact_add_format(struct text *out, const struct terminal *terminal, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void fact_add_time(struct text *out, const struct terminal *terminal, const char *name, int64_t ms); /* nothing for 0 */
/* The first line: state's symbol and colour, then the words. */
void fact_add_head(struct text *out, const struct terminal *terminal, const char *state, const char *words);

#endif

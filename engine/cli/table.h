/* table.h: aligned columns of text, as wide as the terminal at most. Pure: prints into a text. */
#ifndef CRESCENDO_CLI_TABLE_H
#define CRESCENDO_CLI_TABLE_H

#include "cli/terminal.h"

struct column {
    const char *title;
    bool right;    /* aligned to the right: numbers */
    unsigned keep; /* columns that stay when there is little room; 0: this one is never cut */
    unsigned drop; /* where cutting does not make room, columns go: 1 is missed least, up to 9; 0: this one stays */
};

struct table;
struct table *table_new(const struct column *columns, size_t column_count); /* columns are borrowed */
void table_free(struct table **table);
/* Adds a cell; a row is full after as many cells as there are columns. Any text: it is cleaned. NULL is empty. */
void table_add(struct table *table, enum style style, const char *text);
void table_add_format(struct table *table, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* columns: the terminal's width, 0 = no limit: all columns, whole. Else the widest that may be cut are cut, then those that are
   empty or may be missed go; what is left may still be too wide for a terminal of a few columns. */
void table_print(const struct table *table, unsigned columns, bool colour, struct text *out);

#endif

/* terminal.h: what standard output is, and how things look on it. */
#ifndef CRESCENDO_CLI_TERMINAL_H
#define CRESCENDO_CLI_TERMINAL_H

#include "base/text.h"

struct terminal {
    bool is_tty; /* a person may be looking, and lines may be redrawn */
    bool colour;
    unsigned columns, rows; /* columns 0: no limit, because it is not a terminal */
};

/* Looks at the descriptor and at NO_COLOR, TERM and COLUMNS. no_colour: the person said --no-color. */
struct terminal terminal_of(int fd, bool no_colour);
void terminal_measure(struct terminal *terminal, int fd); /* its size again, after a change */

enum style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_BUSY, STYLE_WAIT, STYLE_QUIET, STYLE_STRONG };
const char *style_open(enum style style, bool colour); /* "" without colour */
const char *style_close(enum style style, bool colour);
enum style style_of_state(const char *state);   /* of a run's, a stage's or a step's state by name */
const char *symbol_of_state(const char *state); /* one column: ✓ ✗ ● … */
void text_add_styled(struct text *text, enum style style, bool colour, const char *words);

#endif

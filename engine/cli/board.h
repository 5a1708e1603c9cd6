/* board.h: the live picture of a run: a line for each stage, and one for the run. Pure: state and time in, text out. */
#ifndef CRESCENDO_CLI_BOARD_H
#define CRESCENDO_CLI_BOARD_H

#include "cli/terminal.h"
#include "state/explain.h"

struct board {
    const struct run_state *state;
    const struct explanation *explanation; /* of the same events: how a canary stands; NULL = not known */
    uint64_t run;
    const char *server; /* words for the commands that are shown */
    const struct terminal *terminal;
    int64_t now_ms;
};

/* Adds the picture: at most terminal->rows - 1 lines (rows 0: no limit), none wider than terminal->columns (0: no limit). A run with more
   stages than lines shows those that live or failed, then the nearest others, and counts the rest. */
void board_draw(const struct board *board, struct text *out);

/* How long something takes that is still going on: whole seconds, so that it stays calm. */
void board_add_elapsed(struct text *out, int64_t ms);

#endif

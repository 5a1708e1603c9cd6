/* watching.h: shows a run while it goes: on a terminal a picture that is drawn in place, else a line for each thing that matters. */
#ifndef CRESCENDO_CLI_WATCHING_H
#define CRESCENDO_CLI_WATCHING_H

#include "cli/commands.h"

struct watching {
    bool stop_at_approval; /* end with exit code 3 as soon as the run waits for one */
    bool plain;            /* lines even on a terminal */
};

/* Blocks until the run's end, closes with what failed and how it went, and returns the exit code. Ctrl-C ends the program (130) and leaves
   the run alone. */
int watching_run(struct cli *cli, uint64_t run, const struct watching *watching, struct error *err) MUST_CHECK;

#endif

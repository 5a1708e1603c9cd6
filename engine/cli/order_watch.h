/* order_watch.h: watches an order until it is at rest. */
#ifndef CRESCENDO_CLI_ORDER_WATCH_H
#define CRESCENDO_CLI_ORDER_WATCH_H

#include "cli/commands.h"

/* order: as the core answered it. Prints what changes, on a terminal with a line that is drawn in place, and how it ended (with --json only
   the order, then). Blocks; Ctrl-C ends the wait (130) and leaves the order alone; a core that stays away for two minutes is
   -ERROR_UNAVAILABLE. *ret: the order as it came to rest; the caller frees. */
int order_watch(struct cli *cli, const json_t *order, json_t **ret, struct error *err) MUST_CHECK;
/* As the person wished (--no-wait, --json): watches it, or says only where it is. Returns the exit code. */
int order_finish(struct cli *cli, const json_t *order, struct error *err) MUST_CHECK;

#endif

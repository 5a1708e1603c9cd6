/* watch.c: `crescendo watch`: a run, live, to its end. */
#include "cli/commands.h"
#include "cli/watching.h"

int watch_run(struct cli *cli, struct error *err)
{
    uint64_t run = 0;
    int failed = client_run_number(&cli->client, options_argument(&cli->options, 0), &run, err);
    if (failed) return failed;
    struct watching watching = {.stop_at_approval = options_flag(&cli->options, "no-wait"), .plain = options_flag(&cli->options, "plain")};
    return watching_run(cli, run, &watching, err);
}

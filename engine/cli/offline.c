/* offline.c: commands that work on a data folder, with or without a server: they become the program crescendo-server. */
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/neighbour.h"

#include <errno.h>
#include <unistd.h>

static int become(const struct cli *cli, struct error *err)
{
    AUTO(free_text) char *program = NULL;
    const char *argv[8] = {"crescendo-server", cli->command->name, "--data", cli->client.data};
    size_t count = 4;
    if (!cli->client.data) {
        error_set(err, ERROR_INVALID, NOWHERE, "%s works on a data folder, not through a server's address", cli->command->name);
        return error_hint(err, "on the server's machine: crescendo %s --data DIR", cli->command->name);
    }
    int failed = neighbour_find("crescendo-server", &program, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) argv[count++] = "--json";
    if (cli->options.argument_count) {
        argv[count++] = "--";
        argv[count++] = options_argument(&cli->options, 0);
    }
    execv(program, (char *const *)argv);
    return error_set_errno(err, errno, "starting %s", program);
}

int fsck_run(struct cli *cli, struct error *err)
{
    return become(cli, err);
}

int backup_run(struct cli *cli, struct error *err)
{
    return become(cli, err);
}

int replay_run(struct cli *cli, struct error *err)
{
    return become(cli, err);
}

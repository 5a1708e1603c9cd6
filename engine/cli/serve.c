/* serve.c: `crescendo serve` and `crescendo core` become the program crescendo-server beside this one, with the same words. */
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/neighbour.h"

#include <errno.h>
#include <unistd.h>

/* data: handed on; another --data behind it wins. NULL = none. */
static int become(const char *word, const char *data, const struct cli *cli, struct error *err)
{
    AUTO(free_text) char *program = NULL;
    int failed = neighbour_find("crescendo-server", &program, err);
    if (failed) return failed;
    const char **argv = mem_alloc_array((size_t)cli->argc + 4, sizeof *argv);
    size_t count = 0;
    argv[count++] = "crescendo-server";
    argv[count++] = word;
    if (data) {
        argv[count++] = "--data";
        argv[count++] = data;
    }
    for (int i = 1; i < cli->argc; i++)
        argv[count++] = cli->argv[i];
    execv(program, (char *const *)argv);
    return error_set_errno(err, errno, "starting %s", program);
}

/* --data is always handed on, so that both programs mean the same folder when it was not given. */
int serve_run(struct cli *cli, struct error *err)
{
    return become("serve", cli->client.data, cli, err);
}

/* The folder is not a server's, so that there is no usual one. */
int core_run(struct cli *cli, struct error *err)
{
    return become("core", NULL, cli, err);
}

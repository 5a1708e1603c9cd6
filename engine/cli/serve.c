/* serve.c: `crescendo serve` becomes the program crescendo-server beside this one, with the same words. */
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/neighbour.h"

#include <errno.h>
#include <unistd.h>

/* --data is always handed on, so that both programs mean the same folder when it was not given. */
int serve_run(struct cli *cli, struct error *err)
{
    AUTO(free_text) char *program = NULL;
    int failed = neighbour_find("crescendo-server", &program, err);
    if (failed) return failed;
    const char **argv = mem_alloc_array((size_t)cli->argc + 4, sizeof *argv);
    size_t count = 0;
    argv[count++] = "crescendo-server";
    argv[count++] = "serve";
    if (cli->client.data) { /* another --data behind it wins */
        argv[count++] = "--data";
        argv[count++] = cli->client.data;
    }
    for (int i = 1; i < cli->argc; i++)
        argv[count++] = cli->argv[i];
    execv(program, (char *const *)argv);
    return error_set_errno(err, errno, "starting %s", program);
}

/* version.c: `crescendo version`: of this program, and of the server where one is reachable. */
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/output.h"

#include <stdio.h>

int version_run(struct cli *cli, struct error *err)
{
    (void)err;
    AUTO(free_json) json_t *server = NULL;
    bool there = client_get(&cli->client, &server, NULL, "/v1/version") == 0;
    if (options_flag(&cli->options, "json")) {
        AUTO(free_json) json_t *both = json_object();
        json_put_text(both, "version", CRESCENDO_VERSION);
        if (there) json_put(both, "server", json_incref(server));
        return print_json(both);
    }
    printf("crescendo %s\n", CRESCENDO_VERSION);
    if (!there) {
        printf("server    none at %s\n", cli->client.server);
        return 0;
    }
    printf("server    %s at %s, up for ", json_text(server, "version", "?"), cli->client.server);
    struct text up = {0};
    text_add_duration(&up, json_whole(server, "uptime_ms", 0));
    int64_t open = json_whole(server, "runs_open", 0);
    printf("%s, %lld open run%s\n", text_view(&up), (long long)open, open == 1 ? "" : "s");
    text_release(&up);
    return 0;
}

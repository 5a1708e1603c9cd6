/* run.c: `crescendo run`: hands a pipeline to the server, or to a private one that it starts, and watches the run to its end. */
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/submission.h"
#include "cli/watching.h"

#include <stdio.h>
#include <string.h>

static int add_params(const struct options *options, json_t *body, struct error *err)
{
    json_t *params = json_object();
    json_put(body, "params", params);
    const char *given;
    for (size_t i = 0; (given = options_nth(options, "param", i)); i++) {
        const char *equals = strchr(given, '=');
        if (!equals || equals == given) return error_set(err, ERROR_INVALID, NOWHERE, "--param wants NAME=VALUE, not '%s'", given);
        AUTO(free_text) char *name = mem_copy_bytes(given, (size_t)(equals - given));
        json_t *value = json_string(equals + 1);
        if (!value || !text_is_utf8(name, strlen(name)))
            return error_set(err, ERROR_INVALID, NOWHERE, "--param %zu is not UTF-8 text", i + 1);
        json_put(params, name, value);
    }
    return 0;
}

static int find_repository(struct client *client, const char *name, char **ret_path, struct error *err)
{
    AUTO(free_json) json_t *answer = NULL;
    int failed = client_get(client, &answer, err, "/v1/repositories");
    if (failed) return failed;
    size_t i;
    json_t *repository;
    json_array_foreach(json_object_get(answer, "repositories"), i, repository)
    {
        if (!text_equal(json_text(repository, "name", ""), name)) continue;
        *ret_path = mem_copy_text(json_text(repository, "path", ""));
        return 0;
    }
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "the server has no repository '%s'", name);
    return error_hint(err, "`crescendo repository list` lists them; `crescendo repository add %s` makes it", name);
}

static int make_body(struct cli *cli, json_t **ret_body, struct error *err)
{
    const char *file = options_argument(&cli->options, 0), *repository = options_value(&cli->options, "repository");
    const char *ref = options_value(&cli->options, "ref");
    if (ref && !repository) return error_set(err, ERROR_INVALID, NOWHERE, "--ref goes with --repository");
    if (!file) file = "crescendo.yaml";
    if (!repository) return submission_from_file(file, ret_body, err);
    if (!text_starts(cli->client.server, "unix:"))
        return error_set(err, ERROR_UNSUPPORTED, NOWHERE, "--repository works on the server's own machine only; push instead");
    AUTO(free_text) char *path = NULL;
    int failed = find_repository(&cli->client, repository, &path, err);
    return failed ? failed : submission_from_repository(repository, path, ref ? ref : "main", file, ret_body, err);
}

/* The private server where no other was named and the usual one is not there; a request then starts it. */
static int choose_server(struct cli *cli, struct error *err)
{
    bool repository = options_value(&cli->options, "repository");
    if (repository && cli->client.local) return error_set(err, ERROR_INVALID, NOWHERE, "--local does not go with --repository");
    if (!cli->client.chosen && !repository && !client_is_reachable(&cli->client)) client_use_local(&cli->client);
    return 0;
}

static int detach(struct cli *cli, const json_t *answer, uint64_t run)
{
    if (options_flag(&cli->options, "json")) return print_json(answer);
    AUTO(free_text) char *server = report_server_words(&cli->client);
    printf("run %llu is accepted. See it: crescendo watch%s %llu\n", (unsigned long long)run, server, (unsigned long long)run);
    return 0;
}

int run_run(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *body = NULL, *answer = NULL;
    int failed = choose_server(cli, err);
    if (!failed) failed = make_body(cli, &body, err);
    if (!failed) failed = add_params(&cli->options, body, err);
    if (failed) return failed;
    json_put_text(body, "title", options_value(&cli->options, "title"));
    failed = client_call(&cli->client, "POST", "/v1/runs", body, &answer, err);
    if (failed) return failed;
    uint64_t run = (uint64_t)json_whole(answer, "run", 0);
    if (options_flag(&cli->options, "detach")) return detach(cli, answer, run);
    struct watching watching = {.stop_at_approval = options_flag(&cli->options, "no-wait"), .plain = options_flag(&cli->options, "plain")};
    return watching_run(cli, run, &watching, err);
}

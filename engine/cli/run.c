/* run.c: `crescendo run`: hands a pipeline to the server, or to a private one that it starts, and watches the run to its end. */
#include "base/mem.h"
#include "cli/complaint.h"
#include "cli/neighbour.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/report.h"
#include "cli/sources.h"
#include "cli/submission.h"
#include "cli/watching.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { END_TRIES = 20, END_PAUSE_MS = 500 }; /* how long an idle private server may take to end */

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

static int from_repository(struct cli *cli, const char *repository, const char *file, json_t **ret_body, struct error *err)
{
    const char *ref = options_value(&cli->options, "ref");
    if (!text_starts(cli->client.server, "unix:"))
        return error_set(err, ERROR_UNSUPPORTED, NOWHERE, "--repository works on the server's own machine only; push instead");
    AUTO(free_text) char *path = NULL;
    int failed = find_repository(&cli->client, repository, &path, err);
    return failed ? failed : submission_from_repository(repository, path, ref ? ref : "main", file, ret_body, err);
}

static bool is_marked(const struct cli *cli, const char *type)
{
    AUTO(free_text) char *line = mem_format("\n%s ", type);
    AUTO(free_text) char *marks = mem_format("\n%s", cli->types_mark);
    return strstr(marks, line) != NULL;
}

/* Does it, or a pipeline that it uses, need step types that are not built in? The loader bounds the depth. */
static bool uses_external_types(const struct cli *cli, const struct pipeline *pipeline)
{
    bool uses = false;
    for (size_t i = 0; i < pipeline->stage_count && !uses; i++) {
        const struct pipeline_stage *stage = &pipeline->stages[i];
        uses = stage->used && uses_external_types(cli, stage->used);
        for (size_t k = 0; k < stage->step_count && !uses; k++)
            uses = is_marked(cli, stage->steps[k].type->name);
    }
    return uses;
}

/* A private server keeps the step types of its start. An idle one ends in a moment, and the next one knows the new ones. */
static int wait_for_new_types(struct cli *cli, struct error *err)
{
    for (int tries = 0; client_is_reachable(&cli->client); tries++) {
        AUTO(free_json) json_t *version = NULL;
        if (client_get(&cli->client, &version, NULL, "/v1/version")) break;
        if (json_whole(version, "runs_open", 0) || tries >= END_TRIES) {
            error_set(
                err, ERROR_CONFLICT, NOWHERE, "the step types on PATH changed, and the running private server still has the older ones");
            return error_hint(err, "it ends when no run of it is open: see `crescendo runs --local`, then try again");
        }
        nanosleep(&(struct timespec){.tv_nsec = END_PAUSE_MS * 1000L * 1000}, NULL);
    }
    return 0;
}

/* For a private server, what a wrong file lacks is said here, by the step types that PATH has now. */
static int check_file(struct cli *cli, const struct source_set *sources, struct error *err)
{
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(pipeline_free) struct pipeline *pipeline = NULL;
    if (!cli->client.local) return 0;
    int failed = cli->load_types(cli, err);
    if (failed) return failed;
    if (pipeline_load(sources, cli->types, &list, &pipeline)) return complaint_keep(cli, &list, sources, err);
    if (!uses_external_types(cli, pipeline) || neighbour_knows_types(cli->client.data, cli->types_mark)) return 0;
    return wait_for_new_types(cli, err);
}

static int make_body(struct cli *cli, json_t **ret_body, struct error *err)
{
    AUTO(sources_release) struct sources sources = {0};
    const char *file = options_argument(&cli->options, 0), *repository = options_value(&cli->options, "repository");
    if (!file) file = "crescendo.yaml";
    if (repository) return from_repository(cli, repository, file, ret_body, err);
    if (options_value(&cli->options, "ref")) return error_set(err, ERROR_INVALID, NOWHERE, "--ref goes with --repository");
    int failed = sources_read(file, &sources, err);
    if (!failed) failed = check_file(cli, &sources.set, err);
    return failed ? failed : submission_from_file(file, &sources.set, ret_body, err);
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
    AUTO(free_json) json_t *params = NULL, *body = NULL, *answer = NULL;
    int failed = params_read(&cli->options, &params, err);
    if (!failed) failed = choose_server(cli, err);
    if (!failed) failed = make_body(cli, &body, err);
    if (failed) return failed;
    json_put(body, "params", take(&params));
    json_put_text(body, "title", options_value(&cli->options, "title"));
    failed = client_call(&cli->client, "POST", "/v1/runs", body, &answer, err);
    if (failed) return failed;
    uint64_t run = (uint64_t)json_whole(answer, "run", 0);
    if (options_flag(&cli->options, "detach")) return detach(cli, answer, run);
    struct watching watching = {.stop_at_approval = options_flag(&cli->options, "no-wait"), .plain = options_flag(&cli->options, "plain")};
    return watching_run(cli, run, &watching, err);
}

/* decide.c: `crescendo approve`, `reject` and `cancel`: what a person decides about a run. */
#include "base/encode.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/shell_words.h"

#include <stdio.h>

/* RUN was left out: the only approval that waits, if it is one. */
static int find_only(struct cli *cli, uint64_t *ret_run, char **ret_step, struct error *err)
{
    AUTO(free_json) json_t *answer = NULL;
    int failed = client_get(&cli->client, &answer, err, "/v1/approvals");
    if (failed) return failed;
    const json_t *approvals = json_object_get(answer, "approvals");
    size_t count = json_array_size(approvals);
    if (count == 0) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "nothing waits for approval");
    if (count > 1) {
        const json_t *first = json_array_get(approvals, 0);
        AUTO(free_text) char *server = report_server_words(&cli->client);
        AUTO(free_text) char *word = shell_word(json_text(first, "step", ""));
        error_set(err, ERROR_CONFLICT, NOWHERE, "%zu approvals wait; say which: RUN, or RUN and STEP", count);
        return error_hint(
            err, "for example: crescendo %s%s %lld %s", cli->command->name, server, (long long)json_whole(first, "run", 0), word);
    }
    *ret_run = (uint64_t)json_whole(json_array_get(approvals, 0), "run", 0);
    *ret_step = mem_copy_text(json_text(json_array_get(approvals, 0), "step", "-"));
    return 0;
}

static int vote(struct cli *cli, const char *decision, const char *done, struct error *err)
{
    uint64_t run = 0;
    AUTO(free_text) char *step = mem_copy_text(options_argument(&cli->options, 1));
    const char *argument = options_argument(&cli->options, 0);
    int failed = argument ? client_run_number(&cli->client, argument, &run, err) : find_only(cli, &run, &step, err);
    if (failed) return failed;
    struct text path = {0};
    text_add_format(&path, "/v1/runs/%llu/approvals/", (unsigned long long)run);
    percent_encode(step ? step : "-", &path);
    AUTO(free_json) json_t *body = json_object(), *answer = NULL;
    json_put_text(body, "decision", decision);
    json_put_text(body, "comment", options_value(&cli->options, "comment"));
    failed = client_call(&cli->client, "POST", text_view(&path), body, &answer, err);
    text_release(&path);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(answer);
    AUTO(free_text) char *verb = report_verb(answer);
    printf("run %llu: ", (unsigned long long)run);
    print_clean(step ? step : "the waiting stage");
    printf(" %s; the run %s\n", done, text_equal(verb, "is running") ? "goes on" : verb);
    return 0;
}

int approve_run(struct cli *cli, struct error *err)
{
    return vote(cli, "approve", "approved", err);
}

int reject_run(struct cli *cli, struct error *err)
{
    return vote(cli, "reject", "rejected", err);
}

/* One that has nothing to end or to undo is over at once. */
static int print_left(struct cli *cli, uint64_t run, struct error *err)
{
    AUTO(free_json) json_t *row = NULL;
    AUTO(text_release) struct text out = {0};
    int failed = client_get(&cli->client, &row, err, "/v1/runs/%llu", (unsigned long long)run);
    if (failed) return failed;
    report_left(row, &cli->out, &out);
    print_text(&out);
    return 0;
}

int cancel_run(struct cli *cli, struct error *err)
{
    uint64_t run = 0;
    int failed = client_run_number(&cli->client, options_argument(&cli->options, 0), &run, err);
    if (failed) return failed;
    AUTO(free_text) char *path = mem_format("/v1/runs/%llu/cancel", (unsigned long long)run);
    AUTO(free_json) json_t *body = json_object(), *answer = NULL;
    json_put_text(body, "comment", options_value(&cli->options, "comment"));
    failed = client_call(&cli->client, "POST", path, body, &answer, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(answer);
    AUTO(free_text) char *verb = report_verb(answer);
    printf("run %llu %s\n", (unsigned long long)run, verb);
    return print_left(cli, run, err);
}

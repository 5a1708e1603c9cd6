/* resolve.c: `crescendo resolve` and `crescendo order resolve`: a person settles what the engine cannot tell. */
#include "base/encode.h"
#include "base/mem.h"
#include "cli/documents.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/report.h"

#include <stdio.h>

/* The body of the request; NULL: not exactly one of the three was said. New. */
static json_t *body_of(const struct options *options)
{
    const char *id = options_value(options, "done");
    bool not_done = options_flag(options, "not-done"), undone = options_flag(options, "undone");
    if ((id != NULL) + not_done + undone != 1) return NULL;
    json_t *body = json_object();
    json_put_text(body, "as", id ? "done" : not_done ? "not_done" : "undone");
    json_put_text(body, "id", id);
    json_put_text(body, "effect", options_value(options, "effect"));
    json_put_text(body, "comment", options_value(options, "comment"));
    return body;
}

static int check_body(const json_t *body, const char *look, struct error *err)
{
    if (body && !text_equal(json_text(body, "id", "x"), "")) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "resolve: say one of --done ID, --not-done, --undone");
    return error_hint(err, "look at the peer first: `%s` says what is not known", look);
}

int resolve_run(struct cli *cli, struct error *err)
{
    uint64_t run = 0;
    const char *step = options_argument(&cli->options, 1);
    AUTO(free_json) json_t *body = body_of(&cli->options), *answer = NULL;
    int failed = check_body(body, "crescendo explain RUN", err);
    if (!failed) failed = client_run_number(&cli->client, options_argument(&cli->options, 0), &run, err);
    if (failed) return failed;
    AUTO(text_release) struct text path = {0};
    text_add_format(&path, "/v1/runs/%llu/steps/", (unsigned long long)run);
    percent_encode(step ? step : "-", &path);
    text_add(&path, "/resolve");
    failed = client_call(&cli->client, "POST", text_view(&path), body, &answer, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(answer);
    AUTO(free_text) char *verb = report_verb(answer);
    printf("run %llu: ", (unsigned long long)run);
    print_clean(step ? step : "the step");
    printf(" is settled; the run %s\n", text_equal(verb, "is running") ? "goes on" : verb);
    return 0;
}

/* An order is a run of the core, which it settles by itself. */
int order_resolve(struct cli *cli, struct error *err)
{
    const char *id = form_argument(cli, 0), *item = form_argument(cli, 1);
    AUTO(free_json) json_t *body = body_of(&cli->options), *answer = NULL;
    int failed = check_body(body, "crescendo order show ID", err);
    if (failed) return failed;
    json_put_text(body, "item", item);
    AUTO(text_release) struct text path = {0};
    text_add(&path, CORE_SETTLE "/");
    percent_encode(id, &path);
    failed = client_call(&cli->client, "POST", text_view(&path), body, &answer, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(answer);
    printf("order ");
    print_clean(id);
    printf(": ");
    if (item) printf("item ");
    print_clean(item ? item : "what was held");
    printf(" is settled; `crescendo order show ");
    print_clean(id);
    printf("` says how it goes on\n");
    return 0;
}

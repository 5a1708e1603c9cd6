/* runs.c: `crescendo runs`: the runs, newest first, as a table. */
#include "base/clock.h"
#include "base/encode.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/shell_words.h"
#include "cli/table.h"
#include "cli/when.h"

#include <stdio.h>

enum { TITLE_FROM_COLUMNS = 120 };

static void add_row(struct table *table, const json_t *run, int64_t now_ms, bool with_title)
{
    AUTO(free_text) char *state = report_state(run);
    enum style style = style_of_state(json_text(run, "state", ""));
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)json_whole(run, "run", 0));
    table_add(table, STYLE_PLAIN, json_text(run, "pipeline", ""));
    table_add(table, STYLE_PLAIN, json_text(run, "repository", ""));
    table_add(table, STYLE_PLAIN, report_ref(json_text(run, "ref", NULL)));
    table_add_format(table, style, "%s %s", symbol_of_state(json_text(run, "state", "")), state);
    int64_t accepted_ms = json_whole(run, "accepted_ms", 0);
    table_add_when(table, accepted_ms, now_ms);
    table_add_took(table, json_whole(run, "started_ms", accepted_ms), json_whole(run, "ended_ms", 0), now_ms);
    const char *waits = text_equal(json_text(run, "waiting_for", NULL), "group") ? json_text(run, "message", NULL) : NULL;
    if (with_title) table_add(table, STYLE_QUIET, waits ? waits : json_text(run, "title", ""));
}

static void print_runs(const struct cli *cli, const json_t *runs)
{
    static const struct column columns[] = {{"RUN", .right = true}, {"PIPELINE", .keep = 8}, {"REPOSITORY", .keep = 10}, {"REF", .keep = 6},
        {"STATE", .keep = 22}, {"WHEN", .keep = 0}, {"TOOK", .keep = 0}, {"TITLE", .keep = 5}};
    bool with_title = !cli->out.columns || cli->out.columns >= TITLE_FROM_COLUMNS;
    struct table *table = table_new(columns, COUNT_OF(columns) - !with_title);
    int64_t now_ms = clock_now_ms();
    size_t i;
    json_t *run;
    json_array_foreach(runs, i, run) add_row(table, run, now_ms, with_title);
    write_table(&table, &cli->out);
}

static void add_filter(struct text *path, const struct options *options, const char *name)
{
    const char *value = options_value(options, name);
    if (!value) return;
    text_add_format(path, "&%s=", name);
    percent_encode(value, path);
}

/* The command for the page behind this one: the same words, further back. */
static void print_next(const struct cli *cli, int64_t before)
{
    static const char *const names[] = {"repository", "pipeline", "state", "limit"};
    struct text line = {0};
    AUTO(free_text) char *server = report_server_words(&cli->client);
    text_add_format(&line, "older ones: crescendo runs%s", server);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = options_value(&cli->options, names[i]);
        if (!value) continue;
        text_add_format(&line, " --%s ", names[i]);
        shell_add_word(&line, value);
    }
    text_add_format(&line, " --before %lld\n", (long long)before);
    print_text(&line);
}

int runs_run(struct cli *cli, struct error *err)
{
    int64_t limit = 0, before = 0;
    int failed = options_number(&cli->options, "limit", 1, 20, &limit, err);
    if (!failed) failed = options_number(&cli->options, "before", 1, 0, &before, err);
    if (failed) return failed;
    struct text path = {0};
    text_add_format(&path, "/v1/runs?limit=%lld", (long long)limit);
    add_filter(&path, &cli->options, "repository");
    add_filter(&path, &cli->options, "pipeline");
    add_filter(&path, &cli->options, "state");
    if (before) text_add_format(&path, "&before=%lld", (long long)before);
    AUTO(free_json) json_t *answer = NULL;
    failed = client_call(&cli->client, "GET", text_view(&path), NULL, &answer, err);
    text_release(&path);
    if (failed) return failed;
    const json_t *runs = json_object_get(answer, "runs"), *next = json_object_get(answer, "next");
    if (options_flag(&cli->options, "json")) {
        print_json(answer);
    } else if (!json_array_size(runs)) {
        printf("no runs%s\n", before || cli->options.given_count ? " like that" : " yet: push to a repository, or `crescendo run`");
    } else {
        print_runs(cli, runs);
        if (json_is_integer(next)) print_next(cli, json_integer_value(next));
    }
    return 0;
}

/* show.c: `crescendo show`: all about one run, once. */
#include "base/clock.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/display.h"
#include "cli/facts.h"
#include "cli/failures.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/table.h"
#include "cli/when.h"

#include <stdio.h>

static void add_cancel(struct text *out, const struct terminal *terminal, const json_t *run)
{
    const char *by = json_text(run, "cancelled_by", NULL), *comment = json_text(run, "cancel_comment", "");
    if (by) fact_add_format(out, terminal, "cancelled", "by %s%s%s", by, *comment ? ": " : "", comment);
}

/* "order 18 on lab (release/order): ended" */
static void add_extra(struct text *out, const struct terminal *terminal, const json_t *extra)
{
    const char *message = json_text(extra, "message", NULL);
    fact_add_format(out, terminal, "too many", "order %s on %s (%s): %s%s%s", json_text(extra, "order", "?"),
        json_text(extra, "target", "?"), json_text(extra, "step", "?"),
        json_flag(extra, "ended", false) ? "it was ended" : "end it there by hand", message ? ": " : "", message ? message : "");
}

static void add_settled(struct text *out, const struct terminal *terminal, const json_t *settled)
{
    fact_add_format(out, terminal, "settled", "%s: %s", json_text(settled, "step", "?"), json_text(settled, "words", "?"));
}

static void add_header(struct text *out, const struct terminal *terminal, const json_t *run)
{
    AUTO(free_text) char *state = report_state(run);
    AUTO(free_text)
    char *head = mem_format("run %lld  %s  %s", (long long)json_whole(run, "run", 0), json_text(run, "pipeline", ""), state);
    fact_add_head(out, terminal, json_text(run, "state", ""), head);
    if (!text_equal(state, json_text(run, "message", NULL))) fact_add(out, terminal, "message", json_text(run, "message", NULL));
    add_cancel(out, terminal, run);
    fact_add(out, terminal, "title", json_text(run, "title", NULL));
    fact_add(out, terminal, "repository", json_text(run, "repository", NULL));
    fact_add(out, terminal, "ref", report_ref(json_text(run, "ref", NULL)));
    fact_add(out, terminal, "commit", json_text(run, "commit", NULL));
    fact_add(out, terminal, "author", json_text(run, "author", NULL));
    fact_add(out, terminal, "trigger", json_text(run, "trigger", NULL));
    fact_add(out, terminal, "isolation", json_text(run, "isolation", NULL));
    fact_add_time(out, terminal, "accepted", json_whole(run, "accepted_ms", 0));
    fact_add_time(out, terminal, "ended", json_whole(run, "ended_ms", 0));
    report_left(run, terminal, out);
    size_t i;
    json_t *extra, *settled;
    json_array_foreach(json_object_get(run, "extras"), i, extra) add_extra(out, terminal, extra);
    json_array_foreach(json_object_get(run, "settled"), i, settled) add_settled(out, terminal, settled);
    int64_t begin_ms = json_whole(run, "accepted_ms", 0), end_ms = json_whole(run, "ended_ms", 0);
    if (!begin_ms || end_ms < begin_ms) return;
    AUTO(text_release) struct text took = {0};
    when_add_took(&took, begin_ms, end_ms, end_ms);
    fact_add(out, terminal, "took", text_view(&took));
}

static void add_step(struct table *table, const json_t *step, int64_t now_ms)
{
    AUTO(free_text) char *state = report_state(step);
    const char *name = json_text(step, "state", "");
    int64_t attempt = json_whole(step, "attempt", 0);
    table_add(table, STYLE_PLAIN, json_text(step, "path", "?"));
    table_add_format(table, style_of_state(name), "%s %s", symbol_of_state(name), state);
    table_add_took(table, json_whole(step, "started_ms", 0), json_whole(step, "ended_ms", 0), now_ms);
    if (attempt > 1 && !failure_is_of_judge(step)) /* each of its ticks is an attempt */
        table_add_format(table, STYLE_WAIT, "%lld", (long long)attempt);
    else
        table_add(table, STYLE_PLAIN, "");
    table_add(table, STYLE_QUIET, json_text(step, "message", json_text(step, "title", "")));
}

static void add_steps(struct text *out, const struct terminal *terminal, const json_t *steps)
{
    static const struct column columns[] = {
        {"STEP", .keep = 12}, {"STATE", .keep = 12}, {"TOOK", .keep = 0}, {"TRY", .right = true}, {"WHAT", .keep = 6}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    int64_t now_ms = clock_now_ms();
    size_t i;
    json_t *step;
    json_array_foreach(steps, i, step) add_step(table, step, now_ms);
    text_add_char(out, '\n');
    table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
}

static void add_diagnostics(struct text *out, const json_t *run)
{
    const char *text = json_text(run, "text", NULL);
    if (!text) return;
    text_add_char(out, '\n');
    display_add(out, text, DISPLAY_LINES);
}

int show_run(struct cli *cli, struct error *err)
{
    uint64_t number = 0;
    AUTO(free_json) json_t *run = NULL;
    int failed = client_run_number(&cli->client, options_argument(&cli->options, 0), &number, err);
    if (!failed) failed = client_get(&cli->client, &run, err, "/v1/runs/%llu", (unsigned long long)number);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(run);
    struct text out = {0};
    add_header(&out, &cli->out, run);
    add_diagnostics(&out, run);
    if (json_array_size(json_object_get(run, "steps"))) add_steps(&out, &cli->out, json_object_get(run, "steps"));
    size_t before = out.size;
    text_add_char(&out, '\n');
    (void)report_failures(&cli->client, run, false, &cli->out, &out);
    report_approvals(&cli->client, run, &cli->out, &out);
    if (out.size == before + 1) out.bytes[--out.size] = '\0';
    print_text(&out);
    return 0;
}

/* plan.c: `crescendo plan`: what a pipeline would do. Works on the file alone: no server, no run, nothing is changed. */
#include "plan/plan.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/complaint.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/sources.h"
#include "spec/beside.h"
#include "spec/diagnose.h"

#include <stdio.h>
#include <unistd.h>

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_DOT };

static void print_json_plan(const struct plan *plan, struct text *out)
{
    AUTO(free_json) json_t *json = plan_to_json(plan);
    json_add_lines(out, json);
    text_add_char(out, '\n');
}

static void print_plan(const struct plan *plan, enum format format, struct plan_look look)
{
    struct text out = {0};
    switch (format) {
    case FORMAT_TEXT: plan_print_text(plan, look, &out); break;
    case FORMAT_JSON: print_json_plan(plan, &out); break;
    case FORMAT_DOT: plan_print_dot(plan, &out); break;
    }
    print_text(&out);
}

static void print_warnings(const struct diagnostics *list, const struct source_set *sources, bool colour)
{
    struct text said = {0};
    diagnose_text(list, sources, colour ? DIAGNOSE_COLOUR : DIAGNOSE_PLAIN, &said);
    fwrite(text_view(&said), 1, said.size, stderr);
    text_release(&said);
}

static struct plan_facts read_facts(const struct options *options)
{
    return (struct plan_facts){.repository = options_value(options, "repository"),
        .ref = options_value(options, "ref"),
        .branch = options_value(options, "branch"),
        .commit = options_value(options, "commit")};
}

static int plan_sources(struct cli *cli, const struct source_set *sources, const json_t *params, enum format format, struct error *err)
{
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(pipeline_free) struct pipeline *pipeline = NULL;
    AUTO(plan_free) struct plan *plan = NULL;
    AUTO(beside_release) struct beside beside = {0};
    struct plan_facts facts = read_facts(&cli->options);
    int failed = pipeline_load(sources, cli->types, &list, &pipeline);
    if (!failed) failed = beside_load(pipeline, sources, &list, &beside);
    facts.domains = beside.domains;
    facts.service = beside.service;
    if (!failed) failed = plan_build(pipeline, &facts, params, &list, &plan);
    if (failed) return complaint_keep(cli, &list, sources, err);
    if (list.count) print_warnings(&list, sources, terminal_of(STDERR_FILENO, options_flag(&cli->options, "no-color")).colour);
    print_plan(plan, format, (struct plan_look){cli->out.colour, options_flag(&cli->options, "bodies")});
    return 0;
}

static int read_format(const struct options *options, size_t *ret, struct error *err)
{
    static const char *const formats[] = {"text", "json", "dot", NULL};
    *ret = options_flag(options, "json") ? FORMAT_JSON : FORMAT_TEXT;
    return options_choice(options, "format", formats, ret, err);
}

int plan_run(struct cli *cli, struct error *err)
{
    AUTO(sources_release) struct sources sources = {0};
    AUTO(free_json) json_t *params = NULL;
    const char *file = options_argument(&cli->options, 0);
    size_t format = FORMAT_TEXT;
    int failed = read_format(&cli->options, &format, err);
    if (!failed) failed = params_read(&cli->options, &params, err);
    if (!failed) failed = cli->load_types(cli, err);
    if (!failed) failed = sources_read(file ? file : "crescendo.yaml", &sources, err);
    return failed ? failed : plan_sources(cli, &sources.set, params, (enum format)format, err);
}

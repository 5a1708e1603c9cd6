/* planning.c: a file and what stands beside it → the plan, for the commands that plan without a server. */
#include "cli/planning.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/complaint.h"
#include "cli/heap.h"
#include "cli/params.h"
#include "cli/sources.h"
#include "spec/beside.h"
#include "spec/diagnose.h"

#include <stdio.h>
#include <unistd.h>

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

static int plan_sources(struct cli *cli, const struct source_set *sources, const json_t *params, struct error *err)
{
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(beside_release) struct beside beside = {0};
    struct plan_facts facts = read_facts(&cli->options);
    int failed = pipeline_load(sources, cli->types, &list, &cli->pipeline);
    if (!failed) failed = beside_load(cli->pipeline, sources, &list, &beside);
    facts.domains = beside.domains;
    facts.service = beside.service;
    if (!failed) failed = plan_build(cli->pipeline, &facts, params, &list, &cli->plan);
    if (failed) return complaint_keep(cli, &list, sources, err);
    if (list.count) print_warnings(&list, sources, terminal_of(STDERR_FILENO, options_flag(&cli->options, "no-color")).colour);
    return 0;
}

/* A pipeline and its plan take 50 to 100 times the file. */
static size_t expected_bytes(const struct source_set *sources)
{
    size_t bytes = 0;
    for (size_t i = 0; i < sources->count; i++)
        bytes += 128 * sources->items[i].size;
    return bytes;
}

const char *planning_file(const struct cli *cli)
{
    const char *file = options_argument(&cli->options, 0);
    return file ? file : "crescendo.yaml";
}

int planning_make(struct cli *cli, struct error *err)
{
    AUTO(sources_release) struct sources sources = {0};
    AUTO(free_json) json_t *params = NULL;
    int failed = params_read(&cli->options, &params, err);
    if (!failed) failed = cli->load_types(cli, err);
    if (!failed) failed = sources_read(planning_file(cli), &sources, err);
    if (failed) return failed;
    heap_expect(expected_bytes(&sources.set));
    return plan_sources(cli, &sources.set, params, err);
}

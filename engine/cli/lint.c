/* lint.c: `crescendo lint`: every mistake in a pipeline file, for a person or a program; and what a file may hold, from the same tables. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/sources.h"
#include "spec/beside.h"
#include "spec/descriptor.h"
#include "spec/diagnose.h"
#include "spec/domain.h"
#include "spec/reference.h"
#include "spec/schema.h"
#include "spec/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };

static void print_document(json_t *document)
{
    AUTO(free_text) char *text = json_dumps(document, JSON_INDENT(2));
    puts(text ? text : "[]");
    json_decref(document);
}

/* what: the kind of file; NULL is a pipeline. */
static int print_reference(step_types *types, const char *what, struct error *err)
{
    struct text text = {0};
    if (!what || strcmp(what, "pipeline") == 0)
        reference_print(types, &text);
    else if (strcmp(what, "service") == 0)
        reference_print_service(&text);
    else if (strcmp(what, "domain") == 0)
        reference_print_domain(&text);
    else
        return error_set(err, ERROR_INVALID, NOWHERE, "there are the reference pages pipeline, service and domain, not '%s'", what);
    print_text(&text);
    return 0;
}

/* What several files lack goes into one list, so that --format prints one document; their sources stay until it is printed. */
struct linted {
    struct diagnostics list;
    struct sources *files;
    size_t file_count;
    struct source *all;
    size_t all_count, all_capacity;
};

static void linted_release(struct linted *linted)
{
    diagnostics_release(&linted->list);
    for (size_t i = 0; i < linted->file_count; i++)
        sources_release(&linted->files[i]);
    free(linted->files);
    free(linted->all);
}

static void load_by_kind(const struct source_set *set, step_types *types, struct diagnostics *list)
{
    AUTO(pipeline_free) struct pipeline *pipeline = NULL;
    AUTO(free_json) json_t *descriptor = NULL;
    AUTO(beside_release) struct beside beside = {0};
    int failed = 0; /* the list says why */
    switch (descriptor_kind(&set->items[0])) {
    case DESCRIPTOR_SERVICE: failed = service_load(&set->items[0], list, &descriptor); break;
    case DESCRIPTOR_DOMAIN: failed = domain_load(&set->items[0], list, &descriptor); break;
    case DESCRIPTOR_PIPELINE:
        failed = pipeline_load(set, types, list, &pipeline);
        if (!failed) failed = beside_load(pipeline, set, list, &beside);
        if (!failed) beside_check(pipeline, &beside, list);
        break;
    }
    (void)failed;
}

/* A file that cannot be read is one more thing that is wrong: what the other files lack is shown all the same. */
static void lint_file(struct linted *linted, const char *path, step_types *types)
{
    struct error why = {0};
    if (sources_read(path, &linted->files[linted->file_count], &why)) {
        diagnostics_add(&linted->list, "unreadable", (struct location){.file = path}, 0, why.hint[0] ? why.hint : NULL, "%s", why.message);
        return;
    }
    const struct source_set *set = &linted->files[linted->file_count++].set;
    load_by_kind(set, types, &linted->list);
    linted->all = mem_grow(linted->all, &linted->all_capacity, linted->all_count + set->count, sizeof *linted->all);
    memcpy(linted->all + linted->all_count, set->items, set->count * sizeof *linted->all);
    linted->all_count += set->count;
}

static void print_linted(const struct linted *linted, enum format format, bool colour)
{
    struct text text = {0};
    if (format == FORMAT_JSON) return print_document(diagnose_json(&linted->list));
    if (format == FORMAT_SARIF) return print_document(diagnose_sarif(&linted->list));
    diagnose_text(&linted->list, &(struct source_set){linted->all, linted->all_count}, colour ? DIAGNOSE_COLOUR : DIAGNOSE_PLAIN, &text);
    print_text(&text);
}

static int lint(const struct cli *cli, enum format format)
{
    AUTO(linted_release) struct linted linted = {0};
    size_t count = cli->options.argument_count ? cli->options.argument_count : 1;
    linted.files = mem_alloc_array(count, sizeof *linted.files);
    for (size_t i = 0; i < count; i++) {
        const char *path = options_argument(&cli->options, i);
        lint_file(&linted, path ? path : "crescendo.yaml", cli->types);
    }
    print_linted(&linted, format, cli->out.colour);
    if (diagnostics_only_denied(&linted.list)) return EXIT_CODE_DENIED;
    return linted.list.error_count ? EXIT_CODE_WRONG : 0;
}

int lint_run(struct cli *cli, struct error *err)
{
    static const char *const formats[] = {"text", "json", "sarif", NULL};
    size_t format = FORMAT_TEXT;
    int failed = options_choice(&cli->options, "format", formats, &format, err);
    if (!failed) failed = cli->load_types(cli, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "reference")) return print_reference(cli->types, options_argument(&cli->options, 0), err);
    if (options_flag(&cli->options, "schema")) return print_document(schema_make(cli->types)), 0;
    return lint(cli, (enum format)format);
}

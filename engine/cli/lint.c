/* lint.c: `crescendo lint`: every mistake in a pipeline file, for a person or a program; and what a file may hold, from the same tables. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/sources.h"
#include "spec/diagnose.h"
#include "spec/reference.h"
#include "spec/schema.h"
#include "steps/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_WRONG = 64 };

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };

static const struct option_spec options_known[] = {
    {"format", 0, "FORMAT", "text, json or sarif"},
    {"schema", 0, NULL, "print the JSON schema of pipeline files"},
    {"reference", 0, NULL, "print the reference page"},
    {"no-color", 0, NULL, "no colours"},
    OPTION_END,
};

static int fail(const struct error *err)
{
    fprintf(stderr, "crescendo lint: %s\n", err->message);
    if (err->hint[0]) fprintf(stderr, "  hint: %s\n", err->hint);
    return EXIT_WRONG;
}

static int format_of(const char *name, enum format *ret, struct error *err)
{
    static const char *const names[] = {"text", "json", "sarif", NULL};
    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *ret = (enum format)i;
        return 0;
    }
    error_set(err, ERROR_INVALID, NOWHERE, "there is no format \"%.40s\"", name);
    return error_hint(err, "it may be text, json or sarif");
}

static void print_document(json_t *document)
{
    AUTO(free_text) char *text = json_dumps(document, JSON_INDENT(2));
    puts(text ? text : "[]");
    json_decref(document);
}

static void print_diagnostics(const struct diagnostics *list, const struct source_set *sources, bool no_colour)
{
    AUTO(text_release) struct text text = {0};
    diagnose_text(list, sources, terminal_of(STDOUT_FILENO, no_colour).colour ? DIAGNOSE_COLOUR : DIAGNOSE_PLAIN, &text);
    fputs(text_view(&text), stdout);
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

static int lint_file(struct linted *linted, const char *path, struct error *err)
{
    struct pipeline *pipeline = NULL;
    int failed = sources_read(path, &linted->files[linted->file_count], err);
    if (failed) return failed;
    const struct source_set *set = &linted->files[linted->file_count++].set;
    if (pipeline_load(set, step_types_builtin, &linted->list, &pipeline) == 0) pipeline_free(&pipeline);
    linted->all = mem_grow(linted->all, &linted->all_capacity, linted->all_count + set->count, sizeof *linted->all);
    memcpy(linted->all + linted->all_count, set->items, set->count * sizeof *linted->all);
    linted->all_count += set->count;
    return 0;
}

static int lint(const struct options *options, enum format format)
{
    AUTO(linted_release) struct linted linted = {0};
    size_t count = options->argument_count ? options->argument_count : 1;
    linted.files = mem_alloc_array(count, sizeof *linted.files);
    for (size_t i = 0; i < count; i++) {
        struct error err;
        const char *path = options_argument(options, i);
        if (lint_file(&linted, path ? path : "crescendo.yaml", &err)) return fail(&err);
    }
    const struct source_set all = {linted.all, linted.all_count};
    if (format == FORMAT_TEXT)
        print_diagnostics(&linted.list, &all, options_flag(options, "no-color"));
    else
        print_document(format == FORMAT_JSON ? diagnose_json(&linted.list) : diagnose_sarif(&linted.list));
    return linted.list.error_count ? EXIT_WRONG : 0;
}

static int print_reference(void)
{
    struct text text = {0};
    reference_print(step_types_builtin, &text);
    fputs(text_view(&text), stdout);
    text_release(&text);
    return 0;
}

int command_lint(int argc, char **argv)
{
    AUTO(options_release) struct options options = {0};
    enum format format = FORMAT_TEXT;
    struct error err;
    int used;
    if (options_parse(argc - 1, argv + 1, options_known, NULL, false, &options, &used, &err)) return fail(&err);
    if (options_value(&options, "format") && format_of(options_value(&options, "format"), &format, &err)) return fail(&err);
    if (options_flag(&options, "reference")) return print_reference();
    if (!options_flag(&options, "schema")) return lint(&options, format);
    print_document(schema_make(step_types_builtin));
    return 0;
}

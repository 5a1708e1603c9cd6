/* plan.c: `crescendo plan`: what a pipeline would do. Works on the file alone: no server, no run, nothing is changed. */
#include "plan/plan.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/sources.h"
#include "spec/diagnose.h"
#include "steps/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_WRONG = 64 };

static const struct option_spec own_options[] = {
    {"param", 'p', "NAME=VALUE", "a parameter's value; may be repeated"},
    {"format", 0, "FORMAT", "text, json or dot"},
    {"json", 0, NULL, "the same as --format json"},
    {"repository", 'r', "NAME", "plan as a push to this repository would be: run.repository"},
    {"ref", 0, "REF", "run.ref"},
    {"branch", 0, "NAME", "run.branch"},
    {"commit", 0, "DIGEST", "run.commit"},
    OPTION_END,
};

struct invocation {
    struct options options;
    const char *file, *format;
    struct plan_facts facts;
    json_t *params;
};

static void invocation_release(struct invocation *invocation)
{
    options_release(&invocation->options);
    json_decref(invocation->params);
}

static int read_params(const struct options *options, json_t *params, struct error *err)
{
    const char *given;
    for (size_t i = 0; (given = options_nth(options, "param", i)); i++) {
        const char *equals = strchr(given, '=');
        if (!equals || equals == given) {
            error_set(err, ERROR_INVALID, NOWHERE, "--param %.100s has no value", given);
            return error_hint(err, "write --param NAME=VALUE");
        }
        AUTO(free_text) char *name = mem_copy_bytes(given, (size_t)(equals - given));
        json_t *value = json_string(equals + 1);
        if (!value) return error_set(err, ERROR_INVALID, NOWHERE, "the value of --param %.100s is not UTF-8 text", name);
        json_put(params, name, value);
    }
    return 0;
}

static int read_format(const struct options *options, const char **ret, struct error *err)
{
    static const char *const formats[] = {"text", "json", "dot", NULL};
    const char *format = options_value(options, "format");
    if (!format) format = options_flag(options, "json") ? "json" : "text";
    *ret = format;
    for (size_t i = 0; formats[i]; i++)
        if (strcmp(formats[i], format) == 0) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "there is no format '%.60s'", format);
    const char *near = text_nearest(format, formats);
    return near ? error_hint(err, "did you mean %s?", near) : error_hint(err, "there are text, json and dot");
}

static int invocation_read(int argc, char **argv, struct invocation *ret, struct error *err)
{
    int result = options_parse(argc - 1, argv + 1, own_options, common_options, false, &ret->options, NULL, err);
    if (result) return result;
    if (options_argument(&ret->options, 1)) return error_set(err, ERROR_INVALID, NOWHERE, "plan takes one file, not several");
    ret->file = options_argument(&ret->options, 0) ? options_argument(&ret->options, 0) : "crescendo.yaml";
    ret->facts = (struct plan_facts){.repository = options_value(&ret->options, "repository"),
        .ref = options_value(&ret->options, "ref"),
        .branch = options_value(&ret->options, "branch"),
        .commit = options_value(&ret->options, "commit")};
    ret->params = json_object();
    result = read_params(&ret->options, ret->params, err);
    return result ? result : read_format(&ret->options, &ret->format, err);
}

static int fail(const struct error *err)
{
    fprintf(stderr, "crescendo: %s\n", err->message);
    if (*err->hint) fprintf(stderr, "  hint: %s\n", err->hint);
    return EXIT_WRONG;
}

static int fail_diagnostics(const struct diagnostics *list, const struct source_set *sources, bool no_colour)
{
    AUTO(text_release) struct text text = {0};
    diagnose_text(list, sources, terminal_of(STDERR_FILENO, no_colour).colour ? DIAGNOSE_COLOUR : DIAGNOSE_PLAIN, &text);
    fputs(text_view(&text), stderr);
    return EXIT_WRONG;
}

static int show(const struct plan *plan, const struct invocation *invocation)
{
    AUTO(text_release) struct text text = {0};
    if (strcmp(invocation->format, "dot") == 0) {
        plan_print_dot(plan, &text);
    } else if (strcmp(invocation->format, "json") == 0) {
        AUTO(free_json) json_t *json = plan_to_json(plan);
        AUTO(free_text) char *bytes = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
        text_add_format(&text, "%s\n", bytes ? bytes : "null");
    } else {
        plan_print_text(plan, terminal_of(STDOUT_FILENO, options_flag(&invocation->options, "no-color")).colour, &text);
    }
    bool written = fputs(text_view(&text), stdout) >= 0 && fflush(stdout) == 0;
    return written ? 0 : 1;
}

static int plan_sources(const struct source_set *sources, const struct invocation *invocation)
{
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(pipeline_free) struct pipeline *pipeline = NULL;
    AUTO(plan_free) struct plan *plan = NULL;
    bool no_colour = options_flag(&invocation->options, "no-color");
    if (pipeline_load(sources, step_types_builtin, &list, &pipeline)) return fail_diagnostics(&list, sources, no_colour);
    int result = plan_build(pipeline, &invocation->facts, invocation->params, &list, &plan);
    if (list.count) fail_diagnostics(&list, sources, no_colour); /* warnings too */
    return result ? EXIT_WRONG : show(plan, invocation);
}

int command_plan(int argc, char **argv)
{
    AUTO(invocation_release) struct invocation invocation = {0};
    AUTO(sources_release) struct sources sources = {0};
    struct error err = {0};
    if (invocation_read(argc, argv, &invocation, &err)) return fail(&err);
    if (sources_read(invocation.file, &sources, &err)) return fail(&err);
    return plan_sources(&sources.set, &invocation);
}

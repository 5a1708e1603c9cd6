/* plan.c: `crescendo plan`: what a pipeline would do. Works on the file alone: no server, no run, nothing is changed. */
#include "plan/plan.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/output.h"
#include "cli/planning.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_DOT };

static void print_json_plan(struct plan *plan, struct text *out)
{
    AUTO(free_text) char *text = plan_take_text(plan);
    json_add_lines(out, text);
    text_add_char(out, '\n');
}

static void print_plan(struct plan *plan, enum format format, struct plan_look look)
{
    struct text out = {0};
    switch (format) {
    case FORMAT_TEXT: plan_print_text(plan, look, &out); break;
    case FORMAT_JSON: print_json_plan(plan, &out); break;
    case FORMAT_DOT: plan_print_dot(plan, &out); break;
    }
    print_text(&out);
}

static int read_format(const struct options *options, size_t *ret, struct error *err)
{
    static const char *const formats[] = {"text", "json", "dot", NULL};
    *ret = options_flag(options, "json") ? FORMAT_JSON : FORMAT_TEXT;
    return options_choice(options, "format", formats, ret, err);
}

int plan_run(struct cli *cli, struct error *err)
{
    size_t format = FORMAT_TEXT;
    int failed = read_format(&cli->options, &format, err);
    if (!failed) failed = planning_make(cli, err);
    if (failed) return failed;
    print_plan(cli->plan, (enum format)format, (struct plan_look){cli->out.colour, options_flag(&cli->options, "bodies")});
    return 0;
}

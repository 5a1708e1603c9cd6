/* print_text.c: a plan for a person at a terminal: in order, what each step would do, and what is different from the defaults. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"
#include "plan/json_parts.h"
#include "plan/show.h"

#include <stdlib.h>
#include <string.h>

struct printer {
    const struct plan *plan;
    struct text *out;
    struct plan_look look;
    const char *stage; /* the path of the one that is printed */
    size_t indent;     /* of a step's details */
    size_t approval_count, effect_count;
};

enum paint { PAINT_STAGE, PAINT_STEP, PAINT_QUIET, PAINT_UNKNOWN, PAINT_APPROVAL };

static void paint(const struct printer *printer, enum paint paint)
{
    static const char *const codes[] = {[PAINT_STAGE] = "\033[1;36m",
        [PAINT_STEP] = "\033[1m",
        [PAINT_QUIET] = "\033[2m",
        [PAINT_UNKNOWN] = "\033[33m",
        [PAINT_APPROVAL] = "\033[1;35m"};
    if (printer->look.colour) text_add(printer->out, codes[paint]);
}

static void paint_end(const struct printer *printer)
{
    if (printer->look.colour) text_add(printer->out, "\033[0m");
}

static void painted(const struct printer *printer, enum paint which, const char *text)
{
    paint(printer, which);
    show_text(printer->out, text, strlen(text));
    paint_end(printer);
}

static void detail(const struct printer *printer)
{
    text_add_repeated(printer->out, ' ', printer->indent);
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

static void print_value(const struct printer *printer, const json_t *value)
{
    bool unknown = value_is_unknown(value);
    if (unknown) paint(printer, PAINT_UNKNOWN);
    show_value(printer->out, value, printer->stage);
    if (unknown) paint_end(printer);
}

/* name = value, or name member = value for each member. */
static void print_member(const struct printer *printer, const char *name, json_t *value)
{
    if (!json_object_size(value) || value_is_unknown(value) || json_text(value, "$secret", NULL)) {
        detail(printer);
        show_text(printer->out, name, strlen(name));
        text_add(printer->out, " = ");
        print_value(printer, value);
        text_add_char(printer->out, '\n');
        return;
    }
    AUTO(free_json) json_t *sorted = show_sorted(value);
    const char *key;
    json_t *member;
    json_object_foreach(sorted, key, member)
    {
        AUTO(free_text) char *path = mem_format("%s %s", name, key);
        print_member(printer, path, member);
    }
}

static void print_lines(const struct printer *printer, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        detail(printer);
        paint(printer, PAINT_QUIET);
        text_add(printer->out, "| ");
        paint_end(printer);
        show_text(printer->out, text, size);
        text_add_char(printer->out, '\n');
        text += size + (text[size] == '\n');
    }
}

/* --- what differs from the defaults ------------------------------------------------------------------------------------ */

/* Starts the next part of a line of parts. */
static void next_part(const struct printer *printer, bool *first)
{
    if (*first)
        detail(printer);
    else
        text_add(printer->out, ", ");
    *first = false;
}

static bool is_size(const char *key)
{
    return strcmp(key, "memory") == 0 || strcmp(key, "disk") == 0;
}

static void print_sandbox(const struct printer *printer, const json_t *sandbox, bool *first)
{
    const char *key;
    json_t *value;
    if (strcmp(json_text(sandbox, "mode", ""), "none") == 0) {
        next_part(printer, first);
        text_add(printer->out, "no sandbox");
        return;
    }
    AUTO(free_json) json_t *defaults = plan_default_sandbox(), *sorted = show_sorted(sandbox);
    json_object_foreach(sorted, key, value)
    {
        if (json_equal(value, json_object_get(defaults, key))) continue;
        next_part(printer, first);
        text_add_format(printer->out, "%s ", key);
        if (is_size(key) && json_is_integer(value))
            text_add_size(printer->out, json_integer_value(value));
        else
            print_value(printer, value);
    }
}

static void print_retry(const struct printer *printer, const struct retry *retry, bool *first)
{
    if (!retry->times) return;
    next_part(printer, first);
    text_add_format(printer->out, "retry %u time%s", retry->times, retry->times == 1 ? "" : "s");
    const char *before = " on ";
    for (unsigned i = 0; plan_reason_names[i]; i++) {
        if (!(retry->reasons & (1u << i))) continue;
        text_add_format(printer->out, "%s%s", before, plan_reason_names[i]);
        before = " or ";
    }
    if (!retry->wait_ms) return;
    text_add(printer->out, " after ");
    show_duration(printer->out, retry->wait_ms);
}

static void print_settings(const struct printer *printer, const struct plan_step *step)
{
    bool first = true, is_approval = strcmp(step->type, "approve") == 0;
    if (!is_approval) print_sandbox(printer, step->sandbox, &first);
    if (step->timeout_ms != PLAN_TIMEOUT_MS) {
        next_part(printer, &first);
        text_add(printer->out, "timeout ");
        show_duration(printer->out, step->timeout_ms);
    }
    print_retry(printer, &step->retry, &first);
    if (step->allow_failure) {
        next_part(printer, &first);
        text_add(printer->out, "may fail");
    }
    if (!first) text_add_char(printer->out, '\n');
}

/* --- steps ------------------------------------------------------------------------------------------------------------- */

static void print_condition(const struct printer *printer, const char *condition)
{
    if (strcmp(condition, "false") == 0) {
        painted(printer, PAINT_UNKNOWN, "skipped: its condition is false");
    } else {
        text_add(printer->out, "only if ");
        painted(printer, PAINT_UNKNOWN, condition);
    }
    text_add_char(printer->out, '\n');
}

/* A script of one line is its step's title, but for the space round it. */
static bool is_title(const char *text, const char *title)
{
    size_t size = strlen(title);
    text += strspn(text, " \t\r\n");
    return strncmp(text, title, size) == 0 && text[size + strspn(text + size, " \t\r\n")] == '\0';
}

/* Is this member of `with` to be seen already: as the title, as files, or because it is what everybody has? */
static bool is_said(const struct plan_step *step, const char *key, const json_t *value)
{
    const char *text = json_string_value(value);
    if (strcmp(key, "inputs") == 0 || (strcmp(key, "source") == 0 && strcmp(step->type, "checkout") == 0)) return true;
    if (strcmp(key, "script") == 0 || strcmp(key, "ask") == 0) return text && is_title(text, step->title);
    return strcmp(step->type, "run") == 0 && strcmp(key, "shell") == 0 && text_equal(text, "sh");
}

static bool is_duration(const char *key)
{
    return strcmp(key, "expires") == 0 || strcmp(key, "after") == 0 || strcmp(key, "lease") == 0;
}

static void print_with(const struct printer *printer, const struct plan_step *step)
{
    const char *key;
    json_t *value;
    bool all_said = true;
    json_object_foreach(step->with, key, value) all_said = all_said && is_said(step, key, value);
    if (all_said) return;
    AUTO(free_json) json_t *sorted = show_sorted(step->with);
    json_object_foreach(sorted, key, value)
    {
        if (is_said(step, key, value)) continue;
        if (strcmp(key, "script") == 0 && json_is_string(value)) {
            print_lines(printer, json_string_value(value));
        } else if (is_duration(key) && json_is_integer(value)) {
            detail(printer);
            text_add_format(printer->out, "%s = ", key);
            show_duration(printer->out, json_integer_value(value));
            text_add_char(printer->out, '\n');
        } else {
            print_member(printer, key, value);
        }
    }
}

static void print_inputs(const struct printer *printer, const json_t *inputs)
{
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const json_t *input = json_array_get(inputs, i);
        detail(printer);
        text_add(printer->out, "with ");
        show_value(printer->out, json_object_get(input, "globs"), printer->stage);
        text_add_format(printer->out, " of %s\n", json_text(input, "stage", ""));
    }
}

static void print_step(struct printer *printer, const struct plan_step *step, size_t width)
{
    bool is_approval = strcmp(step->type, "approve") == 0;
    printer->approval_count += is_approval;
    text_add(printer->out, "  ");
    painted(printer, is_approval ? PAINT_APPROVAL : PAINT_STEP, step->id);
    text_add_repeated(printer->out, ' ', width - strlen(step->id) + 2);
    const char *title = strcmp(step->title, step->id) != 0 ? step->title : step->type;
    show_text(printer->out, title, strlen(title));
    text_add_char(printer->out, '\n');
    if (step->condition) {
        detail(printer);
        print_condition(printer, step->condition);
    }
    print_with(printer, step);
    print_inputs(printer, json_object_get(step->with, "inputs"));
    if (json_object_size(step->env)) print_member(printer, "env", step->env);
    print_settings(printer, step);
    show_effects(printer->out, printer->plan, step, printer->look.bodies, printer->indent);
    printer->effect_count += json_array_size(step->effects);
}

static void print_needs(const struct printer *printer, const struct plan_stage *stage)
{
    enum { SHOWN_MAX = 8 };
    if (!stage->need_count) return;
    paint(printer, PAINT_QUIET);
    text_add(printer->out, "  after ");
    for (uint32_t i = 0; i < stage->need_count && i < SHOWN_MAX; i++)
        text_add_format(printer->out, "%s%s", i ? ", " : "", printer->plan->stages[stage->needs[i]].path);
    if (stage->need_count > SHOWN_MAX) text_add_format(printer->out, " and %u more", stage->need_count - SHOWN_MAX);
    paint_end(printer);
}

static void print_stage(struct printer *printer, const struct plan_stage *stage)
{
    size_t width = 0;
    for (uint32_t i = 0; i < stage->step_count; i++) {
        size_t size = strlen(printer->plan->steps[stage->first_step + i].id);
        if (size > width) width = size;
    }
    printer->indent = width + 4;
    printer->stage = stage->path;
    text_add_char(printer->out, '\n');
    painted(printer, PAINT_STAGE, stage->path);
    print_needs(printer, stage);
    text_add_char(printer->out, '\n');
    if (stage->condition) {
        text_add(printer->out, "  ");
        print_condition(printer, stage->condition);
    }
    if (stage->timeout_ms) {
        text_add(printer->out, "  timeout of the stage ");
        show_duration(printer->out, stage->timeout_ms);
        text_add_char(printer->out, '\n');
    }
    if (stage->allow_failure) text_add(printer->out, "  may fail\n");
    show_groups(printer->out, stage);
    for (uint32_t i = 0; i < stage->step_count; i++)
        print_step(printer, &printer->plan->steps[stage->first_step + i], width);
}

/* --- head and foot ----------------------------------------------------------------------------------------------------- */

static void print_fact(const struct printer *printer, const char *name, const char *value)
{
    if (!value) return;
    text_add_format(printer->out, "  %-11s ", name);
    show_text(printer->out, value, strlen(value));
    text_add_char(printer->out, '\n');
}

/* Where they are found, when a step needs them. */
static void print_secrets(const struct printer *printer)
{
    AUTO(free_json) json_t *secrets = show_sorted(printer->plan->secrets);
    const char *name;
    json_t *source;
    if (json_object_size(secrets)) text_add(printer->out, "  secrets\n");
    json_object_foreach(secrets, name, source) text_add_format(printer->out, "    %s  %s\n", name, json_string_value(source));
}

/* What is pinned: files, and domains, by the beginning of their digests. */
static void print_pinned(const struct printer *printer)
{
    const struct plan *plan = printer->plan;
    AUTO(free_json) json_t *domains = show_sorted(plan->domains);
    if (json_array_size(plan->includes)) text_add(printer->out, "  includes\n");
    for (size_t i = 0; i < json_array_size(plan->includes); i++) {
        const json_t *include = json_array_get(plan->includes, i);
        text_add_format(printer->out, "    %s  sha256 %.12s\n", json_text(include, "name", ""), json_text(include, "digest", ""));
    }
    if (json_object_size(domains)) text_add(printer->out, "  domains\n");
    const char *name;
    json_t *domain;
    json_object_foreach(domains, name, domain)
        text_add_format(printer->out, "    %s  %s  sha256 %.12s\n", name, json_text(domain, "url", ""), json_text(domain, "digest", ""));
    print_secrets(printer);
}

/* The file, and what it says it is. */
static void print_service(const struct printer *printer)
{
    const struct plan *plan = printer->plan;
    const char *name = json_text(plan->service_descriptor, "service", NULL), *version = json_text(plan->service_descriptor, "version", "");
    AUTO(free_text) char *service = name ? mem_format("%s, %s %s", plan->service ? plan->service : "", name, version) : NULL;
    print_fact(printer, "service", service ? service : plan->service);
}

static void print_head(struct printer *printer)
{
    const struct plan *plan = printer->plan;
    text_add(printer->out, "Plan of ");
    painted(printer, PAINT_STEP, plan->name);
    text_add_char(printer->out, '\n');
    print_service(printer);
    print_fact(printer, "repository", plan->facts.repository);
    print_fact(printer, plan->facts.ref ? "ref" : "branch", plan->facts.ref ? plan->facts.ref : plan->facts.branch);
    print_fact(printer, "commit", plan->facts.commit);
    print_fact(printer, "author", plan->facts.author);
    print_fact(printer, "trigger", plan->facts.trigger);
    if (plan->timeout_ms) {
        text_add(printer->out, "  timeout     ");
        show_duration(printer->out, plan->timeout_ms);
        text_add_char(printer->out, '\n');
    }
    if (plan->rollback_run) print_fact(printer, "on failure", "all that the run did is undone");
    if (json_object_size(plan->params)) text_add(printer->out, "  parameters\n");
    printer->indent = 4;
    AUTO(free_json) json_t *params = show_sorted(plan->params);
    const char *name;
    json_t *value;
    json_object_foreach(params, name, value) print_member(printer, name, value);
    print_pinned(printer);
}

static void print_count(const struct printer *printer, size_t count, const char *one, const char *many)
{
    text_add_format(printer->out, "%zu %s", count, count == 1 ? one : many);
}

static void print_foot(const struct printer *printer)
{
    const struct plan *plan = printer->plan;
    text_add_char(printer->out, '\n');
    print_count(printer, plan->stage_count, "stage, ", "stages, ");
    print_count(printer, plan->step_count, "step, ", "steps, ");
    if (printer->approval_count) print_count(printer, printer->approval_count, "approval, ", "approvals, ");
    if (printer->effect_count)
        print_count(printer, printer->effect_count, "effect", "effects");
    else
        text_add(printer->out, "effects: none");
    text_add_format(printer->out, "; plan %.12s\n", plan->digest);
}

void plan_print_text(const struct plan *plan, struct plan_look look, struct text *out)
{
    struct printer printer = {.plan = plan, .out = out, .look = look};
    print_head(&printer);
    for (uint32_t i = 0; i < plan->stage_count; i++)
        print_stage(&printer, &plan->stages[i]);
    print_foot(&printer);
}

/* show_effects.c: what a step would do to the world: its key, what undoes it, what a failure takes back with it, and the body that is sent.
 */
#include "base/json.h"
#include "base/mem.h"
#include "plan/show.h"

#include <stdlib.h>
#include <string.h>

struct printer {
    struct text *out;
    const struct plan *plan;
    const char *stage;
};

static void line_begin(const struct printer *printer, size_t indent, const char *words)
{
    text_add_repeated(printer->out, ' ', indent);
    text_add(printer->out, words);
}

/* A step type puts what it does not know yet into its sentences as ‹RESIDUAL›. */
static void show_marked(const struct printer *printer, const char *text)
{
    static const char begin[] = "\u2039", end[] = "\u203a";
    const char *mark;
    while ((mark = strstr(text, begin)) && strstr(mark, end)) {
        const char *behind = strstr(mark, end);
        AUTO(free_text) char *residual = mem_copy_bytes(mark + strlen(begin), (size_t)(behind - mark) - strlen(begin));
        show_text(printer->out, text, (size_t)(mark - text));
        show_unknown(printer->out, residual, printer->stage);
        text = behind + strlen(end);
    }
    show_text(printer->out, text, strlen(text));
}

static void line_text(const struct printer *printer, size_t indent, const char *words, const char *text)
{
    line_begin(printer, indent, words);
    show_marked(printer, text);
    text_add_char(printer->out, '\n');
}

/* --- a body, as YAML would have it --- */

static bool is_nested(const json_t *value)
{
    return (json_object_size(value) && !json_text(value, "$unknown", NULL)) || json_array_size(value);
}

static void print_value(const struct printer *printer, const json_t *value, size_t indent, bool begun);

/* begun: the line has its indent and what leads to the value. */
static void print_object(const struct printer *printer, const json_t *object, size_t indent, bool begun)
{
    AUTO(free_json) json_t *sorted = show_sorted(object);
    const char *key;
    json_t *value;
    json_object_foreach(sorted, key, value)
    {
        if (!begun) text_add_repeated(printer->out, ' ', indent);
        begun = false;
        show_text(printer->out, key, strlen(key));
        text_add(printer->out, is_nested(value) ? ":\n" : ": ");
        print_value(printer, value, indent + 2, !is_nested(value));
    }
}

static void print_list(const struct printer *printer, const json_t *list, size_t indent)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        bool is_list = json_array_size(item) > 0;
        line_begin(printer, indent, is_list ? "-\n" : "- ");
        print_value(printer, item, indent + 2, !is_list);
    }
}

/* The body comes from a step type's description, which is as deep as a document of the APIs: a few levels. */
static void print_value(const struct printer *printer, const json_t *value, size_t indent, bool begun)
{
    if (!is_nested(value)) {
        show_value(printer->out, value, printer->stage);
        text_add_char(printer->out, '\n');
    } else if (json_is_object(value)) {
        print_object(printer, value, indent, begun);
    } else {
        print_list(printer, value, indent);
    }
}

/* --- an effect --- */

static void print_notes(const struct printer *printer, const json_t *notes, size_t indent)
{
    for (size_t i = 0; i < json_array_size(notes); i++)
        if (json_is_string(json_array_get(notes, i))) line_text(printer, indent, "", json_string_value(json_array_get(notes, i)));
}

static void print_undoing(const struct printer *printer, const struct plan_stage *stage, const json_t *effect, size_t indent)
{
    const char *compensation = json_text(effect, "compensation", NULL);
    bool pivot = json_flag(effect, "pivot", false);
    if (pivot)
        line_begin(printer, indent, "no way back after it\n");
    else if (compensation)
        line_text(printer, indent, "undone by: ", compensation);
    else
        line_begin(printer, indent, "not undone\n");
    const char *scope = printer->plan->rollback_run ? "the run" : *stage->scope ? stage->scope : stage->path;
    AUTO(free_text) char *when = mem_format("%s fails", scope);
    if (!pivot && compensation) line_text(printer, indent, "undone when: ", when);
}

static void print_effect(
    const struct printer *printer, const struct plan_stage *stage, const struct plan_step *step, const json_t *effect, size_t indent)
{
    const json_t *body = json_object_get(effect, "body");
    AUTO(free_text)
    char *key = mem_format("RUN %s 1 %s %s", step->path, json_text(effect, "name", "?"), json_text(effect, "target", "?"));
    line_text(printer, indent, "effect ", json_text(effect, "summary", json_text(effect, "name", "?")));
    print_notes(printer, json_object_get(effect, "notes"), indent + 2);
    line_text(printer, indent + 2, "key: ", key);
    print_undoing(printer, stage, effect, indent + 2);
    if (!is_nested(body)) return;
    line_begin(printer, indent + 2, "body:\n");
    print_value(printer, body, indent + 4, false);
}

void show_effects(struct text *out, const struct plan *plan, const struct plan_step *step, size_t indent)
{
    const struct plan_stage *stage = &plan->stages[step->stage];
    const struct printer printer = {out, plan, stage->path};
    for (size_t i = 0; i < json_array_size(step->effects); i++)
        print_effect(&printer, stage, step, json_array_get(step->effects, i), indent);
}

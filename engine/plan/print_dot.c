/* print_dot.c: a plan as a picture for Graphviz: a cluster for each stage, its steps from top to bottom. */
#include "base/mem.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

/* A quoted string of the DOT language; a backslash would start an escape there. */
static void add_quoted(struct text *out, const char *text)
{
    enum { SHOWN_MAX = 60 };
    size_t size = strlen(text);
    bool cut = text_columns(text, size) > SHOWN_MAX;
    text_add_char(out, '"');
    for (size_t i = 0, columns = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        columns += (byte & 0xc0) != 0x80;
        if (cut && columns >= SHOWN_MAX) {
            text_add(out, "...");
            break;
        }
        if (byte == '"' || byte == '\\') text_add_char(out, '\\');
        text_add_char(out, byte < 0x20 || byte == 0x7f ? ' ' : (char)byte);
    }
    text_add_char(out, '"');
}

static bool is_false(const char *condition)
{
    return text_equal(condition, "false");
}

static void add_step(const struct plan_step *step, bool skipped, struct text *out)
{
    AUTO(free_text)
    char *label = strcmp(step->title, step->id) == 0 ? mem_copy_text(step->id) : mem_format("%s: %s", step->id, step->title);
    text_add_format(out, "    step%u [label=", step->index);
    add_quoted(out, label);
    if (strcmp(step->type, "approve") == 0) text_add(out, ", shape=octagon");
    if (skipped || is_false(step->condition))
        text_add(out, ", style=\"rounded,dashed\", fontcolor=gray50");
    else if (step->condition)
        text_add(out, ", style=\"rounded,dashed\"");
    text_add(out, "];\n");
}

static void add_stage(const struct plan *plan, const struct plan_stage *stage, struct text *out)
{
    text_add_format(out, "  subgraph cluster_%u {\n    label=", stage->index);
    add_quoted(out, stage->path);
    text_add(out, stage->condition ? ";\n    style=\"rounded,dashed\";\n" : ";\n    style=rounded;\n");
    for (uint32_t i = 0; i < stage->step_count; i++)
        add_step(&plan->steps[stage->first_step + i], is_false(stage->condition), out);
    for (uint32_t i = 1; i < stage->step_count; i++)
        text_add_format(out, "    step%u -> step%u;\n", stage->first_step + i - 1, stage->first_step + i);
    text_add(out, "  }\n");
}

/* From the last step of what is needed to the first of the stage, cut at both borders. */
static void add_needs(const struct plan *plan, const struct plan_stage *stage, struct text *out)
{
    for (uint32_t i = 0; i < stage->need_count; i++) {
        const struct plan_stage *need = &plan->stages[stage->needs[i]];
        text_add_format(out, "  step%u -> step%u [ltail=cluster_%u, lhead=cluster_%u];\n", need->first_step + need->step_count - 1,
            stage->first_step, need->index, stage->index);
    }
}

void plan_print_dot(const struct plan *plan, struct text *out)
{
    text_add(out, "digraph ");
    add_quoted(out, plan->name);
    text_add(out, " {\n  compound=true;\n  rankdir=TB;\n  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n"
                  "  graph [fontname=\"sans-serif\", fontsize=12];\n");
    for (uint32_t i = 0; i < plan->stage_count; i++)
        add_stage(plan, &plan->stages[i], out);
    for (uint32_t i = 0; i < plan->stage_count; i++)
        add_needs(plan, &plan->stages[i], out);
    text_add(out, "}\n");
}

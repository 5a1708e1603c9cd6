/* reference_table.c: a table of fields as a table of a reference page. */
#include "spec/reference_table.h"

static void add_choices(struct text *out, const char *const *choices)
{
    for (const char *const *choice = choices; *choice; choice++)
        text_add_format(out, "%s`%s`", choice == choices ? "" : ", ", *choice);
}

/* The type in words that say what to write. */
static void add_type(struct text *out, const struct field *field)
{
    static const char *const phrases[] = {[FIELD_TEXT] = "text",
        [FIELD_NAME] = "name",
        [FIELD_PATH] = "path",
        [FIELD_BOOLEAN] = "`true` or `false`",
        [FIELD_INTEGER] = "whole number",
        [FIELD_NUMBER] = "number",
        [FIELD_DURATION] = "duration",
        [FIELD_SIZE] = "size",
        [FIELD_PERCENT] = "percent",
        [FIELD_CPU] = "processors",
        [FIELD_BITRATE] = "bit rate",
        [FIELD_RATE] = "rate",
        [FIELD_LATENCY] = "latency",
        [FIELD_CHOICE] = "",
        [FIELD_CONDITION] = "condition",
        [FIELD_TEXT_LIST] = "text, or a list of it",
        [FIELD_NAME_LIST] = "list of names",
        [FIELD_PERCENT_LIST] = "list of percents",
        [FIELD_TEXT_MAP] = "map of text",
        [FIELD_OBJECT] = "map",
        [FIELD_OBJECT_MAP] = "map of maps",
        [FIELD_OBJECT_LIST] = "list of maps",
        [FIELD_ANY] = "see below"};
    if (field->choices) {
        add_choices(out, field->choices);
        if (field->type == FIELD_TEXT_LIST) text_add(out, ", or a list of them");
    } else {
        text_add(out, phrases[field->type]);
    }
}

static void add_row(struct text *out, const struct field *field)
{
    text_add_format(out, "| `%s` | ", field->name);
    if (field->flags & FIELD_LATER) {
        text_add_format(out, "*not in this version* | %s |\n", field->help);
        return;
    }
    add_type(out, field);
    text_add_format(out, " | %s", field->help ? field->help : "");
    if (field->flags & FIELD_REQUIRED) text_add(out, ". **Required**");
    if (field->fallback && field->type != FIELD_OBJECT) text_add_format(out, ". Default: `%s`", field->fallback);
    if (field->flags & FIELD_SHORT) text_add(out, ". May stand for the whole map");
    if (field->flags & FIELD_SCRIPT) text_add(out, ". No `${{ }}`: hand values over in `env`");
    text_add(out, " |\n");
}

void reference_add_table(struct text *out, const struct field *fields)
{
    if (!fields || !fields->name) {
        text_add(out, "None.\n\n");
        return;
    }
    text_add(out, "| key | value | meaning |\n|---|---|---|\n");
    for (; fields->name; fields++)
        add_row(out, fields);
    text_add_char(out, '\n');
}

void reference_add_section(struct text *out, const char *title, const char *words, const struct field *fields)
{
    text_add_format(out, "## %s\n\n%s\n\n", title, words);
    reference_add_table(out, fields);
}

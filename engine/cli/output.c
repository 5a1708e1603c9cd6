/* output.c: the few ways in which commands write to standard output. */
#include "cli/output.h"

#include "cli/display.h"

#include <stdio.h>

int print_json(const json_t *json)
{
    if (!json)
        fputs("[]", stdout);
    else
        json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
    return 0;
}

void print_text(struct text *text)
{
    fwrite(text_view(text), 1, text->size, stdout);
    text_release(text);
}

void write_table(struct table **table, const struct terminal *terminal)
{
    struct text out = {0};
    table_print(*table, terminal->columns, terminal->colour, &out);
    print_text(&out);
    table_free(table);
}

void print_clean(const char *text)
{
    struct text out = {0};
    display_add(&out, text, DISPLAY_LINE);
    print_text(&out);
}

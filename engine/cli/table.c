/* table.c: aligned columns of text, as wide as the terminal at most. */
#include "cli/table.h"

#include "base/mem.h"
#include "cli/display.h"

#include <stdlib.h>

enum { GAP = 2 };

struct cell {
    char *text;
    size_t width;
    enum style style;
};
struct table {
    const struct column *columns;
    size_t column_count;
    struct cell *cells;
    size_t count, capacity;
};

struct table *table_new(const struct column *columns, size_t column_count)
{
    struct table *table = mem_alloc(sizeof *table);
    table->columns = columns;
    table->column_count = column_count;
    return table;
}

void table_free(struct table **table)
{
    if (!*table) return;
    for (size_t i = 0; i < (*table)->count; i++)
        free((*table)->cells[i].text);
    free((*table)->cells);
    free(take(table));
}

void table_add(struct table *table, enum style style, const char *text)
{
    struct text clean = {0};
    display_add(&clean, text ? text : "", DISPLAY_LINE);
    table->cells = mem_grow(table->cells, &table->capacity, table->count + 1, sizeof *table->cells);
    size_t width = display_width(text_view(&clean));
    table->cells[table->count++] = (struct cell){text_take(&clean), width, style};
}

void table_add_format(struct table *table, enum style style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    AUTO(free_text) char *text = mem_format_list(format, arguments);
    va_end(arguments);
    table_add(table, style, text);
}

/* Takes a column at a time from the widest that may still give one. */
static void fit(const struct table *table, size_t *widths, size_t limit)
{
    size_t total = GAP * (table->column_count - 1);
    for (size_t c = 0; c < table->column_count; c++)
        total += widths[c];
    for (; total > limit; total--) {
        size_t widest = table->column_count;
        for (size_t c = 0; c < table->column_count; c++) {
            bool gives = table->columns[c].keep && widths[c] > table->columns[c].keep;
            if (gives && (widest == table->column_count || widths[c] >= widths[widest])) widest = c;
        }
        if (widest == table->column_count) return;
        widths[widest]--;
    }
}

static void print_cell(const struct table *table, size_t column, const struct cell *cell, size_t width, bool colour, struct text *out)
{
    bool last = column + 1 == table->column_count, right = table->columns[column].right;
    struct text shown = {0};
    size_t padding = width - display_add_cut(&shown, cell->text, width); /* not of cell->width: half a wide character is not shown */
    if (right) text_add_repeated(out, ' ', padding);
    text_add_styled(out, cell->style, colour, text_view(&shown));
    if (!right && !last) text_add_repeated(out, ' ', padding);
    if (!last) text_add_repeated(out, ' ', GAP);
    text_release(&shown);
}

static void end_line(struct text *out)
{
    while (out->size && out->bytes[out->size - 1] == ' ')
        out->bytes[--out->size] = '\0';
    text_add_char(out, '\n');
}

void table_print(const struct table *table, unsigned columns, bool colour, struct text *out)
{
    size_t *widths = mem_alloc_array(table->column_count, sizeof *widths);
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = display_width(table->columns[c].title);
    for (size_t i = 0; i < table->count; i++) {
        size_t *width = &widths[i % table->column_count];
        if (table->cells[i].width > *width) *width = table->cells[i].width;
    }
    if (columns) fit(table, widths, columns);
    for (size_t c = 0; c < table->column_count; c++) {
        struct cell title = {(char *)table->columns[c].title, display_width(table->columns[c].title), STYLE_QUIET};
        print_cell(table, c, &title, widths[c], colour, out);
    }
    end_line(out);
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->column_count;
        print_cell(table, column, &table->cells[i], widths[column], colour, out);
        if (column + 1 == table->column_count || i + 1 == table->count) end_line(out);
    }
    free(widths);
}

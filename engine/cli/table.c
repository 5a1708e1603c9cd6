/* table.c: aligned columns of text, as wide as the terminal at most. */
#include "cli/table.h"

#include "base/mem.h"
#include "cli/display.h"

#include <stdlib.h>
#include <string.h>

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

/* Which columns are shown, from the left, and how wide each column of the table is then. */
struct layout {
    size_t *widths, *natural;
    size_t *shown;
    size_t shown_count;
};

static void layout_release(struct layout *layout)
{
    free(layout->widths);
    free(layout->natural);
    free(layout->shown);
}

static size_t total_width(const struct layout *layout)
{
    size_t total = GAP * (layout->shown_count - 1);
    for (size_t i = 0; i < layout->shown_count; i++)
        total += layout->widths[layout->shown[i]];
    return total;
}

/* Takes a column of the terminal at a time from the widest that may still give one. Does it fit then? */
static bool cut(const struct table *table, struct layout *layout, size_t limit)
{
    for (size_t total = total_width(layout); total > limit; total--) {
        size_t widest = table->column_count;
        for (size_t i = 0; i < layout->shown_count; i++) {
            size_t c = layout->shown[i];
            bool gives = table->columns[c].keep && layout->widths[c] > table->columns[c].keep;
            if (gives && (widest == table->column_count || layout->widths[c] >= layout->widths[widest])) widest = c;
        }
        if (widest == table->column_count) return false;
        layout->widths[widest]--;
    }
    return true;
}

/* Takes out the column that is missed least. false: those that are left stay. */
static bool drop(const struct table *table, struct layout *layout)
{
    size_t least = layout->shown_count;
    for (size_t i = 0; i < layout->shown_count; i++) {
        unsigned rank = table->columns[layout->shown[i]].drop;
        if (rank && (least == layout->shown_count || rank < table->columns[layout->shown[least]].drop)) least = i;
    }
    if (least == layout->shown_count) return false;
    layout->shown_count--;
    memmove(layout->shown + least, layout->shown + least + 1, (layout->shown_count - least) * sizeof *layout->shown);
    return true;
}

static void fit(const struct table *table, struct layout *layout, size_t limit)
{
    while (!cut(table, layout, limit) && drop(table, layout))
        memcpy(layout->widths, layout->natural, table->column_count * sizeof *layout->widths);
}

static struct layout layout_new(const struct table *table, size_t limit)
{
    size_t count = table->column_count;
    struct layout layout = {
        mem_alloc_array(count, sizeof(size_t)), mem_alloc_array(count, sizeof(size_t)), mem_alloc_array(count, sizeof(size_t)), count};
    for (size_t c = 0; c < count; c++) {
        layout.shown[c] = c;
        layout.natural[c] = display_width(table->columns[c].title);
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t *width = &layout.natural[i % count];
        if (table->cells[i].width > *width) *width = table->cells[i].width;
    }
    memcpy(layout.widths, layout.natural, count * sizeof *layout.widths);
    if (limit) fit(table, &layout, limit);
    return layout;
}

static void print_cell(const struct cell *cell, size_t width, bool right, bool last, bool colour, struct text *out)
{
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

/* cells: one a column of the table, count of them; the last row may be short. */
static void print_row(
    const struct table *table, const struct layout *layout, const struct cell *cells, size_t count, bool colour, struct text *out)
{
    for (size_t i = 0; i < layout->shown_count; i++) {
        size_t c = layout->shown[i];
        if (c < count) print_cell(&cells[c], layout->widths[c], table->columns[c].right, i + 1 == layout->shown_count, colour, out);
    }
    end_line(out);
}

static void print_titles(const struct table *table, const struct layout *layout, bool colour, struct text *out)
{
    struct cell *titles = mem_alloc_array(table->column_count, sizeof *titles);
    for (size_t c = 0; c < table->column_count; c++)
        titles[c] = (struct cell){(char *)table->columns[c].title, 0, STYLE_QUIET};
    print_row(table, layout, titles, table->column_count, colour, out);
    free(titles);
}

void table_print(const struct table *table, unsigned columns, bool colour, struct text *out)
{
    AUTO(layout_release) struct layout layout = layout_new(table, columns);
    print_titles(table, &layout, colour, out);
    for (size_t i = 0; i < table->count; i += table->column_count)
        print_row(table, &layout, &table->cells[i], table->count - i, colour, out);
}

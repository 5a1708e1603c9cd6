/* table.c: aligned columns of text, as wide as the terminal at most. */
#include "cli/table.h"

#include "base/mem.h"
#include "cli/display.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 2, DROP_MAX = 9 };

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

/* Which columns are shown, and how wide. */
struct layout {
    const struct table *table;
    size_t *natural, *widths;
    bool *hidden, *filled; /* filled: a cell of it holds something */
    size_t limit;
};

static void layout_release(struct layout *layout)
{
    free(layout->natural);
    free(layout->widths);
    free(layout->hidden);
    free(layout->filled);
}

static size_t total_width(const struct layout *layout)
{
    size_t total = 0;
    for (size_t c = 0; c < layout->table->column_count; c++)
        if (!layout->hidden[c]) total += (total ? GAP : 0) + layout->widths[c];
    return total;
}

/* Takes a column of the terminal at a time from the widest that may still give one. Does it fit then? */
static bool cut(struct layout *layout)
{
    const struct column *columns = layout->table->columns;
    size_t count = layout->table->column_count;
    memcpy(layout->widths, layout->natural, count * sizeof *layout->widths);
    for (size_t total = total_width(layout); total > layout->limit; total--) {
        size_t widest = count;
        for (size_t c = 0; c < count; c++) {
            bool gives = !layout->hidden[c] && columns[c].keep && layout->widths[c] > columns[c].keep;
            if (gives && (widest == count || layout->widths[c] >= layout->widths[widest])) widest = c;
        }
        if (widest == count) return false;
        layout->widths[widest]--;
    }
    return true;
}

static void hide(struct layout *layout, unsigned rank, bool hidden)
{
    for (size_t c = 0; c < layout->table->column_count; c++)
        if (layout->table->columns[c].drop == rank && layout->filled[c]) layout->hidden[c] = hidden;
}

/* Where cutting does not make room: without what is empty, then without what is missed least, as far as it must be; of that, what fits
   behind a wide one that went comes back, what is missed most first. */
static void fit(struct layout *layout)
{
    unsigned rank = 0;
    if (cut(layout)) return;
    for (size_t c = 0; c < layout->table->column_count; c++)
        layout->hidden[c] = layout->table->count && !layout->filled[c];
    while (!cut(layout) && rank < DROP_MAX)
        hide(layout, ++rank, true);
    while (rank-- > 1) {
        hide(layout, rank, false);
        if (!cut(layout)) hide(layout, rank, true);
    }
    cut(layout);
}

static struct layout layout_new(const struct table *table, size_t limit)
{
    size_t count = table->column_count;
    struct layout layout = {table, mem_alloc_array(count, sizeof(size_t)), mem_alloc_array(count, sizeof(size_t)),
        mem_alloc_array(count, sizeof(bool)), mem_alloc_array(count, sizeof(bool)), limit};
    for (size_t c = 0; c < count; c++)
        layout.natural[c] = display_width(table->columns[c].title);
    for (size_t i = 0; count && i < table->count; i++) {
        size_t *width = &layout.natural[i % count];
        if (table->cells[i].width > *width) *width = table->cells[i].width;
        if (table->cells[i].width) layout.filled[i % count] = true;
    }
    memcpy(layout.widths, layout.natural, count * sizeof *layout.widths);
    if (limit) fit(&layout);
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
static void print_row(const struct layout *layout, const struct cell *cells, size_t count, bool colour, struct text *out)
{
    size_t last = layout->table->column_count;
    while (last > 1 && layout->hidden[last - 1])
        last--;
    for (size_t c = 0; c < last && c < count; c++)
        if (!layout->hidden[c]) print_cell(&cells[c], layout->widths[c], layout->table->columns[c].right, c + 1 == last, colour, out);
    end_line(out);
}

static void print_titles(const struct layout *layout, bool colour, struct text *out)
{
    const struct table *table = layout->table;
    struct cell *titles = mem_alloc_array(table->column_count, sizeof *titles);
    for (size_t c = 0; c < table->column_count; c++)
        titles[c] = (struct cell){(char *)table->columns[c].title, 0, STYLE_QUIET};
    print_row(layout, titles, table->column_count, colour, out);
    free(titles);
}

void table_print(const struct table *table, unsigned columns, bool colour, struct text *out)
{
    AUTO(layout_release) struct layout layout = layout_new(table, columns);
    print_titles(&layout, colour, out);
    for (size_t i = 0; i < table->count; i += table->column_count)
        print_row(&layout, &table->cells[i], table->count - i, colour, out);
}

/* evidence_chart.c: a chart for the terminal: for each KPI two rows of bars, E of harm and E of no harm, from 1 below to the bar that
   decides above, in logarithms; the share under them. */
#include "cli/evidence_draw.h"

#include "base/mem.h"
#include "cli/display.h"

#include <math.h>
#include <stdlib.h>

enum { LABEL_COLUMNS = 18, CHART_COLUMNS = 80, WIDEST_TICK = 4, E_ROWS = 3, SHARE_ROWS = 2, EIGHTHS = 8 };

struct plot {
    const struct evidence_record *evidence;
    const struct terminal *terminal;
    bool ascii;
    size_t columns; /* of the bars */
    struct text *out;
};

/* One row of bars. */
struct strip {
    const char *name, *top; /* beside the upmost line, and beside the one below it; top is what the strip's height stands for */
    const unsigned *levels; /* by column, in eighths of a line */
    unsigned rows;
    enum style style;
    bool dashed; /* the top is a bar that decides */
};

/* --- from ticks to columns --- */

static size_t tick_width(size_t ticks, size_t room)
{
    size_t width = ticks ? room / ticks : 0;
    return width > WIDEST_TICK ? WIDEST_TICK : width;
}

/* The first tick of a column; that of the next one is where it ends. */
static size_t tick_of(const struct plot *plot, size_t column)
{
    return column * plot->evidence->tick_count / plot->columns;
}

static unsigned level_of(double part, unsigned rows)
{
    unsigned most = rows * EIGHTHS;
    if (!(part > 0)) return 0;
    return part >= 1 ? most : (unsigned)(part * (most - 1)) + 1;
}

/* Where several ticks share a column, the highest counts: a bar that was reached is seen. */
static void measure(const struct plot *plot, const double *values, double top, unsigned rows, unsigned *levels)
{
    for (size_t column = 0; column < plot->columns; column++) {
        size_t first = tick_of(plot, column), end = tick_of(plot, column + 1);
        double highest = values[first];
        for (size_t i = first; i < end; i++)
            highest = values[i] > highest ? values[i] : highest;
        levels[column] = top > 0 ? level_of(highest / top, rows) : 0;
    }
}

/* --- drawing --- */

static const char *cell(const struct plot *plot, unsigned level, bool dashed)
{
    static const char *const blocks[] = {"", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"", ".", ".", ":", ":", "|", "|", "#", "#"};
    if (!level) return dashed ? (plot->ascii ? "-" : "┄") : " ";
    return plot->ascii ? plain[level] : blocks[level];
}

static void add_label(const struct plot *plot, const char *name, const char *value)
{
    AUTO(free_text) char *label = mem_format("%-10.10s %6.6s", name, value);
    display_add(plot->out, label, DISPLAY_LINE);
    text_add(plot->out, plot->ascii ? "|" : "│");
}

static void add_line(const struct plot *plot, const struct strip *strip, unsigned row)
{
    text_add(plot->out, style_open(strip->style, plot->terminal->colour));
    for (size_t column = 0; column < plot->columns; column++) {
        unsigned below = (strip->rows - 1 - row) * EIGHTHS, level = strip->levels[column];
        unsigned here = level <= below ? 0 : level - below > EIGHTHS ? EIGHTHS : level - below;
        text_add(plot->out, cell(plot, here, strip->dashed && row == 0));
    }
    text_add(plot->out, style_close(strip->style, plot->terminal->colour));
    text_add_char(plot->out, '\n');
}

static void draw(const struct plot *plot, const struct strip *strip, const char *title)
{
    for (unsigned row = 0; row < strip->rows; row++) {
        bool is_last = row + 1 == strip->rows;
        const char *name = row == 0 ? title : row == 1 ? strip->name : "";
        add_label(plot, name, row == 0 ? strip->top : is_last && strip->dashed ? "1" : "");
        add_line(plot, strip, row);
    }
}

static void draw_e(const struct plot *plot, const char *title, const char *name, const double *values, double bar, enum style style)
{
    if (!(bar > 0)) return;
    AUTO(free_text) char *top = mem_format("%.0f", exp(bar));
    unsigned *levels = mem_alloc_array(plot->columns, sizeof *levels);
    measure(plot, values, bar, E_ROWS, levels);
    draw(plot, &(struct strip){name, top, levels, E_ROWS, style, true}, title);
    free(levels);
}

static void draw_share(const struct plot *plot)
{
    const struct evidence_record *evidence = plot->evidence;
    double *shares = mem_alloc_array(evidence->tick_count, sizeof *shares), most = 0;
    unsigned *levels = mem_alloc_array(plot->columns, sizeof *levels);
    for (size_t i = 0; i < evidence->tick_count; i++) {
        shares[i] = evidence->ticks[i].share;
        most = shares[i] > most ? shares[i] : most;
    }
    AUTO(free_text) char *top = mem_format("%.3g %%", most);
    measure(plot, shares, most, SHARE_ROWS, levels);
    draw(plot, &(struct strip){"", top, levels, SHARE_ROWS, STYLE_BUSY, false}, "share");
    free(levels);
    free(shares);
}

/* Which columns hold a tick that did not count. */
static void draw_unused(const struct plot *plot)
{
    bool any = false;
    for (size_t i = 0; i < plot->evidence->tick_count; i++)
        any |= !plot->evidence->ticks[i].used;
    if (!any) return;
    add_label(plot, "not used", "");
    for (size_t column = 0; column < plot->columns; column++) {
        bool unused = !plot->evidence->ticks[tick_of(plot, column)].used;
        text_add(plot->out, unused ? plot->ascii ? "x" : "×" : " ");
    }
    text_add_char(plot->out, '\n');
}

static void draw_axis(const struct plot *plot)
{
    const struct evidence_record *evidence = plot->evidence;
    AUTO(free_text) char *first = mem_format("%lld", (long long)evidence->ticks[0].number);
    AUTO(free_text) char *last = mem_format("%lld", (long long)evidence->ticks[evidence->tick_count - 1].number);
    size_t taken = display_width(first) + display_width(last);
    text_add_format(plot->out, "%-*s", LABEL_COLUMNS, "tick");
    text_add(plot->out, first);
    if (plot->columns > taken) {
        text_add_repeated(plot->out, ' ', plot->columns - taken);
        text_add(plot->out, last);
    }
    text_add_char(plot->out, '\n');
}

void evidence_chart(const struct evidence_record *evidence, const struct terminal *terminal, bool ascii, struct text *out)
{
    size_t width = terminal->columns ? terminal->columns : CHART_COLUMNS,
           room = width > 2 * LABEL_COLUMNS ? width - LABEL_COLUMNS : LABEL_COLUMNS;
    size_t each = tick_width(evidence->tick_count, room);
    struct plot plot = {evidence, terminal, ascii, each ? each * evidence->tick_count : room, out};
    if (!evidence->tick_count) return;
    text_add_format(out, "E by tick, from 1 up to where it decides %s\n", ascii ? "(---)" : "(┄┄┄)");
    for (size_t i = 0; i < evidence->kpi_count; i++) {
        const struct kpi_record *kpi = &evidence->kpis[i];
        draw_e(&plot, kpi->name, "  harm", kpi->harm, kpi->harm_bar, STYLE_BAD);
        draw_e(&plot, kpi->harm_bar > 0 ? "" : kpi->name, "  no harm", kpi->clear, kpi->clear_bar, STYLE_GOOD);
    }
    draw_share(&plot);
    draw_unused(&plot);
    draw_axis(&plot);
}

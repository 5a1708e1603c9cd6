/* evidence_svg.c: the evidence of a canary as a picture: for each KPI both E on their way to the bars that decide, in logarithms; the
 * share. */
#include "cli/evidence_draw.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/display.h"
#include "state/explain.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 860,
    LEFT = 64,    /* where plots begin */
    RIGHT = 732,  /* where they end; behind them stand the bars' names */
    PANEL = 150,  /* height of a KPI's plot */
    SHARE = 56,   /* of the share's */
    HEADING = 26, /* above each plot */
    GAP = 22,     /* below each plot */
    LINE = 19,    /* of the verdict's words */
    WORDS = 112,  /* characters a line */
    POINTS_MAX = 1400,
    LABELS_MIN = 15 /* between two labels, one above the other */
};

static const double LOWEST = -4.605170185988091; /* log 0.01: what is below is drawn there */

/* Classes and not variables: not every reader of pictures knows those. */
static const char style[] =
    "<style>\n"
    ".paper{fill:#ffffff}.ink{fill:#1f2328}.quiet{fill:#59636e}.grid{stroke:#d1d9e0;stroke-width:1}\n"
    ".harm{stroke:#cf222e}.clear{stroke:#1a7f37}.of-harm{fill:#cf222e}.of-clear{fill:#1a7f37}\n"
    ".area{fill:#0969da;fill-opacity:.18}.edge{stroke:#0969da}.of-share{fill:#0969da}.unused{fill:#59636e;fill-opacity:.13}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.bar{stroke-width:1.5;stroke-dasharray:6 4}\n"
    "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:12px}\n"
    ".title{font-size:17px;font-weight:600}.words{font-size:14px}.name{font-size:13px;font-weight:600}\n"
    "@media (prefers-color-scheme:dark){\n"
    ".paper{fill:#0d1117}.ink{fill:#e6edf3}.quiet{fill:#9198a1}.grid{stroke:#30363d}\n"
    ".harm{stroke:#ff7b72}.clear{stroke:#3fb950}.of-harm{fill:#ff7b72}.of-clear{fill:#3fb950}\n"
    ".area{fill:#58a6ff;fill-opacity:.2}.edge{stroke:#58a6ff}.of-share{fill:#58a6ff}.unused{fill:#9198a1;fill-opacity:.16}}\n"
    "</style>\n";

struct picture {
    const struct evidence_record *evidence;
    struct text *out;
    double y; /* where the next thing begins */
};

/* One plot's scale: logarithms from low to high, over height pixels below top. */
struct scale {
    double low, high, top, height;
};

/* --- small things --- */

static void add_escaped(struct text *out, const char *words)
{
    struct text clean = {0};
    display_add(&clean, words, DISPLAY_LINE);
    for (const char *at = text_view(&clean); *at; at++) {
        if (*at == '&')
            text_add(out, "&amp;");
        else if (*at == '<')
            text_add(out, "&lt;");
        else if (*at == '>')
            text_add(out, "&gt;");
        else
            text_add_char(out, *at);
    }
    text_release(&clean);
}

static void add_words(const struct picture *picture, double x, double y, const char *class, const char *anchor, const char *words)
{
    text_add_format(picture->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y, class, anchor);
    add_escaped(picture->out, words);
    text_add(picture->out, "</text>\n");
}

static void add_rule(const struct picture *picture, double y, const char *class)
{
    text_add_format(picture->out, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" class=\"%s\"/>\n", (int)LEFT, y, (int)RIGHT, y, class);
}

/* The right edge of a tick; index 0 is where the first one begins. */
static double x_of(const struct picture *picture, size_t index)
{
    size_t count = picture->evidence->tick_count ? picture->evidence->tick_count : 1;
    return LEFT + (double)(RIGHT - LEFT) * (double)index / (double)count;
}

static double y_of(const struct scale *scale, double value)
{
    double inside = value < scale->low ? scale->low : value > scale->high ? scale->high : value;
    return scale->top + scale->height * (scale->high - inside) / (scale->high - scale->low);
}

/* --- above the plots --- */

/* Breaks the verdict's words at blanks. */
static void add_verdict_words(struct picture *picture, const char *words)
{
    struct text lines = {0};
    display_add_wrapped(&lines, words, WORDS, 0);
    for (char *rest = lines.bytes, *line; rest && (line = strsep(&rest, "\n")); picture->y += LINE)
        add_words(picture, LEFT, picture->y, "words ink", "start", line);
    text_release(&lines);
}

static void add_verdict(struct picture *picture)
{
    const json_t *verdict = picture->evidence->verdict;
    const char *kind = json_text(verdict, "verdict", NULL), *words = json_text(verdict, "words", NULL);
    struct text line = {0};
    text_add(&line, kind ? kind : "no verdict yet");
    evidence_add_tick(picture->evidence, &line);
    if (words) text_add_format(&line, ": %s", words);
    add_verdict_words(picture, text_view(&line));
    text_release(&line);
}

static void add_head(struct picture *picture, const char *heading)
{
    struct text title = {0};
    evidence_add_title(picture->evidence, &title);
    picture->y = 34;
    add_words(picture, LEFT, picture->y, "title ink", "start", text_view(&title));
    add_words(picture, WIDTH - 20, picture->y, "quiet", "end", heading);
    text_release(&title);
    picture->y += 24;
    add_verdict(picture);
}

/* --- a KPI --- */

/* What is far beyond a bar says no more than that: the bars stay apart. */
static void widen(struct scale *scale, double highest, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i] < scale->low) scale->low = values[i] > LOWEST ? values[i] : LOWEST;
        if (values[i] > scale->high) scale->high = values[i] < highest ? values[i] : highest;
    }
}

static struct scale scale_of(const struct picture *picture, const struct kpi_record *kpi)
{
    struct scale scale = {.low = -log(10), .high = log(10), .top = picture->y, .height = PANEL};
    if (kpi->harm_bar > scale.high) scale.high = kpi->harm_bar;
    if (kpi->clear_bar > scale.high) scale.high = kpi->clear_bar;
    double highest = scale.high * 1.5;
    widen(&scale, highest, kpi->harm, picture->evidence->tick_count);
    widen(&scale, highest, kpi->clear, picture->evidence->tick_count);
    scale.high += (scale.high - scale.low) * 0.06;
    return scale;
}

static void add_unused(const struct picture *picture, const struct scale *scale)
{
    const struct evidence_record *evidence = picture->evidence;
    for (size_t i = 0, end; i < evidence->tick_count; i = end) {
        for (end = i + 1; end < evidence->tick_count && evidence->ticks[end].used == evidence->ticks[i].used;)
            end++;
        if (evidence->ticks[i].used) continue;
        text_add_format(picture->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"unused\"/>\n", x_of(picture, i),
            scale->top, x_of(picture, end) - x_of(picture, i), scale->height);
    }
}

/* Every power of ten, every second one where there are many. */
static void add_grid(const struct picture *picture, const struct scale *scale)
{
    int first = (int)ceil(scale->low / log(10)), last = (int)floor(scale->high / log(10)), step = (last - first) / 6 + 1;
    for (int power = 0; power <= last; power += step) {
        AUTO(free_text) char *label = power > 6 ? mem_format("1e%d", power) : mem_format("%.0f", pow(10, power));
        add_rule(picture, y_of(scale, power * log(10)), "grid");
        add_words(picture, LEFT - 8, y_of(scale, power * log(10)) + 4, "quiet", "end", label);
    }
    for (int power = -step; power >= first; power -= step) {
        AUTO(free_text) char *label = mem_format("%.*f", -power, pow(10, power));
        add_rule(picture, y_of(scale, power * log(10)), "grid");
        add_words(picture, LEFT - 8, y_of(scale, power * log(10)) + 4, "quiet", "end", label);
    }
}

static void add_curve(const struct picture *picture, const struct scale *scale, const double *values, const char *class)
{
    size_t count = picture->evidence->tick_count, stride = count / POINTS_MAX + 1;
    text_add_format(picture->out, "<polyline class=\"line %s\" points=\"%.1f,%.1f", class, x_of(picture, 0), y_of(scale, 0));
    for (size_t i = 0; i < count; i++)
        if (i % stride == stride - 1 || i + 1 == count)
            text_add_format(picture->out, " %.1f,%.1f", x_of(picture, i + 1), y_of(scale, values[i]));
    text_add(picture->out, "\"/>\n");
}

static void add_bar(
    const struct picture *picture, const struct scale *scale, double bar, double label_y, const char *class, const char *name)
{
    AUTO(free_text) char *line = mem_format("bar %s", class);
    AUTO(free_text) char *words = mem_format("of-%s", class);
    AUTO(free_text) char *label = mem_format("%s at %.0f", name, exp(bar));
    add_rule(picture, y_of(scale, bar), line);
    add_words(picture, RIGHT + 8, label_y + 4, words, "start", label);
}

static void add_bars(const struct picture *picture, const struct scale *scale, const struct kpi_record *kpi)
{
    double harm_y = y_of(scale, kpi->harm_bar), clear_y = y_of(scale, kpi->clear_bar);
    if (kpi->harm_bar > 0 && fabs(clear_y - harm_y) < LABELS_MIN) clear_y = harm_y + (clear_y < harm_y ? -LABELS_MIN : LABELS_MIN);
    if (kpi->harm_bar > 0) add_bar(picture, scale, kpi->harm_bar, y_of(scale, kpi->harm_bar), "harm", "harm");
    if (kpi->clear_bar > 0) add_bar(picture, scale, kpi->clear_bar, clear_y, "clear", "no harm");
}

static void add_kpi_name(const struct picture *picture, const struct kpi_record *kpi)
{
    struct text words = {0};
    text_add_format(&words, "E of harm ");
    explain_add_evidence(&words, kpi_harm(picture->evidence, kpi));
    text_add(&words, ", of no harm ");
    explain_add_evidence(&words, kpi_clear(picture->evidence, kpi));
    if (kpi->has_effect) text_add(&words, text_equal(kpi->measure, "errors") ? ";  " : ";  effect ");
    evidence_add_effect(kpi, &words);
    add_words(picture, LEFT, picture->y + 14, "name ink", "start", kpi->name);
    add_words(picture, RIGHT, picture->y + 14, "quiet", "end", text_view(&words));
    text_release(&words);
}

static void add_kpi(struct picture *picture, const struct kpi_record *kpi)
{
    add_kpi_name(picture, kpi);
    picture->y += HEADING;
    struct scale scale = scale_of(picture, kpi);
    add_unused(picture, &scale);
    add_grid(picture, &scale);
    add_bars(picture, &scale, kpi);
    add_curve(picture, &scale, kpi->harm, "harm");
    add_curve(picture, &scale, kpi->clear, "clear");
    picture->y += PANEL + GAP;
}

/* --- the share, and the ticks --- */

static double largest_share(const struct evidence_record *evidence)
{
    double most = 1;
    for (size_t i = 0; i < evidence->tick_count; i++)
        most = evidence->ticks[i].share > most ? evidence->ticks[i].share : most;
    return most;
}

static void add_step(const struct picture *picture, const struct scale *scale, size_t first, size_t end, struct text *edge)
{
    double share = picture->evidence->ticks[first].share, y = y_of(scale, share);
    AUTO(free_text) char *label = mem_format("%.10g %%", share);
    text_add_format(picture->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"area\"/>\n", x_of(picture, first), y,
        x_of(picture, end) - x_of(picture, first), scale->top + scale->height - y);
    text_add_format(edge, "%s%.1f,%.1f %.1f,%.1f", edge->size ? " " : "", x_of(picture, first), y, x_of(picture, end), y);
    add_words(picture, x_of(picture, first) + 4, y - 4, "of-share", "start", label);
}

static void add_shares(struct picture *picture)
{
    const struct evidence_record *evidence = picture->evidence;
    struct text edge = {0};
    add_words(picture, LEFT, picture->y + 14, "name ink", "start", "share");
    picture->y += HEADING + 8;
    struct scale scale = {.low = 0, .high = largest_share(evidence), .top = picture->y, .height = SHARE};
    for (size_t i = 0, end; i < evidence->tick_count; i = end) {
        for (end = i + 1; end < evidence->tick_count && evidence->ticks[end].share == evidence->ticks[i].share;)
            end++;
        add_step(picture, &scale, i, end, &edge);
    }
    text_add_format(picture->out, "<polyline class=\"line edge\" points=\"%s\"/>\n", text_view(&edge));
    add_rule(picture, picture->y + SHARE, "grid");
    text_release(&edge);
    picture->y += SHARE;
}

static void add_axis(struct picture *picture)
{
    const struct evidence_record *evidence = picture->evidence;
    size_t step = evidence->tick_count / 10 + 1;
    for (size_t i = 0; i < evidence->tick_count; i += step) {
        AUTO(free_text) char *label = mem_format("%lld", (long long)evidence->ticks[i].number);
        add_words(picture, (x_of(picture, i) + x_of(picture, i + 1)) / 2, picture->y + 16, "quiet", "middle", label);
    }
    add_words(picture, RIGHT + 8, picture->y + 16, "quiet", "start", "tick");
    picture->y += 32;
}

static void add_foot(struct picture *picture)
{
    struct text words = {0};
    size_t unused = 0, count = picture->evidence->tick_count;
    for (size_t i = 0; i < count; i++)
        unused += !picture->evidence->ticks[i].used;
    if (unused) text_add(&words, "grey: did not count.  ");
    if (unused && unused == count) text_add(&words, "No requests counted.  ");
    if (picture->evidence->policy) text_add_format(&words, "policy %.16s", picture->evidence->policy);
    add_words(picture, LEFT, picture->y + 8, "quiet", "start", text_view(&words));
    picture->y += 24;
    text_release(&words);
}

static double height_of(const struct evidence_record *evidence, const char *heading)
{
    struct text drawn = {0};
    struct picture picture = {.evidence = evidence, .out = &drawn};
    add_head(&picture, heading);
    text_release(&drawn);
    return picture.y + (double)evidence->kpi_count * (HEADING + PANEL + GAP) + HEADING + 8 + SHARE + 32 + 24 + 12;
}

void evidence_svg(const struct evidence_record *evidence, const char *heading, struct text *out)
{
    struct picture picture = {.evidence = evidence, .out = out};
    struct text title = {0};
    double height = height_of(evidence, heading);
    evidence_add_title(evidence, &title);
    text_add_format(out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" role=\"img\">\n<title>", (int)WIDTH,
        height, (int)WIDTH, height);
    add_escaped(out, text_view(&title));
    text_add(out, "</title>\n");
    text_add(out, style);
    text_add_format(out, "<rect width=\"%d\" height=\"%.0f\" class=\"paper\"/>\n", (int)WIDTH, height);
    add_head(&picture, heading);
    picture.y += 8;
    for (size_t i = 0; i < evidence->kpi_count; i++)
        add_kpi(&picture, &evidence->kpis[i]);
    add_shares(&picture);
    add_axis(&picture);
    add_foot(&picture);
    text_add(out, "</svg>\n");
    text_release(&title);
}

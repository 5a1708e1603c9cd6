/* evidence_table.c: the verdict of a canary, what each KPI showed, what each share was judged by. */
#include "cli/evidence_draw.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/display.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "state/explain.h"

#include <math.h>
#include <string.h>

/* --- words --- */

void evidence_add_title(const struct evidence_record *evidence, struct text *out)
{
    if (evidence->family) text_add_format(out, "%s: ", evidence->family);
    text_add(out, evidence->canary);
    if (evidence->baseline) text_add_format(out, " beside %s", evidence->baseline);
}

/* Small ones with a digit behind the point; none is "-0". */
static void add_percent(struct text *out, double logarithm, bool fine)
{
    double percent = (exp(logarithm) - 1) * 100, least = fine ? 0.05 : 0.5;
    text_add_format(out, "%+.*f", fine ? 1 : 0, fabs(percent) < least ? 0 : percent);
}

static void add_ratio(const struct kpi_record *kpi, struct text *out)
{
    bool fine = fabs(kpi->low) < 0.1 && fabs(kpi->high) < 0.1;
    add_percent(out, kpi->effect, fine);
    text_add(out, " % (");
    add_percent(out, kpi->low, fine);
    text_add(out, "..");
    add_percent(out, kpi->high, fine);
    text_add_char(out, ')');
}

/* Two digits behind, in plain figures: 0.045, 1.1, 26, 680. */
static void add_odds(struct text *out, double logarithm)
{
    double value = exp(logarithm), unit = 1;
    while (value / unit >= 100 && unit < 1e12)
        unit *= 10;
    if (value < 100)
        text_add_format(out, value < 1e-4 ? "0" : "%.2g", value);
    else
        text_add_format(out, "%.0f", round(value / unit) * unit);
}

void evidence_add_effect(const struct kpi_record *kpi, struct text *out)
{
    if (!kpi->has_effect) return;
    if (!text_equal(kpi->measure, "errors")) return add_ratio(kpi, out);
    text_add(out, "odds x ");
    add_odds(out, kpi->effect);
    text_add(out, " (");
    add_odds(out, kpi->low);
    text_add(out, "..");
    add_odds(out, kpi->high);
    text_add_char(out, ')');
}

const char *evidence_shown(const struct evidence_record *evidence, const struct kpi_record *kpi)
{
    if (kpi->harm_bar > 0 && kpi_harm(evidence, kpi) >= kpi->harm_bar) return "harm";
    if (kpi->clear_bar > 0 && kpi_clear(evidence, kpi) >= kpi->clear_bar) return "harmless";
    return kpi->critical ? "open" : "reported";
}

static const char *state_of(const char *verdict)
{
    if (!verdict) return "running";
    if (text_equal(verdict, "promote")) return "succeeded";
    return text_equal(verdict, "harm") ? "failed" : "unknown";
}

void evidence_add_tick(const struct evidence_record *evidence, struct text *out)
{
    int64_t tick = json_whole(evidence->verdict, "tick", 0);
    if (tick) text_add_format(out, " at tick %lld", (long long)tick);
}

static void add_verdict(const struct evidence_record *evidence, const struct terminal *terminal, struct text *out)
{
    const char *verdict = json_text(evidence->verdict, "verdict", NULL), *words = json_text(evidence->verdict, "words", NULL);
    const json_t *share = json_object_get(evidence->verdict, "share");
    struct text line = {0};
    text_add(&line, verdict ? verdict : "no verdict yet");
    evidence_add_tick(evidence, &line);
    if (json_is_number(share)) text_add_format(&line, ", on %.10g %%", json_number_value(share));
    if (words) text_add_format(&line, ": %s", words);
    enum style style = style_of_state(state_of(verdict));
    text_add_format(out, "%s%s ", style_open(style, terminal->colour), symbol_of_state(state_of(verdict)));
    display_add_wrapped(out, text_view(&line), terminal->columns > 2 ? terminal->columns - 2 : 0, 2);
    text_add_format(out, "%s\n", style_close(style, terminal->colour));
    text_release(&line);
}

/* --- the tables --- */

static void add_samples(struct table *table, int64_t count, int64_t errors, bool of_errors)
{
    if (of_errors)
        table_add_format(table, STYLE_PLAIN, "%lld/%lld", (long long)errors, (long long)count);
    else
        table_add_format(table, STYLE_PLAIN, "%lld", (long long)count);
}

static void add_e(struct table *table, double value, double bar, enum style reached)
{
    struct text text = {0};
    explain_add_evidence(&text, value);
    if (bar > 0) text_add_format(&text, " of %.0f", exp(bar));
    table_add(table, bar > 0 && value >= bar ? reached : STYLE_PLAIN, text_view(&text));
    text_release(&text);
}

static void add_kpi(struct table *table, const struct evidence_record *evidence, const struct kpi_record *kpi)
{
    const char *shown = evidence_shown(evidence, kpi);
    bool of_errors = text_equal(kpi->measure, "errors");
    struct text effect = {0};
    evidence_add_effect(kpi, &effect);
    table_add(table, STYLE_STRONG, kpi->name);
    table_add(table, text_equal(shown, "harm") ? STYLE_BAD : text_equal(shown, "harmless") ? STYLE_GOOD : STYLE_QUIET, shown);
    add_samples(table, kpi->canary, kpi->canary_errors, of_errors);
    add_samples(table, kpi->baseline, kpi->baseline_errors, of_errors);
    table_add(table, STYLE_PLAIN, text_view(&effect));
    add_e(table, kpi_harm(evidence, kpi), kpi->harm_bar, STYLE_BAD);
    add_e(table, kpi_clear(evidence, kpi), kpi->clear_bar, STYLE_GOOD);
    text_release(&effect);
}

static void add_kpis(const struct evidence_record *evidence, const struct terminal *terminal, struct text *out)
{
    static const struct column columns[] = {{"KPI"}, {"SHOWN"}, {"CANARY", .right = true}, {"BASELINE", .right = true}, {"EFFECT"},
        {"HARM", .right = true}, {"NO HARM", .right = true}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    for (size_t i = 0; i < evidence->kpi_count; i++)
        add_kpi(table, evidence, &evidence->kpis[i]);
    table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
}

struct share_sum {
    double share;
    size_t ticks, used;
    int64_t canary, baseline, lasted_ms;
};

static void add_share(struct table *table, const struct share_sum *sum)
{
    struct text lasted = {0};
    text_add_duration(&lasted, sum->lasted_ms);
    table_add_format(table, STYLE_PLAIN, "%.10g %%", sum->share);
    table_add_format(table, STYLE_PLAIN, "%zu", sum->ticks);
    table_add_format(table, STYLE_PLAIN, "%zu", sum->used);
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)sum->canary);
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)sum->baseline);
    table_add(table, STYLE_PLAIN, text_view(&lasted));
    text_release(&lasted);
}

/* A row for each stretch of ticks on one share. */
static void add_shares(const struct evidence_record *evidence, const struct terminal *terminal, struct text *out)
{
    static const struct column columns[] = {{"SHARE", .right = true}, {"TICKS", .right = true}, {"USED", .right = true},
        {"CANARY", .right = true}, {"BASELINE", .right = true}, {"COUNTED", .right = true}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    struct share_sum sum = {0};
    for (size_t i = 0; i < evidence->tick_count; i++) {
        const struct tick_record *tick = &evidence->ticks[i];
        if (sum.ticks && tick->share != sum.share) {
            add_share(table, &sum);
            sum = (struct share_sum){0};
        }
        sum.share = tick->share;
        sum.ticks++;
        if (!tick->used) continue;
        sum.used++;
        sum.canary += tick->canary;
        sum.baseline += tick->baseline;
        sum.lasted_ms += tick->lasted_ms;
    }
    if (sum.ticks) add_share(table, &sum);
    if (evidence->tick_count) table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
}

/* "3 of 21 ticks did not count: 2 warm-up, 1 gap" */
static void add_unused(const struct evidence_record *evidence, struct text *out)
{
    static const char *const reasons[] = {"warm-up", "gap", "no_data", "one_arm", "sample_ratio", "stale", "open", "restarts"};
    size_t counts[COUNT_OF(reasons)] = {0}, unused = 0, said = 0;
    for (size_t i = 0; i < evidence->tick_count; i++) {
        unused += !evidence->ticks[i].used;
        for (size_t j = 0; j < COUNT_OF(reasons); j++)
            counts[j] += !evidence->ticks[i].used && text_equal(evidence->ticks[i].because, reasons[j]);
    }
    text_add_format(out, "%zu", evidence->tick_count);
    if (unused) text_add_format(out, ", of which %zu did not count", unused);
    for (size_t j = 0; j < COUNT_OF(reasons); j++)
        if (counts[j]) text_add_format(out, "%s%zu %s", said++ ? ", " : ": ", counts[j], reasons[j]);
}

void evidence_table(const struct evidence_record *evidence, const struct terminal *terminal, struct text *out)
{
    AUTO(text_release) struct text title = {0}, ticks = {0};
    evidence_add_title(evidence, &title);
    add_unused(evidence, &ticks);
    add_verdict(evidence, terminal, out);
    fact_add(out, terminal, "canary", text_view(&title));
    fact_add(out, terminal, "step", evidence->step);
    fact_add(out, terminal, "policy", evidence->policy);
    fact_add(out, terminal, "ticks", text_view(&ticks));
    if (!evidence->kpi_count) return;
    text_add_char(out, '\n');
    add_kpis(evidence, terminal, out);
    text_add_char(out, '\n');
    add_shares(evidence, terminal, out);
}

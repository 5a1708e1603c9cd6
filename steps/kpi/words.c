/* words.c: a canary's ticks and verdicts for people. */
#include "steps/kpi/words.h"
#include "steps/kpi/trouble.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { COUNT_COLUMNS = 38 }; /* of the tick and its requests */

static const double E_SHOWN_MAX = 1e6;

static const char *version_of(const struct canary *canary)
{
    return canary->version ? canary->version : canary->id;
}

static const char *baseline_of(const struct canary *canary)
{
    return canary->baseline_version ? canary->baseline_version : canary->baseline;
}

/* --- a tick's line ----------------------------------------------------------------------------------------------------------------------
 */

static void add_chart(struct text *line, const struct chart *chart)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    text_add_repeated(line, ' ', CHART_COLUMNS - strlen(chart->levels));
    for (const char *level = chart->levels; *level; level++)
        text_add(line, bars[*level - '0']);
}

/* E itself, as everywhere people read of it; it is known by its logarithm. */
static void add_evidence(struct text *line, double logarithm)
{
    double value = exp(logarithm);
    if (value > E_SHOWN_MAX)
        text_add(line, ">1e6");
    else
        text_add_format(line, value < 9.95 ? "%.1f" : "%.0f", value);
}

static void add_evidence_column(struct text *line, double logarithm)
{
    AUTO(text_release) struct text shown = {0};
    add_evidence(&shown, logarithm);
    text_add_format(line, " %4s", text_view(&shown));
}

static void add_bar(struct text *line, double logarithm)
{
    text_add_format(line, " of %.0f", exp(logarithm));
}

/* The critical KPI that is nearest to harm. */
static size_t most_harmed(const struct canary *canary)
{
    size_t most = 0;
    double least_way = INFINITY;
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        const struct kpi_rules *rules = &canary->rules->kpis[i].rules;
        double way = evidence_harm_bar(rules) - evidence_harm(&canary->kpis[i].evidence, rules);
        if (!rules->critical || way >= least_way) continue;
        least_way = way;
        most = i;
    }
    return most;
}

static void add_harm(struct text *line, const struct canary *canary, bool with_chart)
{
    size_t most = most_harmed(canary);
    const struct judged_kpi *kpi = &canary->rules->kpis[most];
    text_add(line, "  harm ");
    if (with_chart) add_chart(line, &canary->kpis[most].harm);
    text_add_format(line, with_chart ? " %-7s" : "%-7s", kpi->name);
    add_evidence_column(line, evidence_harm(&canary->kpis[most].evidence, &kpi->rules));
    add_bar(line, evidence_harm_bar(&kpi->rules));
}

static bool has_room(const struct text *line, const struct text *part)
{
    return text_columns(text_view(line), line->size) + text_columns(text_view(part), part->size) <= LINE_COLUMNS;
}

/* As many KPIs as the line has room for. true: all, with their bar. */
static bool add_clear(struct text *line, const struct canary *canary)
{
    const char *before = "  clear ";
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        const struct judged_kpi *kpi = &canary->rules->kpis[i];
        if (!kpi->rules.critical) continue;
        AUTO(text_release) struct text part = {0};
        text_add_format(&part, "%s%s", before, kpi->name);
        add_evidence_column(&part, evidence_clear(&canary->kpis[i].evidence, &kpi->rules));
        if (!has_room(line, &part)) return false;
        text_add(line, part.bytes);
        before = ", ";
    }
    AUTO(text_release) struct text bar = {0};
    add_bar(&bar, evidence_clear_bar(&canary->rules->kpis[0].rules));
    bool fits = has_room(line, &bar);
    if (fits) text_add(line, bar.bytes);
    return fits;
}

static bool add_scores(struct text *line, const struct canary *canary, bool with_chart)
{
    add_harm(line, canary, with_chart);
    return add_clear(line, canary);
}

static double percent_of(uint64_t part, uint64_t other)
{
    double all = (double)part + (double)other;
    return all > 0 ? 100 * (double)part / all : 0;
}

static void add_why(struct text *line, const struct canary *canary, const struct ramp_reading *counts, double share)
{
    const struct ramp *ramp = &canary->ramp;
    switch (ramp->because) {
    case RAMP_WARM_UP: return text_add(line, "  warming up, not counted");
    case RAMP_GAP: return text_add(line, "  held: some requests were not recorded");
    case RAMP_NO_DATA: return text_add(line, "  held: there were no requests");
    case RAMP_ONE_ARM: return text_add_format(line, "  held: no requests reached %s", counts->canary ? "the baseline" : "the canary");
    case RAMP_SAMPLE_RATIO:
        return text_add_format(line, "  held: the canary got %.0f %% of the requests, %.0f %% on this share, and not %.10g %%",
            percent_of(counts->canary, counts->baseline), percent_of(ramp->canary, ramp->baseline), share);
    case RAMP_STALE: return text_add(line, "  held: the requests' records cannot be read");
    case RAMP_UNANSWERED: text_add(line, "  held: "); return trouble_add_open(line, canary, counts->open_canary);
    case RAMP_RESTARTED: text_add(line, "  held: "); return trouble_add_restarts(line, canary);
    case RAMP_USED:
    case RAMP_BECAUSE_COUNT: break;
    }
}

/* "13 (2 failed)" */
static void add_requests(struct text *line, const char *arm, uint64_t requests, uint64_t failed)
{
    text_add_format(line, "%s %llu", arm, (unsigned long long)requests);
    if (failed) text_add_format(line, " (%llu failed)", (unsigned long long)failed);
}

static void add_counts(struct text *line, const struct canary *canary, const struct canary_reading *reading, double share)
{
    text_add_format(line, "tick %-3llu %2.10g %%  ", (unsigned long long)canary->ramp.tick, share);
    add_requests(line, "canary", reading->counts.canary, reading->canary_errors);
    add_requests(line, ", baseline", reading->counts.baseline, reading->baseline_errors);
    size_t columns = text_columns(line->bytes, line->size);
    if (columns < COUNT_COLUMNS) text_add_repeated(line, ' ', COUNT_COLUMNS - columns);
}

char *tick_words(const struct canary *canary, const struct canary_reading *reading, const struct canary_tick *tick)
{
    struct text line = {0};
    add_counts(&line, canary, reading, tick->share);
    size_t counts = line.size;
    if (canary->ramp.because != RAMP_USED) {
        add_why(&line, canary, &reading->counts, tick->share);
    } else if (!add_scores(&line, canary, true)) {
        line.size = counts;
        add_scores(&line, canary, false);
    }
    return text_take(&line);
}

bool tick_is_told(const struct canary *canary, enum ramp_because before)
{
    enum { EVERY = 10 };
    enum ramp_because because = canary->ramp.because;
    return because == RAMP_USED || because != before || canary->ramp.tick <= 1 || canary->ramp.tick % EVERY == 0;
}

/* --- a verdict ---------------------------------------------------------------------------------------------------------------------------
 */

/* The chance of so much evidence by luck is below its inverse: "1 in 200". Rounded down to two digits, so that it is never overstated. */
static void add_luck(struct text *words, double log_e)
{
    double odds = log_e < 13 ? exp(log_e) : 4e5, unit = 1;
    while (odds / unit >= 100)
        unit *= 10;
    text_add_format(words, "; the chance that this is luck is below 1 in %.0f", floor(odds / unit + 1e-9) * unit);
}

static double change(double log_ratio)
{
    return 100 * expm1(log_ratio);
}

/* Few requests a tick tell that it is slower than may be, or not slower than must be ruled out, before they tell how fast it is. */
static void add_unknown_speed(struct text *words, const struct kpi_rules *rules, bool is_harm)
{
    double percent = 100 * (rules->tolerate - 1);
    if (!is_harm) return text_add(words, "is about as fast, as far as too few requests tell");
    text_add(words, "is ");
    if (percent > 0) text_add_format(words, "more than %.3g %% ", percent);
    text_add(words, "slower at equal load, too few requests tell by how much");
}

/* "48 % slower at equal load (45 to 52 %)" */
static void add_latency(struct text *words, const struct evidence *evidence, const struct kpi_rules *rules, bool is_harm)
{
    double effect, low, high;
    if (!evidence_effect(evidence, rules, &effect, &low, &high)) return add_unknown_speed(words, rules, is_harm);
    bool slower = effect >= 0;
    double a = fabs(change(slower ? low : high)), b = fabs(change(slower ? high : low));
    bool crosses = low < 0 && high > 0;
    int digits = fabs(change(effect)) < 9.95 ? 1 : 0;
    text_add_format(words, "is %.*f %% %s at equal load (", digits, fabs(change(effect)), slower ? "slower" : "faster");
    if (crosses)
        text_add_format(words, "%.*f %% faster to %.*f %% slower)", digits, fabs(change(low)), digits, change(high));
    else
        text_add_format(words, "%.*f to %.*f %%)", digits, a, digits, b);
}

static double failed_percent(uint64_t errors, uint64_t requests)
{
    return requests ? 100 * (double)errors / (double)requests : 0;
}

static void add_errors(struct text *words, const struct canary *canary, const struct evidence *evidence)
{
    double ours = failed_percent(evidence->canary_errors, evidence->canary),
           theirs = failed_percent(evidence->baseline_errors, evidence->baseline);
    text_add_format(
        words, "fails %.*f %% of its requests, %s %.*f %%", ours < 9.95 ? 2 : 0, ours, baseline_of(canary), theirs < 9.95 ? 2 : 0, theirs);
}

static void add_effect(struct text *words, const struct canary *canary, size_t i, bool is_harm)
{
    const struct kpi_rules *rules = &canary->rules->kpis[i].rules;
    const struct evidence *evidence = &canary->kpis[i].evidence;
    if (rules->measure == KPI_ERRORS) return add_errors(words, canary, evidence);
    add_latency(words, evidence, rules, is_harm);
}

/* log of sum(alpha_k E_k) / sum(alpha_k): what all critical KPIs say together. */
static double harm_of_all(const struct canary *canary)
{
    double sum = 0, alpha = 0;
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        const struct kpi_rules *rules = &canary->rules->kpis[i].rules;
        if (!rules->critical) continue;
        sum += rules->alpha * exp(fmin(evidence_harm(&canary->kpis[i].evidence, rules), 600));
        alpha += rules->alpha;
    }
    return log(sum / alpha);
}

static void say_harm(struct text *words, const struct canary *canary, size_t kpi)
{
    const struct kpi_rules *rules = &canary->rules->kpis[kpi].rules;
    double harm = evidence_harm(&canary->kpis[kpi].evidence, rules), all = harm_of_all(canary);
    text_add_format(words, "%s ", version_of(canary));
    add_effect(words, canary, kpi, true);
    add_luck(words, harm >= evidence_harm_bar(rules) ? harm : all);
}

static void add_excluded(struct text *words, const struct kpi_rules *rules)
{
    if (rules->measure == KPI_LATENCY)
        text_add_format(words, ", so %.3g %% slower is ruled out", 100 * (rules->clear - 1));
    else if (rules->negligible > 0)
        text_add_format(words, ", so %.3g times the odds on more than %.3g %% are ruled out", rules->clear, 100 * rules->negligible);
    else
        text_add_format(words, ", so %.3g times the odds are ruled out", rules->clear);
}

static void say_promotion(struct text *words, const struct canary *canary)
{
    const char *before = "";
    text_add_format(words, "%s ", version_of(canary));
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        if (!canary->rules->kpis[i].rules.critical) continue;
        text_add(words, before);
        add_effect(words, canary, i, false);
        add_excluded(words, &canary->rules->kpis[i].rules);
        before = "; it ";
    }
}

static void say_doubt(struct text *words, const struct canary *canary)
{
    const char *before = ": ";
    text_add_format(words, "neither harm by %s nor its absence is shown after ", version_of(canary));
    text_add_duration(words, canary->ramp.total_ms);
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        const struct judged_kpi *kpi = &canary->rules->kpis[i];
        const struct evidence *evidence = &canary->kpis[i].evidence;
        if (!kpi->rules.critical) continue;
        text_add_format(words, "%s%s harm ", before, kpi->name);
        add_evidence(words, evidence_harm(evidence, &kpi->rules));
        add_bar(words, evidence_harm_bar(&kpi->rules));
        text_add(words, ", clear ");
        add_evidence(words, evidence_clear(evidence, &kpi->rules));
        add_bar(words, evidence_clear_bar(&kpi->rules));
        before = "; ";
    }
    if (canary->ramp.restarts) text_add(words, "; ");
    if (canary->ramp.restarts) trouble_add_restarts(words, canary);
    if (canary->ramp.restarts) trouble_add_ending(words, canary);
}

static void say_blindness(struct text *words, const struct canary *canary, bool stale)
{
    static const char *const lacks[RAMP_BECAUSE_COUNT] = {[RAMP_GAP] = ": requests were not recorded",
        [RAMP_NO_DATA] = ": there were no requests",
        [RAMP_ONE_ARM] = ": only one of the two versions got requests",
        [RAMP_SAMPLE_RATIO] = ": the requests were not split as ordered",
        [RAMP_UNANSWERED] = ": its requests were not answered",
        [RAMP_RESTARTED] = ": it stopped by itself"};
    const char *lack = lacks[canary->ramp.because];
    text_add_format(words, "%s could not be judged for ", version_of(canary));
    text_add_duration(words, canary->ramp.blind_ms);
    text_add(words, stale ? ": the requests' records could not be read" : lack ? lack : "");
}

char *verdict_words(const struct canary *canary, const struct ramp_decision *decision)
{
    struct text words = {0};
    switch (decision->verdict) {
    case RAMP_HARM:
        if (decision->by == RAMP_BY_RESTARTS) trouble_add_restarts(&words, canary);
        if (decision->by == RAMP_BY_RESTARTS) trouble_add_ending(&words, canary);
        if (decision->by == RAMP_BY_OPEN) trouble_add_unanswered(&words, canary);
        if (decision->by == RAMP_BY_KPI) say_harm(&words, canary, decision->kpi);
        break;
    case RAMP_PROMOTED: say_promotion(&words, canary); break;
    case RAMP_INCONCLUSIVE: say_doubt(&words, canary); break;
    case RAMP_WITHOUT_DATA:
    case RAMP_WENT_STALE: say_blindness(&words, canary, decision->verdict == RAMP_WENT_STALE); break;
    case RAMP_OPEN:
    case RAMP_VERDICT_COUNT: break;
    }
    return text_take(&words);
}

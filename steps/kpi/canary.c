/* canary.c: one tick of a canary, from its reading to its decision. */
#include "steps/kpi/canary.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void canary_init(struct canary *canary, const struct canary_rules *rules)
{
    *canary = (struct canary){.rules = rules};
    for (size_t i = 0; i < rules->kpi_count; i++)
        evidence_init(&canary->kpis[i].evidence, &rules->kpis[i].rules);
}

void canary_release(struct canary *canary)
{
    free(canary->id);
    free(canary->version);
    free(canary->baseline);
    free(canary->baseline_version);
    free(canary->family);
    free(canary->policy);
    free(canary->undoing);
    free(canary->ending);
    json_decref(canary->instances);
    json_decref(canary->shift);
    json_decref(canary->verdict);
    *canary = (struct canary){0};
}

/* --- an earlier wave ---------------------------------------------------------------------------------------------------------------------
 */

/* Evidence against "no harm beyond T" is evidence against every smaller T, and against no larger one. */
static bool counts_here(const json_t *earlier, const struct kpi_rules *rules)
{
    const json_t *tolerate = json_object_get(earlier, "tolerate"), *negligible = json_object_get(earlier, "negligible");
    if (!json_is_number(tolerate) || json_number_value(tolerate) < rules->tolerate) return false;
    return json_number_value(negligible) >= rules->negligible;
}

static size_t carry_kpi(struct canary *canary, const json_t *earlier)
{
    const json_t *harm = json_object_get(earlier, "harm");
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        const struct judged_kpi *kpi = &canary->rules->kpis[i];
        if (!text_equal(kpi->name, json_text(earlier, "kpi", NULL)) || !json_is_number(harm)) continue;
        if (!isfinite(json_number_value(harm)) || canary->kpis[i].carried != 0 || !counts_here(earlier, &kpi->rules)) return 0;
        canary->kpis[i].carried = json_number_value(harm);
        evidence_carry(&canary->kpis[i].evidence, canary->kpis[i].carried);
        return 1;
    }
    return 0;
}

size_t canary_carry(struct canary *canary, const char *evidence)
{
    AUTO(free_json) json_t *earlier = NULL;
    size_t index, count = 0;
    json_t *kpi;
    if (!evidence || json_parse(evidence, strlen(evidence), "evidence", &earlier, NULL) < 0) return 0;
    json_array_foreach(json_object_get(earlier, "kpis"), index, kpi) count += carry_kpi(canary, kpi);
    return count;
}

/* --- a tick -----------------------------------------------------------------------------------------------------------------------------
 */

static struct kpi_sample sample_of(const struct canary_reading *reading, enum kpi_measure measure)
{
    const struct ramp_reading *counts = &reading->counts;
    bool errors = measure == KPI_ERRORS;
    return (struct kpi_sample){.canary = errors ? NULL : reading->canary,
        .baseline = errors ? NULL : reading->baseline,
        .canary_count = (size_t)(counts->canary),
        .baseline_count = (size_t)(counts->baseline),
        .canary_errors = (size_t)reading->canary_errors,
        .baseline_errors = (size_t)reading->baseline_errors};
}

static void feed(struct canary *canary, const struct canary_reading *reading, uint64_t seed, struct canary_tick *tick)
{
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        const struct kpi_rules *rules = &canary->rules->kpis[i].rules;
        struct kpi_sample sample = sample_of(reading, rules->measure);
        evidence_measure(rules, &sample, seed, &tick->kpis[i]);
        evidence_feed(&canary->kpis[i].evidence, rules, &tick->kpis[i]);
    }
}

static void draw(struct chart *chart, double value, double bar)
{
    size_t columns = strlen(chart->levels);
    double level = bar > 0 && value > 0 ? floor(value / bar * 7.999) : 0;
    if (columns == CHART_COLUMNS) memmove(chart->levels, chart->levels + 1, columns--);
    chart->levels[columns] = (char)('0' + (level < 7 ? (int)level : 7));
    chart->levels[columns + 1] = '\0';
}

static void draw_all(struct canary *canary, const struct ramp_evidence *views)
{
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        draw(&canary->kpis[i].harm, views[i].harm, views[i].harm_bar);
        draw(&canary->kpis[i].clear, views[i].clear, views[i].clear_bar);
    }
}

static void view_all(const struct canary *canary, struct ramp_evidence views[RULES_KPIS_MAX])
{
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        const struct kpi_rules *rules = &canary->rules->kpis[i].rules;
        const struct evidence *evidence = &canary->kpis[i].evidence;
        views[i] = (struct ramp_evidence){.critical = rules->critical,
            .harm = evidence_harm(evidence, rules),
            .harm_bar = evidence_harm_bar(rules),
            .clear = evidence_clear(evidence, rules),
            .clear_bar = evidence_clear_bar(rules)};
    }
}

void canary_judge(struct canary *canary, const struct canary_reading *reading, uint64_t seed, struct canary_tick *ret)
{
    struct ramp_evidence views[RULES_KPIS_MAX];
    const struct ramp_rules *rules = &canary->rules->ramp;
    *ret = (struct canary_tick){.index = canary->ramp.index, .share = rules->shares[canary->ramp.index - 1]};
    ret->lasted_ms = ramp_take(&canary->ramp, rules, &reading->counts);
    if (canary->ramp.used) feed(canary, reading, seed, ret);
    view_all(canary, views);
    if (canary->ramp.used) draw_all(canary, views);
    ret->decision = ramp_decide(&canary->ramp, rules, views, canary->rules->kpi_count);
}

/* --- on record ---------------------------------------------------------------------------------------------------------------------------
 */

static json_t *kpi_to_json(const struct canary *canary, size_t i, json_t *into)
{
    json_put_text(into, "kpi", canary->rules->kpis[i].name);
    evidence_put(into, &canary->kpis[i].evidence, &canary->rules->kpis[i].rules);
    return into;
}

/* Only where the domain tells it. */
static json_t *with_trouble(json_t *tick, const struct canary *canary, const struct ramp_reading *counts)
{
    if (!counts->told) return tick;
    json_put(
        tick, "open", json_pack("{s:I, s:I}", "canary", (json_int_t)counts->open_canary, "baseline", (json_int_t)counts->open_baseline));
    json_put_whole(tick, "restarts", (int64_t)canary->ramp.restarts);
    return tick;
}

json_t *canary_tick_to_json(const struct canary *canary, const struct canary_reading *reading, const struct canary_tick *tick)
{
    json_t *kpis = json_array();
    bool used = canary->ramp.used;
    for (size_t i = 0; used && i < canary->rules->kpi_count; i++)
        json_array_append_new(kpis, kpi_to_json(canary, i, kpi_tick_to_json(&canary->rules->kpis[i].rules, &tick->kpis[i])));
    json_t *json = json_pack("{s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:b, s:s, s:o}", "tick", (json_int_t)canary->ramp.tick, "at",
        (json_int_t)reading->counts.now_ms, "lasted", (json_int_t)tick->lasted_ms, "share", tick->share, "index", (json_int_t)tick->index,
        "canary", (json_int_t)reading->counts.canary, "baseline", (json_int_t)reading->counts.baseline, "used", used, "because",
        ramp_because_name(canary->ramp.because), "kpis", kpis);
    return with_trouble(json, canary, &reading->counts);
}

static json_t *verdict_of_kpi(const struct canary *canary, size_t i)
{
    const struct kpi_rules *rules = &canary->rules->kpis[i].rules;
    const struct evidence *evidence = &canary->kpis[i].evidence;
    double effect, low, high;
    json_t *json = kpi_to_json(canary, i, json_object());
    if (rules->critical) json_put(json, "harm_at", number_to_json(evidence_harm_bar(rules)));
    json_put(json, "clear_at", number_to_json(evidence_clear_bar(rules)));
    if (evidence_effect(evidence, rules, &effect, &low, &high)) {
        json_put(json, "effect", number_to_json(effect));
        json_put(json, "low", number_to_json(low));
        json_put(json, "high", number_to_json(high));
    }
    json_put_whole(json, "canary", (int64_t)evidence->canary);
    json_put_whole(json, "baseline", (int64_t)evidence->baseline);
    return json;
}

static const char *shown_by(const struct canary *canary, const struct ramp_decision *decision)
{
    static const char *const names[] = {[RAMP_BY_RESTARTS] = "restarts", [RAMP_BY_OPEN] = "open"};
    return decision->by == RAMP_BY_KPI ? canary->rules->kpis[decision->kpi].name : names[decision->by];
}

json_t *canary_verdict(const struct canary *canary, const struct ramp_decision *decision, const char *words)
{
    const struct ramp_rules *ramp = &canary->rules->ramp;
    json_t *verdict = json_object(), *kpis = json_array();
    for (size_t i = 0; i < canary->rules->kpi_count; i++)
        json_array_append_new(kpis, verdict_of_kpi(canary, i));
    const json_t *worst = json_array_get(kpis, decision->kpi);
    json_put_text(verdict, "verdict", ramp_verdict_name(decision->verdict));
    if (decision->verdict == RAMP_HARM) json_put_text(verdict, "kpi", shown_by(canary, decision));
    json_put_whole(verdict, "tick", (int64_t)canary->ramp.tick);
    json_put(verdict, "share", json_real(ramp->shares[canary->ramp.index - 1]));
    json_put_text(verdict, "words", words);
    json_put_text(verdict, "policy", canary->policy);
    json_put(verdict, "harm", json_incref(json_object_get(worst, "harm")));
    json_put(verdict, "clear", json_incref(json_object_get(worst, "clear")));
    json_put(verdict, "kpis", kpis);
    return verdict;
}

char *canary_evidence(const struct canary *canary)
{
    AUTO(free_json)
    json_t *evidence = json_pack("{s:i, s:s, s:s, s:[]}", "evidence", 1, "policy", canary->policy ? canary->policy : "", "verdict",
        json_text(canary->verdict, "verdict", ""), "kpis");
    for (size_t i = 0; i < canary->rules->kpi_count; i++) {
        const struct judged_kpi *kpi = &canary->rules->kpis[i];
        json_array_append_new(json_object_get(evidence, "kpis"), json_pack("{s:s, s:o, s:f, s:f}", "kpi", kpi->name, "harm",
                                                                     number_to_json(evidence_harm(&canary->kpis[i].evidence, &kpi->rules)),
                                                                     "tolerate", kpi->rules.tolerate, "negligible", kpi->rules.negligible));
    }
    return json_canonical(evidence);
}

/* evidence_record.c: records → ticks and KPIs. */
#include "cli/evidence_record.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

enum { KPIS_MAX = 64 };

static const double Z = 1.959963984540054; /* 95 % of a normal distribution lie within */

/* What an effect is put together from, over the ticks. */
struct pool {
    double weight, sum;         /* latency: inverse variances, and these times the effects */
    double r, s, pr, mixed, qs; /* errors: Mantel and Haenszel's odds ratio, Robins, Breslow and Greenland's variance */
};

static double number(const json_t *object, const char *name, double fallback)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static const json_t *record_at(const struct evidence_record *evidence, size_t index)
{
    return json_object_get(json_array_get(evidence->records, index), "record");
}

/* --- what is judged --- */

static void read_names(struct evidence_record *evidence, const json_t *record)
{
    const json_t *versions = json_object_get(record, "versions");
    evidence->step = json_text(json_array_get(evidence->records, 0), "step", "?");
    evidence->family = json_text(record, "family", NULL);
    evidence->policy = json_text(record, "policy", NULL);
    evidence->canary = json_text(versions, "canary", json_text(record, "canary", "the canary"));
    evidence->baseline = json_text(versions, "baseline", json_text(record, "baseline", NULL));
}

static double bar(const json_t *rules, const char *name)
{
    double risk = number(rules, name, 0);
    return risk > 0 && risk < 1 ? log(1 / risk) : 0;
}

static void read_kpis(struct evidence_record *evidence, const json_t *kpis)
{
    evidence->kpi_count = json_array_size(kpis) < KPIS_MAX ? json_array_size(kpis) : KPIS_MAX;
    evidence->kpis = mem_alloc_array(evidence->kpi_count + 1, sizeof *evidence->kpis);
    for (size_t i = 0; i < evidence->kpi_count; i++) {
        const json_t *kpi = json_array_get(kpis, i), *rules = json_object_get(kpi, "rules");
        struct kpi_record *record = &evidence->kpis[i];
        record->name = json_text(kpi, "kpi", "?");
        record->measure = json_text(rules, "measure", record->name);
        record->critical = json_flag(rules, "critical", true);
        record->harm_bar = record->critical ? bar(rules, "alpha") : 0;
        record->clear_bar = bar(rules, "beta");
        record->harm = mem_alloc_array(evidence->tick_count + 1, sizeof *record->harm);
        record->clear = mem_alloc_array(evidence->tick_count + 1, sizeof *record->clear);
    }
}

/* --- ticks --- */

static const json_t *find_kpi(const json_t *list, const char *name)
{
    size_t index;
    json_t *kpi;
    json_array_foreach((json_t *)list, index, kpi) if (text_equal(json_text(kpi, "kpi", NULL), name)) return kpi;
    return NULL;
}

static void pool_latency(struct pool *pool, const json_t *tick)
{
    double error = number(tick, "error", 0);
    if (!(error > 0)) return;
    pool->weight += 1 / (error * error);
    pool->sum += number(tick, "effect", 0) / (error * error);
}

static void pool_errors(struct pool *pool, const json_t *tick)
{
    double a = number(tick, "a", 0), b = number(tick, "m", 0) - a, c = number(tick, "b", 0), d = number(tick, "n", 0) - c,
           all = a + b + c + d;
    if (!(all > 0)) return;
    double r = a * d / all, s = b * c / all, p = (a + d) / all, q = (b + c) / all;
    pool->r += r;
    pool->s += s;
    pool->pr += p * r;
    pool->mixed += p * s + q * r;
    pool->qs += q * s;
}

static bool pool_effect(const struct pool *pool, double *ret_effect, double *ret_error)
{
    if (pool->weight > 0) {
        *ret_effect = pool->sum / pool->weight;
        *ret_error = sqrt(1 / pool->weight);
        return true;
    }
    double r = pool->r, s = pool->s;
    if (!(r > 0 && s > 0)) return false;
    *ret_effect = log(r) - log(s);
    *ret_error = sqrt(pool->pr / (2 * r * r) + pool->mixed / (2 * r * s) + pool->qs / (2 * s * s));
    return true;
}

static void read_tick_of(struct kpi_record *kpi, size_t index, const json_t *tick, struct pool *pool)
{
    double before_harm = index ? kpi->harm[index - 1] : 0, before_clear = index ? kpi->clear[index - 1] : 0;
    kpi->harm[index] = number(tick, "harm", before_harm);
    kpi->clear[index] = number(tick, "clear", before_clear);
    if (!tick) return;
    kpi->canary += json_whole(tick, "m", 0);
    kpi->baseline += json_whole(tick, "n", 0);
    kpi->canary_errors += json_whole(tick, "a", 0);
    kpi->baseline_errors += json_whole(tick, "b", 0);
    if (text_equal(kpi->measure, "errors"))
        pool_errors(pool, tick);
    else
        pool_latency(pool, tick);
}

static void read_tick(struct evidence_record *evidence, size_t index, const json_t *tick, struct pool *pools)
{
    evidence->ticks[index] = (struct tick_record){.number = json_whole(tick, "tick", (int64_t)index + 1),
        .at_ms = json_whole(tick, "at", 0),
        .lasted_ms = json_whole(tick, "lasted", 0),
        .share = number(tick, "share", 0),
        .used = json_flag(tick, "used", false),
        .because = json_text(tick, "because", ""),
        .canary = json_whole(tick, "canary", 0),
        .baseline = json_whole(tick, "baseline", 0)};
    const json_t *list = evidence->ticks[index].used ? json_object_get(tick, "kpis") : NULL;
    for (size_t i = 0; i < evidence->kpi_count; i++)
        read_tick_of(&evidence->kpis[i], index, find_kpi(list, evidence->kpis[i].name), &pools[i]);
}

static size_t count_ticks(const struct evidence_record *evidence)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(evidence->records); i++)
        count += json_array_size(json_object_get(record_at(evidence, i), "ticks"));
    return count;
}

static void read_ticks(struct evidence_record *evidence, struct pool *pools)
{
    size_t index = 0, place;
    json_t *tick;
    for (size_t i = 0; i < json_array_size(evidence->records); i++)
        json_array_foreach(json_object_get(record_at(evidence, i), "ticks"), place, tick) read_tick(evidence, index++, tick, pools);
}

/* --- what came of it --- */

/* The verdict's own effect, where there is one: it is what was decided by. */
static void read_effect(struct evidence_record *evidence, struct kpi_record *kpi, const struct pool *pool)
{
    const json_t *told = find_kpi(json_object_get(evidence->verdict, "kpis"), kpi->name);
    double error = 0;
    kpi->has_effect = json_is_number(json_object_get(told, "effect")) || pool_effect(pool, &kpi->effect, &error);
    kpi->low = number(told, "low", kpi->effect - Z * error);
    kpi->high = number(told, "high", kpi->effect + Z * error);
    kpi->effect = number(told, "effect", kpi->effect);
}

void evidence_record_read(json_t *records, struct evidence_record *ret)
{
    *ret = (struct evidence_record){.records = records};
    const json_t *first = record_at(ret, 0);
    read_names(ret, first);
    ret->tick_count = count_ticks(ret);
    ret->ticks = mem_alloc_array(ret->tick_count + 1, sizeof *ret->ticks);
    read_kpis(ret, json_object_get(first, "kpis"));
    struct pool *pools = mem_alloc_array(ret->kpi_count + 1, sizeof *pools);
    read_ticks(ret, pools);
    for (size_t i = 0; i < json_array_size(records) && !ret->verdict; i++) {
        const json_t *verdict = json_object_get(record_at(ret, i), "verdict");
        if (json_is_object(verdict)) ret->verdict = verdict;
    }
    for (size_t i = 0; i < ret->kpi_count; i++)
        read_effect(ret, &ret->kpis[i], &pools[i]);
    free(pools);
}

void evidence_record_release(struct evidence_record *evidence)
{
    for (size_t i = 0; i < evidence->kpi_count; i++) {
        free(evidence->kpis[i].harm);
        free(evidence->kpis[i].clear);
    }
    free(evidence->kpis);
    free(evidence->ticks);
    json_decref(evidence->records);
    *evidence = (struct evidence_record){0};
}

double kpi_harm(const struct evidence_record *evidence, const struct kpi_record *kpi)
{
    return evidence->tick_count ? kpi->harm[evidence->tick_count - 1] : 0;
}

double kpi_clear(const struct evidence_record *evidence, const struct kpi_record *kpi)
{
    return evidence->tick_count ? kpi->clear[evidence->tick_count - 1] : 0;
}

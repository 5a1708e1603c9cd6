/* rules.c: reads a canary's rules out of its policy, and out of evidence. */
#include "steps/kpi/rules.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>

static const double beta = 0.05; /* of false clearing, for each KPI: all must be clear */

static double number(const json_t *object, const char *key, double fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static double ratio_of(double percent)
{
    return 1 + percent / 100;
}

/* --- the ramp --------------------------------------------------------------------------------------------------------------------------
 */

static enum ramp_doubt doubt_of(const char *word)
{
    if (text_equal(word, "extend")) return RAMP_DOUBT_EXTEND;
    return text_equal(word, "hold") ? RAMP_DOUBT_HOLD : RAMP_DOUBT_ROLLBACK;
}

/* Of all critical KPIs the least patient one counts. */
static int64_t patience_of(const json_t *kpis)
{
    int64_t least_ms = -1;
    size_t index;
    json_t *kpi;
    json_array_foreach(kpis, index, kpi)
    {
        const json_t *without = json_object_get(kpi, "on-no-data");
        int64_t hold_ms = json_whole(without, "hold", 0);
        if (!json_flag(kpi, "critical", true) || text_equal(json_text(without, "then", "rollback"), "hold")) continue;
        if (least_ms < 0 || hold_ms < least_ms) least_ms = hold_ms;
    }
    return least_ms;
}

static int read_shares(const json_t *list, struct ramp_rules *ret, struct error *err)
{
    size_t index;
    json_t *share;
    if (!json_array_size(list) || json_array_size(list) > RAMP_SHARES_MAX)
        return error_set(
            err, ERROR_INVALID, NOWHERE, "the policy has %zu shares; a canary has 1 to %d", json_array_size(list), RAMP_SHARES_MAX);
    json_array_foreach(list, index, share)
    {
        double percent = json_number_value(share), before = index ? ret->shares[index - 1] : 0;
        if (!(percent > before && percent < 100))
            return error_set(err, ERROR_INVALID, NOWHERE, "the policy's shares must rise, above 0 %% and below 100 %%");
        ret->shares[ret->share_count++] = percent;
    }
    return 0;
}

static int read_ramp(const json_t *policy, struct ramp_rules *ret, struct error *err)
{
    const json_t *budget = json_object_get(policy, "budget");
    *ret = (struct ramp_rules){.every_ms = json_whole(policy, "every", 0),
        .shortest_ms = json_whole(budget, "shortest", 0),
        .longest_ms = json_whole(budget, "longest", 0),
        .warm_up_ms = json_whole(budget, "warm-up", 0),
        .doubt = doubt_of(json_text(json_object_get(policy, "on"), "doubt", NULL)),
        .blind_ms = patience_of(json_object_get(policy, "kpis"))};
    if (ret->every_ms <= 0 || ret->longest_ms <= 0 || ret->shortest_ms < 0 || ret->warm_up_ms < 0)
        return error_set(err, ERROR_INVALID, NOWHERE, "the policy's times (every, shortest, longest, warm-up) are not complete");
    return read_shares(json_object_get(policy, "share"), ret, err);
}

/* --- KPIs ------------------------------------------------------------------------------------------------------------------------------
 */

static bool is_sane(const struct kpi_rules *rules)
{
    bool bars = rules->tolerate >= 1 && rules->clear > rules->tolerate && isfinite(rules->clear);
    bool budgets = rules->beta > 0 && rules->beta < 1 && (!rules->critical || (rules->alpha > 0 && rules->alpha < 1));
    return bars && budgets && rules->negligible >= 0 && rules->negligible <= 1;
}

static int read_kpi(const json_t *kpi, double alpha, struct judged_kpi *ret, struct error *err)
{
    const char *name = json_text(kpi, "kpi", "");
    bool errors = text_equal(name, "errors");
    if (!errors && !text_equal(name, "latency"))
        return error_set(err, ERROR_UNSUPPORTED, NOWHERE, "nobody can judge the KPI \"%.60s\"", name);
    snprintf(ret->name, sizeof ret->name, "%s", name);
    ret->rules = (struct kpi_rules){.measure = errors ? KPI_ERRORS : KPI_LATENCY,
        .tolerate = errors ? number(kpi, "tolerate-odds", 0) : ratio_of(number(kpi, "tolerate", -100)),
        .clear = errors ? number(kpi, "clear-odds", 0) : ratio_of(number(kpi, "clear", -100)),
        .negligible = errors ? number(kpi, "negligible", 0) / 100 : 0,
        .critical = json_flag(kpi, "critical", true),
        .alpha = alpha,
        .beta = beta};
    if (is_sane(&ret->rules)) return 0;
    return error_set(err, ERROR_INVALID, NOWHERE, "the policy's KPI \"%.60s\" is not complete, or its numbers do not fit together", name);
}

static double weight_of(const json_t *kpi)
{
    return json_flag(kpi, "critical", true) ? number(kpi, "weight", 1) : 0;
}

static int read_kpis(const json_t *kpis, double alpha, struct canary_rules *ret, struct error *err)
{
    double weights = 0;
    size_t index;
    json_t *kpi;
    if (json_array_size(kpis) > RULES_KPIS_MAX)
        return error_set(err, ERROR_INVALID, NOWHERE, "the policy has more than %d KPIs", RULES_KPIS_MAX);
    json_array_foreach(kpis, index, kpi) weights += weight_of(kpi);
    if (!(weights > 0)) return error_set(err, ERROR_INVALID, NOWHERE, "the policy has no critical KPI, so nothing could decide");
    json_array_foreach(kpis, index, kpi)
    {
        int failed = read_kpi(kpi, alpha * weight_of(kpi) / weights, &ret->kpis[ret->kpi_count++], err);
        if (failed) return failed;
    }
    return 0;
}

int canary_rules_read(const json_t *policy, struct canary_rules *ret, struct error *err)
{
    struct canary_rules rules = {0};
    double alpha = number(json_object_get(policy, "budget"), "false-rollback", 0) / 100;
    int failed = read_ramp(policy, &rules.ramp, err);
    if (!failed) failed = read_kpis(json_object_get(policy, "kpis"), alpha, &rules, err);
    if (!failed) *ret = rules;
    return failed;
}

/* --- in evidence ------------------------------------------------------------------------------------------------------------------------
 */

json_t *kpi_rules_to_json(const struct kpi_rules *rules)
{
    return json_pack("{s:s, s:f, s:f, s:f, s:b, s:f, s:f}", "measure", rules->measure == KPI_ERRORS ? "errors" : "latency", "tolerate",
        rules->tolerate, "clear", rules->clear, "negligible", rules->negligible, "critical", rules->critical, "alpha", rules->alpha, "beta",
        rules->beta);
}

int kpi_rules_from_json(const json_t *json, struct kpi_rules *ret, struct error *err)
{
    const char *measure = json_text(json, "measure", "");
    struct kpi_rules rules = {.measure = text_equal(measure, "errors") ? KPI_ERRORS : KPI_LATENCY,
        .tolerate = number(json, "tolerate", 0),
        .clear = number(json, "clear", 0),
        .negligible = number(json, "negligible", 0),
        .critical = json_flag(json, "critical", true),
        .alpha = number(json, "alpha", 0),
        .beta = number(json, "beta", 0)};
    bool known = text_equal(measure, "errors") || text_equal(measure, "latency");
    if (!known || !is_sane(&rules)) return error_set(err, ERROR_INVALID, NOWHERE, "the evidence's rules of a KPI are not complete");
    *ret = rules;
    return 0;
}

json_t *number_to_json(double value)
{
    if (isnan(value)) return json_real(0);
    return json_real(isinf(value) ? copysign(1e300, value) : value);
}

void evidence_put(json_t *into, const struct evidence *evidence, const struct kpi_rules *rules)
{
    json_put(into, "harm", number_to_json(evidence_harm(evidence, rules)));
    json_put(into, "clear", number_to_json(evidence_clear(evidence, rules)));
}

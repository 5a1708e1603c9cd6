/* evidence_json.c: a KPI's state and its ticks as JSON, and back to the same bits (jansson writes 17 digits). What is read is a checkpoint
   that somebody may have touched, so each number is looked at. */
#include "steps/kpi/evidence.h"

#include "base/json.h"
#include "steps/kpi/odds.h"

#include <math.h>

static const double LOG_FARTHEST = 1e12, SUM_LARGEST = 1e30; /* of anything that honest ticks add up to */
static const int64_t USED_MOST = INT64_C(1) << 53;

static json_t *reals_to_json(const double *values, unsigned count)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

json_t *evidence_to_json(const struct evidence *evidence)
{
    json_t *json = json_object();
    const double effect[] = {evidence->effect_weight, evidence->effect_sum};
    json_put(json, "harm", reals_to_json(evidence->harm.log_weights, evidence->harm.count));
    json_put(json, "clear", reals_to_json(evidence->clear.log_weights, evidence->clear.count));
    json_put(json, "carried", json_real(evidence->carried));
    json_put_whole(json, "canary", (int64_t)evidence->canary);
    json_put_whole(json, "baseline", (int64_t)evidence->baseline);
    if (!evidence->rate.count) {
        json_put(json, "effect", reals_to_json(effect, 2));
        return json;
    }
    json_put(json, "rate", reals_to_json(evidence->rate.log_weights, evidence->rate.count));
    json_put(json, "odds", reals_to_json(evidence->odds_sums, ODDS_SUMS));
    json_put_whole(json, "canary_errors", (int64_t)evidence->canary_errors);
    json_put_whole(json, "baseline_errors", (int64_t)evidence->baseline_errors);
    return json;
}

static int refuse(const char *key, const char *expected, struct error *err)
{
    error_set(err, ERROR_INVALID, NOWHERE, "stored evidence: \"%s\" is not %s", key, expected);
    return error_hint(err, "evidence is read as the step wrote it; it was changed, or belongs to another KPI");
}

static bool is_within(const json_t *value, double low, double high)
{
    double number = json_number_value(value);
    return json_is_number(value) && number >= low && number <= high;
}

static int read_reals(const json_t *json, const char *key, double low, double high, unsigned count, double *ret, struct error *err)
{
    const json_t *array = json_object_get(json, key);
    if (!json_is_array(array) || json_array_size(array) != count) return refuse(key, "a list of as many numbers as this KPI has", err);
    for (unsigned i = 0; i < count; i++) {
        const json_t *value = json_array_get(array, i);
        if (!is_within(value, low, high)) return refuse(key, "made of numbers within reach", err);
        ret[i] = json_number_value(value);
    }
    return 0;
}

static int read_weights(const json_t *json, const char *key, struct mixture *mixture, struct error *err)
{
    return read_reals(json, key, -LOG_FARTHEST, LOG_FARTHEST, mixture->count, mixture->log_weights, err);
}

static int read_real(const json_t *json, const char *key, double low, double high, double *ret, struct error *err)
{
    const json_t *value = json_object_get(json, key);
    if (!is_within(value, low, high)) return refuse(key, "a number within reach", err);
    *ret = json_number_value(value);
    return 0;
}

static int read_count(const json_t *json, const char *key, int64_t most, uint64_t *ret, struct error *err)
{
    int64_t count = json_whole(json, key, -1);
    if (count < 0 || count > most) return refuse(key, "a whole number from 0 to what there can be", err);
    *ret = (uint64_t)count;
    return 0;
}

static int read_latency(const json_t *json, struct evidence *evidence, struct error *err)
{
    double effect[2];
    int status = read_reals(json, "effect", -SUM_LARGEST, SUM_LARGEST, 2, effect, err);
    if (status < 0) return status;
    if (effect[0] < 0) return refuse("effect", "a weight and a sum", err);
    evidence->effect_weight = effect[0];
    evidence->effect_sum = effect[1];
    return 0;
}

static int read_errors(const json_t *json, struct evidence *evidence, struct error *err)
{
    int status = read_weights(json, "rate", &evidence->rate, err);
    if (status == 0) status = read_reals(json, "odds", 0, SUM_LARGEST, ODDS_SUMS, evidence->odds_sums, err);
    if (status == 0) status = read_count(json, "canary_errors", (int64_t)evidence->canary, &evidence->canary_errors, err);
    if (status == 0) status = read_count(json, "baseline_errors", (int64_t)evidence->baseline, &evidence->baseline_errors, err);
    return status;
}

int evidence_from_json(const json_t *json, const struct kpi_rules *rules, struct evidence *ret, struct error *err)
{
    struct evidence evidence;
    evidence_init(&evidence, rules);
    int status = read_weights(json, "harm", &evidence.harm, err);
    if (status == 0) status = read_weights(json, "clear", &evidence.clear, err);
    if (status == 0) status = read_real(json, "carried", -LOG_FARTHEST, LOG_FARTHEST, &evidence.carried, err);
    if (status == 0) status = read_count(json, "canary", USED_MOST, &evidence.canary, err);
    if (status == 0) status = read_count(json, "baseline", USED_MOST, &evidence.baseline, err);
    if (status == 0) status = rules->measure == KPI_ERRORS ? read_errors(json, &evidence, err) : read_latency(json, &evidence, err);
    if (status == 0) *ret = evidence;
    return status;
}

json_t *kpi_tick_to_json(const struct kpi_rules *rules, const struct kpi_tick *tick)
{
    json_t *json = json_object();
    json_put_whole(json, "m", (int64_t)tick->m);
    json_put_whole(json, "n", (int64_t)tick->n);
    if (rules->measure == KPI_ERRORS) {
        json_put_whole(json, "a", (int64_t)tick->a);
        json_put_whole(json, "b", (int64_t)tick->b);
        return json;
    }
    json_put_whole(json, "u", (int64_t)tick->u);
    json_put_whole(json, "v", (int64_t)tick->v);
    json_put(json, "effect", json_real(tick->effect));
    json_put(json, "error", json_real(tick->error));
    return json;
}

int kpi_tick_from_json(const json_t *json, const struct kpi_rules *rules, struct kpi_tick *ret, struct error *err)
{
    static const double EFFECT_LARGEST = 1000;
    struct kpi_tick tick = {.m = 0};
    int status = read_count(json, "m", KPI_TICK_MAX, &tick.m, err);
    if (status == 0) status = read_count(json, "n", KPI_TICK_MAX, &tick.n, err);
    if (status == 0 && rules->measure == KPI_ERRORS) {
        status = read_count(json, "a", (int64_t)tick.m, &tick.a, err);
        if (status == 0) status = read_count(json, "b", (int64_t)tick.n, &tick.b, err);
    } else if (status == 0) {
        int64_t pairs = (int64_t)(tick.m * tick.n);
        status = read_count(json, "u", pairs, &tick.u, err);
        if (status == 0) status = read_count(json, "v", pairs, &tick.v, err);
        if (status == 0) status = read_real(json, "effect", -EFFECT_LARGEST, EFFECT_LARGEST, &tick.effect, err);
        if (status == 0) status = read_real(json, "error", 0, EFFECT_LARGEST, &tick.error, err);
    }
    if (status == 0) *ret = tick;
    return status;
}

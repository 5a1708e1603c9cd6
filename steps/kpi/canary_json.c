/* canary_json.c: a canary as the step's checkpoint holds it, and back. */
#include "steps/kpi/canary.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static json_t *kpi_to_json(const struct canary *canary, size_t i)
{
    const struct kpi_state *state = &canary->kpis[i];
    json_t *json = json_object();
    json_put_text(json, "kpi", canary->rules->kpis[i].name);
    json_put(json, "rules", kpi_rules_to_json(&canary->rules->kpis[i].rules));
    json_put(json, "carried", json_real(state->carried));
    json_put(json, "state", evidence_to_json(&state->evidence));
    json_put(json, "drawn", json_pack("{s:s, s:s}", "harm", state->harm.levels, "clear", state->clear.levels));
    return json;
}

json_t *canary_to_json(const struct canary *canary, json_t *ticks)
{
    json_t *json = json_object(), *kpis = json_array();
    json_put_whole(json, "evidence", 1);
    json_put(json, "previous", json_real(canary->previous));
    json_put_text(json, "canary", canary->id);
    json_put_text(json, "baseline", canary->baseline);
    json_put(json, "versions", json_pack("{s:s?, s:s?}", "canary", canary->version, "baseline", canary->baseline_version));
    json_put_text(json, "family", canary->family);
    json_put_text(json, "policy", canary->policy);
    json_put_text(json, "cursor", canary->cursor);
    json_put(json, "ramp", ramp_to_json(&canary->ramp));
    for (size_t i = 0; i < canary->rules->kpi_count; i++)
        json_array_append_new(kpis, kpi_to_json(canary, i));
    json_put(json, "kpis", kpis);
    json_put(json, "ticks", ticks ? ticks : json_array());
    if (canary->shift) json_put(json, "shift", json_incref(canary->shift));
    if (canary->verdict) json_put(json, "verdict", json_incref(canary->verdict));
    json_put_text(json, "undoing", canary->undoing);
    if (canary->instances) json_put(json, "instances", json_incref(canary->instances));
    json_put_text(json, "ending", canary->ending);
    if (canary->told_changed) json_put_flag(json, "told_changed", true);
    return json;
}

static void read_chart(const json_t *drawn, const char *key, struct chart *ret)
{
    const char *levels = json_text(drawn, key, "");
    if (strlen(levels) <= CHART_COLUMNS && !levels[strspn(levels, "01234567")]) snprintf(ret->levels, sizeof ret->levels, "%s", levels);
}

static int read_kpi(const json_t *json, const struct judged_kpi *kpi, struct kpi_state *ret, struct error *err)
{
    if (!text_equal(json_text(json, "kpi", NULL), kpi->name))
        return error_set(err, ERROR_INVALID, NOWHERE, "the checkpoint does not have the KPI %s where the policy has it", kpi->name);
    ret->carried = json_number_value(json_object_get(json, "carried"));
    read_chart(json_object_get(json, "drawn"), "harm", &ret->harm);
    read_chart(json_object_get(json, "drawn"), "clear", &ret->clear);
    return evidence_from_json(json_object_get(json, "state"), &kpi->rules, &ret->evidence, err);
}

static int read_parts(const json_t *json, struct canary *canary, struct error *err)
{
    const json_t *kpis = json_object_get(json, "kpis");
    int failed = ramp_from_json(json_object_get(json, "ramp"), &canary->rules->ramp, &canary->ramp, err);
    if (!failed && json_array_size(kpis) != canary->rules->kpi_count)
        failed = error_set(err, ERROR_INVALID, NOWHERE, "the checkpoint has other KPIs than the policy");
    for (size_t i = 0; !failed && i < canary->rules->kpi_count; i++)
        failed = read_kpi(json_array_get(kpis, i), &canary->rules->kpis[i], &canary->kpis[i], err);
    return failed;
}

static void read_names(const json_t *json, struct canary *canary)
{
    const json_t *versions = json_object_get(json, "versions"), *shift = json_object_get(json, "shift"),
                 *verdict = json_object_get(json, "verdict"), *instances = json_object_get(json, "instances");
    canary->id = mem_copy_text(json_text(json, "canary", ""));
    canary->version = mem_copy_text(json_text(versions, "canary", NULL));
    canary->baseline = mem_copy_text(json_text(json, "baseline", ""));
    canary->baseline_version = mem_copy_text(json_text(versions, "baseline", NULL));
    canary->family = mem_copy_text(json_text(json, "family", ""));
    canary->policy = mem_copy_text(json_text(json, "policy", NULL));
    canary->ending = mem_copy_text(json_text(json, "ending", NULL));
    canary->undoing = mem_copy_text(json_text(json, "undoing", NULL));
    canary->previous = json_number_value(json_object_get(json, "previous"));
    canary->told_changed = json_flag(json, "told_changed", false);
    snprintf(canary->cursor, sizeof canary->cursor, "%s", json_text(json, "cursor", ""));
    canary->instances = json_is_object(instances) ? json_deep_copy(instances) : NULL;
    canary->shift = json_is_object(shift) ? json_deep_copy(shift) : NULL;
    canary->verdict = json_is_object(verdict) ? json_deep_copy(verdict) : NULL;
}

int canary_from_json(const json_t *json, const struct canary_rules *rules, struct canary *ret, struct error *err)
{
    struct canary canary;
    if (json_whole(json, "evidence", 0) != 1)
        return error_set(err, ERROR_INVALID, NOWHERE, "the checkpoint is not version 1 of a canary's evidence");
    canary_init(&canary, rules);
    read_names(json, &canary);
    int failed = read_parts(json, &canary, err);
    if (!failed && !canary.ramp.index && !canary.shift) failed = error_set(err, ERROR_INVALID, NOWHERE, "the checkpoint has no share yet");
    if (failed)
        canary_release(&canary);
    else
        *ret = canary;
    return failed;
}

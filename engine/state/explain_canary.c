/* explain_canary.c: how a canary stands that is being judged, from its last checkpoint (docs/formats/evidence.md), in words. */
#include "state/explain_parts.h"

#include "base/json.h"
#include "base/text.h"

#include <math.h>

static const double E_SHOWN_MAX = 1e6;

static double number(const json_t *object, const char *name, double fallback)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

void explain_add_evidence(struct text *out, double logarithm)
{
    double value = exp(logarithm);
    if (value > E_SHOWN_MAX)
        text_add(out, ">1e6");
    else
        text_add_format(out, value < 9.95 ? "%.1f" : "%.0f", value);
}

static const json_t *tick_of(const json_t *canary, const char *kpi)
{
    const json_t *list = json_object_get(json_object_get(canary, "used"), "kpis");
    size_t index;
    json_t *one;
    json_array_foreach(list, index, one) if (text_equal(json_text(one, "kpi", NULL), kpi)) return one;
    return NULL;
}

/* Is E of harm above 1/sqrt(alpha)? Then the share does not rise. */
static bool is_suspicious(const json_t *tick, const json_t *rules)
{
    return number(tick, "harm", 0) > log(1 / number(rules, "alpha", 1)) / 2;
}

static void add_kpi(const json_t *canary, const json_t *kpi, struct text *out)
{
    const char *name = json_text(kpi, "kpi", "?");
    const json_t *rules = json_object_get(kpi, "rules"), *tick = tick_of(canary, name);
    double beta = number(rules, "beta", 0), alpha = number(rules, "alpha", 0), clear = number(tick, "clear", 0);
    if (!json_flag(rules, "critical", true) || beta <= 0 || alpha <= 0) return;
    bool is_bad = is_suspicious(tick, rules);
    if (!is_bad && clear >= log(1 / beta)) {
        text_add_format(out, "; %s: proven harmless", name);
        return;
    }
    text_add_format(out, is_bad ? "; %s: may be harmful, E " : "; %s: not yet proven harmless, E ", name);
    explain_add_evidence(out, is_bad ? number(tick, "harm", 0) : clear);
    text_add_format(out, " of %.0f", is_bad ? 1 / alpha : 1 / beta);
}

/* What the domain's policy asks for, or the pipeline where it is stricter; 0: not known. */
static int64_t shortest_of(const struct plan *plan, const struct plan_step *step)
{
    const json_t *domain = json_object_get(plan->domains, json_text(step->with, "domain", ""));
    const json_t *own = json_object_get(json_object_get(step->with, "policy"), "budget");
    const json_t *budget = json_object_get(json_object_get(domain, "policy"), "budget");
    return json_whole(own, "shortest", json_whole(budget, "shortest", 0));
}

void explain_canary(const json_t *canary, const struct plan *plan, const struct plan_step *step, struct text *out)
{
    const json_t *tick = json_object_get(canary, "tick"), *ramp = json_object_get(canary, "ramp");
    const char *because = json_text(ramp, "because", json_text(tick, "because", ""));
    int64_t shortest_ms = shortest_of(plan, step);
    size_t index;
    json_t *kpi;
    text_add_format(out, "%.10g %%", number(canary, "share", number(tick, "share", 0)));
    if (json_whole(ramp, "judged", -1) >= 0) {
        text_add(out, ", judged for ");
        text_add_duration(out, json_whole(ramp, "judged", 0));
        if (shortest_ms > 0) text_add(out, " of at least ");
        if (shortest_ms > 0) text_add_duration(out, shortest_ms);
    }
    if (text_equal(because, "open"))
        text_add(out, "; held: requests to it are not answered");
    else if (text_equal(because, "restarts"))
        text_add(out, "; held: it stopped by itself");
    else if (*because && !text_equal(because, "used"))
        text_add_format(out, "; the last look does not count: %s", because);
    json_array_foreach(json_object_get(canary, "kpis"), index, kpi) add_kpi(canary, kpi, out);
}

/* --- in two short lines, for a picture that must fit --- */

/* "judging 25 % for 20.0 s of at least 10.0 s" */
static void add_time(const json_t *canary, int64_t shortest_ms, struct text *out)
{
    const json_t *tick = json_object_get(canary, "tick");
    text_add_format(out, "judging %.10g %% for ", number(canary, "share", number(tick, "share", 0)));
    text_add_duration(out, json_whole(json_object_get(canary, "ramp"), "judged", 0));
    if (shortest_ms > 0) text_add(out, " of at least ");
    if (shortest_ms > 0) text_add_duration(out, shortest_ms);
}

/* log E less its bar. */
static double distance(const json_t *canary, const json_t *kpi, const char *what, const char *chance)
{
    const json_t *tick = tick_of(canary, json_text(kpi, "kpi", "?"));
    return number(tick, what, 0) + log(number(json_object_get(kpi, "rules"), chance, 1));
}

static bool decides(const json_t *kpi)
{
    const json_t *rules = json_object_get(kpi, "rules");
    return json_flag(rules, "critical", true) && number(rules, "alpha", 0) > 0 && number(rules, "beta", 0) > 0;
}

static void add_e(const json_t *canary, const json_t *kpi, const char *what, struct text *out)
{
    text_add_format(out, "%s ", json_text(kpi, "kpi", "?"));
    explain_add_evidence(out, number(tick_of(canary, json_text(kpi, "kpi", "?")), what, 0));
}

/* Of the KPI that is nearest to harm. */
static void add_most_harm(const json_t *canary, struct text *out)
{
    const json_t *most = NULL;
    size_t index;
    json_t *kpi;
    json_array_foreach(json_object_get(canary, "kpis"), index, kpi)
    {
        if (!decides(kpi)) continue;
        if (!most || distance(canary, kpi, "harm", "alpha") > distance(canary, most, "harm", "alpha")) most = kpi;
    }
    if (!most) return;
    text_add(out, "harm ");
    add_e(canary, most, "harm", out);
    text_add_format(out, " of %.0f", 1 / number(json_object_get(most, "rules"), "alpha", 1));
}

static void add_all_clear(const json_t *canary, struct text *out)
{
    const char *before = "; clear ";
    size_t index;
    json_t *kpi;
    json_array_foreach(json_object_get(canary, "kpis"), index, kpi)
    {
        if (!decides(kpi)) continue;
        text_add(out, before);
        add_e(canary, kpi, "clear", out);
        text_add_format(out, " of %.0f", 1 / number(json_object_get(kpi, "rules"), "beta", 1));
        before = ", ";
    }
}

bool explanation_canary_short(
    const struct explanation *explanation, const struct run_state *state, uint32_t step, struct text *ret_time, struct text *ret_evidence)
{
    const json_t *canary = explanation && step < explanation->seen_count ? explanation->seen[step].canary : NULL;
    if (!canary || json_object_get(canary, "verdict")) return false;
    add_time(canary, shortest_of(state->plan, &state->plan->steps[step]), ret_time);
    add_most_harm(canary, ret_evidence);
    add_all_clear(canary, ret_evidence);
    return true;
}

json_t *explain_canary_json(const json_t *canary)
{
    const json_t *tick = json_object_get(canary, "tick");
    json_t *object = json_object();
    json_put(object, "share", json_real(number(canary, "share", number(tick, "share", 0))));
    json_put_whole(object, "tick", json_whole(tick, "tick", 0));
    json_put_whole(object, "judged_ms", json_whole(json_object_get(canary, "ramp"), "judged", 0));
    json_put(object, "kpis", json_incref(json_object_get(json_object_get(canary, "used"), "kpis")));
    return object;
}

bool explanation_canary(const struct explanation *explanation, const struct run_state *state, uint32_t step, struct text *out)
{
    const json_t *canary = explanation && step < explanation->seen_count ? explanation->seen[step].canary : NULL;
    if (!canary || json_object_get(canary, "verdict")) return false;
    explain_canary(canary, state->plan, &state->plan->steps[step], out);
    return true;
}

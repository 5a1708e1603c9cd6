/* kpi_policy_check.c: what must hold of a policy: of what a pipeline says in itself, and of what comes out of it and the domain's. */
#include "kpi_policy_check.h"

#include "base/json.h"
#include "base/text.h"
#include "kpi_policy.h"

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* --- a pipeline's, in itself -----------------------------------------------------------------------------------------------------------
 */

static int check_shares(const json_t *shares, struct error *err)
{
    size_t i, count = json_array_size(shares);
    json_t *share;
    double before = 0;
    if (!count || count > POLICY_SHARES_MAX) {
        error_set(err, ERROR_INVALID, NOWHERE, "policy.share has %zu shares", count);
        return error_hint(err, "it may have 1 to %d", POLICY_SHARES_MAX);
    }
    json_array_foreach(shares, i, share)
    {
        double percent = json_number_value(share);
        if (percent <= before || percent >= 100) {
            error_set(err, ERROR_INVALID, NOWHERE, "policy.share: %.10g %% cannot stand there", percent);
            return error_hint(err, "write them rising, each above 0%% and below 100%%, like [5%%, 25%%]");
        }
        before = percent;
    }
    return 0;
}

/* Of which KPI a key is, where it is not of all. */
static const char *owner_of(const char *key)
{
    if (text_equal(key, "tolerate") || text_equal(key, "clear")) return "latency";
    return text_equal(key, "tolerate-odds") || text_equal(key, "clear-odds") || text_equal(key, "negligible") ? "errors" : NULL;
}

static int check_owners(const json_t *kpi, struct error *err)
{
    const char *key, *name = json_text(kpi, "kpi", "");
    json_t *value;
    json_object_foreach((json_t *)kpi, key, value)
    {
        const char *owner = owner_of(key);
        if (!owner || text_equal(owner, name)) continue;
        error_set(err, ERROR_INVALID, NOWHERE, "policy.kpis: \"%s\" is a key of the KPI %s, not of %s", key, owner, name);
        return error_hint(err, "latency has tolerate and clear, in percent; errors have tolerate-odds and clear-odds");
    }
    return 0;
}

static int check_kpis(const json_t *kpis, struct error *err)
{
    for (size_t i = 0; i < json_array_size(kpis); i++) {
        const json_t *kpi = json_array_get(kpis, i);
        const char *name = json_text(kpi, "kpi", "");
        int failed = check_owners(kpi, err);
        if (failed) return failed;
        for (size_t k = 0; k < i; k++) {
            if (!text_equal(json_text(json_array_get(kpis, k), "kpi", NULL), name)) continue;
            error_set(err, ERROR_INVALID, NOWHERE, "policy.kpis: the KPI %.60s stands there twice", name);
            return error_hint(err, "say all of it in one place");
        }
    }
    return 0;
}

int kpi_policy_check(const json_t *stricter, struct error *err)
{
    const json_t *shares = json_object_get(stricter, "share");
    int failed = shares ? check_shares(shares, err) : 0;
    return failed ? failed : check_kpis(json_object_get(stricter, "kpis"), err);
}

/* --- a domain's, and what comes out -----------------------------------------------------------------------------------------------------
 */

int kpi_policy_check_whole(const json_t *domain, struct error *err)
{
    static const char *const needed[] = {"budget", "on", "every", "lease", "largest-share", NULL};
    const char *lacking = NULL;
    for (const char *const *key = needed; !lacking && *key; key++)
        if (!json_object_get(domain, *key)) lacking = *key;
    if (!lacking && !json_array_size(json_object_get(domain, "kpis"))) lacking = "kpis";
    if (!lacking && !json_is_array(json_object_get(domain, "share"))) lacking = "share";
    if (!lacking) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "the domain's policy has no \"%s\"", lacking);
    return error_hint(err, "it was read by an older version: submit the pipeline again");
}

static int check_span(const json_t *kpi, const char *tolerate, const char *clear, struct error *err)
{
    if (!json_object_get(kpi, clear) || number(kpi, tolerate) < number(kpi, clear)) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "policy.kpis.%s: \"%s\" comes to %.10g and must be above \"%s\", which is %.10g",
        json_text(kpi, "kpi", ""), clear, number(kpi, clear), tolerate, number(kpi, tolerate));
    return error_hint(err, "make \"%s\" smaller too", tolerate);
}

static int check_spans(const json_t *kpis, struct error *err)
{
    int failed = 0;
    for (size_t i = 0; !failed && i < json_array_size(kpis); i++) {
        failed = check_span(json_array_get(kpis, i), "tolerate", "clear", err);
        if (!failed) failed = check_span(json_array_get(kpis, i), "tolerate-odds", "clear-odds", err);
    }
    return failed;
}

static int check_times(const json_t *policy, struct error *err)
{
    const json_t *budget = json_object_get(policy, "budget");
    int64_t count = (int64_t)json_array_size(json_object_get(policy, "share")), longest = json_whole(budget, "longest", 0),
            all = count * (json_whole(budget, "shortest", 0) + json_whole(budget, "warm-up", 0));
    struct text words = {0};
    if (all <= longest) return 0;
    text_add_format(&words, "%lld shares, each with its warm-up and \"shortest\", take ", (long long)count);
    text_add_duration(&words, all);
    text_add(&words, ", and the domain's \"longest\" is ");
    text_add_duration(&words, longest);
    error_set(err, ERROR_INVALID, NOWHERE, "policy.budget: %s", text_view(&words));
    text_release(&words);
    return error_hint(err, "have fewer shares, or a shorter `shortest`");
}

int kpi_policy_check_fit(const json_t *policy, struct error *err)
{
    const json_t *shares = json_object_get(policy, "share");
    double last = json_number_value(json_array_get(shares, json_array_size(shares) - 1)), largest = number(policy, "largest-share");
    if (!json_array_size(shares)) {
        error_set(err, ERROR_DENIED, NOWHERE, "the policy allows no share to a canary: its \"largest-share\" is 0 %%");
        return error_hint(err, "without a share nothing can be judged: order, then promote, which needs `promotion: free`");
    }
    if (last > largest) {
        error_set(err, ERROR_INVALID, NOWHERE, "policy.share: %.10g %% is above \"largest-share\", which is %.10g %%", last, largest);
        return error_hint(err, "leave out one or the other");
    }
    int failed = check_spans(json_object_get(policy, "kpis"), err);
    return failed ? failed : check_times(policy, err);
}

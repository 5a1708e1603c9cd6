/* domain_policy.c: a domain's canary policy in a few lines: how its share rises, by what it is judged, what follows. */
#include "cli/domain_policy.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/facts.h"

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void add_time(struct text *out, const char *words, const json_t *object, const char *key)
{
    text_add(out, words);
    text_add_duration(out, json_whole(object, key, 0));
}

static void add_shares(struct text *out, const struct terminal *terminal, const json_t *policy)
{
    AUTO(text_release) struct text words = {0};
    size_t i;
    json_t *share;
    json_array_foreach(json_object_get(policy, "share"), i, share)
    {
        text_add_format(&words, "%s%.10g %%", i ? ", " : "", json_number_value(share));
    }
    if (!words.size) text_add(&words, "none before a promotion");
    add_time(&words, ", lent for ", policy, "lease");
    if (text_equal(json_text(policy, "lease-by", NULL), "domain")) text_add(&words, " by a domain that goes back by itself");
    fact_add(out, terminal, "canary", text_view(&words));
}

static void add_times(struct text *out, const struct terminal *terminal, const json_t *policy)
{
    AUTO(text_release) struct text words = {0};
    const json_t *budget = json_object_get(policy, "budget");
    add_time(&words, "every ", policy, "every");
    add_time(&words, ", each share at least ", budget, "shortest");
    add_time(&words, " after ", budget, "warm-up");
    add_time(&words, ", at most ", budget, "longest");
    fact_add(out, terminal, "judged", text_view(&words));
}

static void add_kpi(struct text *out, const struct terminal *terminal, const json_t *kpi)
{
    AUTO(text_release) struct text words = {0};
    if (json_object_get(kpi, "tolerate"))
        text_add_format(&words, "%.10g %% slower is fine, %.10g %% must be ruled out", number(kpi, "tolerate"), number(kpi, "clear"));
    else
        text_add_format(&words, "odds of %.10g are fine, %.10g must be ruled out; below %.10g %% negligible", number(kpi, "tolerate-odds"),
            number(kpi, "clear-odds"), number(kpi, "negligible"));
    if (!json_flag(kpi, "critical", true)) text_add(&words, "; decides nothing");
    fact_add(out, terminal, json_text(kpi, "kpi", "?"), text_view(&words));
}

static void add_ends(struct text *out, const struct terminal *terminal, const json_t *policy)
{
    fact_add_format(out, terminal, "risk", "%.10g %% of good canaries are rolled back at most; in doubt: %s; a second one: %s",
        number(json_object_get(policy, "budget"), "false-rollback"), json_text(json_object_get(policy, "on"), "doubt", "?"),
        json_text(policy, "concurrency", "?"));
}

static void add_promotion(struct text *out, const struct terminal *terminal, const json_t *policy)
{
    const char *promotion = json_text(policy, "promotion", NULL);
    if (!promotion) return;
    fact_add(out, terminal, "promotion",
        text_equal(promotion, "judged") ? "judged: in a pipeline only behind a kpi step of the same service"
                                        : "free: without a kpi step, too");
}

void add_policy(struct text *out, const struct terminal *terminal, const json_t *policy)
{
    size_t i;
    json_t *kpi;
    if (!json_is_array(json_object_get(policy, "share"))) return;
    add_shares(out, terminal, policy);
    add_times(out, terminal, policy);
    json_array_foreach(json_object_get(policy, "kpis"), i, kpi) add_kpi(out, terminal, kpi);
    add_ends(out, terminal, policy);
    add_promotion(out, terminal, policy);
}

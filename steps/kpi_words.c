/* kpi_words.c: a merged canary policy in sentences, for a plan: how the share rises, by what it is judged, and the grey zone in which
   either verdict may come first. */
#include "kpi_words.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "kpi_policy.h"

enum { DIGEST_SHOWN = 12 };

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void add_time(struct text *out, const json_t *object, const char *key)
{
    add_written_time(out, json_whole(object, key, 0));
}

static void add_sentence(json_t *list, const struct text *sentence)
{
    json_array_append_new(list, json_string(text_view(sentence)));
}

static void add_ramp(json_t *list, const json_t *policy)
{
    AUTO(text_release) struct text out = {0};
    const json_t *budget = json_object_get(policy, "budget"), *shares = json_object_get(policy, "share");
    for (size_t i = 0; i < json_array_size(shares); i++)
        text_add_format(&out, "%s%.10g %%", i ? ", " : "ramp: ", json_number_value(json_array_get(shares, i)));
    text_add(&out, ", then the promotion; each share is judged every ");
    add_time(&out, policy, "every");
    text_add(&out, " for at least ");
    add_time(&out, budget, "shortest");
    if (json_whole(budget, "warm-up", 0)) text_add(&out, " after a warm-up of ");
    if (json_whole(budget, "warm-up", 0)) add_time(&out, budget, "warm-up");
    text_add(&out, "; at most ");
    add_time(&out, budget, "longest");
    text_add(&out, " in all");
    add_sentence(list, &out);
}

static void add_latency(json_t *list, const json_t *kpi)
{
    AUTO(text_release) struct text out = {0}, between = {0};
    double tolerate = number(kpi, "tolerate"), clear = number(kpi, "clear");
    text_add_format(
        &out, "latency: harm is being more than %.10g %% slower; before the promotion more than %.10g %% is ruled out", tolerate, clear);
    text_add_format(&between, "latency: between %.10g %% and %.10g %% slower either may come first", tolerate, clear);
    add_sentence(list, &out);
    add_sentence(list, &between);
}

static void add_errors(json_t *list, const json_t *kpi)
{
    AUTO(text_release) struct text out = {0}, between = {0};
    double tolerate = number(kpi, "tolerate-odds"), clear = number(kpi, "clear-odds"), negligible = number(kpi, "negligible");
    text_add_format(&out,
        "errors: harm is odds of a failure above %.10g times the baseline's; before the promotion more than %.10g times is ruled out",
        tolerate, clear);
    text_add_format(&between, "errors: between %.10g and %.10g times either may come first", tolerate, clear);
    if (negligible > 0) text_add_format(&between, "; fewer failures than %.10g %% are no harm", negligible);
    add_sentence(list, &out);
    add_sentence(list, &between);
}

static void add_without_data(json_t *list, const json_t *kpi)
{
    AUTO(text_release) struct text out = {0};
    const json_t *without = json_object_get(kpi, "on-no-data");
    text_add_format(&out, "%s: without data the share is held for ", json_text(kpi, "kpi", ""));
    add_time(&out, without, "hold");
    text_add(&out, text_equal(json_text(without, "then", ""), "hold") ? ", and on" : ", then rolled back");
    add_sentence(list, &out);
}

static void add_kpi(json_t *list, const json_t *kpi)
{
    const char *name = json_text(kpi, "kpi", "");
    AUTO(text_release) struct text out = {0};
    if (json_flag(kpi, "critical", true)) {
        if (text_equal(name, "latency")) add_latency(list, kpi);
        if (text_equal(name, "errors")) add_errors(list, kpi);
        add_without_data(list, kpi);
    } else {
        text_add_format(&out, "%s: reported, and decides nothing", name);
        add_sentence(list, &out);
    }
}

static void add_ends(json_t *list, const json_t *policy)
{
    AUTO(text_release) struct text out = {0};
    const char *doubt = json_text(json_object_get(policy, "on"), "doubt", "");
    text_add_format(&out, "a canary as good as the baseline is rolled back in at most %.10g %% of all cases; without a verdict after ",
        number(json_object_get(policy, "budget"), "false-rollback"));
    add_time(&out, json_object_get(policy, "budget"), "longest");
    text_add_format(&out, ": %s",
        text_equal(doubt, "extend") ? "it goes on as long again"
        : text_equal(doubt, "hold") ? "the share is held"
                                    : "rolled back");
    add_sentence(list, &out);
}

static void add_digest(json_t *list, const json_t *policy, const char *domain)
{
    AUTO(text_release) struct text out = {0};
    AUTO(free_text) char *digest = kpi_policy_digest(policy);
    text_add_format(&out, "policy %.*s, of domain %s", DIGEST_SHOWN, digest, domain);
    add_sentence(list, &out);
}

json_t *kpi_policy_words(const json_t *policy, const char *domain)
{
    json_t *list = json_array(), *kpi;
    size_t i;
    add_ramp(list, policy);
    json_array_foreach(json_object_get(policy, "kpis"), i, kpi) add_kpi(list, kpi);
    add_ends(list, policy);
    add_digest(list, policy, domain);
    return list;
}

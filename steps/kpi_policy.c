/* kpi_policy.c: the domain's policy of a canary, with what a pipeline says laid over it: for each key what stricter is. */
#include "kpi_policy.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kpi_policy_check.h"

#define POLICY_DEFAULT(text) 0
#define POLICY_TABLE kpi_policy_fields
#include "crescendo/policy.def"

enum direction { SMALLER, LARGER, DOMAINS_ALONE };
enum unit { PERCENT, MILLISECONDS, NUMBER, FLAG, WORD };

/* What a pipeline may make of one key. */
struct rule {
    const char *key;
    enum direction stricter;
    enum unit unit;
    const char *const *words; /* the strictest first; NULL: no order among them */
};

static const struct rule rules_of_all[] = {
    {"lease", SMALLER, MILLISECONDS, NULL},
    {"lease-by", SMALLER, WORD, policy_lease_by},
    {"keep-old", DOMAINS_ALONE, MILLISECONDS, NULL},
    {"largest-share", SMALLER, PERCENT, NULL},
    {"every", DOMAINS_ALONE, MILLISECONDS, NULL},
    {"baseline", DOMAINS_ALONE, WORD, NULL},
    {"promotion", SMALLER, WORD, policy_promotion},
    {"concurrency", SMALLER, WORD, policy_concurrency},
    {0},
};

static const struct rule rules_of_budget[] = {
    {"false-rollback", LARGER, PERCENT, NULL},
    {"shortest", LARGER, MILLISECONDS, NULL},
    {"longest", DOMAINS_ALONE, MILLISECONDS, NULL},
    {"warm-up", DOMAINS_ALONE, MILLISECONDS, NULL},
    {0},
};

static const struct rule rules_of_kpi[] = {
    {"compare", DOMAINS_ALONE, WORD, NULL},
    {"tolerate", SMALLER, PERCENT, NULL},
    {"clear", SMALLER, PERCENT, NULL},
    {"tolerate-odds", SMALLER, NUMBER, NULL},
    {"clear-odds", SMALLER, NUMBER, NULL},
    {"negligible", SMALLER, PERCENT, NULL},
    {"critical", LARGER, FLAG, NULL},
    {"weight", DOMAINS_ALONE, NUMBER, NULL},
    {0},
};

static const struct rule rules_of_no_data[] = {
    {"hold", SMALLER, MILLISECONDS, NULL},
    {"then", SMALLER, WORD, policy_no_data},
    {0},
};

static const struct rule rules_of_on[] = {
    {"harm", SMALLER, WORD, policy_harm},
    {"doubt", SMALLER, WORD, policy_doubt},
    {0},
};

/* --- one key ----------------------------------------------------------------------------------------------------------------------------
 */

static void add_value(struct text *out, const json_t *value, enum unit unit)
{
    if (unit == MILLISECONDS)
        text_add_duration(out, (int64_t)json_integer_value(value));
    else if (unit == FLAG)
        text_add(out, json_is_true(value) ? "true" : "false");
    else if (unit == WORD)
        text_add(out, json_is_string(value) ? json_string_value(value) : "nothing");
    else
        text_add_format(out, "%.10g%s", json_number_value(value), unit == PERCENT ? " %" : "");
}

static void add_direction(struct text *out, const struct rule *rule)
{
    if (rule->stricter == DOMAINS_ALONE)
        text_add(out, "it is the domain's alone");
    else if (rule->words)
        text_add_format(out, "the strictest is %s", rule->words[0]);
    else if (rule->unit == FLAG)
        text_add(out, "stricter is true");
    else if (rule->unit == MILLISECONDS)
        text_add(out, rule->stricter == SMALLER ? "stricter is shorter" : "stricter is longer");
    else
        text_add(out, rule->stricter == SMALLER ? "stricter is smaller" : "stricter is larger");
}

static int deny(const char *path, const struct rule *rule, const json_t *ours, const json_t *theirs, struct error *err)
{
    AUTO(text_release) struct text words = {0};
    text_add_format(&words, "policy.%s%s: the pipeline says ", path, rule->key);
    add_value(&words, ours, rule->unit);
    text_add(&words, " where the domain says ");
    add_value(&words, theirs, rule->unit);
    text_add(&words, ": ");
    add_direction(&words, rule);
    error_set(err, ERROR_DENIED, NOWHERE, "%s", text_view(&words));
    return error_hint(err, "leave it out, or write something stricter");
}

/* As a number of which the size tells what is stricter. A word that is none of them is laxer than all. */
static double strictness(const struct rule *rule, const json_t *value)
{
    size_t rank = 0;
    if (rule->unit == FLAG) return json_is_true(value);
    if (!rule->words) return json_number_value(value);
    while (rule->words[rank] && !text_equal(rule->words[rank], json_string_value(value)))
        rank++;
    return (double)rank;
}

static bool is_laxer(const struct rule *rule, const json_t *ours, const json_t *theirs)
{
    if (rule->stricter == DOMAINS_ALONE) return !json_equal(ours, theirs);
    double a = strictness(rule, ours), b = strictness(rule, theirs);
    return rule->stricter == SMALLER ? !(a <= b) : !(a >= b);
}

static int lay_over(json_t *policy, const json_t *stricter, const struct rule *rules, const char *path, struct error *err)
{
    for (; rules->key; rules++) {
        json_t *ours = json_object_get(stricter, rules->key);
        const json_t *theirs = json_object_get(policy, rules->key);
        if (!ours) continue;
        if (is_laxer(rules, ours, theirs)) return deny(path, rules, ours, theirs, err);
        json_object_set(policy, rules->key, ours);
    }
    return 0;
}

/* --- shares ------------------------------------------------------------------------------------------------------------------------------
 */

/* All of them smaller in proportion, so that the last is what is allowed now: as many steps as the domain wants, and no larger leap. */
static void lower_shares(json_t *policy)
{
    json_t *shares = json_object_get(policy, "share");
    size_t count = json_array_size(shares);
    double largest = json_number_value(json_object_get(policy, "largest-share"));
    double last = json_number_value(json_array_get(shares, count - 1));
    if (largest <= 0) json_array_clear(shares);
    for (size_t i = 0; largest > 0 && last > largest && i < count; i++)
        json_array_set_new(shares, i, json_real(json_number_value(json_array_get(shares, i)) * largest / last));
}

static int deny_fewer(size_t ours, size_t theirs, struct error *err)
{
    error_set(err, ERROR_DENIED, NOWHERE,
        "policy.share: the pipeline has %zu where the domain has %zu: from its last share it would go to all requests", ours, theirs);
    return error_hint(err, "leave it out, or write something stricter");
}

/* The n-th is at most the domain's n-th, those behind its last at most that, and there are as many at least. */
static int lay_shares_over(json_t *policy, json_t *ours, struct error *err)
{
    static const struct rule rule = {"share", SMALLER, PERCENT, NULL};
    const json_t *theirs = json_object_get(policy, "share");
    size_t i, count = json_array_size(theirs);
    json_t *share;
    if (!ours) {
        lower_shares(policy);
        return 0;
    }
    json_array_foreach(ours, i, share)
    {
        const json_t *allowed = json_array_get(theirs, i < count ? i : count - 1);
        AUTO(free_text) char *place = mem_format("share, number %zu", i + 1);
        struct rule one = rule;
        one.key = place;
        if (is_laxer(&rule, share, allowed)) return deny("", &one, share, allowed, err);
    }
    if (i < count) return deny_fewer(i, count, err);
    json_object_set(policy, "share", ours);
    return 0;
}

/* --- KPIs --------------------------------------------------------------------------------------------------------------------------------
 */

static json_t *kpi_find(const json_t *kpis, const char *name)
{
    for (size_t i = 0; i < json_array_size(kpis); i++)
        if (text_equal(json_text(json_array_get(kpis, i), "kpi", NULL), name)) return json_array_get(kpis, i);
    return NULL;
}

/* A KPI that only the pipeline has takes no more of the budget than any of the domain's. */
static double smallest_weight(const json_t *kpis)
{
    double smallest = 1;
    for (size_t i = 0; i < json_array_size(kpis); i++) {
        double weight = json_number_value(json_object_get(json_array_get(kpis, i), "weight"));
        if (weight < smallest) smallest = weight;
    }
    return smallest;
}

static json_t *kpi_defaults(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(policy_kpi_defaults); i++)
        if (text_equal(policy_kpi_defaults[i].kpi, name)) return json_loads(policy_kpi_defaults[i].json, 0, NULL);
    return NULL;
}

static int add_kpi(json_t *kpis, const json_t *ours, const char *path, struct error *err)
{
    const char *name = json_text(ours, "kpi", "");
    AUTO(free_json) json_t *kpi = kpi_defaults(name), *weight = json_real(smallest_weight(kpis));
    const json_t *asked = json_object_get(ours, "weight");
    if (!kpi) return error_set(err, ERROR_INVALID, NOWHERE, "policy.kpis: there is no KPI \"%.60s\"", name);
    if (asked && json_number_value(asked) > json_real_value(weight))
        return deny(path, &(struct rule){"weight", SMALLER, NUMBER, NULL}, asked, weight, err);
    json_object_set(kpi, "weight", weight);
    json_object_update_recursive(kpi, (json_t *)ours);
    double tolerate = json_number_value(json_object_get(kpi, "tolerate")), odds = json_number_value(json_object_get(kpi, "tolerate-odds"));
    if (text_equal(name, "latency") && !json_object_get(kpi, "clear")) json_put(kpi, "clear", json_real(POLICY_CLEAR(tolerate)));
    if (text_equal(name, "errors") && !json_object_get(kpi, "clear-odds")) json_put(kpi, "clear-odds", json_real(POLICY_CLEAR_ODDS(odds)));
    json_array_append(kpis, kpi);
    return 0;
}

static int lay_kpi_over(json_t *kpis, const json_t *ours, struct error *err)
{
    const char *name = json_text(ours, "kpi", "");
    json_t *theirs = kpi_find(kpis, name);
    AUTO(free_text) char *path = mem_format("kpis.%s.", name), *deeper = mem_format("kpis.%s.on-no-data.", name);
    if (!theirs) return add_kpi(kpis, ours, path, err);
    int failed = lay_over(theirs, ours, rules_of_kpi, path, err);
    if (failed) return failed;
    return lay_over(json_object_get(theirs, "on-no-data"), json_object_get(ours, "on-no-data"), rules_of_no_data, deeper, err);
}

static int lay_kpis_over(json_t *policy, const json_t *ours, struct error *err)
{
    int failed = 0;
    for (size_t i = 0; !failed && i < json_array_size(ours); i++)
        failed = lay_kpi_over(json_object_get(policy, "kpis"), json_array_get(ours, i), err);
    return failed;
}

/* --- the whole ---------------------------------------------------------------------------------------------------------------------------
 */

static int lay_all_over(json_t *policy, const json_t *ours, struct error *err)
{
    int failed = lay_over(policy, ours, rules_of_all, "", err);
    if (!failed) failed = lay_over(json_object_get(policy, "budget"), json_object_get(ours, "budget"), rules_of_budget, "budget.", err);
    if (!failed) failed = lay_over(json_object_get(policy, "on"), json_object_get(ours, "on"), rules_of_on, "on.", err);
    if (!failed) failed = lay_shares_over(policy, json_object_get(ours, "share"), err);
    return failed ? failed : lay_kpis_over(policy, json_object_get(ours, "kpis"), err);
}

int kpi_policy_merge(const json_t *domain, const json_t *stricter, json_t **ret, struct error *err)
{
    int failed = kpi_policy_check_whole(domain, err);
    if (!failed) failed = kpi_policy_check(stricter, err);
    if (failed) return failed;
    AUTO(free_json) json_t *policy = json_deep_copy(domain);
    failed = lay_all_over(policy, stricter, err);
    if (!failed) failed = kpi_policy_check_fit(policy, err);
    if (failed) return failed;
    *ret = take(&policy);
    return 0;
}

char *kpi_policy_digest(const json_t *policy)
{
    char digest[65];
    json_digest(policy, digest);
    return mem_copy_text(digest);
}

/* domain_policy.c: the canary policy in the file of a domain: its table, the defaults that depend on other values, and what must fit
   together. Mistakes are told where they were written. */
#include "spec/domain_policy.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/domain.h"

#include <string.h>

#define POLICY_DEFAULT(text) text
#define POLICY_TABLE domain_policy_fields
#include "crescendo/policy.def"

enum { SHARES_MAX = 20 };

/* What was written under key; else the map itself, else nothing. */
static const struct yaml_node *written(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = map && map->kind == YAML_MAP ? yaml_find(map, key) : NULL;
    return node ? node : map;
}

static void add(struct reader *reader, const struct yaml_node *node, const char *code, const char *hint, const char *message)
{
    diagnostics_add(reader->list, code, node ? node->at : NOWHERE, node ? yaml_width(node) : 0, hint, "%s", message);
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* --- KPIs ---------------------------------------------------------------------------------------------------------------------------- */

static const char *defaults_of(const char *kpi)
{
    for (size_t i = 0; i < COUNT_OF(policy_kpi_defaults); i++)
        if (text_equal(policy_kpi_defaults[i].kpi, kpi)) return policy_kpi_defaults[i].json;
    return "{}";
}

/* Of which KPI a key is, where it is not of all. */
static const char *owner_of(const char *key)
{
    if (text_equal(key, "tolerate") || text_equal(key, "clear")) return "latency";
    return text_equal(key, "tolerate-odds") || text_equal(key, "clear-odds") || text_equal(key, "negligible") ? "errors" : NULL;
}

static void check_owners(struct reader *reader, const struct yaml_node *node, const char *kpi)
{
    for (size_t i = 0; node && node->kind == YAML_MAP && i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key;
        const char *owner = owner_of(key->text);
        if (!owner || text_equal(owner, kpi)) continue;
        AUTO(free_text) char *message = mem_format("\"%s\" is a key of the KPI %s, not of %s", key->text, owner, kpi);
        add(reader, key, "misplaced-key",
            text_equal(kpi, "errors") ? "errors have tolerate-odds and clear-odds" : "latency has tolerate and clear, in percent", message);
    }
}

static void check_positive(struct reader *reader, const struct yaml_node *map, const json_t *object, const char *key, const char *why)
{
    if (!json_object_get(object, key) || number(object, key) > 0) return;
    AUTO(free_text) char *message = mem_format("\"%s\" must be above 0", key);
    add(reader, written(map, key), "wrong-value", why, message);
}

static void check_span(struct reader *reader, const struct yaml_node *node, const json_t *kpi, const char *tolerate, const char *clear)
{
    double low = number(kpi, tolerate), high = number(kpi, clear);
    if (!json_object_get(kpi, clear) || low < high) return;
    const struct yaml_node *place = node->kind == YAML_MAP && yaml_find(node, clear) ? yaml_find(node, clear) : written(node, tolerate);
    AUTO(free_text) char *message = mem_format("\"%s\" is %.10g and must be above \"%s\", which is %.10g", clear, high, tolerate, low);
    AUTO(free_text) char *hint = mem_format("leave \"%s\" out: it follows from \"%s\"", clear, tolerate);
    add(reader, place, "wrong-value", hint, message);
}

static json_t *complete_kpi(const json_t *kpi)
{
    json_t *whole = json_loads(defaults_of(json_text(kpi, "kpi", NULL)), 0, NULL);
    json_object_update_recursive(whole, (json_t *)kpi);
    if (json_object_get(whole, "tolerate") && !json_object_get(whole, "clear"))
        json_put(whole, "clear", json_real(POLICY_CLEAR(number(whole, "tolerate"))));
    if (json_object_get(whole, "tolerate-odds") && !json_object_get(whole, "clear-odds"))
        json_put(whole, "clear-odds", json_real(POLICY_CLEAR_ODDS(number(whole, "tolerate-odds"))));
    return whole;
}

static void check_kpi(struct reader *reader, const struct yaml_node *node, const json_t *kpi)
{
    check_owners(reader, node, json_text(kpi, "kpi", ""));
    check_span(reader, node, kpi, "tolerate", "clear");
    check_span(reader, node, kpi, "tolerate-odds", "clear-odds");
    check_positive(reader, node, kpi, "weight", "a KPI that is to decide nothing is `critical: false`");
}

static bool is_named_before(const json_t *kpis, size_t index, const char *name)
{
    for (size_t i = 0; i < index; i++)
        if (text_equal(json_text(json_array_get(kpis, i), "kpi", NULL), name)) return true;
    return false;
}

static void complete_kpis(struct reader *reader, const struct yaml_node *list, json_t *kpis)
{
    bool any_critical = false;
    for (size_t i = 0; i < json_array_size(kpis) && i < list->count; i++) {
        const struct yaml_node *node = list->entries[i].value;
        const char *name = json_text(json_array_get(kpis, i), "kpi", NULL);
        any_critical = any_critical || !name || json_flag(json_array_get(kpis, i), "critical", true);
        if (!name) continue;
        AUTO(free_text) char *twice = is_named_before(kpis, i, name) ? mem_format("the KPI %s stands there twice", name) : NULL;
        if (twice) add(reader, written(node, "kpi"), "duplicate-id", "say all of it in one place", twice);
        json_array_set_new(kpis, i, complete_kpi(json_array_get(kpis, i)));
        check_kpi(reader, node, json_array_get(kpis, i));
    }
    if (!any_critical)
        add(reader, list, "wrong-value", "leave `critical: false` out at one of them", "no KPI is critical: nothing could decide");
}

static json_t *default_kpis(void)
{
    json_t *kpis = json_array();
    for (size_t i = 0; i < COUNT_OF(policy_kpi_defaults); i++) {
        AUTO(free_json) json_t *named = json_pack("{s:s}", "kpi", policy_kpi_defaults[i].kpi);
        json_array_append_new(kpis, complete_kpi(named));
    }
    return kpis;
}

/* --- shares and times ---------------------------------------------------------------------------------------------------------------- */

/* 5 %, 25 % and 50 %, those that are allowed; where none is, the largest. */
static json_t *default_shares(double largest)
{
    static const double shares[] = {5, 25, 50};
    json_t *list = json_array();
    for (size_t i = 0; i < COUNT_OF(shares) && shares[i] <= largest; i++)
        json_array_append_new(list, json_real(shares[i]));
    if (!json_array_size(list) && largest > 0) json_array_append_new(list, json_real(largest));
    return list;
}

static void check_share(struct reader *reader, const struct yaml_node *node, double share, double before, double largest)
{
    AUTO(free_text) char *message = NULL;
    const char *hint = "write them rising, each above 0% and below 100%, like [5%, 25%, 50%]; behind the last comes the promotion";
    if (share <= 0 || share >= 100)
        message = mem_format("a canary's share is above 0 %% and below 100 %%, not %.10g %%", share);
    else if (share <= before)
        message = mem_format("the share %.10g %% stands behind %.10g %%", share, before);
    else if (share > largest)
        message = mem_format("the share %.10g %% is above \"largest-share\", which is %.10g %%", share, largest);
    if (message) add(reader, node, "wrong-value", share > largest ? "leave it out, or raise `largest-share`" : hint, message);
}

static void check_shares(struct reader *reader, const struct yaml_node *node, const json_t *shares, double largest)
{
    size_t i, count = json_array_size(shares);
    json_t *share;
    double before = 0;
    bool in_step = node->kind == YAML_LIST && node->count == count; /* after a bad item the rest is shifted, and an error anyway */
    if (!count || count > SHARES_MAX) {
        add(reader, node, "wrong-value", "write some, like [5%, 25%, 50%]", count ? "more than 20 shares" : "\"share\" is empty");
        return;
    }
    json_array_foreach(shares, i, share)
    {
        check_share(reader, in_step ? node->entries[i].value : node, json_number_value(share), before, largest);
        before = json_number_value(share);
    }
}

static void check_times(struct reader *reader, const struct yaml_node *node, const json_t *policy)
{
    const json_t *budget = json_object_get(policy, "budget");
    const struct yaml_node *place = written(node, "budget");
    int64_t count = (int64_t)json_array_size(json_object_get(policy, "share")), shortest = json_whole(budget, "shortest", 0),
            each = shortest + json_whole(budget, "warm-up", 0), longest = json_whole(budget, "longest", 0);
    AUTO(text_release) struct text message = {0};
    if (json_object_get(budget, "shortest") && json_whole(policy, "every", 0) > shortest) /* one that is wrong is not there */
        add(reader, written(node, "every"), "wrong-value", "judge more often, or raise `shortest`: a share is judged at least once",
            "\"every\" is longer than \"shortest\", the least time on a share");
    if (each * count <= longest) return;
    text_add_format(&message, "%lld shares, each with its warm-up and \"shortest\", take ", (long long)count);
    text_add_duration(&message, each * count);
    text_add(&message, ", and \"longest\" is ");
    text_add_duration(&message, longest);
    add(reader, written(place, "longest"), "wrong-value", "have fewer shares, a shorter `shortest`, or a longer `longest`",
        text_view(&message));
}

/* Who writes how a version is judged means it to be judged. */
static bool says_how(const struct yaml_node *node)
{
    static const char *const keys[] = {"kpis", "share", "budget", "every"};
    for (size_t i = 0; node && i < COUNT_OF(keys); i++)
        if (yaml_find(node, keys[i])) return true;
    return false;
}

void domain_policy_complete(struct reader *reader, const struct yaml_node *node, json_t *policy)
{
    size_t errors_before = reader->list->error_count;
    if (!policy || (node && node->kind != YAML_MAP)) return;
    const json_t *allowed = json_object_get(policy, "largest-share");
    double largest = allowed ? json_number_value(allowed) : 100;
    json_t *kpis = json_object_get(policy, "kpis"), *shares = json_object_get(policy, "share");
    const struct yaml_node *budget = written(node, "budget");
    if (kpis) complete_kpis(reader, written(node, "kpis"), kpis);
    if (shares) check_shares(reader, written(node, "share"), shares, largest);
    check_positive(
        reader, budget, json_object_get(policy, "budget"), "false-rollback", "without any risk of it no harm could ever be shown");
    if (!json_object_get(policy, "promotion")) json_put_text(policy, "promotion", says_how(node) ? "judged" : "free");
    if (!kpis) json_put(policy, "kpis", default_kpis());
    if (!shares) json_put(policy, "share", default_shares(largest));
    if (reader->list->error_count == errors_before) check_times(reader, node, policy);
}

/* describe.c: effects in words, leases, and complaints about keys that the tables cannot make. */
#include "describe.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

enum { LEASE_DEFAULT_MS = 60 * 1000 };

char *planned_text(const json_t *value, const char *fallback)
{
    const char *unknown = json_text(value, "$unknown", NULL);
    if (unknown) return mem_format("\xe2\x80\xb9%s\xe2\x80\xba", unknown);
    if (json_is_string(value)) return mem_copy_text(json_string_value(value));
    if (json_is_integer(value)) return mem_format("%lld", (long long)json_integer_value(value));
    if (json_is_real(value)) return mem_format("%.10g", json_real_value(value));
    return mem_copy_text(fallback);
}

void add_written_time(struct text *out, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{3600 * 1000, "h"}, {60 * 1000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (i < COUNT_OF(units) - 1 && (ms < units[i].ms || ms % units[i].ms))
        i++;
    text_add_format(out, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

void effect_add(json_t *effects, const char *name, const json_t *target, char *summary, json_t *body, const char *compensation)
{
    AUTO(free_text) char *to = planned_text(target, "");
    json_t *effect = json_object();
    json_put_text(effect, "name", name);
    json_put_text(effect, "target", to);
    json_put_text(effect, "summary", summary);
    json_put(effect, "body", body);
    json_put_text(effect, "compensation", compensation);
    json_array_append_new(effects, effect);
    free(summary);
}

int check_has_requests(const json_t *service, const char *type, struct error *err)
{
    if (!text_equal(json_text(service, "kind", NULL), "xapp")) return 0;
    error_set(err, ERROR_DENIED, NOWHERE, "%.60s is of kind xapp: its canary has a set of cells or policy ids, not a share of requests",
        json_text(service, "service", "?"));
    return error_hint(err, "leave `%s` out: a new version of an xApp is ordered and promoted without a share in between", type);
}

int64_t lease_of(const json_t *with, const json_t *domain)
{
    int64_t policy = json_whole(json_object_get(domain, "policy"), "lease", LEASE_DEFAULT_MS);
    return json_whole(with, "lease", policy);
}

bool domain_can(const json_t *domain, const char *capability)
{
    size_t i;
    json_t *each, *all = json_object_get(domain, "capabilities");
    if (!all) return true; /* as the file of one that says nothing of them */
    json_array_foreach(all, i, each) if (text_equal(json_string_value(each), capability)) return true;
    return false;
}

int check_lease_by(const json_t *policy, const json_t *domain, struct error *err)
{
    if (!text_equal(json_text(policy, "lease-by", NULL), "domain") || domain_can(domain, "lease")) return 0;
    error_set(err, ERROR_DENIED, NOWHERE,
        "policy.lease-by: the domain has to go back by itself when nobody renews a lent share, and %.63s cannot: it has not \"lease\"",
        json_text(domain, "domain", "the domain"));
    return error_hint(err, "take a domain that has it");
}

bool share_is_lent(const json_t *share)
{
    double percent = json_number_value(share);
    return !json_is_number(share) || (percent > 0 && percent < 100);
}

int check_judged(const json_t *share, const json_t *domain, struct error *err)
{
    if (!text_equal(json_text(json_object_get(domain, "policy"), "promotion", NULL), "judged")) return 0;
    if (!share || (json_is_number(share) && json_number_value(share) < 100)) return 0;
    error_set(err, ERROR_DENIED, NOWHERE,
        "share: the policy of domain %.63s has every version judged: all requests come by `promote` alone",
        json_text(domain, "domain", ""));
    return error_hint(err, "leave it out and use: canary, or a kpi step and `promote`; a first version gets all requests by itself");
}

int check_keys(const json_t *with, const char *what, const char *const *wanted, const char *const *unwanted, struct location at,
    struct diagnostics *list)
{
    int failed = 0;
    for (; *wanted; wanted++) {
        if (json_object_get(with, *wanted)) continue;
        diagnostics_add(list, "missing-key", at, 0, NULL, "%s needs the key \"%s\"", what, *wanted);
        failed = -ERROR_INVALID;
    }
    for (; *unwanted; unwanted++) {
        if (!json_object_get(with, *unwanted)) continue;
        diagnostics_add(list, "misplaced-key", at, 0, "remove it", "%s has no use for \"%s\"", what, *unwanted);
        failed = -ERROR_INVALID;
    }
    return failed;
}

/* order_body.c: the bodies of service orders, from what the options say. */
#include "cli/order_body.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/documents.h"
#include "net/tmf/order_body.h"

#include <string.h>

/* What the wish says of the service, as JSON; what it does not say is not there. Caller frees. */
static json_t *values_of(const struct order_wish *wish)
{
    json_t *values = json_object();
    json_put_text(values, "domain", wish->domain);
    if (wish->replicas) json_put_whole(values, "replicas", wish->replicas);
    if (wish->share >= 0) json_put(values, "share", json_real(wish->share));
    if (wish->lease_ms) json_put_whole(values, "lease", wish->lease_ms);
    return values;
}

/* Steals the description that is made where the wish has none. */
static json_t *body_new(const struct order_wish *wish, struct order_facts facts, char *description)
{
    AUTO(free_text) char *made = description;
    AUTO(free_json) json_t *values = values_of(wish);
    facts.requester = wish->requester;
    facts.key = wish->key;
    facts.description = wish->description ? wish->description : made;
    facts.domain = json_object_get(values, "domain");
    facts.replicas = json_object_get(values, "replicas");
    facts.share = json_object_get(values, "share");
    facts.lease = json_object_get(values, "lease");
    return order_body(&facts);
}

json_t *order_body_add(const json_t *specification, const struct order_wish *wish)
{
    AUTO(free_json) json_t *reference = specification_reference(specification);
    const char *name = json_text(specification, "name", "?"), *version = json_text(specification, "version", "");
    const char *on = wish->domain ? " on " : "", *domain = wish->domain ? wish->domain : "";
    const struct order_facts facts = {
        .action = "add", .specification = reference, .descriptor = document_value(specification, "descriptor")};
    return body_new(wish, facts, mem_format("add %s %s%s%s", name, version, on, domain));
}

json_t *order_body_modify(const char *service, const struct order_wish *wish)
{
    AUTO(free_json) json_t *id = json_string(service);
    AUTO(text_release) struct text what = {0};
    if (wish->replicas) text_add_format(&what, " to %lld", (long long)wish->replicas);
    if (wish->share >= 0) text_add_format(&what, " to a share of %g %%", wish->share);
    const struct order_facts facts = {.action = "modify", .service = id};
    return body_new(wish, facts, mem_format("%s %s%s", wish->replicas ? "scale" : "move", service, text_view(&what)));
}

json_t *order_body_delete(const char *const *services, size_t count, const struct order_wish *wish)
{
    AUTO(free_json) json_t *ids = json_array();
    AUTO(text_release) struct text what = {0};
    text_add(&what, "end");
    for (size_t i = 0; i < count; i++) {
        text_add_format(&what, "%s %s", i ? "," : "", services[i]);
        json_array_append_new(ids, json_string(services[i]));
    }
    return body_new(wish, (struct order_facts){.action = "delete", .service = ids}, text_take(&what));
}

static int no_share(const char *text, struct error *err)
{
    error_set(err, ERROR_INVALID, NOWHERE, "'%.40s' is no share", text);
    return error_hint(err, "a share is from 0%% to 100%%, with at most two digits behind the point: 25%%, 2.5%%");
}

static int no_sign(double share, struct error *err)
{
    error_set(err, ERROR_INVALID, NOWHERE, "a share is said in percent, with the sign: not %g", share);
    if (share > 1 || share <= 0) return error_hint(err, "write %g%%", share);
    return error_hint(err, "is %g%% meant, or %g%%?", share * 100, share);
}

/* Digits at *at as a number, at most `most` of them. */
static bool read_digits(const char **at, size_t most, int64_t *ret)
{
    size_t size = strspn(*at, "0123456789");
    *ret = 0;
    if (size == 0 || size > most) return false;
    for (const char *end = *at + size; *at < end; (*at)++)
        *ret = *ret * 10 + (**at - '0');
    return true;
}

int share_read(const char *text, double *ret, struct error *err)
{
    const char *at = text;
    int64_t whole = 0, hundredths = 0;
    if (!read_digits(&at, 3, &whole)) return no_share(text, err);
    if (*at == '.') {
        const char *from = ++at;
        if (!read_digits(&at, 2, &hundredths)) return no_share(text, err);
        if (at - from == 1) hundredths *= 10;
    }
    at += strspn(at, " ");
    double share = (double)(whole * 100 + hundredths) / 100;
    if (share > 100 || (*at && !text_equal(at, "%"))) return no_share(text, err);
    if (!*at) return no_sign(share, err);
    *ret = share;
    return 0;
}

/* shift.c: the step type `shift`: a service's share of its family's requests, lent where it is neither none nor all. Performed by
   shift_perform.c. */
#include "registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "net/tmf/order_body.h"

int shift_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */
json_t *ordering_expect(const struct step *step, const json_t *body) __attribute__((weak));
void ordering_delivery(const struct step *step, struct delivery *ret) __attribute__((weak));
int shift_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));
int shift_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err) __attribute__((weak));

static const char *const capabilities[] = {"share", "find-by-key", NULL};

static const struct field fields[] = {
    {.name = "domain", .type = FIELD_NAME, .flags = FIELD_REQUIRED, .help = "Where the service runs"},
    {.name = "service", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The id of the service"},
    {.name = "share", .type = FIELD_PERCENT, .flags = FIELD_REQUIRED, .min = 0, .max = 100, .help = "Its part of its family's requests"},
    {.name = "lease",
        .type = FIELD_DURATION,
        .min = 1000,
        .max = 24 * 3600 * 1000,
        .help =
            "How long the domain keeps a share between 0% and 100% when nobody renews it; the default is the domain's policy's, else 60s"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "order", .type = FIELD_TEXT, .help = "The order's id"},
    {.name = "share", .type = FIELD_NUMBER, .help = "The service's share now, in percent"},
    {.name = "previous", .type = FIELD_NUMBER, .help = "Its share before, in percent"},
    FIELD_END,
};

/* What the domain's owner allows before a promotion. */
static int check_policy(const json_t *share, const json_t *domain, struct error *err)
{
    const json_t *allowed = json_object_get(json_object_get(domain, "policy"), "largest-share");
    double percent = json_number_value(share), largest = json_number_value(allowed);
    if (!json_is_number(share) || !json_is_number(allowed) || percent <= largest) return 0;
    error_set(err, ERROR_DENIED, NOWHERE, "the policy of domain %.63s allows a share of at most %.10g %%, not %.10g %%",
        json_text(domain, "domain", ""), largest, percent);
    return error_hint(err, "a service takes all requests by `promote`");
}

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    const json_t *share = json_object_get(planned->with, "share"), *domain = json_object_get(planned->with, "domain");
    AUTO(free_json) json_t *lease = json_integer(lease_of(planned->with, planned->domain));
    const struct order_facts facts = {.action = "modify",
        .domain = domain,
        .service = json_object_get(planned->with, "service"),
        .share = share,
        .lease = share_is_lent(share) ? lease : NULL};
    AUTO(free_text) char *service = planned_text(facts.service, "?"), *part = planned_text(share, "?"), *where = planned_text(domain, "?");
    int failed = check_has_requests(planned->service, "shift", err);
    if (!failed) failed = check_policy(share, planned->domain, err);
    if (!failed && json_is_number(share)) failed = check_judged(share, planned->domain, err);
    if (!failed && share_is_lent(share)) failed = check_lease_by(json_object_get(planned->domain, "policy"), planned->domain, err);
    if (failed) return failed;
    *ret_effects = json_array();
    effect_add(*ret_effects, "share", domain, mem_format("gives service %s %s %% of the requests on %s", service, part, where),
        order_body(&facts), "orders the share that it had before");
    return 0;
}

const struct step_type shift_step_type = {
    .name = "shift",
    .summary = "Changes a service's share of the requests",
    .fields = fields,
    .outputs = outputs,
    .describe = describe,
    .capabilities = capabilities,
    .reaches_out = true,
    .perform = shift_perform,
    .expect = ordering_expect,
    .delivery = ordering_delivery,
    .find = shift_find,
    .compensate = shift_compensate,
};

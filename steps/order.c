/* order.c: the step type `order`: adds, modifies or deletes a service on a domain by a service order (TMF641). Performed by
   order_perform.c. */
#include "registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "net/tmf/order_body.h"

#include <string.h>

int order_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */
json_t *ordering_expect(const struct step *step, const json_t *body) __attribute__((weak));
void ordering_delivery(const struct step *step, struct delivery *ret) __attribute__((weak));
int order_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));
int order_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err) __attribute__((weak));

static const char *const actions[] = {"add", "modify", "delete", NULL};
static const char *const ways[] = {"service", "product", NULL};
static const char *const capabilities[] = {"find-by-key", NULL};

static const struct field fields[] = {
    {.name = "domain", .type = FIELD_NAME, .flags = FIELD_REQUIRED, .help = "Where: a domain of the server's domains folder"},
    {.name = "action",
        .type = FIELD_CHOICE,
        .flags = FIELD_LITERAL,
        .fallback = "add",
        .choices = actions,
        .help = "What is asked for; add starts a service beside the one in service"},
    {.name = "offering", .type = FIELD_TEXT, .help = "The id of what is ordered, as publish gives it; for add"},
    {.name = "service", .type = FIELD_TEXT, .help = "The id of the service to change or end; for modify and delete"},
    {.name = "replicas", .type = FIELD_INTEGER, .min = 1, .max = 1000, .help = "How many instances of the service's first compute"},
    {.name = "share",
        .type = FIELD_PERCENT,
        .min = 0,
        .max = 100,
        .help = "Its part of its family's requests, 0% or 100%; without it a first service gets all and a later one none"},
    {.name = "via",
        .type = FIELD_CHOICE,
        .flags = FIELD_LITERAL,
        .fallback = "service",
        .choices = ways,
        .help = "Which kind of order is sent; only service in this version"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "service", .type = FIELD_TEXT, .help = "The service's id; of an add the one of its first compute"},
    {.name = "order", .type = FIELD_TEXT, .help = "The order's id"},
    {.name = "address", .type = FIELD_TEXT, .help = "Where the service answers, where it has an address"},
    {.name = "version", .type = FIELD_TEXT, .help = "The service's version"},
    {.name = "previous",
        .type = FIELD_ANY,
        .help = "The id of the other service of its family that is in service; null where there is none"},
    FIELD_END,
};

static int check_action(const json_t *with, const char *action, struct location at, struct diagnostics *list)
{
    static const char *const offering[] = {"offering", NULL}, *const service[] = {"service", NULL};
    static const char *const more[] = {"offering", "replicas", "share", NULL};
    if (strcmp(action, "delete") == 0) return check_keys(with, "order: an order to delete", service, more, at, list);
    if (strcmp(action, "add") == 0) return check_keys(with, "order: an order to add", offering, service, at, list);
    int failed = check_keys(with, "order: an order to modify", service, offering, at, list);
    if (json_object_get(with, "replicas") || json_object_get(with, "share")) return failed;
    diagnostics_add(list, "missing-key", at, 0, "add `replicas:` or `share:`", "order: an order to modify changes nothing");
    return -ERROR_INVALID;
}

/* A share in between is lent and must be renewed, which is known only once the service is there: shift does that. */
static int check_share(const json_t *with, struct location at, struct diagnostics *list)
{
    const json_t *share = json_object_get(with, "share");
    if (!json_is_number(share) || !share_is_lent(share)) return 0;
    diagnostics_add(list, "wrong-value", at, 0, "order it first, then `shift: { share: 5% }`",
        "order: a share is 0%% or 100%%; what is in between is lent, which is shift's work");
    return -ERROR_INVALID;
}

static int check(const json_t *with, struct location at, struct diagnostics *list)
{
    int failed = check_action(with, json_text(with, "action", "add"), at, list);
    int wrong = check_share(with, at, list);
    if (wrong) failed = wrong;
    if (strcmp(json_text(with, "via", "service"), "product") != 0) return failed;
    diagnostics_add(list, "not-in-this-version", at, 0, "use `via: service`", "orders via \"product\" are not in this version");
    return -ERROR_INVALID;
}

/* What is known of the specification before the catalogue is asked. New. */
static json_t *planned_specification(const json_t *service)
{
    json_t *specification = json_pack("{s:{s:s}}", "id", "$unknown", "the specification of the offering");
    json_put_text(specification, "name", json_text(service, "service", NULL));
    json_put_text(specification, "version", json_text(service, "version", NULL));
    return specification;
}

static char *summarise(const struct planned *planned, const char *action)
{
    AUTO(free_text) char *domain = planned_text(json_object_get(planned->with, "domain"), "?");
    AUTO(free_text) char *service = planned_text(json_object_get(planned->with, "service"), "?");
    const char *name = json_text(planned->service, "service", NULL), *version = json_text(planned->service, "version", "");
    if (strcmp(action, "modify") == 0) return mem_format("orders a change of service %s on %s", service, domain);
    if (strcmp(action, "delete") == 0) return mem_format("orders the end of service %s on %s", service, domain);
    if (name) return mem_format("orders %s %s on %s", name, version, domain);
    AUTO(free_text) char *offering = planned_text(json_object_get(planned->with, "offering"), "?");
    return mem_format("orders offering %s on %s", offering, domain);
}

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    const json_t *with = planned->with;
    const char *action = json_text(with, "action", "add"), *undone = "orders back what it was";
    AUTO(free_json) json_t *specification = planned_specification(planned->service);
    const struct order_facts facts = {.action = action,
        .domain = json_object_get(with, "domain"),
        .service = json_object_get(with, "service"),
        .specification = specification,
        .descriptor = planned->service,
        .replicas = json_object_get(with, "replicas"),
        .share = json_object_get(with, "share")};
    int failed = check_judged(facts.share, planned->domain, err);
    if (failed) return failed;
    if (strcmp(action, "add") == 0) undone = "cancels the order, or orders the end of its services";
    if (strcmp(action, "delete") == 0) undone = NULL;
    *ret_effects = json_array();
    effect_add(*ret_effects, "order", facts.domain, summarise(planned, action), order_body(&facts), undone);
    return 0;
}

const struct step_type order_step_type = {
    .name = "order",
    .summary = "Orders a service on a domain, or its change or end, and waits until it is done",
    .fields = fields,
    .outputs = outputs,
    .check = check,
    .describe = describe,
    .capabilities = capabilities,
    .reaches_out = true,
    .perform = order_perform,
    .expect = ordering_expect,
    .delivery = ordering_delivery,
    .find = order_find,
    .compensate = order_compensate,
};

/* promote.c: the step type `promote`: a service takes all requests of its family. The pivot of its scope: there is no way back after it but
   a new order. Performed by promote_perform.c. */
#include "registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "net/tmf/order_body.h"

int promote_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */
json_t *ordering_expect(const struct step *step, const json_t *body) __attribute__((weak));
void ordering_delivery(const struct step *step, struct delivery *ret) __attribute__((weak));
int promote_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));

static const char *const capabilities[] = {"share", "find-by-key", NULL};

static const struct field fields[] = {
    {.name = "domain", .type = FIELD_NAME, .flags = FIELD_REQUIRED, .help = "Where the service runs"},
    {.name = "service", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The id of the service"},
    {.name = "replicas", .type = FIELD_INTEGER, .min = 1, .max = 1000, .help = "How many instances it has then; without it as many as now"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "service", .type = FIELD_TEXT, .help = "The id of the service, which is in service now"},
    {.name = "previous",
        .type = FIELD_ANY,
        .help = "The id of the other service of its family, which gets no requests now; null where there is none"},
    {.name = "order", .type = FIELD_TEXT, .help = "The order's id"},
    FIELD_END,
};

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    const json_t *domain = json_object_get(planned->with, "domain");
    AUTO(free_json) json_t *all = json_integer(100);
    const struct order_facts facts = {.action = "modify",
        .domain = domain,
        .service = json_object_get(planned->with, "service"),
        .replicas = json_object_get(planned->with, "replicas"),
        .share = all};
    AUTO(free_text) char *service = planned_text(facts.service, "?"), *where = planned_text(domain, "?");
    (void)err;
    *ret_effects = json_array();
    effect_add(
        *ret_effects, "promotion", domain, mem_format("gives service %s all requests on %s", service, where), order_body(&facts), NULL);
    json_put_flag(json_array_get(*ret_effects, 0), "pivot", true);
    return 0;
}

const struct step_type promote_step_type = {
    .name = "promote",
    .summary = "Gives a service all requests; there is no way back after it",
    .fields = fields,
    .outputs = outputs,
    .describe = describe,
    .capabilities = capabilities,
    .reaches_out = true,
    .perform = promote_perform,
    .expect = ordering_expect,
    .delivery = ordering_delivery,
    .find = promote_find,
};

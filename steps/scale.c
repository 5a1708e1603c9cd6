/* scale.c: the step type `scale`: how many instances a service has. Performed by scale_perform.c. */
#include "registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "net/tmf/order_body.h"

int scale_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */
json_t *ordering_expect(const struct step *step, const json_t *body) __attribute__((weak));
void ordering_delivery(const struct step *step, struct delivery *ret) __attribute__((weak));
int scale_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));
int scale_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err) __attribute__((weak));

static const char *const capabilities[] = {"find-by-key", NULL};

static const struct field fields[] = {
    {.name = "domain", .type = FIELD_NAME, .flags = FIELD_REQUIRED, .help = "Where the service runs"},
    {.name = "service", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The id of the service"},
    {.name = "replicas", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .min = 1, .max = 1000, .help = "How many instances it has then"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "order", .type = FIELD_TEXT, .help = "The order's id"},
    {.name = "replicas", .type = FIELD_INTEGER, .help = "How many instances the service has now"},
    {.name = "previous", .type = FIELD_INTEGER, .help = "How many it had before"},
    FIELD_END,
};

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    const json_t *domain = json_object_get(planned->with, "domain");
    const struct order_facts facts = {.action = "modify",
        .domain = domain,
        .service = json_object_get(planned->with, "service"),
        .replicas = json_object_get(planned->with, "replicas")};
    AUTO(free_text) char *service = planned_text(facts.service, "?"), *count = planned_text(facts.replicas, "?");
    AUTO(free_text) char *where = planned_text(domain, "?");
    (void)err;
    *ret_effects = json_array();
    effect_add(*ret_effects, "replicas", domain, mem_format("gives service %s %s replicas on %s", service, count, where),
        order_body(&facts), "orders the number that it had before");
    return 0;
}

const struct step_type scale_step_type = {
    .name = "scale",
    .summary = "Changes how many instances a service has",
    .fields = fields,
    .outputs = outputs,
    .describe = describe,
    .capabilities = capabilities,
    .reaches_out = true,
    .perform = scale_perform,
    .expect = ordering_expect,
    .delivery = ordering_delivery,
    .find = scale_find,
    .compensate = scale_compensate,
};

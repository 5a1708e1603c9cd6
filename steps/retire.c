/* retire.c: the step type `retire`: ends a service that is not in service any more, at once or after a while. Performed by
   retire_perform.c. */
#include "registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "net/tmf/order_body.h"

int retire_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */
json_t *ordering_expect(const struct step *step, const json_t *body) __attribute__((weak));
void ordering_delivery(const struct step *step, struct delivery *ret) __attribute__((weak));
int retire_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));

static const char *const capabilities[] = {"find-by-key", NULL};

static const struct field fields[] = {
    {.name = "domain", .type = FIELD_NAME, .flags = FIELD_REQUIRED, .help = "Where the service runs"},
    {.name = "service",
        .type = FIELD_ANY,
        .flags = FIELD_REQUIRED,
        .help = "The id of the service, as promote's `previous` gives it; null: there is nothing to do"},
    {.name = "after",
        .type = FIELD_DURATION,
        .min = 0,
        .max = 30LL * 24 * 3600 * 1000,
        .help = "How long it is kept first, from when the step begins; without it it ends at once"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "order", .type = FIELD_TEXT, .help = "The order's id, where there was something to do"},
    FIELD_END,
};

static int check(const json_t *with, struct location at, struct diagnostics *list)
{
    const json_t *service = json_object_get(with, "service");
    if (!service || json_is_null(service) || json_is_string(service) || json_object_get(service, "$expression")) return 0;
    diagnostics_add(list, "wrong-type", at, 0, "write `service: \"${{ steps.promote.previous }}\"`", "retire: service must be text");
    return -ERROR_INVALID;
}

/* Who waits behind it should know why. New; NULL: nothing is kept. */
static json_t *note_wait(const json_t *after)
{
    AUTO(text_release) struct text note = {0};
    int64_t ms = json_is_integer(after) ? (int64_t)json_integer_value(after) : 0;
    if (ms <= 0) return NULL;
    text_add(&note, "the old version is kept for ");
    add_written_time(&note, ms);
    text_add(&note, "; what follows waits for that");
    return json_pack("[s]", text_view(&note));
}

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    const json_t *domain = json_object_get(planned->with, "domain");
    const struct order_facts facts = {.action = "delete", .domain = domain, .service = json_object_get(planned->with, "service")};
    AUTO(free_text) char *service = planned_text(facts.service, "?"), *where = planned_text(domain, "?");
    (void)err;
    *ret_effects = json_array();
    if (json_is_null(facts.service)) return 0;
    effect_add(
        *ret_effects, "retirement", domain, mem_format("orders the end of service %s on %s", service, where), order_body(&facts), NULL);
    json_put(json_array_get(*ret_effects, 0), "notes", note_wait(json_object_get(planned->with, "after")));
    return 0;
}

const struct step_type retire_step_type = {
    .name = "retire",
    .summary = "Ends a service that is not in service any more",
    .fields = fields,
    .outputs = outputs,
    .check = check,
    .describe = describe,
    .capabilities = capabilities,
    .reaches_out = true,
    .perform = retire_perform,
    .expect = ordering_expect,
    .delivery = ordering_delivery,
    .find = retire_find,
};

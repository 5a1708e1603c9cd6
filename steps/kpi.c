/* kpi.c: the step type `kpi`: a canary gets one share after the other, is judged by what it does to the KPIs, and ends in a verdict. What
   it may do is the domain's policy, made stricter by the pipeline (kpi_policy.h). Performed by kpi_perform.c. */
#include "registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "kpi_policy.h"
#include "kpi_words.h"
#include "net/tmf/order_body.h"

int kpi_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */
json_t *ordering_expect(const struct step *step, const json_t *body) __attribute__((weak));
void ordering_delivery(const struct step *step, struct delivery *ret) __attribute__((weak));
int kpi_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));
int kpi_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err) __attribute__((weak));

static const char *const capabilities[] = {"share", "find-by-key", "raw-samples", NULL};

static const struct field fields[] = {
    {.name = "domain", .type = FIELD_NAME, .flags = FIELD_REQUIRED, .help = "Where the canary runs"},
    {.name = "service", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The id of the canary's service"},
    {.name = "policy",
        .type = FIELD_OBJECT,
        .flags = FIELD_LITERAL,
        .fields = kpi_policy_fields,
        .help = "Stricter than the domain's [policy](domain.md#policy), in its words; what it does not say is the domain's. What is laxer "
                "is denied, exit code 4"},
    {.name = "evidence",
        .type = FIELD_TEXT,
        .help = "What a `kpi` step on another domain gave as `evidence`: its evidence of harm counts here too"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "verdict", .type = FIELD_TEXT, .help = "`promote`; with any other verdict the step fails"},
    {.name = "share", .type = FIELD_NUMBER, .help = "The canary's share at the end, in percent"},
    {.name = "baseline", .type = FIELD_ANY, .help = "The id of the service that it was compared with; null where there was none"},
    {.name = "words", .type = FIELD_TEXT, .help = "The verdict in words"},
    {.name = "evidence", .type = FIELD_TEXT, .help = "The evidence, for a later wave's `evidence`"},
    FIELD_END,
};

static int check(const json_t *with, struct location at, struct diagnostics *list)
{
    struct error err = {0};
    int failed = kpi_policy_check(json_object_get(with, "policy"), &err);
    if (failed) diagnostics_add(list, "wrong-value", at, 0, err.hint[0] ? err.hint : NULL, "%s", err.message);
    return failed;
}

/* Who made the policy can be asked about it, and where it stands is said. */
static int point_at_domain(const json_t *domain, int failed, struct error *err)
{
    const char *name = json_text(domain, "domain", ""), *owner = json_text(domain, "owner", NULL);
    if (failed != -ERROR_DENIED || !err) return failed;
    AUTO(free_text) char *hint = mem_copy_text(err->hint);
    return error_hint(err, "%s; the domain's is `policy` in domains/%.40s.yaml, of %.30s", hint, name, owner ? owner : "its owner");
}

static json_t *body_of(const struct planned *planned, const json_t *share, int64_t lease_ms)
{
    AUTO(free_json) json_t *lease = share_is_lent(share) ? json_integer(lease_ms) : NULL;
    const struct order_facts facts = {.action = "modify",
        .domain = json_object_get(planned->with, "domain"),
        .service = json_object_get(planned->with, "service"),
        .share = share,
        .lease = lease};
    return order_body(&facts);
}

static void add_shares(const struct planned *planned, const json_t *policy, json_t *effects)
{
    const json_t *domain = json_object_get(planned->with, "domain");
    AUTO(free_text)
    char *service = planned_text(json_object_get(planned->with, "service"), "?"), *where = planned_text(domain, "?");
    size_t i;
    json_t *share;
    json_array_foreach(json_object_get(policy, "share"), i, share)
    {
        AUTO(free_text) char *name = mem_format("share %zu", i + 1);
        effect_add(effects, name, domain,
            mem_format("gives service %s %.10g %% of the requests on %s", service, json_number_value(share), where),
            body_of(planned, share, json_whole(policy, "lease", 0)), "orders the share that it had before the step");
    }
    AUTO(free_json) json_t *none = json_integer(0);
    effect_add(effects, "back", domain, mem_format("takes all requests on %s from service %s again, when harm is shown", where, service),
        body_of(planned, none, 0), NULL);
}

/* What a person has to know of a domain that nobody goes back on while the server is away. */
static void note_standby(const struct planned *planned, const json_t *policy, json_t *notes)
{
    AUTO(text_release) struct text out = {0};
    if (domain_can(planned->domain, "lease")) return;
    text_add_format(&out, "%.63s holds no lease: when the server is away for longer than ", json_text(planned->domain, "domain", ""));
    add_written_time(&out, json_whole(policy, "lease", 0));
    text_add(&out, ", the share goes back only when it returns");
    json_array_append_new(notes, json_string(text_view(&out)));
}

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    AUTO(free_json) json_t *policy = NULL;
    int failed = check_has_requests(planned->service, "kpi", err);
    if (failed || !planned->domain) return failed;
    const json_t *theirs = json_object_get(planned->domain, "policy");
    failed = kpi_policy_merge(theirs, json_object_get(planned->with, "policy"), &policy, err);
    if (!failed) failed = check_lease_by(policy, planned->domain, err);
    if (failed) return point_at_domain(planned->domain, failed, err);
    *ret_effects = json_array();
    add_shares(planned, policy, *ret_effects);
    json_t *notes = kpi_policy_words(policy, json_text(planned->domain, "domain", ""));
    note_standby(planned, policy, notes);
    json_put(json_array_get(*ret_effects, 0), "notes", notes);
    return 0;
}

const struct step_type kpi_step_type = {
    .name = "kpi",
    .summary = "Raises a canary's share by the domain's policy, judges it at every tick, and ends in a verdict",
    .fields = fields,
    .outputs = outputs,
    .check = check,
    .describe = describe,
    .capabilities = capabilities,
    .reaches_out = true,
    .perform = kpi_perform,
    .expect = ordering_expect,
    .delivery = ordering_delivery,
    .find = kpi_find,
    .compensate = kpi_compensate,
};

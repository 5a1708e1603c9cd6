/* retire_perform.c: parks until a service has been kept long enough, then orders its end. */
#include "ordering.h"
#include "perform.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/tmf/order_body.h"

/* A service that still gets requests is not ended, unless another of its family has them all already. */
static int check_unused(struct ordering *ordering, const json_t *service, struct error *err)
{
    AUTO(free_json) json_t *other = NULL;
    if (tmf_service_state_of(service) != TMF_SERVICE_ACTIVE || tmf_service_share(service) <= 0) return 0;
    int failed = tmf_service_other(&ordering->client, service, &other, err);
    if (failed) return failed;
    if (other && tmf_service_share(other) >= 100) return 0;
    error_set(err, ERROR_CONFLICT, NOWHERE, "%.40s: service %.60s still gets %.10g %% of the requests", ordering->domain,
        json_text(service, "id", ""), tmf_service_share(service));
    return error_hint(err, "promote another first, or end it with `order: { action: delete }`");
}

static int make_body(struct ordering *ordering, json_t **ret_kept, struct error *err)
{
    const json_t *with = step_with(ordering->step);
    AUTO(free_json) json_t *service = NULL, *domain = json_string(ordering->domain);
    int failed = tmf_service_get(&ordering->client, json_text(with, "service", ""), &service, err);
    if (!failed) failed = check_unused(ordering, service, err);
    if (failed) return failed;
    const struct order_facts facts = {
        .action = "delete", .origin = step_facts(ordering->step), .domain = domain, .service = json_object_get(with, "service")};
    *ret_kept = json_pack("{s:o}", "body", order_body(&facts));
    return 0;
}

static int end_service(struct step *step, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *outcome = NULL;
    const json_t *kept = NULL;
    int failed = ordering_open(step, &ordering, err);
    ordering.ends_service = true;
    if (!failed) failed = ordering_keep(&ordering, make_body, &kept, err);
    if (!failed)
        failed = step_effect(step, "retirement", ordering.domain, json_object_get(kept, "body"), ordering_send, &ordering, &outcome, err);
    if (!failed) failed = ordering_finish(&ordering, outcome, err);
    if (!failed) ordering_output(&ordering, "order", json_text(outcome, "order", NULL));
    return failed;
}

/* When the service may end: an earlier process said it, else it is from now on. Never later than that, so a clock that was set back does
   not keep it for longer than once more. */
static int64_t end_time(struct step *step)
{
    int64_t latest = clock_now_ms() + json_whole(step_with(step), "after", 0);
    int64_t until = json_whole(step_checkpoint_read(step), "until", latest);
    return until < latest ? until : latest;
}

int retire_perform(struct step *step, struct error *err)
{
    const char *service = json_text(step_with(step), "service", NULL);
    int64_t until = end_time(step);
    if (!service || !*service) {
        step_progress(step, 1, "there is no service to retire");
        return 0;
    }
    bool begun = json_object_get(step_checkpoint_read(step), "body") != NULL;
    if (begun || clock_now_ms() >= until) return end_service(step, err);
    step_progress(step, 0, "service %s is kept until it may end", service);
    return step_park(step, until, json_pack("{s:I}", "until", (json_int_t)until), err);
}

int retire_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    return ordering_find(step, intent, false, ret_seen, ret_outcome, err);
}

/* promote_perform.c: orders all requests for a service. There is nothing that undoes it. */
#include "ordering.h"
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"

static int make_body(struct ordering *ordering, json_t **ret_kept, struct error *err)
{
    const json_t *replicas = json_object_get(step_with(ordering->step), "replicas");
    AUTO(free_json) json_t *service = NULL, *all = json_integer(100);
    int failed = ordering_service(ordering, &service, err);
    if (failed) return failed;
    const struct ordering_change change = {.replicas = replicas, .share = all};
    *ret_kept = json_pack("{s:o}", "body", ordering_change_body(ordering, json_text(service, "id", ""), &change));
    return 0;
}

/* The version that was in service until now; retire takes it from here. */
static int hand_over(struct ordering *ordering, const json_t *outcome, struct error *err)
{
    AUTO(free_json) json_t *service = NULL, *other = NULL;
    int failed = ordering_service(ordering, &service, err);
    if (!failed) failed = tmf_service_other(&ordering->client, service, &other, err);
    if (failed) return failed;
    ordering_output(ordering, "service", json_text(service, "id", NULL));
    ordering_output(ordering, "order", json_text(outcome, "order", NULL));
    return step_output(ordering->step, "previous", other ? json_string(json_text(other, "id", "")) : json_null());
}

int promote_perform(struct step *step, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *outcome = NULL;
    const json_t *kept = NULL;
    int failed = ordering_open(step, &ordering, err);
    if (!failed) failed = ordering_keep(&ordering, make_body, &kept, err);
    if (!failed)
        failed = step_effect(
            step, "promotion", ordering.domain, json_object_get(kept, "body"), ordering_send_and_wait, &ordering, &outcome, err);
    return failed ? failed : hand_over(&ordering, outcome, err);
}

int promote_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    return ordering_find(step, intent, true, ret_seen, ret_outcome, err);
}

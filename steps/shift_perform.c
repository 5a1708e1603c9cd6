/* shift_perform.c: orders another share for a service; undone by ordering the share that it had. */
#include "ordering.h"
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"
#include "describe.h"

#include <stdio.h>

/* A first version has nobody to share with: a pipeline that releases it is the same as for the next one. */
static int is_alone(const struct ordering *ordering, const json_t *service, bool *ret_alone, struct error *err)
{
    AUTO(free_json) json_t *other = NULL;
    int failed = tmf_service_other(&ordering->client, service, &other, err);
    if (!failed) *ret_alone = !other && tmf_service_share(service) >= 100;
    return failed;
}

static int keep_all(struct step *step)
{
    printf("nothing to shift: it is the only version in service and has all requests\n");
    step_output(step, "share", json_real(100));
    return step_output(step, "previous", json_real(100));
}

/* What share it has is asked before it is changed. */
static int make_body(struct ordering *ordering, json_t **ret_kept, struct error *err)
{
    const json_t *with = step_with(ordering->step), *domain = json_object_get(step_facts(ordering->step), "domain");
    AUTO(free_json) json_t *service = NULL;
    int failed = ordering_service(ordering, &service, err);
    if (failed) return failed;
    bool alone = false;
    failed = is_alone(ordering, service, &alone, err);
    if (!failed && !alone) failed = check_judged(json_object_get(with, "share"), domain, err); /* planning may not have known it */
    if (!failed && !alone) failed = ordering_check_serving(ordering, service, err);
    if (failed) return failed;
    json_t *body =
        alone ? json_null()
              : ordering_share_body(ordering, json_text(service, "id", ""), json_object_get(with, "share"), lease_of(with, domain));
    *ret_kept = json_pack("{s:o, s:f}", "body", body, "previous", tmf_service_share(service));
    return 0;
}

int shift_perform(struct step *step, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *outcome = NULL;
    const json_t *kept = NULL;
    int failed = ordering_open(step, &ordering, err);
    if (!failed) failed = ordering_keep(&ordering, make_body, &kept, err);
    if (!failed && json_is_null(json_object_get(kept, "body"))) return keep_all(step);
    if (!failed)
        failed =
            step_effect(step, "share", ordering.domain, json_object_get(kept, "body"), ordering_send_and_wait, &ordering, &outcome, err);
    if (failed) return failed;
    ordering_output(&ordering, "order", json_text(outcome, "order", NULL));
    step_output(step, "share", json_incref(json_object_get(step_with(step), "share")));
    return step_output(step, "previous", json_incref(json_object_get(outcome, "previous")));
}

int shift_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    return ordering_find(step, intent, true, ret_seen, ret_outcome, err);
}

int shift_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *body = NULL, *undone = NULL;
    const json_t *domain = json_object_get(step_facts(step), "domain"), *previous = json_object_get(outcome, "previous");
    (void)intent;
    int failed = ordering_open(step, &ordering, err);
    if (failed) return failed;
    ordering.undoes = ordering.ends_service = true; /* one that is gone has no share to give back */
    body = ordering_share_body(&ordering, json_text(outcome, "service", ""), previous, lease_of(step_with(step), domain));
    return step_effect(step, "undo share", ordering.domain, body, ordering_send_and_wait, &ordering, &undone, err);
}

/* scale_perform.c: orders another number of instances for a service; undone by ordering the number that it had. */
#include "ordering.h"
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static int make_body(struct ordering *ordering, json_t **ret_kept, struct error *err)
{
    const json_t *replicas = json_object_get(step_with(ordering->step), "replicas");
    AUTO(free_json) json_t *service = NULL;
    int failed = ordering_service(ordering, &service, err);
    if (failed) return failed;
    json_t *body = ordering_change_body(ordering, json_text(service, "id", ""), &(struct ordering_change){.replicas = replicas});
    *ret_kept = json_pack("{s:o, s:I}", "body", body, "previous", (json_int_t)tmf_service_replicas(service));
    return 0;
}

int scale_perform(struct step *step, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *outcome = NULL;
    const json_t *kept = NULL;
    int failed = ordering_open(step, &ordering, err);
    if (!failed) failed = ordering_keep(&ordering, make_body, &kept, err);
    if (!failed)
        failed = step_effect(step, "replicas", ordering.domain, json_object_get(kept, "body"), ordering_send, &ordering, &outcome, err);
    if (!failed) failed = ordering_finish(&ordering, outcome, err);
    if (failed) return failed;
    ordering_output(&ordering, "order", json_text(outcome, "order", NULL));
    step_output(step, "replicas", json_incref(json_object_get(step_with(step), "replicas")));
    return step_output(step, "previous", json_incref(json_object_get(outcome, "previous")));
}

int scale_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    bool is_undo = text_starts(json_text(intent, "name", ""), "undo ");
    return ordering_find(step, intent, is_undo, ret_seen, ret_outcome, err);
}

int scale_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *body = NULL, *undone = NULL, *order = NULL;
    (void)intent;
    int failed = ordering_open(step, &ordering, err);
    if (!failed) failed = ordering_bring_to_rest(&ordering, json_text(outcome, "order", ""), &order, err);
    if (failed) return failed;
    if (tmf_order_state_of(order) != TMF_ORDER_COMPLETED) return 0; /* the domain undid it itself */
    ordering.undoes = ordering.ends_service = true;                 /* one that is gone has no instances */
    const struct ordering_change back = {.replicas = json_object_get(outcome, "previous")};
    body = ordering_change_body(&ordering, json_text(outcome, "service", ""), &back);
    return step_effect(step, "undo replicas", ordering.domain, body, ordering_send_and_wait, &ordering, &undone, err);
}

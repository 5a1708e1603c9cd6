/* kpi_undo_perform.c: takes a canary's shares back: from any of them to the one before the canary. */
#include "ordering.h"
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"

#include <math.h>

int kpi_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    return ordering_find(step, intent, true, ret_seen, ret_outcome, err);
}

/* What was shown to do harm gets nothing, whatever it had before. */
static json_t *share_before(const json_t *checkpoint)
{
    bool harm = text_equal(json_text(json_object_get(checkpoint, "verdict"), "verdict", NULL), "harm");
    return json_real(harm ? 0 : json_number_value(json_object_get(checkpoint, "previous")));
}

/* Has it that share already, or is it gone? */
static int is_settled(struct ordering *ordering, const char *id, double share, bool *ret, struct error *err)
{
    AUTO(free_json) json_t *service = NULL;
    struct error problem = {0};
    int failed = tmf_service_get(&ordering->client, id, &service, &problem);
    if (failed && problem.code != ERROR_NOT_FOUND) {
        if (err) *err = problem;
        return failed;
    }
    *ret = failed || tmf_service_state_of(service) == TMF_SERVICE_TERMINATED || fabs(tmf_service_share(service) - share) < 1e-9;
    return 0;
}

/* On record before it is ordered: an order that was begun is brought to its end, whatever the service looks like then. */
static int begin_undoing(struct step *step, const char *name, struct error *err)
{
    const json_t *checkpoint = step_checkpoint_read(step);
    if (text_equal(json_text(checkpoint, "undoing", NULL), name)) return 0;
    json_t *next = checkpoint ? json_copy((json_t *)checkpoint) : json_object();
    json_put(next, "ticks", json_array());
    json_put_text(next, "undoing", name);
    return step_checkpoint(step, next, err);
}

int kpi_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    const json_t *domain = json_object_get(step_facts(step), "domain"), *checkpoint = step_checkpoint_read(step);
    AUTO(free_json) json_t *share = share_before(checkpoint), *body = NULL, *undone = NULL;
    const char *name = json_text(intent, "name", ""), *service = json_text(outcome, "service", "");
    AUTO(free_text) char *undo = mem_format("undo %s", name);
    bool done = false;
    int failed = ordering_open(step, &ordering, err);
    if (!failed && !text_equal(json_text(checkpoint, "undoing", NULL), name))
        failed = is_settled(&ordering, service, json_real_value(share), &done, err);
    if (failed || done) return failed;
    ordering.ends_service = true;
    body = ordering_share_body(&ordering, service, share, lease_of(step_with(step), domain));
    failed = begin_undoing(step, name, err);
    if (failed) return failed;
    return step_effect(step, undo, ordering.domain, body, ordering_send_and_wait, &ordering, &undone, err);
}

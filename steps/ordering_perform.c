/* ordering_perform.c: what the steps that order have in common. */
#include "ordering.h"
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "net/tmf/characteristic.h"
#include "net/tmf/order_body.h"

#include <string.h>

enum {
    WAIT_MS = 30 * 60 * 1000,
    FIND_WAIT_MS = 60 * 1000,
    WAIT_MARGIN_MS = 2000,
};

/* The step's own timeout ends it without a word, so the wait ends a little before. */
static int64_t longest_wait(const json_t *facts)
{
    int64_t timeout = json_whole(facts, "timeout_ms", 0);
    if (timeout <= 0) return WAIT_MS;
    return timeout > 2 * WAIT_MARGIN_MS ? timeout - WAIT_MARGIN_MS : timeout / 2;
}

int ordering_open(struct step *step, struct ordering *ret, struct error *err)
{
    const json_t *facts = step_facts(step), *domain = json_object_get(facts, "domain");
    const char *name = json_text(domain, "domain", NULL);
    if (!name) {
        error_set(err, ERROR_INVALID, NOWHERE, "the plan has no domain \"%.63s\"", json_text(step_with(step), "domain", ""));
        return error_hint(err, "a domain is a file NAME.yaml in the server's domains folder");
    }
    *ret = (struct ordering){.step = step, .domain = name, .wait_ms = longest_wait(facts)};
    return tmf_client_open(name, json_text(domain, "url", NULL), json_text(domain, "dialect", NULL), &ret->client, err);
}

void ordering_release(struct ordering *ordering)
{
    tmf_client_release(&ordering->client);
}

int ordering_keep(struct ordering *ordering, int (*make)(struct ordering *ordering, json_t **ret_kept, struct error *err),
    const json_t **ret_kept, struct error *err)
{
    const json_t *kept = step_checkpoint_read(ordering->step);
    if (!json_object_get(kept, "body")) {
        json_t *made = NULL;
        int failed = make(ordering, &made, err);
        if (!failed) failed = step_checkpoint(ordering->step, made, err);
        if (failed) return failed;
    }
    *ret_kept = step_checkpoint_read(ordering->step);
    return 0;
}

/* --- what is put on record -------------------------------------------------------------------------------------------------------------
 */

static const json_t *first_service(const json_t *body)
{
    return json_object_get(json_array_get(json_object_get(body, "serviceOrderItem"), 0), "service");
}

/* Who must renew what, so that the share stays; `standby` where the domain has nobody who would go back otherwise. null ends an earlier
 * lease; absent: the order has nothing to do with shares. */
static json_t *lease_in(const struct step *step, const json_t *body)
{
    const json_t *service = first_service(body), *list = json_object_get(service, "serviceCharacteristic");
    const json_t *lease = characteristic_find(list, "traffic.lease");
    if (!characteristic_find(list, "traffic.share")) return NULL;
    if (!lease) return json_null();
    const json_t *domain = json_object_get(step_facts(step), "domain");
    json_t *held = json_pack("{s:s, s:I, s:s}", "service", json_text(service, "id", ""), "ttl_ms", json_integer_value(lease), "url",
        json_text(domain, "url", ""));
    if (!domain_can(domain, "lease")) json_put_flag(held, "standby", true);
    return held;
}

void ordering_delivery(const struct step *step, struct delivery *ret)
{
    const json_t *domain = json_object_get(step_facts(step), "domain");
    const struct tmf_dialect *dialect = NULL;
    if (tmf_dialect_find(json_text(domain, "dialect", NULL), &dialect, NULL)) return; /* it cannot have been spoken */
    int64_t life_ms = tmf_request_life(dialect, json_text(domain, "url", ""));
    *ret = (struct delivery){json_whole(domain, "request-life", life_ms), dialect->repeat_is_safe};
}

json_t *ordering_expect(const struct step *step, const json_t *body)
{
    const json_t *previous = json_object_get(step_checkpoint_read(step), "previous");
    json_t *outcome = json_object();
    json_put_text(outcome, "service", json_text(first_service(body), "id", NULL));
    json_put(outcome, "previous", previous ? json_deep_copy(previous) : NULL);
    json_put(outcome, "lease", lease_in(step, body));
    return outcome;
}

static json_t *outcome_of(const struct ordering *ordering, const json_t *body, const json_t *order)
{
    json_t *outcome = ordering_expect(ordering->step, body);
    json_put_text(outcome, "order", json_text(order, "id", NULL));
    return outcome;
}

/* --- sending ---------------------------------------------------------------------------------------------------------------------------
 */

static void tell(void *context, const json_t *order)
{
    struct ordering *ordering = context;
    enum tmf_order_state state = tmf_order_state_of(order);
    if (state == ordering->told) return;
    ordering->told = state;
    if (ordering->quiet && state != TMF_ORDER_HELD) return;
    step_progress(ordering->step, 0, "order %s on %s is %s%s", json_text(order, "id", "?"), ordering->domain,
        json_text(order, "state", "?"), state == TMF_ORDER_HELD ? ": it waits for a person there" : "");
}

int ordering_wait(struct ordering *ordering, const char *id, json_t **ret_order, struct error *err)
{
    const struct tmf_watch watch = {tell, ordering};
    return tmf_order_wait(&ordering->client, id, ordering->wait_ms, &watch, ret_order, err);
}

/* Are all services that the body names gone? */
static bool all_are_gone(const struct ordering *ordering, const json_t *body)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(body, "serviceOrderItem"), index, item)
    {
        AUTO(free_json) json_t *service = NULL;
        struct error problem = {0};
        const char *id = json_text(json_object_get(item, "service"), "id", "");
        int failed = tmf_service_get(&ordering->client, id, &service, &problem);
        if (failed ? problem.code != ERROR_NOT_FOUND : tmf_service_state_of(service) != TMF_SERVICE_TERMINATED) return false;
    }
    return true;
}

/* The peer refused: what is gone already needs no end. */
static int excuse(const struct ordering *ordering, const json_t *body, json_t **ret_outcome, const struct error *refusal, struct error *err)
{
    bool definite = refusal->code == ERROR_INVALID || refusal->code == ERROR_NOT_FOUND || refusal->code == ERROR_CONFLICT;
    if (definite && ordering->ends_service && all_are_gone(ordering, body)) {
        *ret_outcome = json_pack("{s:b}", "gone", 1);
        return 0;
    }
    if (err) *err = *refusal;
    return -(int)refusal->code;
}

static int send_order(struct ordering *ordering, const char *key, const json_t *body, bool waits, json_t **ret_order, struct error *err)
{
    AUTO(free_json) json_t *order = NULL, *rest = NULL;
    int failed = tmf_order_send(&ordering->client, body, key, &order, err);
    if (!failed && waits) failed = ordering_wait(ordering, json_text(order, "id", ""), &rest, err);
    if (!failed && waits) failed = tmf_order_judge(&ordering->client, rest, err);
    if (!failed) *ret_order = waits ? take(&rest) : take(&order);
    return failed;
}

static int send_either(struct ordering *ordering, const char *key, const json_t *body, bool waits, json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    struct error problem = {0};
    if (send_order(ordering, key, body, waits, &order, &problem) < 0) return excuse(ordering, body, ret_outcome, &problem, err);
    *ret_outcome = outcome_of(ordering, body, order);
    return 0;
}

int ordering_send(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    (void)step;
    return send_either(context, key, body, false, ret_outcome, err);
}

int ordering_send_and_wait(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    (void)step;
    return send_either(context, key, body, true, ret_outcome, err);
}

int ordering_finish(struct ordering *ordering, const json_t *outcome, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    const char *id = json_text(outcome, "order", NULL);
    if (!id) return 0;
    int failed = ordering_wait(ordering, id, &order, err);
    return failed ? failed : tmf_order_judge(&ordering->client, order, err);
}

int ordering_bring_to_rest(struct ordering *ordering, const char *id, json_t **ret_order, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    int failed = tmf_get(&ordering->client, TMF_SERVICE_ORDER, id, &order, err);
    if (failed) return failed;
    if (tmf_order_is_at_rest(tmf_order_state_of(order))) {
        *ret_order = take(&order);
        return 0;
    }
    failed = tmf_order_cancel(&ordering->client, id, "the pipeline goes back", err);
    return failed ? failed : ordering_wait(ordering, id, ret_order, err);
}

/* --- finding ---------------------------------------------------------------------------------------------------------------------------
 */

/* What an order that was found means for an effect that counts when it is done. */
static int see_done(struct ordering *ordering, const json_t *order, enum effect_seen *ret_seen, struct error *err)
{
    AUTO(free_json) json_t *rest = NULL;
    struct error problem = {0};
    if (ordering_wait(ordering, json_text(order, "id", ""), &rest, &problem) < 0) {
        *ret_seen = EFFECT_SEEN_UNSURE;
        if (problem.code == ERROR_TIMEOUT) return 0;
        if (err) *err = problem;
        return -(int)problem.code;
    }
    *ret_seen = tmf_order_state_of(rest) == TMF_ORDER_COMPLETED ? EFFECT_SEEN_DONE : EFFECT_SEEN_ABSENT;
    return 0;
}

/* A person says that the peer has it as `id`. What another effect ordered is not taken for it. */
static int adopt_order(struct ordering *ordering, const char *id, const char *key, json_t **ret_order, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    int failed = tmf_get(&ordering->client, TMF_SERVICE_ORDER, id, &order, err);
    if (failed) return error_wrap(err, "what a person says that %.40s has", ordering->domain);
    const char *other = json_text(order, "externalId", "");
    if (strlen(other) == strlen(key) && strcmp(other, key) != 0) {
        error_set(err, ERROR_CONFLICT, NOWHERE, "%.40s: order %.60s was placed for something else, with the key %.64s", ordering->domain,
            id, other);
        return error_hint(err, "look for the order with the key %.64s, and settle it with its id", key);
    }
    *ret_order = take(&order);
    return 0;
}

static int find_order(struct ordering *ordering, const json_t *intent, json_t **ret_order, struct error *err)
{
    const char *key = json_text(intent, "key", ""), *adopt = json_text(intent, "adopt", NULL);
    if (ordering->wait_ms > FIND_WAIT_MS) ordering->wait_ms = FIND_WAIT_MS;
    if (adopt) return adopt_order(ordering, adopt, key, ret_order, err);
    AUTO(free_json) json_t *orders = NULL;
    const json_t *body = json_object_get(intent, "body");
    int failed = tmf_order_find(&ordering->client, key, &orders, err);
    json_t *best = failed ? NULL : ordering_best(orders);
    if (failed || !best) return failed;
    failed = tmf_order_check_echo(&ordering->client, body, best, err);
    if (!failed) failed = ordering_end_extras(ordering, body, best, orders, err);
    if (!failed) *ret_order = json_incref(best);
    return failed;
}

int ordering_find(struct step *step, const json_t *intent, bool waits, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    AUTO(ordering_release) struct ordering ordering = {0};
    AUTO(free_json) json_t *order = NULL;
    const json_t *body = json_object_get(intent, "body");
    enum effect_seen seen = EFFECT_SEEN_DONE;
    int failed = ordering_open(step, &ordering, err);
    if (!failed && ordering_is_extra(json_text(intent, "name", ""))) return ordering_find_ended(&ordering, body, ret_seen, err);
    if (!failed) failed = find_order(&ordering, intent, &order, err);
    if (failed) return failed;
    if (!order) {
        *ret_seen = EFFECT_SEEN_NOTHING;
        return 0;
    }
    if (waits) failed = see_done(&ordering, order, &seen, err);
    if (failed) return failed;
    if (seen == EFFECT_SEEN_UNSURE && json_text(intent, "adopt", NULL)) /* a word for an order that is not done yet comes too early */
        return error_set(
            err, ERROR_TIMEOUT, NOWHERE, "%.40s: order %.60s is not at rest yet", ordering.domain, json_text(order, "id", "?"));
    if (seen == EFFECT_SEEN_DONE) *ret_outcome = outcome_of(&ordering, body, order);
    *ret_seen = seen;
    return 0;
}

/* --- changes of one service --------------------------------------------------------------------------------------------------------------
 */

json_t *ordering_change_body(const struct ordering *ordering, const char *service, const struct ordering_change *change)
{
    AUTO(free_json) json_t *domain = json_string(ordering->domain), *id = json_string(service);
    const struct order_facts facts = {.action = "modify",
        .origin = step_facts(ordering->step),
        .undoes = ordering->undoes,
        .domain = domain,
        .service = id,
        .replicas = change->replicas,
        .share = change->share,
        .lease = change->lease};
    return order_body(&facts);
}

json_t *ordering_share_body(const struct ordering *ordering, const char *service, const json_t *share, int64_t lease_ms)
{
    AUTO(free_json) json_t *lease = share_is_lent(share) ? json_integer(lease_ms) : NULL;
    return ordering_change_body(ordering, service, &(struct ordering_change){.share = share, .lease = lease});
}

int ordering_service(const struct ordering *ordering, json_t **ret_service, struct error *err)
{
    const char *id = json_text(step_with(ordering->step), "service", NULL);
    if (!id || !*id) return error_set(err, ERROR_INVALID, NOWHERE, "the step names no service");
    AUTO(free_json) json_t *service = NULL;
    int failed = tmf_service_get(&ordering->client, id, &service, err);
    if (failed) return failed;
    if (tmf_service_state_of(service) == TMF_SERVICE_TERMINATED)
        return error_set(err, ERROR_CONFLICT, NOWHERE, "%.40s: service %.60s is terminated", ordering->domain, id);
    *ret_service = take(&service);
    return 0;
}

int ordering_check_serving(const struct ordering *ordering, const json_t *service, struct error *err)
{
    const json_t *domain = json_object_get(step_facts(ordering->step), "domain");
    AUTO(free_json) json_t *other = NULL;
    bool is_judged = text_equal(json_text(json_object_get(domain, "policy"), "promotion", NULL), "judged");
    bool is_lent = characteristic_find(json_object_get(service, "serviceCharacteristic"), "traffic.lease") != NULL;
    if (!is_judged || is_lent || tmf_service_share(service) <= 0) return 0;
    int failed = tmf_service_other(&ordering->client, service, &other, err);
    if (failed || !other) return failed;
    error_set(err, ERROR_DENIED, NOWHERE,
        "%.40s: service %.60s is in service, and service %.60s would get its requests unjudged, which the policy of the domain does not "
        "allow",
        ordering->domain, json_text(service, "id", ""), json_text(other, "id", ""));
    return error_hint(err, "use: canary, or a kpi step and `promote`; by hand: crescendo order");
}

void ordering_output(struct ordering *ordering, const char *name, const char *text)
{
    if (text) (void)!step_output(ordering->step, name, json_string(text));
}

/* project_order.c: the order's document. */
#include "orchestrator/fulfil/project.h"

#include "base/moment.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static void put_time(json_t *object, const char *name, int64_t ms)
{
    char text[MOMENT_TEXT_SIZE];
    if (ms > 0) json_put_text(object, name, moment_format(ms, text));
}

/* The step of a stage that failed, or the first. */
static uint32_t telling_step(const struct run_state *state, uint32_t stage)
{
    const struct plan_stage *planned = &state->plan->stages[stage];
    for (uint32_t i = 0; i < planned->step_count; i++)
        if (state->steps[planned->first_step + i].reason != REASON_ok) return planned->first_step + i;
    return planned->first_step;
}

/* The driver's words, which hold the service's own, before the supervisor's "exit 1". */
static const char *message_of(const struct step_state *step)
{
    const char *words = json_text(step->outputs, "message", "");
    return *words ? words : step->message;
}

static json_t *error_of(const struct run_state *state, uint32_t step, const char *item)
{
    const struct step_state *is = &state->steps[step];
    const char *message = message_of(is);
    if (is->reason == REASON_ok || is->reason == REASON_operator || !message) return NULL;
    json_t *error = json_object();
    json_put_text(error, "code", reason_name(is->reason));
    json_put_text(error, "reason", reason_help(is->reason));
    json_put_text(error, "message", message);
    put_time(error, "timestamp", is->ended_ms ? is->ended_ms : is->since_ms);
    if (item)
        json_put(error, "serviceOrderItem",
            json_pack("[{s:s, s:s}]", "id", item, "itemId", item)); /* the definition wants the one, its text the other */
    return error;
}

/* What is wrong with the order: each step that failed, else what the run itself says. */
static json_t *errors_of(const struct run_view *view, const json_t *items)
{
    const struct run_state *state = view->state;
    json_t *errors = json_array();
    for (uint32_t stage = 0; stage < view->plan->stage_count; stage++) {
        uint32_t step = telling_step(state, stage);
        enum step_status status = state->steps[step].status;
        if (status == STEP_cancelled || status == STEP_skipped || status == STEP_parked) continue;
        json_t *error = error_of(state, step, json_text(json_array_get(items, stage), "id", NULL));
        if (error) json_array_append_new(errors, error);
    }
    bool is_asked_for = state->reason == REASON_ok || state->reason == REASON_operator;
    if (!json_array_size(errors) && state->message && !is_asked_for) {
        json_t *error = json_object();
        json_put_text(error, "code", reason_name(state->reason));
        json_put_text(error, "reason", reason_help(state->reason));
        json_put_text(error, "message", state->message);
        put_time(error, "timestamp", view->now_ms);
        json_array_append_new(errors, error);
    }
    if (json_array_size(errors)) return errors;
    json_decref(errors);
    return NULL;
}

static void put_service(const struct run_view *view, const json_t *item, json_t *shown)
{
    json_t *service = json_object_get(shown, "service");
    AUTO(free_text) char *made = mem_format("%llu.%s", (unsigned long long)view->run, json_text(item, "id", ""));
    const char *id = json_text(json_object_get(item, "before"), "id", made);
    AUTO(free_text) char *href = mem_format(INVENTORY_BASE "/service/%s", id);
    if (!json_is_object(service) || json_object_get(item, "impossible")) return;
    json_put_text(service, "id", id);
    json_put_text(service, "href", href);
}

static void project_item(const struct run_view *view, uint32_t stage, const json_t *item, json_t *shown)
{
    const struct run_state *state = view->state;
    json_put_text(shown, "state", item_state(state, stage));
    if (!json_object_get(shown, "@type")) json_put_text(shown, "@type", "ServiceOrderItem");
    put_service(view, item, shown);
    if (!text_equal(item_state(state, stage), "failed") && !text_equal(item_state(state, stage), "held")) return;
    json_t *error = error_of(state, telling_step(state, stage), NULL);
    if (error) json_put(shown, "errorMessage", json_pack("[o]", error));
}

static void put_dates(const struct run_view *view, json_t *order)
{
    const struct run_state *state = view->state;
    put_time(order, "orderDate", state->accepted_ms);
    put_time(order, "startDate", order_begun_ms(state));
    if (!run_status_at_rest(state->status)) return;
    bool cancelled = text_equal(order_state(state), "cancelled");
    put_time(order, cancelled ? "cancellationDate" : "completionDate", state->ended_ms);
}

json_t *project_order(const struct run_view *view)
{
    const json_t *checked = json_object_get(view->accepted, "order"), *items = json_object_get(checked, "items");
    json_t *order = json_deep_copy(json_object_get(checked, "order"));
    json_t *shown = json_object_get(order, "serviceOrderItem");
    AUTO(free_text) char *id = mem_format("%llu", (unsigned long long)view->run);
    AUTO(free_text) char *href = mem_format(ORDER_BASE "/serviceOrder/%s", id);
    json_put_text(order, "id", id);
    json_put_text(order, "href", href);
    if (!json_object_get(order, "@type")) json_put_text(order, "@type", "ServiceOrder");
    json_put_text(order, "state", order_state(view->state));
    put_dates(view, order);
    for (uint32_t stage = 0; stage < order_item_count(view->plan); stage++)
        project_item(view, stage, json_array_get(items, stage), json_array_get(shown, stage));
    json_put(order, "errorMessage", errors_of(view, items));
    return order;
}

/* order_run.h: a run of an order for tests: the checked order's plan, a state that events are folded into, and its view. */
#ifndef CRESCENDO_TESTS_ORDER_RUN_H
#define CRESCENDO_TESTS_ORDER_RUN_H

#include "order_world.h"

#include "orchestrator/fulfil/decompose.h"
#include "orchestrator/fulfil/project.h"

struct order_run {
    json_t *accepted;
    struct plan *plan;
    struct run_state *state;
    int64_t now_ms;
};

static const struct fulfil_places test_places = {"/data/keepers", "/data/artifacts"};

/* Folds one event; data is text as json_of reads it, or NULL. */
static inline void run_event(struct order_run *run, enum event_type type, uint32_t step, const char *data)
{
    struct error err = {0};
    struct event event = {type, step, ++run->now_ms, data ? json_of(data) : NULL};
    if (reduce(run->state, &event, &err)) fail_msg("%s: %s", event_type_name(type), err.message);
    event_release(&event);
}

/* Accepted as run 17 in this world. */
static inline struct order_run run_new(const struct world *world, const char *order)
{
    struct order_run run = {.now_ms = 1700000000000};
    struct error err = {0};
    json_t *checked = NULL;
    if (world_check(world, order, &checked, &err)) fail_msg("%s", err.message);
    AUTO(free_json) json_t *json = order_decompose(checked, &test_places);
    if (plan_from_json(json, &run.plan, &err)) fail_msg("%s", err.message);
    run.accepted = json_object();
    json_put(run.accepted, "order", checked);
    run.state = run_state_new(run.plan);
    run_event(&run, EVENT_run_accepted, NO_STEP, "{'number':17}");
    return run;
}

static inline void run_release(struct order_run *run)
{
    run_state_free(&run->state);
    plan_free(&run->plan);
    json_decref(run->accepted);
}

static inline struct run_view run_view_of(const struct order_run *run)
{
    return (struct run_view){17, run->plan, run->state, run->accepted, run->now_ms, NULL};
}

static inline void run_start_step(struct order_run *run, uint32_t step)
{
    if (run->state->status == RUN_queued) run_event(run, EVENT_run_started, NO_STEP, NULL);
    run_event(run, EVENT_step_starting, step, "{'attempt':1}");
    run_event(run, EVENT_step_running, step, "{'attempt':1,'pid':1}");
}

static inline void run_effect(struct order_run *run, uint32_t step, const char *name)
{
    AUTO(free_text) char *intent = mem_format("{'name':'%s','target':'it','key':'k-%s','digest':'d','body':{}}", name, name);
    AUTO(free_text) char *outcome = mem_format("{'name':'%s','outcome':{'previous':1}}", name);
    run_event(run, EVENT_effect_intended, step, intent);
    run_event(run, EVENT_effect_done, step, outcome);
}

static inline json_t *order_of(const struct order_run *run)
{
    const struct run_view view = run_view_of(run);
    return project_order(&view);
}

/* The service of this id among those of the run; new reference, NULL = not there. */
static inline json_t *service_of(const struct order_run *run, const char *id)
{
    const struct run_view view = run_view_of(run);
    AUTO(free_json) json_t *services = project_services(&view);
    json_t *found = NULL, *service;
    size_t index;
    json_array_foreach(services, index, service)
    {
        if (strcmp(json_text(service, "id", ""), id) == 0) found = json_incref(service);
    }
    return found;
}

#define ASSERT_STATES(run, order_is, item_is, service_id, service_is) \
    do { \
        AUTO(free_json) json_t *order_ = order_of(run); \
        AUTO(free_json) json_t *service_ = service_of(run, service_id); \
        assert_string_equal(json_text(order_, "state", ""), order_is); \
        assert_string_equal(json_text(json_array_get(json_object_get(order_, "serviceOrderItem"), 0), "state", ""), item_is); \
        assert_string_equal(json_text(service_, "state", ""), service_is); \
    } while (0)

#endif

/* submit_plan.c: a plan that was made elsewhere (an order) becomes a run that is on disk. */
#include "run/live.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

struct known { /* who is answered behind the append that made the run of this key */
    void (*done)(void *context, const struct error *err);
    void *context;
};

static void answer_known(void *context)
{
    struct known *known = context;
    known->done(known->context, NULL);
    free(known);
}

static void wait_for_known(struct engine *engine, void (*done)(void *context, const struct error *err), void *context)
{
    struct known *known = mem_alloc(sizeof *known);
    *known = (struct known){done, context};
    journal_append(engine->journal, &(struct journal_batch){0}, answer_known, known);
}

static bool type_is_known(const struct engine *engine, const char *name)
{
    for (step_types *type = engine->options.types; *type; type++)
        if (text_equal((*type)->name, name)) return true;
    return false;
}

static int check_types(const struct engine *engine, const struct plan *plan, struct error *err)
{
    for (uint32_t i = 0; i < plan->step_count; i++)
        if (!type_is_known(engine, plan->steps[i].type))
            return error_set(
                err, ERROR_INVALID, NOWHERE, "plan: %.80s: this engine has no step type '%.40s'", plan->steps[i].path, plan->steps[i].type);
    return 0;
}

static json_t *describe(const struct plan_submission *submission, uint64_t number, const struct plan *plan)
{
    json_t *data = json_object();
    json_put_whole(data, "number", (int64_t)number);
    json_put_text(data, "key", submission->key);
    json_put_text(data, "plan", plan->digest);
    json_put_text(data, "pipeline", plan->name);
    json_put_text(data, "author", submission->author);
    json_put_text(data, "title", submission->title);
    json_put_text(data, "trigger", submission->trigger);
    if (submission->extra_name) json_put(data, submission->extra_name, json_incref((json_t *)submission->extra));
    return data;
}

/* The plan is the run's from here on. */
static uint64_t begin(struct engine *engine, const struct plan_submission *submission, struct plan *plan,
    void (*done)(void *context, const struct error *err), void *context)
{
    uint64_t number = live_free_number(engine);
    json_t *accepted = describe(submission, number, plan);
    struct live_run *run = live_new(engine, number, plan, accepted);
    run->plan_text = json_canonical(submission->plan);
    struct event_list events = {0};
    event_list_add(&events, EVENT_run_accepted, NO_STEP, clock_now_ms(), json_incref(accepted));
    live_fold(run, &events);
    live_wait_commit(run, done, context);
    live_advance(run);
    return number;
}

int engine_submit_plan(struct engine *engine, const struct plan_submission *submission,
    void (*done)(void *context, const struct error *err), void *context, uint64_t *ret_run, bool *ret_known, struct error *err)
{
    AUTO(plan_free) struct plan *plan = NULL;
    uint64_t known = submission->key ? journal_find_trigger(engine->journal, submission->key) : 0;
    if (known) {
        wait_for_known(engine, done, context);
        *ret_run = known;
        *ret_known = true;
        return 0;
    }
    int failed = plan_from_json(submission->plan, &plan, err);
    if (failed || (failed = check_types(engine, plan, err))) return failed;
    *ret_run = begin(engine, submission, take(&plan), done, context);
    *ret_known = false;
    return 0;
}

/* engine.c: opening and closing the engine, and the acts that persons and other rooms ask of it. */
#include "run/engine.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "run/compress.h"
#include "run/keep.h"
#include "run/sleep.h"
#include "run/spare.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void journal_failed(void *context, const struct error *err)
{
    struct engine *engine = context;
    engine->failed = true;
    if (engine->options.failed) engine->options.failed(engine->options.context, err);
}

static unsigned processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

static void engine_free(struct engine *engine)
{
    free((char *)engine->options.data);
    free((char *)engine->options.shim);
    free((char *)engine->options.step);
    free(engine);
}

int engine_open(uv_loop_t *loop, const struct engine_options *options, struct engine **ret, struct error *err)
{
    if (file_make_folders(options->data, 0700, err) < 0) return -(int)err->code;
    char *data = realpath(options->data, NULL);
    if (!data) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "%s vanished", options->data);
    struct engine *engine = mem_alloc(sizeof *engine);
    engine->loop = loop;
    engine->options = *options;
    engine->options.data = data;
    engine->options.shim = mem_copy_text(options->shim);
    engine->options.step = mem_copy_text(options->step);
    if (!engine->options.slots) engine->options.slots = processors();
    struct journal_options journal = {.folder = data, .failed = journal_failed, .context = engine};
    if (journal_open(loop, &journal, &engine->journal, err) < 0) {
        engine_free(engine);
        return -(int)err->code;
    }
    if (recover_runs(engine, err) < 0) {
        engine_close(&engine);
        return -(int)err->code;
    }
    engine->keeping = keep_open(engine, options->keep_ms);
    engine->compressing = compress_open(engine);
    if (options->spare_shim) engine->spare = spare_open(engine);
    *ret = engine;
    return 0;
}

void engine_close(struct engine **closed)
{
    struct engine *engine = *closed;
    if (!engine) return;
    *closed = NULL;
    engine->closing = true;
    journal_close(&engine->journal);
    keep_close(&engine->keeping);
    compress_close(&engine->compressing);
    spare_close(&engine->spare);
    for (struct live_run *run = engine->runs, *next; run; run = next) {
        next = run->next;
        live_close(run);
    }
    uv_run(engine->loop, UV_RUN_NOWAIT);
    while (engine->subscriptions) {
        struct subscription *first = engine->subscriptions;
        engine_unsubscribe(&first);
    }
    engine_free(engine);
}

struct journal *engine_journal(struct engine *engine)
{
    return engine->journal;
}

bool engine_is_idle(const struct engine *engine)
{
    for (const struct live_run *run = engine->runs; run; run = run->next)
        if (run_sleeps(run) || run->state->status != RUN_rollback_failed || run->supervisor || run->appends_pending) return false;
    return true;
}

/* "run 3 is over: it ..." */
static const char *past_tense(const char *state)
{
    if (strcmp(state, run_status_name(RUN_cancelled)) == 0) return "was cancelled";
    if (strcmp(state, run_status_name(RUN_rolled_back)) == 0) return "was rolled back";
    return state;
}

static struct live_run *open_run(struct engine *engine, uint64_t number, struct error *err)
{
    struct live_run *run = live_find(engine, number);
    if (run && !live_look(run)) {
        error_set(err, ERROR_UNAVAILABLE, NOWHERE, "run %llu cannot be read: the server stops", (unsigned long long)number);
        return NULL;
    }
    if (run && !run_status_at_rest(run->state->status)) return run;
    AUTO(free_json) json_t *row = NULL;
    if (journal_get_run(engine->journal, number, &row, err) < 0) return NULL;
    error_set(err, ERROR_CONFLICT, NOWHERE, "run %llu is over: it %s", (unsigned long long)number,
        past_tense(run ? run_status_name(run->state->status) : json_text(row, "state", "ended")));
    return NULL;
}

void engine_cancel(struct engine *engine, uint64_t number, const char *by, const char *comment,
    void (*done)(void *context, const struct error *err), void *context)
{
    struct error err;
    struct event_list events = {0};
    struct live_run *run = open_run(engine, number, &err);
    if (!run) {
        done(context, &err);
        return;
    }
    json_t *data = json_object();
    json_put_text(data, "by", by);
    json_put_text(data, "comment", comment);
    event_list_add(&events, EVENT_cancel_requested, NO_STEP, clock_now_ms(), data);
    if (!live_fold(run, &events)) {
        error_set(&err, ERROR_STATE, NOWHERE, "run %llu cannot be cancelled now", (unsigned long long)number);
        done(context, &err);
        return;
    }
    live_wait_commit(run, done, context);
    live_advance(run);
}

/* "-" names the only approval that waits. */
static int approval_step(const struct live_run *run, const char *path, uint32_t *ret_step, struct error *err)
{
    uint32_t found = NO_STEP, count = 0;
    for (uint32_t step = 0; step < run->plan->step_count; step++) {
        const struct step_state *state = &run->state->steps[step];
        const struct plan_step *planned = &run->plan->steps[step];
        if (state->status != STEP_parked || state->wait != WAIT_approval) continue;
        bool named = strcmp(path, planned->path) == 0 || strcmp(path, run->plan->stages[planned->stage].path) == 0;
        if (!named && strcmp(path, "-") != 0) continue;
        found = step;
        count++;
    }
    if (count == 1) {
        *ret_step = found;
        return 0;
    }
    if (count == 0) return error_set(err, ERROR_CONFLICT, NOWHERE, "run %llu waits for no such approval", (unsigned long long)run->number);
    error_set(err, ERROR_CONFLICT, NOWHERE, "run %llu waits for %u approvals", (unsigned long long)run->number, count);
    return error_hint(err, "name the stage");
}

void engine_vote(struct engine *engine, uint64_t number, const char *step_path, const char *by, const char *const *groups, bool approve,
    const char *comment, void (*done)(void *context, const struct error *err), void *context)
{
    struct error err;
    struct event_list events = {0};
    uint32_t step = NO_STEP;
    struct live_run *run = open_run(engine, number, &err);
    if (!run || approval_step(run, step_path, &step, &err) < 0 ||
        settle_vote(run->state, step, by, groups, approve, comment, clock_now_ms(), &events, &err) < 0) {
        event_list_release(&events);
        done(context, &err);
        return;
    }
    live_fold(run, &events);
    live_wait_commit(run, done, context);
    live_advance(run);
}

/* A step's path, or its stage's where only one of it is to be settled; "-": the only one of the run. */
static bool is_meant(const struct live_run *run, uint32_t step, const char *path)
{
    enum step_status status = run->state->steps[step].status;
    if (status != STEP_unknown && status != STEP_compensation_failed) return false;
    return text_equal(path, "-") || text_equal(path, run->plan->stages[run->plan->steps[step].stage].path);
}

static bool is_stage(const struct plan *plan, const char *path)
{
    for (uint32_t i = 0; i < plan->stage_count; i++)
        if (text_equal(plan->stages[i].path, path)) return true;
    return false;
}

static int unsettled_step(const struct live_run *run, const char *path, uint32_t *ret_step, struct error *err)
{
    uint32_t found = NO_STEP, count = 0;
    const struct plan_step *named = plan_find_step(run->plan, path);
    for (uint32_t step = 0; !named && step < run->plan->step_count; step++) {
        if (!is_meant(run, step, path)) continue;
        found = step;
        count++;
    }
    if (named || count == 1) {
        *ret_step = named ? named->index : found;
        return 0;
    }
    if (strcmp(path, "-") != 0 && !is_stage(run->plan, path))
        return error_set(err, ERROR_NOT_FOUND, NOWHERE, "run %llu has no step %.120s", (unsigned long long)run->number, path);
    if (!count) return error_set(err, ERROR_CONFLICT, NOWHERE, "run %llu has nothing to settle", (unsigned long long)run->number);
    error_set(err, ERROR_CONFLICT, NOWHERE, "run %llu has %u steps to settle", (unsigned long long)run->number, count);
    return error_hint(err, "name the step");
}

void engine_resolve(struct engine *engine, uint64_t number, const char *step_path, const struct resolution *resolution,
    void (*done)(void *context, const struct error *err), void *context)
{
    struct error err;
    struct event_list events = {0};
    uint32_t step = NO_STEP;
    struct live_run *run = open_run(engine, number, &err);
    if (!run || unsettled_step(run, step_path, &step, &err) < 0 ||
        settle_resolve(run->state, step, resolution, clock_now_ms(), &events, &err) < 0) {
        event_list_release(&events);
        done(context, &err);
        return;
    }
    live_fold(run, &events);
    live_wait_commit(run, done, context);
    live_advance(run);
}

const struct run_state *engine_run_state(struct engine *engine, uint64_t number)
{
    struct live_run *run = live_find(engine, number);
    return run ? live_look(run) : NULL;
}

const char *engine_run_trouble(const struct engine *engine, uint64_t number)
{
    const struct live_run *run = live_find(engine, number);
    return run ? run->trouble : NULL;
}

bool engine_run_goes_on(const struct engine *engine, uint64_t number)
{
    const struct live_run *run = live_find(engine, number);
    return run && (run_sleeps(run) || !run_status_at_rest(run->state->status));
}

int engine_read_plan(struct engine *engine, uint64_t number, struct plan **ret, struct error *err)
{
    AUTO(free_json) json_t *row = NULL;
    AUTO(free_json) json_t *json = NULL;
    AUTO(free_text) char *text = NULL;
    size_t size;
    if (journal_get_run(engine->journal, number, &row, err) < 0) return -(int)err->code;
    const char *digest = json_text(row, "plan", NULL);
    if (!digest)
        return error_set(err, ERROR_NOT_FOUND, NOWHERE, "run %llu has no plan: its file is wrong or missing", (unsigned long long)number);
    if (journal_get_blob(engine->journal, digest, &text, &size, err) < 0)
        return error_wrap(err, "the plan of run %llu", (unsigned long long)number);
    if (json_parse_stored(text, size, "the stored plan", &json, err) < 0) return -(int)err->code;
    return plan_from_stored(json, digest, ret, err);
}

char *engine_log_path(struct engine *engine, uint64_t run)
{
    return mem_format("%s/runs/%llu/log", engine->options.data, (unsigned long long)run);
}

struct subscription *engine_subscribe(struct engine *engine, uint64_t run, void (*changed)(void *context, uint64_t run), void *context)
{
    struct subscription *subscription = mem_alloc(sizeof *subscription);
    *subscription = (struct subscription){engine, engine->subscriptions, run, changed, context};
    engine->subscriptions = subscription;
    return subscription;
}

void engine_unsubscribe(struct subscription **subscription)
{
    struct subscription *gone = *subscription;
    if (!gone) return;
    struct subscription **at = &gone->engine->subscriptions;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    free(gone);
    *subscription = NULL;
}

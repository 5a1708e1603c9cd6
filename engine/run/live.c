/* live.c: the life of a run in the engine: fold, append, decide, again. */
#include "run/live.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/compress.h"
#include "run/lease.h"
#include "run/sleep.h"

#include <stdlib.h>
#include <string.h>

bool step_is_live(enum step_status status)
{
    return status == STEP_starting || status == STEP_running || status == STEP_cancelling || status == STEP_compensating;
}

static void on_timer(uv_timer_t *timer)
{
    struct live_run *run = timer->data;
    live_stir(run);
    if (!run->held && sleep_is_due(run)) sleep_begin(run);
}

static void insert_by_number(struct engine *engine, struct live_run *run)
{
    bool last = engine->last && engine->last->number < run->number; /* nearly always: numbers grow */
    struct live_run **at = last ? &engine->last->next : &engine->runs;
    while (*at && (*at)->number < run->number)
        at = &(*at)->next;
    if (!*at) engine->last = run;
    run->next = *at;
    *at = run;
}

struct live_run *live_new(struct engine *engine, uint64_t number, struct plan *plan, json_t *accepted)
{
    struct live_run *run = mem_alloc(sizeof *run);
    run->engine = engine;
    run->number = number;
    run->from_run = (uint64_t)json_whole(accepted, "from_run", 0);
    live_equip(run, plan, run_state_new(plan), accepted);
    run->folder = mem_format("%s/runs/%llu", engine->options.data, (unsigned long long)number);
    run->sayings_end = &run->sayings;
    run->commits_end = &run->commits;
    uv_timer_init(engine->loop, &run->timer);
    run->timer.data = run;
    insert_by_number(engine, run);
    return run;
}

struct live_run *live_find(const struct engine *engine, uint64_t number)
{
    for (struct live_run *run = engine->runs; run; run = run->next)
        if (run->number == number) return run;
    return NULL;
}

struct commit { /* what one append owes when it is on disk */
    struct live_run *run;
    struct waiter *waiters;
    uint64_t sequence;
    bool durable;
    bool marks_log; /* as one that may be compressed */
    struct commit *next;
};

/* err: NULL = it is on disk. */
static void answer_waiters(struct waiter *waiters, const struct error *err)
{
    for (struct waiter *waiter = waiters, *next; waiter; waiter = next) {
        next = waiter->next;
        waiter->done(waiter->context, err);
        free(waiter);
    }
}

static void free_run(uv_handle_t *timer)
{
    struct live_run *run = timer->data;
    for (struct saying *saying = run->sayings, *next; saying; saying = next) {
        next = saying->next;
        free(saying->line);
        free(saying);
    }
    lease_release(run);
    event_list_release(&run->outbox);
    live_strip(run);
    free(run->folder);
    free(run->plan_text);
    free(run->trouble);
    free(run->groups);
    free(run);
}

void live_retire(struct live_run *run)
{
    if (run->appends_pending || run->held || run->advancing || run->closing) return;
    if ((run_sleeps(run) || !run_status_at_rest(run->state->status)) && !run->engine->closing) return;
    struct live_run **at = &run->engine->runs, *before = NULL;
    for (; *at != run; at = &before->next)
        before = *at;
    *at = run->next;
    if (run->engine->last == run) run->engine->last = before;
    if (run->supervisor) supervisor_detach(take(&run->supervisor)); /* only where the engine stops: the shim lives on */
    run->closing = true;
    uv_close((uv_handle_t *)&run->timer, free_run);
}

/* After a failed journal its callbacks do not come: whoever waits for one is let go of. */
static void give_up_commits(struct live_run *run)
{
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, NOWHERE, "the server is stopping, and cannot say what became of this request");
    run->held++;
    for (struct commit *commit = run->commits, *next; commit; commit = next) {
        next = commit->next;
        answer_waiters(commit->waiters, &err);
        free(commit);
    }
    run->held--;
    run->appends_pending = 0;
}

void live_close(struct live_run *run)
{
    give_up_commits(run);
    live_retire(run);
}

void live_touch(struct live_run *run, uint32_t step)
{
    if (!run->is_touched[step]) run->touched[run->touched_count++] = step;
    run->is_touched[step] = true;
    if (!run->is_acting[step]) run->acting[run->acting_count++] = step;
    run->is_acting[step] = true;
}

/* Keeps the counters that belong to the shell: slots in use, steps done and failed. */
static void count_move(struct live_run *run, uint32_t step, enum step_status before, enum step_status after)
{
    uint32_t stage = run->plan->steps[step].stage;
    if (!step_is_live(before) && step_is_live(after) && run->stage_live[stage]++ == 0) run->engine->live_stages++;
    if (step_is_live(before) && !step_is_live(after) && --run->stage_live[stage] == 0) {
        run->engine->live_stages--;
        run->engine->slot_freed = true;
    }
    step_counts_move(&run->counts, before, after);
}

static bool fold_one(struct live_run *run, const struct event *event)
{
    struct error err;
    bool of_step = event->step != NO_STEP && event->step < run->plan->step_count;
    enum step_status before = of_step ? run->state->steps[event->step].status : STEP_pending;
    if (reduce(run->state, event, &err) < 0) {
        log_line(LOG_LEVEL_ERROR, "run %llu: %s was not folded: %s (please report this)", (unsigned long long)run->number,
            event_type_name(event->type), err.message);
        return false;
    }
    if (of_step) {
        count_move(run, event->step, before, run->state->steps[event->step].status);
        live_touch(run, event->step);
    }
    return true;
}

bool live_fold(struct live_run *run, struct event_list *events)
{
    bool all = true;
    for (size_t i = 0; i < events->count; i++) {
        struct event *event = &events->items[i];
        if (fold_one(run, event)) {
            run->event_ms = event->time_ms;
            event_list_add(&run->outbox, event->type, event->step, event->time_ms, take(&event->data));
        } else {
            all = false;
        }
    }
    event_list_release(events);
    return all;
}

static void tell_subscribers(struct engine *engine, uint64_t run)
{
    for (struct subscription *each = engine->subscriptions, *next; each; each = next) {
        next = each->next;
        if (each->run == 0 || each->run == run) each->changed(each->context, run);
    }
}

static void on_committed(void *context)
{
    struct commit *commit = context;
    struct live_run *run = commit->run;
    run->held++;
    run->appends_pending--;
    run->commits = commit->next;
    if (!run->commits) run->commits_end = &run->commits;
    if (commit->durable) run->durable_pending--;
    if (commit->sequence && run->supervisor && run->attached) supervisor_acknowledge(run->supervisor, commit->sequence);
    answer_waiters(commit->waiters, NULL);
    tell_subscribers(run->engine, run->number);
    if (commit->marks_log) compress_soon(run->engine->compressing);
    if (!run->engine->closing && live_act(run)) live_advance(run);
    free(commit);
    run->held--;
    if (!run->engine->closing && sleep_is_due(run)) live_arm_timer(run);
    live_retire(run);
}

static void release_rows(
    char **outputs, struct step_row *rows, char **payloads, struct journal_event *events, size_t row_count, size_t event_count)
{
    for (size_t i = 0; i < row_count; i++)
        free(outputs[i]);
    for (size_t i = 0; i < event_count; i++)
        free(payloads[i]);
    free(outputs);
    free(rows);
    free(payloads);
    free(events);
}

/* The event's row, with the run's next number; the caller frees *ret_payload behind it. */
static struct journal_event number_event(struct live_run *run, const struct event *event, char **ret_payload)
{
    *ret_payload = event->data ? json_canonical(event->data) : NULL;
    return (struct journal_event){.run = run->number,
        .seq = ++run->event_count,
        .time_ms = event->time_ms,
        .type = event_type_name(event->type),
        .step = event->step,
        .durable = event_type_class(event->type) == EVENT_CLASS_DURABLE,
        .data = *ret_payload};
}

void live_flush(struct live_run *run)
{
    size_t event_count = run->outbox.count, row_count = run->touched_count;
    if (event_count == 0 && !run->waiters) return;
    struct journal_event *events = mem_alloc_array(event_count, sizeof *events);
    char **payloads = mem_alloc_array(event_count, sizeof *payloads);
    struct step_row *rows = mem_alloc_array(row_count, sizeof *rows);
    char **outputs = mem_alloc_array(row_count, sizeof *outputs);
    struct commit *commit = mem_alloc(sizeof *commit);
    const struct projected now = {run->number, run->plan, run->state, run->accepted, run->counts};
    for (size_t i = 0; i < event_count; i++) {
        events[i] = number_event(run, &run->outbox.items[i], &payloads[i]);
        commit->durable |= events[i].durable;
    }
    for (size_t i = 0; i < row_count; i++) {
        project_step(&now, run->touched[i], &rows[i], &outputs[i]);
        run->is_touched[run->touched[i]] = false;
    }
    struct run_row run_row;
    project_run(&now, &run_row);
    struct document_list documents = {0};
    if (event_count) project_documents(run, &documents);
    struct shim_row shim_row = {run->number, run->report_sequence};
    struct log_mark log_mark = event_count ? compress_mark(run) : (struct log_mark){0};
    struct blob blob = {run->plan->digest, run->plan_text, run->plan_text ? strlen(run->plan_text) : 0};
    commit->run = run;
    commit->waiters = take(&run->waiters);
    commit->sequence = run->report_sequence;
    commit->marks_log = log_mark.run != 0;
    *run->commits_end = commit;
    run->commits_end = &commit->next;
    run->touched_count = 0;
    run->appends_pending++;
    run->durable_pending += commit->durable;
    journal_append(run->engine->journal,
        &(struct journal_batch){.events = events,
            .event_count = event_count,
            .run = &run_row,
            .steps = rows,
            .step_count = row_count,
            .shim = run->report_sequence ? &shim_row : NULL,
            .blob = run->plan_text ? &blob : NULL,
            .log_mark = log_mark,
            .documents = documents.items,
            .document_count = documents.count},
        on_committed, commit);
    document_list_release(&documents);
    free(take(&run->plan_text));
    release_rows(outputs, rows, payloads, events, row_count, event_count);
    event_list_release(&run->outbox);
}

static int64_t next_due_ms(const struct live_run *run)
{
    if (run_sleeps(run)) return run->wake_ms;
    return run->is_unheard ? INT64_MAX : decide_next_time(run->state);
}

void live_arm_timer(struct live_run *run)
{
    bool sleeps = run_sleeps(run), tires = sleep_is_due(run);
    int64_t next = next_due_ms(run), lease_ms = lease_wait_ms(run);
    bool has_time = next != INT64_MAX || run->idle_since_ms || lease_ms != INT64_MAX || tires;
    if (!has_time || (!sleeps && run_status_at_rest(run->state->status))) {
        uv_timer_stop(&run->timer);
        return;
    }
    enum { LONGEST_SLEEP_MS = 60 * 1000 }; /* the wall clock may be set meanwhile */
    int64_t wait = next == INT64_MAX ? LONGEST_SLEEP_MS : next - clock_now_ms();
    if ((run->idle_since_ms || tires) && wait > IDLE_SHIM_MS) wait = IDLE_SHIM_MS;
    if (lease_ms < wait) wait = lease_ms;
    if (wait < 0) wait = 0;
    if (wait > LONGEST_SLEEP_MS) wait = LONGEST_SLEEP_MS;
    uv_timer_start(&run->timer, on_timer, (uint64_t)wait, 0);
}

static void decide_all(struct live_run *run)
{
    const struct engine *engine = run->engine;
    for (bool again = !run->is_unheard; again && !run_status_at_rest(run->state->status);) {
        struct event_list events = {0};
        unsigned slots = engine->options.slots;
        unsigned free_slots = slots > engine->live_stages ? slots - engine->live_stages : 0;
        struct turn *turns = turns_look(run);
        if (engine->failed) return free(turns);
        decide(run->state, &(struct decide_input){clock_now_ms(), free_slots, lease_is_unsure(run), turns}, &events);
        free(turns);
        again = events.count > 0 && live_fold(run, &events);
    }
}

/* Acting may itself make events (a step that cannot be launched), and then there is something to decide again. */
static void advance_one(struct live_run *run)
{
    run->advancing = true;
    for (bool changed = true; changed;) {
        lease_tend(run);
        decide_all(run);
        live_flush(run);
        changed = false;
        if (run->durable_pending)
            live_prepare(run);
        else
            changed = live_act(run);
    }
    turns_notice(run);
    live_arm_timer(run);
    run->advancing = false;
}

/* A stage that ended frees its slot: the oldest run that waits for one gets it first. */
static void offer_slots(struct engine *engine)
{
    while (engine->slot_freed) {
        engine->slot_freed = false;
        for (struct live_run *run = engine->runs, *next; run; run = next) {
            next = run->next;
            if (!run_sleeps(run) && !run->advancing && !run->closing && decide_wants_slot(run->state)) advance_one(run);
        }
    }
}

/* A run let go of a group, or came to wait for one: what that means for the others, each tells for itself. */
static void offer_turns(struct engine *engine)
{
    while (engine->turns_changed) {
        engine->turns_changed = false;
        for (struct live_run *run = engine->runs, *next; run; run = next) {
            next = run->next;
            if (!run_sleeps(run) && !run->advancing && !run->closing && turns_wait(run)) advance_one(run);
        }
    }
}

void live_advance(struct live_run *run)
{
    struct engine *engine = run->engine;
    if (run->advancing || run->closing || engine->closing || engine->failed || !live_wake(run)) return;
    run->held++;
    advance_one(run);
    do {
        offer_slots(engine);
        offer_turns(engine);
    } while (engine->slot_freed);
    run->held--;
    live_retire(run);
}

void live_wait_commit(struct live_run *run, void (*done)(void *context, const struct error *err), void *context)
{
    struct waiter *waiter = mem_alloc(sizeof *waiter);
    *waiter = (struct waiter){done, context, run->waiters};
    run->waiters = waiter;
}

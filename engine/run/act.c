/* act.c: what the state asks of the world: steps to launch, to end, to be told something; a shim to end with its run. */
#include "run/live.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/spare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Steps whose shim cannot be had end as refused, with the reason for a person. */
static void refuse_step(struct live_run *run, uint32_t step, const struct error *err)
{
    AUTO(free_text) char *message = mem_format("%s%s%s", err->message, err->hint[0] ? "; " : "", err->hint);
    enum reason reason = err->code == ERROR_DENIED ? REASON_denied : err->code == ERROR_INVALID ? REASON_invalid : REASON_failed;
    live_report(run, &(struct report){.type = REPORT_REFUSED,
                         .step = step,
                         .attempt = run->state->steps[step].attempt,
                         .time_ms = clock_now_ms(),
                         .reason = reason,
                         .message = message});
}

int make_run_folder(const char *folder, struct error *err)
{
    AUTO(free_text) char *workspaces = mem_format("%s/workspaces", folder);
    AUTO(free_text) char *state = mem_format("%s/state", folder);
    if (file_make_folders(folder, 0700, err) < 0) return -(int)err->code;
    /* A set-group-id data folder would hand its group down to the workspaces, where no sandbox knows it. */
    if (chown(folder, (uid_t)-1, getegid()) < 0 || chmod(folder, 0700) < 0) return error_set_errno(err, errno, "%s", folder);
    if (file_make_folders(workspaces, 0755, err) < 0) return -(int)err->code;
    return file_make_folders(state, 0755, err);
}

static int need_supervisor(struct live_run *run, struct error *err)
{
    if (run->supervisor) return 0;
    const struct supervisor_hooks hooks = live_supervisor_hooks(run);
    run->supervisor = spare_take(run->engine->spare, run->folder, &hooks);
    if (run->supervisor) return 0;
    if (make_run_folder(run->folder, err) < 0) return -(int)err->code;
    int failed = supervisor_open(
        run->engine->loop, run->folder, run->engine->options.shim, run->report_sequence, true, &hooks, &run->supervisor, err);
    return failed < 0 ? error_wrap(err, "the run's supervisor did not start") : 0;
}

/* The shim ends it, and tells of one that it never had that it is dropped; without a shim there is nothing to end. */
static bool end_step(struct live_run *run, uint32_t step, uint32_t attempt)
{
    if (run->attached) supervisor_cancel(run->supervisor, step, attempt);
    if (run->supervisor) return false; /* else live_act_on_all comes with the attach, or the loss is told */
    live_report(run, &(struct report){.type = REPORT_DROPPED, .step = step, .attempt = attempt, .time_ms = clock_now_ms()});
    return true;
}

/* A stage that is over needs no sandbox: its init, its mounts and its record at the shim may go. What comes back to it, to undo, gets a
   new one. Asked of the last step only, behind which the others are at rest nearly always: what stays goes with the run. */
static void end_sandboxes(struct live_run *run, uint32_t step)
{
    const struct plan_step *planned = &run->plan->steps[step];
    const struct plan_stage *stage = &run->plan->stages[planned->stage];
    if (step + 1 != stage->first_step + stage->step_count || run->state->stages[planned->stage].steps_open || !run->attached) return;
    bool had_one = false;
    for (uint32_t at = stage->first_step; at <= step; at++) {
        if (!run->has_sandbox[at]) continue;
        supervisor_end_stage(run->supervisor, at);
        run->has_sandbox[at] = false;
        had_one = true;
    }
    if (had_one) workspace_leave(run, planned->stage);
}

/* True: the state has changed by it, so that there is something to decide. */
static bool act_on_step(struct live_run *run, uint32_t step)
{
    struct error err;
    const struct step_state *state = &run->state->steps[step];
    bool undoes = state->status == STEP_compensating && state->undoing;
    if (step_status_at_rest(state->status)) return end_sandboxes(run, step), false;
    if (state->status == STEP_cancelling || (undoes && state->ending)) return end_step(run, step, state->attempt);
    if ((state->status != STEP_starting && !undoes) || run->handed[step] == state->attempt) return false;
    if (need_supervisor(run, &err) < 0) {
        refuse_step(run, step, &err);
        return true;
    }
    if (!run->attached) return false; /* live_act_on_all comes with the attach */
    run->handed[step] = state->attempt;
    if (launch_step(run, step, &err) == 0) return false;
    refuse_step(run, step, &err);
    return true;
}

static void say_all(struct live_run *run)
{
    for (struct saying *saying; run->attached && (saying = run->sayings);) {
        run->sayings = saying->next;
        if (!run->sayings) run->sayings_end = &run->sayings;
        supervisor_say(run->supervisor, saying->step, saying->attempt, saying->line);
        free(saying->line);
        free(saying);
    }
}

static void remove_workspaces(uv_work_t *work)
{
    struct error err;
    if (file_remove_tree(work->data, &err) < 0) log_error(&err, "a run's workspaces stay behind");
}

static void workspaces_removed(uv_work_t *work, int status)
{
    (void)status;
    free(work->data);
    free(work);
}

/* In libuv's worker, because a tree of a hundred thousand files would hold up the loop. */
static void clean_up(struct live_run *run)
{
    uv_work_t *work = mem_alloc(sizeof *work);
    work->data = mem_format("%s/workspaces", run->folder);
    if (uv_queue_work(run->engine->loop, work, remove_workspaces, workspaces_removed) != 0) workspaces_removed(work, 0);
}

static void end_supervisor(struct live_run *run)
{
    if (!run->supervisor) return;
    supervisor_end(run->supervisor);
    run->supervisor = NULL;
    run->attached = false;
    clean_up(run);
}

/* Waiting is not a process: a run whose steps are all parked or to come, or that a person has to look at, lets its shim go, and gets a new
   one when it goes on. Not for the pause before a retry: what the stage left in its sandbox is needed again. */
static void let_idle_shim_go(struct live_run *run)
{
    const struct run_state *state = run->state;
    bool idle = (state->status == RUN_waiting || state->status == RUN_rollback_failed) && !state->live_count &&
                !state->parked_count[WAIT_retry] && run->attached && !run->appends_pending;
    if (!idle) {
        run->idle_since_ms = 0;
        return;
    }
    if (!run->idle_since_ms) {
        run->idle_since_ms = clock_now_ms();
        live_arm_timer(run);
    }
    if (clock_now_ms() - run->idle_since_ms < IDLE_SHIM_MS) return;
    supervisor_end(run->supervisor);
    run->supervisor = NULL;
    run->idle_since_ms = 0;
    live_forget_shim(run);
}

static bool act_on_steps(struct live_run *run)
{
    bool changed = false;
    uint32_t count = run->acting_count, *now = run->acting;
    run->acting = run->acting_now; /* acting may touch steps, which are for the next time */
    run->acting_now = now;
    run->acting_count = 0;
    for (uint32_t i = 0; i < count; i++)
        run->is_acting[now[i]] = false;
    for (uint32_t i = 0; i < count; i++)
        changed |= act_on_step(run, now[i]);
    return changed;
}

static void say_again(struct live_run *run, uint32_t step, const char *type, const struct effect_state *effect)
{
    AUTO(free_json) json_t *line = json_pack("{s:s, s:s, s:s}", "type", type, "name", effect->name, "key", effect->key);
    if (!strcmp(type, "find")) json_put_text(line, "adopt", effect->adopt);
    if (!strcmp(type, "find")) effect_put_sending(effect, line);
    if (!strcmp(type, "known")) {
        json_put_text(line, "seen", effect->status == EFFECT_failed ? "failed" : "done");
        json_put(line, "outcome", effect->outcome ? json_incref(effect->outcome) : json_null());
    }
    if (!strcmp(type, "kept") && effect->status == EFFECT_unknown) json_put_text(line, "seen", "unsure");
    AUTO(free_text) char *text = json_canonical(line);
    supervisor_say(run->supervisor, step, run->state->steps[step].attempt, text);
}

/* What a step may wait for that has said something of this effect: an answer to its intent, and to its outcome. */
static void repeat_answer(struct live_run *run, uint32_t step, const struct effect_state *effect)
{
    bool has_outcome = effect->status == EFFECT_done || effect->status == EFFECT_failed || effect->status == EFFECT_compensated;
    bool is_open = effect->status == EFFECT_intended || effect->status == EFFECT_sent;
    if (has_outcome) say_again(run, step, "known", effect);
    if (!has_outcome && effect->status != EFFECT_abandoned) say_again(run, step, "find", effect);
    if (!is_open) say_again(run, step, "kept", effect);
}

/* After a restart a step may wait for an answer that the old engine did not get to give. The safe one is given again: `find` never
   makes a second order, and a step passes over an answer that it does not wait for. */
static void repeat_answers(struct live_run *run, uint32_t step)
{
    const struct step_state *state = &run->state->steps[step];
    for (const struct effect_state *effect = state->effects; effect; effect = effect->next)
        repeat_answer(run, step, effect);
    if (state->checkpoint) supervisor_say(run->supervisor, step, state->attempt, "{\"type\":\"kept\"}");
}

static void repeat_all_answers(struct live_run *run)
{
    run->must_repeat = false;
    for (uint32_t step = 0; step < run->plan->step_count; step++) {
        enum step_status status = run->state->steps[step].status;
        if (status == STEP_running || status == STEP_compensating) repeat_answers(run, step);
    }
}

/* What was folded a moment ago and is not even written counts as well: at an attach, the last of what the shim told again. */
static bool waits_for_disk(const struct live_run *run)
{
    return run->durable_pending || run->outbox.count;
}

bool live_act(struct live_run *run)
{
    if (waits_for_disk(run) || run->engine->failed) return false;
    run->loss_pending = false;
    if (run->must_repeat) repeat_all_answers(run);
    bool changed = act_on_steps(run);
    say_all(run);
    if (run_status_at_rest(run->state->status))
        end_supervisor(run);
    else if (run->attached)
        supervisor_flush(run->supervisor);
    let_idle_shim_go(run);
    return changed;
}

/* A shim and its empty sandboxes do nothing, so they may be made while the run that will need them is being synced. Should the server die
   before that, no run gets this folder (submit.c), and the shim ends by itself. Not after a loss that is not on disk yet: who takes the run
   up then would find a living shim that has never heard of what was lost, and wait for it for ever. */
void live_prepare(struct live_run *run)
{
    if (run->loss_pending) return;
    struct error ignored; /* the same happens again, and is told, when a step is to be launched */
    for (uint32_t i = 0; i < run->acting_count; i++) {
        uint32_t step = run->acting[i];
        if (run->state->steps[step].status != STEP_starting) continue;
        if (need_supervisor(run, &ignored) < 0) return;
        if (run->attached && launch_prepare(run, step, &ignored) < 0) return;
    }
    if (run->attached) supervisor_flush(run->supervisor);
}

bool live_act_on_all(struct live_run *run)
{
    run->must_repeat = true;
    for (uint32_t step = 0; step < run->plan->step_count; step++) {
        enum step_status status = run->state->steps[step].status;
        if (!step_is_live(status) || run->is_acting[step]) continue;
        run->acting[run->acting_count++] = step;
        run->is_acting[step] = true;
    }
    if (run->durable_pending) live_prepare(run);
    return live_act(run);
}

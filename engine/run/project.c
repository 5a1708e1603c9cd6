/* project.c: the rows of the journal's projections, from the state. */
#include "run/live.h"

#include "base/json.h"

void project_documents(const struct live_run *run, struct document_list *list)
{
    const struct engine_options *options = &run->engine->options;
    if (!options->project) return;
    const struct run_view view = {.run = run->number,
        .plan = run->plan,
        .state = run->state,
        .accepted = run->accepted,
        .now_ms = run->event_ms,
        .journal = run->engine->journal};
    options->project(options->project_context, &view, list);
}

void step_counts_move(struct step_counts *counts, enum step_status before, enum step_status after)
{
    if (!step_status_at_rest(before) && step_status_at_rest(after)) counts->done++;
    if (step_status_at_rest(before) && !step_status_at_rest(after)) counts->done--;
    if (before != STEP_failed && after == STEP_failed) counts->failed++;
}

/* Whose turn it is, where the run waits for nothing else. */
static const char *turn_message(const struct run_state *state)
{
    if (state->status != RUN_waiting || state->wait != WAIT_group) return NULL;
    for (uint32_t i = 0; i < state->plan->step_count; i++)
        if (state->steps[i].status == STEP_parked && state->steps[i].wait == WAIT_group) return state->steps[i].message;
    return NULL;
}

void project_run(const struct projected *run, struct run_row *row)
{
    const struct run_state *state = run->state;
    const json_t *facts = run->accepted;
    bool ended_badly = state->status == RUN_failed || state->status == RUN_cancelled || state->status == RUN_rolling_back ||
                       state->status == RUN_rolled_back || state->status == RUN_rollback_failed;
    *row = (struct run_row){
        .run = run->run,
        .key = json_text(facts, "key", NULL),
        .pipeline = json_text(facts, "pipeline", run->plan->name),
        .repository = json_text(facts, "repository", NULL),
        .ref = json_text(facts, "ref", NULL),
        .commit_id = json_text(facts, "commit", NULL),
        .author = json_text(facts, "author", NULL),
        .title = json_text(facts, "title", NULL),
        .trigger = json_text(facts, "trigger", NULL),
        .state = run_status_name(state->status),
        .reason = ended_badly ? reason_name(state->reason) : NULL,
        .message = state->turn_message ? state->turn_message
                   : state->message    ? state->message
                   : run_judges(state) ? "judging"
                                       : turn_message(state),
        .waiting_for = state->status == RUN_waiting || state->turn_message ? wait_name(state->wait) : NULL,
        .plan = json_text(facts, "plan", NULL),
        .accepted_ms = state->accepted_ms,
        .started_ms = state->started_ms,
        .ended_ms = state->ended_ms,
        .step_count = run->plan->step_count,
        .steps_done = run->counts.done,
        .steps_failed = run->counts.failed,
    };
}

void project_step(const struct projected *run, uint32_t step, struct step_row *row, char **ret_outputs)
{
    const struct step_state *state = &run->state->steps[step];
    const struct plan_step *planned = &run->plan->steps[step];
    bool explained = state->status == STEP_failed || state->status == STEP_cancelled;
    *ret_outputs = state->outputs ? json_canonical(state->outputs) : NULL;
    *row = (struct step_row){
        .run = run->run,
        .step = step,
        .path = planned->path,
        .type = planned->type,
        .title = planned->title,
        .state = step_status_name(state->status),
        .reason = explained ? reason_name(state->reason) : NULL,
        .message = state->message,
        .waiting_for = state->status == STEP_parked ? wait_name(state->wait) : NULL,
        .attempt = state->attempt,
        .started_ms = state->began_ms ? state->began_ms : state->started_ms,
        .ended_ms = state->ended_ms,
        .until_ms = state->until_ms,
        .exit_code = state->exit_code,
        .outputs = *ret_outputs,
    };
}

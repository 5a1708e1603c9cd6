/* routes_approvals.c: what waits for a person, and their decisions. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/server.h"

#include <stdlib.h>
#include <string.h>

static json_t *votes_of(const struct step_state *step)
{
    json_t *votes = json_array();
    for (const struct vote *vote = step->votes; vote; vote = vote->next)
        json_array_append_new(votes, json_pack("{s:s, s:s, s:I}", "by", vote->by, "decision", vote->approve ? "approve" : "reject",
                                         "time_ms", (json_int_t)vote->time_ms));
    return votes;
}

/* The row knows who and when; the plan knows who may, the state who has. */
static json_t *describe(struct server *server, const json_t *row)
{
    const struct run_state *state = engine_run_state(server->engine, (uint64_t)json_whole(row, "run", 0));
    int64_t index = json_whole(row, "step", -1);
    static const char *const kept[] = {"run", "title", "until_ms", "pipeline", "repository", "ref", "commit", "author", "run_title"};
    json_t *approval = json_object();
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        json_put(approval, kept[i], json_incref(json_object_get(row, kept[i])));
    json_put(approval, "step", json_incref(json_object_get(row, "path")));
    if (!state || index < 0 || index >= (int64_t)state->plan->step_count) return approval;
    const struct plan_step *step = &state->plan->steps[index];
    json_put_text(approval, "step", state->plan->stages[step->stage].path);
    json_put(approval, "ask", json_incref(json_object_get(step->with, "ask")));
    json_put(approval, "by", json_incref(json_object_get(step->with, "by")));
    json_put_whole(approval, "quorum", json_whole(step->with, "quorum", 1));
    json_put(approval, "votes", votes_of(&state->steps[index]));
    return approval;
}

static void handle_list(struct request *request, void *context)
{
    struct server *server = context;
    struct error err;
    AUTO(free_json) json_t *rows = NULL;
    if (journal_list_approvals(engine_journal(server->engine), &rows, &err) < 0) {
        respond_error(request, &err);
        return;
    }
    json_t *approvals = json_array();
    for (size_t i = 0; i < json_array_size(rows); i++)
        json_array_append_new(approvals, describe(server, json_array_get(rows, i)));
    respond_json(request, 200, json_pack("{s:o}", "approvals", approvals));
}

struct decision {
    struct server *server;
    struct request *request;
    uint64_t run;
};

static void on_voted(void *context, const struct error *err)
{
    struct decision *decision = context;
    if (err)
        respond_error(decision->request, err);
    else
        server_respond_run(decision->server, decision->request, 200, decision->run);
    free(decision);
}

static void handle_decide(struct request *request, void *context)
{
    struct server *server = context;
    uint64_t run;
    if (!server_read_run(request, &run)) return;
    const json_t *body = request_body(request);
    struct decision *decision = mem_alloc(sizeof *decision);
    *decision = (struct decision){server, request, run};
    engine_vote(server->engine, run, request_part(request, "step"), request_user(request), request_groups(request),
        text_equal(json_text(body, "decision", ""), "approve"), json_text(body, "comment", NULL), on_voted, decision);
}

static const char *const decisions[] = {"approve", "reject", NULL};
static const struct field decision_fields[] = {
    {.name = "decision", .type = FIELD_CHOICE, .flags = FIELD_REQUIRED, .choices = decisions, .help = "approve or reject"},
    {.name = "comment", .type = FIELD_TEXT, .help = "Why; stands in the run's record"},
    FIELD_END,
};

const struct route approvals_routes[] = {
    {"GET", "/v1/approvals", handle_list, "What waits for a person", NULL},
    {"POST", "/v1/runs/{run}/approvals/{step}", handle_decide, "Approves or rejects; {step} is the stage's path, - the only one",
        decision_fields},
    ROUTE_END,
};

/* routes_runs.c: runs: the list, one with its stages and steps, its plan, and cancelling. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "server/follower.h"
#include "server/server.h"

#include <stdlib.h>
#include <string.h>

bool server_read_run(struct request *request, uint64_t *ret_run)
{
    int64_t number = 0;
    const char *text = request_part(request, "run");
    if (text_to_integer(text, &number) && number > 0) {
        *ret_run = (uint64_t)number;
        return true;
    }
    struct error err;
    error_set(&err, ERROR_NOT_FOUND, NOWHERE, "there is no run '%.40s'", text);
    error_hint(&err, "a run is a number; `crescendo runs` lists them");
    respond_error(request, &err);
    return false;
}

bool server_read_number(struct request *request, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *ret)
{
    const char *text = request_query(request, name);
    struct error err;
    if (!text) {
        *ret = fallback;
        return true;
    }
    if (text_to_integer(text, ret) && *ret >= min && *ret <= max) return true;
    error_set(&err, ERROR_INVALID, NOWHERE, "'%s' must be a number from %lld to %lld", name, (long long)min, (long long)max);
    respond_error(request, &err);
    return false;
}

void server_respond_run(struct server *server, struct request *request, int status, uint64_t run)
{
    struct error err;
    json_t *row = NULL;
    if (journal_get_run(engine_journal(server->engine), run, &row, &err) < 0)
        respond_error(request, &err);
    else
        respond_json(request, status, row);
}

/* --- the list --- */

static const char *filter(const struct request *request, const char *name)
{
    const char *text = request_query(request, name);
    return text && *text ? text : NULL;
}

static void handle_list(struct request *request, void *context)
{
    struct server *server = context;
    int64_t before, limit;
    struct error err;
    json_t *rows = NULL;
    if (!server_read_number(request, "before", 0, INT64_MAX, 0, &before)) return;
    if (!server_read_number(request, "limit", 1, LIMIT_PAGE, 50, &limit)) return;
    /* One more than asked for tells whether there is a next page. */
    struct run_query query = {.repository = filter(request, "repository"),
        .pipeline = filter(request, "pipeline"),
        .state = filter(request, "state"),
        .before = (uint64_t)before,
        .limit = (unsigned)limit + 1};
    if (query.state && run_status_from_name(query.state) < 0) {
        error_set(&err, ERROR_INVALID, NOWHERE, "'%.40s' is not a state of a run", query.state);
        respond_error(request, &err);
        return;
    }
    if (journal_list_runs(engine_journal(server->engine), &query, &rows, &err) < 0) {
        respond_error(request, &err);
        return;
    }
    json_t *body = json_pack("{s:o}", "runs", rows);
    if (json_array_size(rows) > (size_t)limit) {
        json_array_remove(rows, (size_t)limit);
        json_put_whole(body, "next", json_whole(json_array_get(rows, (size_t)limit - 1), "run", 0));
    }
    respond_json(request, 200, body);
}

/* --- one --- */

static json_t *needs_of(const struct plan *plan, const struct plan_stage *stage)
{
    json_t *needs = json_array();
    for (uint32_t i = 0; i < stage->need_count; i++)
        json_array_append_new(needs, json_string(plan->stages[stage->needs[i]].path));
    return needs;
}

static json_t *describe_stages(const struct run_state *state)
{
    const struct plan *plan = state->plan;
    json_t *stages = json_array();
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const struct plan_stage *stage = &plan->stages[i];
        json_t *steps = json_array();
        for (uint32_t step = 0; step < stage->step_count; step++)
            json_array_append_new(steps, json_string(plan->steps[stage->first_step + step].path));
        json_array_append_new(stages, json_pack("{s:s, s:s, s:o, s:o}", "path", stage->path, "state",
                                          step_status_name(stage_status(state, i)), "needs", needs_of(plan, stage), "steps", steps));
    }
    return stages;
}

/* Steals list; an empty one is left out. */
static void put_list(json_t *row, const char *name, json_t *list)
{
    json_put(row, name, json_array_size(list) ? json_incref(list) : NULL);
    json_decref(list);
}

static void describe_state(const struct run_state *state, json_t *row)
{
    json_put(row, "stages", describe_stages(state));
    json_put_text(row, "isolation", state->isolation);
    json_put_text(row, "text", state->diagnosis);
    put_list(row, "left", run_state_left(state));
    put_list(row, "extras", run_state_extras(state));
    put_list(row, "settled", run_state_settled(state));
    if (!state->cancelled_by) return; /* what the engine says of its own cancels is in the run's message */
    json_put_text(row, "cancelled_by", state->cancelled_by);
    json_put_text(row, "cancel_comment", state->cancel_comment);
}

/* These are no columns: a run that the engine does not hold any more is folded again. */
static int read_state(struct server *server, uint64_t run, json_t *row, struct error *err)
{
    const struct run_state *live = engine_run_state(server->engine, run);
    if (live) {
        describe_state(live, row);
        return 0;
    }
    AUTO(follower_free) struct follower *follower = NULL;
    int code = follower_open(server->engine, run, &follower, err);
    if (code == 0) code = follower_read(follower, NULL, NULL, err);
    if (code == 0) describe_state(follower_state(follower), row);
    return code;
}

static void handle_show(struct request *request, void *context)
{
    struct server *server = context;
    struct journal *journal = engine_journal(server->engine);
    uint64_t run;
    struct error err;
    AUTO(free_json) json_t *row = NULL;
    json_t *steps = NULL;
    if (!server_read_run(request, &run)) return;
    int code = journal_get_run(journal, run, &row, &err);
    if (code == 0) code = journal_list_steps(journal, run, &steps, &err);
    if (code == 0) json_put(row, "steps", steps);
    if (code == 0) code = read_state(server, run, row, &err);
    if (code < 0)
        respond_error(request, &err);
    else
        respond_json(request, 200, take(&row));
}

static void handle_steps(struct request *request, void *context)
{
    struct server *server = context;
    struct journal *journal = engine_journal(server->engine);
    uint64_t run;
    struct error err;
    AUTO(free_json) json_t *row = NULL;
    json_t *steps = NULL;
    if (!server_read_run(request, &run)) return;
    int code = journal_get_run(journal, run, &row, &err);
    if (code == 0) code = journal_list_steps(journal, run, &steps, &err);
    if (code < 0)
        respond_error(request, &err);
    else
        respond_json(request, 200, json_pack("{s:o}", "steps", steps));
}

static void handle_plan(struct request *request, void *context)
{
    struct server *server = context;
    uint64_t run;
    struct error err;
    AUTO(plan_free) struct plan *plan = NULL;
    struct text text = {0};
    if (!server_read_run(request, &run)) return;
    const char *format = request_query(request, "format");
    if (engine_read_plan(server->engine, run, &plan, &err) < 0) {
        respond_error(request, &err);
    } else if (!format || text_equal(format, "json")) {
        respond_json(request, 200, plan_to_json(plan));
    } else if (text_equal(format, "text") || text_equal(format, "dot")) {
        const struct plan_look look = {
            text_equal(request_query(request, "colour"), "1"), text_equal(request_query(request, "bodies"), "1")};
        if (*format == 'd')
            plan_print_dot(plan, &text);
        else
            plan_print_text(plan, look, &text);
        const char *type = *format == 'd' ? "text/vnd.graphviz; charset=utf-8" : "text/plain; charset=utf-8";
        respond_text(request, 200, type, text_view(&text), text.size);
        text_release(&text);
    } else {
        error_set(&err, ERROR_INVALID, NOWHERE, "'format' must be json, text or dot");
        respond_error(request, &err);
    }
}

/* --- cancelling --- */

struct cancel {
    struct server *server;
    struct request *request;
    uint64_t run;
};

static void on_cancelled(void *context, const struct error *err)
{
    struct cancel *cancel = context;
    if (err)
        respond_error(cancel->request, err);
    else
        server_respond_run(cancel->server, cancel->request, 202, cancel->run);
    free(cancel);
}

static void handle_cancel(struct request *request, void *context)
{
    struct server *server = context;
    uint64_t run;
    if (!server_read_run(request, &run)) return;
    struct cancel *cancel = mem_alloc(sizeof *cancel);
    *cancel = (struct cancel){server, request, run};
    engine_cancel(server->engine, run, request_user(request), json_text(request_body(request), "comment", NULL), on_cancelled, cancel);
}

static const struct field cancel_fields[] = {
    {.name = "comment", .type = FIELD_TEXT, .help = "Why; stands in the run's record"},
    FIELD_END,
};

const struct route runs_routes[] = {
    {"GET", "/v1/runs", handle_list, "Lists runs, newest first: ?repository= pipeline= state= before= limit=", NULL},
    {"GET", "/v1/runs/{run}", handle_show, "One run with its stages and steps", NULL},
    {"GET", "/v1/runs/{run}/steps", handle_steps, "The steps of a run", NULL},
    {"GET", "/v1/runs/{run}/plan", handle_plan, "The plan of a run: ?format=json|text|dot&bodies=1", NULL},
    {"POST", "/v1/runs/{run}/cancel", handle_cancel, "Stops a run", cancel_fields},
    ROUTE_END,
};

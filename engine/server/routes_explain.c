/* routes_explain.c: why a run is where it is, from its events. */
#include "base/clock.h"
#include "base/mem.h"
#include "server/follower.h"
#include "server/server.h"
#include "state/explain.h"

struct reader {
    struct explanation *explanation;
    struct follower *follower;
};

static void note(void *context, const struct event *event)
{
    struct reader *reader = context;
    explanation_add(reader->explanation, follower_state(reader->follower), event);
}

static int tell(const struct reader *reader, uint64_t run, const char *path, json_t **ret, struct error *err)
{
    *ret = explanation_tell(reader->explanation, follower_state(reader->follower), path, clock_now_ms());
    if (*ret) return 0;
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "run %llu has no step or stage '%.200s'", (unsigned long long)run, path);
    return error_hint(err, "`crescendo show %llu` lists them", (unsigned long long)run);
}

/* A run that goes on may stand still for want of room, of which no event can tell. */
static void tell_room(const struct server *server, const struct run_state *state, json_t *told)
{
    if (run_status_at_rest(state->status)) return;
    AUTO(free_text) char *trouble = engine_room_trouble(server->engine);
    if (trouble) json_array_append_new(json_object_get(told, "now"), json_pack("{s:s}", "words", trouble));
}

static void handle_explain(struct request *request, void *context)
{
    struct server *server = context;
    struct reader reader = {0};
    uint64_t run;
    struct error err;
    json_t *told = NULL;
    if (!server_read_run(request, &run)) return;
    const char *step = request_query(request, "step");
    int code = follower_open(server->engine, run, &reader.follower, &err);
    if (code == 0) {
        reader.explanation = explanation_new();
        code = follower_read(reader.follower, note, &reader, &err);
    }
    if (code == 0) code = tell(&reader, run, step && *step ? step : NULL, &told, &err);
    if (code == 0) tell_room(server, follower_state(reader.follower), told);
    if (code < 0)
        respond_error(request, &err);
    else
        respond_json(request, 200, told);
    explanation_free(&reader.explanation);
    follower_free(&reader.follower);
}

const struct route explain_routes[] = {
    {"GET", "/v1/runs/{run}/explain", handle_explain, "Why a run is where it is, as one causal chain: ?step=PATH", NULL},
    ROUTE_END,
};

/* follow.c: follows one run over its event stream. */
#include "cli/follow.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/report.h"
#include "cli/sse.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAUSE_MS = 300, AWAY_LIMIT_MS = 120 * 1000, HEARTBEAT_MS = 90 * 1000, STOP = 1, STILL_TRIES = 4, STILL_PAUSE_MS = 50 };

struct following {
    struct client *client;
    uint64_t run;
    const struct follower *follower;
    struct run_state *state;
    struct sse sse;
    char *last_id;   /* of the last folded event; owned; NULL = none */
    uint64_t past;   /* after so many events it waited for a person, and does not any more */
    int64_t away_us; /* when the server was lost; 0 = it is there */
    bool stopped, broken;
    struct error error; /* of broken */
};

static uint32_t step_of(const struct plan *plan, const json_t *step)
{
    if (json_is_integer(step)) return (uint32_t)json_integer_value(step);
    if (!json_is_string(step)) return NO_STEP;
    const struct plan_step *found = plan_find_step(plan, json_string_value(step));
    return found ? found->index : NO_STEP - 1; /* reduce refuses it */
}

static bool waits_for_person(const struct run_state *state)
{
    return state->status == RUN_needs_person || state->status == RUN_rollback_failed;
}

/* At rest, or nothing more comes until a person acts; unless one has, so that the run was so and is not any more. */
static bool is_final(const struct following *following)
{
    const struct run_state *state = following->state;
    return run_status_at_rest(state->status) || (waits_for_person(state) && state->event_count != following->past);
}

/* Folds one event; true: enough. */
static bool fold(struct following *following, const json_t *json)
{
    int type = event_type_from_name(json_text(json, "type", ""));
    if (type < 0) return false; /* of a newer server; what matters to the run's end is known to both */
    struct event event = {(enum event_type)type, step_of(following->state->plan, json_object_get(json, "step")),
        json_whole(json, "time_ms", 0), json_incref(json_object_get(json, "data"))};
    const struct follower *follower = following->follower;
    if (follower->mutex) pthread_mutex_lock(follower->mutex);
    following->broken = reduce(following->state, &event, &following->error) < 0;
    bool enough = !following->broken && follower->event && follower->event(follower->context, following->state, &event);
    if (follower->mutex) pthread_mutex_unlock(follower->mutex);
    event_release(&event);
    return enough || following->broken;
}

static int take_event(void *context, const struct sse_event *event)
{
    struct following *following = context;
    AUTO(free_json) json_t *json = NULL;
    if (json_parse(event->data, strlen(event->data), "event", &json, NULL)) return 0;
    if (following->last_id && text_equal(following->last_id, event->id)) return 0;
    following->stopped = fold(following, json);
    if (event->id[0]) {
        free(following->last_id);
        following->last_id = mem_copy_text(event->id);
    }
    return following->stopped || is_final(following) ? STOP : 0;
}

static void say(const struct following *following, const char *line)
{
    if (following->follower->note) following->follower->note(following->follower->context, line);
}

static int take_bytes(void *context, const char *bytes, size_t size)
{
    struct following *following = context;
    if (following->away_us) say(following, "the server is back");
    following->away_us = 0;
    return sse_add(&following->sse, bytes, size, take_event, following);
}

static bool is_passing(int failed)
{
    return failed == -ERROR_UNAVAILABLE || failed == -ERROR_TIMEOUT || failed == -ERROR_PROTOCOL || failed == -ERROR_IO;
}

/* The stream broke: waits a little, and brings the server back where that is ours to do. */
static int wait_for_server(struct following *following, struct error *err)
{
    int64_t now_us = clock_monotonic_us();
    if (!following->away_us) {
        say(following, "the server is gone; the run goes on, waiting for the server to come back");
        following->away_us = now_us;
    }
    if (now_us - following->away_us > (int64_t)AWAY_LIMIT_MS * 1000) {
        error_set(err, ERROR_UNAVAILABLE, NOWHERE, "the server at %s did not come back", following->client->server);
        AUTO(free_text) char *server = report_server_words(following->client);
        return error_hint(
            err, "the run is not lost: start the server, then `crescendo watch%s %llu`", server, (unsigned long long)following->run);
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000L * 1000}, NULL);
    return 0;
}

/* One connection, from after the last event. 0: it ended in order. */
static int listen_once(struct following *following, struct error *err)
{
    AUTO(free_text) char *path = mem_format("/v1/runs/%llu/events", (unsigned long long)following->run);
    sse_release(&following->sse);
    int failed = client_stream(following->client, path, HEARTBEAT_MS, following->last_id, take_bytes, following, err);
    if (following->broken) {
        error_set(err, ERROR_PROTOCOL, NOWHERE, "the server's events make no sense here: %s", following->error.message);
        return error_hint(err, "are the server and this program of the same version? `crescendo version` tells");
    }
    return following->stopped || is_final(following) ? 0 : failed;
}

static int read_run(struct following *following, json_t **ret, struct error *err)
{
    return client_get(following->client, ret, err, "/v1/runs/%llu", (unsigned long long)following->run);
}

static bool run_at_rest(const json_t *run)
{
    int status = run_status_from_name(json_text(run, "state", ""));
    return status >= 0 && run_status_at_rest((enum run_status)status);
}

/* Stopped by what was, not by what is? Then it goes on behind that event. The API may be a moment behind the stream, so it is asked again.
 */
static bool was_history(struct following *following)
{
    const struct follower *follower = following->follower;
    for (int tries = 0; following->stopped && !following->broken && follower->still && tries < STILL_TRIES; tries++) {
        AUTO(free_json) json_t *run = NULL;
        struct error ignored = {0};
        if (tries) nanosleep(&(struct timespec){.tv_nsec = STILL_PAUSE_MS * 1000L * 1000}, NULL);
        if (read_run(following, &run, &ignored) < 0 || follower->still(follower->context, run)) return false;
    }
    bool history = following->stopped && !following->broken && follower->still;
    if (history) following->stopped = false;
    return history;
}

/* The same where the stream came to a run that waits for a person, and somebody has settled that since. */
static bool was_settled(struct following *following)
{
    if (following->stopped || following->broken || !is_final(following) || !waits_for_person(following->state)) return false;
    for (int tries = 0; tries < STILL_TRIES; tries++) {
        AUTO(free_json) json_t *run = NULL;
        struct error ignored = {0};
        if (tries) nanosleep(&(struct timespec){.tv_nsec = STILL_PAUSE_MS * 1000L * 1000}, NULL);
        if (read_run(following, &run, &ignored) < 0) return false;
        if (text_equal(json_text(run, "state", ""), run_status_name(following->state->status))) return false;
    }
    following->past = following->state->event_count;
    return true;
}

static int listen_to_end(struct following *following, struct error *err)
{
    while (!following->stopped && !is_final(following)) {
        int failed = listen_once(following, err);
        if (was_history(following) || was_settled(following)) continue;
        if (following->stopped || is_final(following)) break;
        if (failed && (!is_passing(failed) || following->broken)) return failed;
        AUTO(free_json) json_t *run = NULL;
        if (!failed && read_run(following, &run, err) == 0 && run_at_rest(run)) break;
        failed = wait_for_server(following, err);
        if (failed) return failed;
    }
    return following->broken ? -ERROR_PROTOCOL : 0;
}

/* The API answers from what is on disk, which may be a moment behind the stream's last event, or the server may just be away. */
static int read_end(struct following *following, json_t **ret_run, struct error *err)
{
    for (;;) {
        AUTO(free_json) json_t *run = NULL;
        int failed = read_run(following, &run, err);
        if (failed && !is_passing(failed)) return failed;
        if (!failed && (following->stopped || !run_status_at_rest(following->state->status) || run_at_rest(run))) {
            *ret_run = take(&run);
            return 0;
        }
        failed = wait_for_server(following, err);
        if (failed) return failed;
    }
}

static int follow_plan(struct following *following, const json_t *json, json_t **ret_run, struct error *err)
{
    struct plan *plan = NULL;
    int failed = plan_from_json(json, &plan, err);
    if (failed) return error_wrap(err, "the server's plan of run %llu", (unsigned long long)following->run);
    following->state = run_state_new(plan);
    if (following->follower->begun) following->follower->begun(following->follower->context, following->state);
    failed = listen_to_end(following, err);
    if (!failed) failed = read_end(following, ret_run, err);
    if (following->follower->over) following->follower->over(following->follower->context);
    sse_release(&following->sse);
    free(following->last_id);
    run_state_free(&following->state);
    plan_free(&plan);
    return failed;
}

int follow_run(struct client *client, uint64_t run, const struct follower *follower, json_t **ret_run, struct error *err)
{
    struct following following = {.client = client, .run = run, .follower = follower};
    AUTO(free_json) json_t *now = NULL, *plan = NULL;
    int failed = read_run(&following, &now, err);
    if (failed) return failed;
    failed = client_get(client, &plan, err, "/v1/runs/%llu/plan?format=json", (unsigned long long)run);
    if (failed && run_at_rest(now)) { /* the file was wrong: there never was a plan */
        *ret_run = take(&now);
        return 0;
    }
    return failed ? failed : follow_plan(&following, plan, ret_run, err);
}

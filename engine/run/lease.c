/* lease.c: renews the leases that a run holds. Each is renewed at a third of its time; where nobody answers, every second until its time is
   over since the last success; then, or when the domain says that it has no such lease, it is lost. A domain may also say so because a
   promotion that is under way has ended the lease, so that is believed only while no effect of the run is open.
   A lease whose run is gone while its request is under way is freed when that is answered.
   Where the domain holds no lease the server stands by (standby.h): nobody is asked, and it is lost when the server was away for too long.
   A server that was replaced renews none: it looks whether the journal is its own before it asks, and says its epoch, so that a core which
   heard of a later one refuses it. */
#include "run/lease.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/text.h"
#include "net/local.h"
#include "run/sleep.h"
#include "run/standby.h"

#include <stdlib.h>

enum {
    TTL_MIN_MS = 100,
    TTL_MAX_MS = 24 * 3600 * 1000,
    AGAIN_MS = 1000,       /* after no answer */
    SILENCE_MAX_MS = 2000, /* of one request */
};

struct lease {
    struct lease *next;
    struct live_run *run; /* NULL: nobody wants to know any more */
    char *service, *url;
    int64_t ttl_ms, wanted_ttl_ms; /* the former is what the worker reads while it asks */
    int64_t renew_ms, over_ms;     /* monotonic: when to ask, when it is lost without an answer */
    int64_t asked_ms;              /* the present or last request */
    int64_t away_ms, back_ms;      /* wall clock: the server that had it before was last heard of then, we began; 0 = it was lent to us */
    bool asking, sure, lost, held;
    bool standby;       /* the domain holds none */
    char *trouble;      /* what the last request came to, in words; NULL = success */
    struct epoch epoch; /* what the worker says of us */
    /* The answer of the request under way: written by the worker, read when it is done. */
    int status;
    bool stale;
    struct error err;
    uv_work_t work;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static void lease_free(struct lease *lease)
{
    free(lease->service);
    free(lease->url);
    free(lease->trouble);
    free(lease);
}

/* --- a request --- */

/* What a refusal says besides its status. A proxy or another core may have its own reasons for that. */
static void hear(struct lease *lease, const struct local_response *response)
{
    AUTO(free_json) json_t *body = NULL;
    struct error ignored;
    if (response->status < 300 || json_parse(response->body, response->size, "the answer", &body, &ignored) < 0) return;
    const json_t *said = json_object_get(body, "error");
    bool is_stale = text_equal(json_text(said, "code", NULL), error_code_name(ERROR_STALE));
    lease->stale = is_stale && response->status == error_code_http(ERROR_STALE);
    error_set(&lease->err, ERROR_UNAVAILABLE, NOWHERE, "%s", json_text(said, "message", ""));
}

static void ask(uv_work_t *work)
{
    struct lease *lease = work->data;
    struct text path = {0}, body = {0};
    struct local_response response = {0};
    text_add(&path, "/lease/v1/leases/");
    percent_encode(lease->service, &path);
    text_add_format(&body, "{\"ttl_ms\":%lld,\"engine\":\"%s\",\"epoch\":%llu}", (long long)lease->ttl_ms, lease->epoch.engine,
        (unsigned long long)lease->epoch.number);
    int64_t silence_ms = lease->ttl_ms < SILENCE_MAX_MS ? lease->ttl_ms : SILENCE_MAX_MS;
    const struct local_request request = {.server = lease->url,
        .method = "PUT",
        .path = text_view(&path),
        .body = text_view(&body),
        .body_size = body.size,
        .timeout_ms = (int)silence_ms};
    lease->stale = false;
    lease->err.message[0] = '\0';
    lease->status = local_send(&request, &response, &lease->err) < 0 ? 0 : response.status;
    if (lease->status) hear(lease, &response);
    if (lease->status) local_response_release(&response);
    text_release(&path);
    text_release(&body);
}

static bool is_refusal(int status)
{
    return status == 404 || status == 409;
}

/* What the answer means. */
static void learn(struct lease *lease)
{
    free(take(&lease->trouble));
    if (lease->status >= 200 && lease->status < 300) {
        lease->away_ms = lease->back_ms = 0;
        lease->sure = true;
        lease->over_ms = lease->asked_ms + lease->ttl_ms;
        lease->renew_ms = lease->asked_ms + lease->ttl_ms / 3;
        return;
    }
    const char *said = lease->err.message;
    lease->trouble = lease->status ? mem_format("the domain answers %d%s%s", lease->status, *said ? ": " : "", said) : mem_copy_text(said);
    bool refused = is_refusal(lease->status), may_be_ours = refused && run_state_has_open_effect(lease->run->state);
    lease->lost = refused && !may_be_ours;
    if (may_be_ours) {
        lease->sure = true; /* the step that finds out may have to be started again */
        lease->over_ms = now_ms() + AGAIN_MS + lease->ttl_ms;
    }
    lease->renew_ms = now_ms() + AGAIN_MS;
}

static void answered(uv_work_t *work, int status)
{
    struct lease *lease = work->data;
    lease->asking = false;
    if (!lease->run) {
        lease_free(lease);
        return;
    }
    if (status < 0) error_set(&lease->err, ERROR_UNAVAILABLE, NOWHERE, "the request was not made");
    if (status < 0) lease->status = 0;
    if (status == 0 && lease->stale) {
        AUTO(free_text) char *by = mem_format("the domain at %s", lease->url);
        journal_replaced(lease->run->engine->journal, by);
        return;
    }
    if (is_refusal(lease->status) && !live_wake(lease->run)) return; /* what it means, the state tells */
    learn(lease);
    live_stir(lease->run);
}

static void begin_asking(struct lease *lease)
{
    struct journal *journal = lease->run->engine->journal;
    if (journal_check_ours(journal, NULL) < 0) return;
    lease->work.data = lease;
    lease->epoch = *journal_epoch(journal);
    lease->asked_ms = now_ms();
    lease->ttl_ms = lease->wanted_ttl_ms;
    lease->asking = uv_queue_work(lease->run->engine->loop, &lease->work, ask, answered) == 0;
    if (!lease->asking) lease->renew_ms = lease->asked_ms + AGAIN_MS;
}

/* --- what is held --- */

static void let_go(struct lease **at)
{
    struct lease *lease = *at;
    *at = lease->next;
    lease->run = NULL;
    if (!lease->asking) lease_free(lease);
}

static void end(const struct live_run *run, struct lease **at)
{
    if ((*at)->standby) standby_forget(run);
    let_go(at);
}

static struct lease *find(const struct live_run *run, const char *service, const char *url)
{
    for (struct lease *lease = run->leases; lease; lease = lease->next)
        if (text_equal(lease->service, service) && text_equal(lease->url, url)) return lease;
    return NULL;
}

/* The last thing on record of the run: how far the server before came. */
static int64_t last_moved_ms(const struct run_state *state)
{
    int64_t last = state->accepted_ms;
    for (uint32_t i = 0; i < state->plan->step_count; i++)
        if (state->steps[i].since_ms > last) last = state->steps[i].since_ms;
    return last;
}

/* After a restart: the server was away since it last wrote that it was there. */
static void take_up_standby(struct lease *lease)
{
    int64_t seen_ms = standby_seen_ms(lease->run);
    if (seen_ms > lease->away_ms) lease->away_ms = seen_ms;
    lease->ttl_ms = lease->wanted_ttl_ms;
    lease->sure = true;
    lease->lost = lease->back_ms - lease->away_ms > lease->wanted_ttl_ms;
    if (!lease->lost) lease->away_ms = lease->back_ms = 0;
}

static void take_up(struct live_run *run, const json_t *held, bool sure)
{
    const char *service = json_text(held, "service", ""), *url = json_text(held, "url", "");
    int64_t ttl_ms = json_whole(held, "ttl_ms", TTL_MIN_MS);
    struct lease *lease = find(run, service, url);
    ttl_ms = ttl_ms < TTL_MIN_MS ? TTL_MIN_MS : ttl_ms > TTL_MAX_MS ? TTL_MAX_MS : ttl_ms;
    if (!lease) {
        lease = mem_alloc(sizeof *lease);
        *lease = (struct lease){.next = run->leases, .run = run, .sure = sure};
        lease->service = mem_copy_text(service);
        lease->url = mem_copy_text(url);
        lease->over_ms = now_ms() + ttl_ms;
        lease->renew_ms = sure ? now_ms() + ttl_ms / 3 : 0;
        lease->away_ms = sure ? 0 : last_moved_ms(run->state);
        lease->back_ms = sure ? 0 : clock_now_ms();
        lease->wanted_ttl_ms = ttl_ms;
        lease->standby = json_flag(held, "standby", false);
        if (lease->standby) lease->renew_ms = 0;
        if (lease->standby && !sure) take_up_standby(lease);
        run->leases = lease;
    }
    lease->wanted_ttl_ms = ttl_ms;
    lease->held = true;
}

static void look_what_is_held(struct live_run *run, bool sure)
{
    if (run->leases_at == run->state->effect_events) return;
    AUTO(free_json) json_t *list = run_state_leases(run->state);
    size_t index;
    json_t *held;
    run->leases_at = run->state->effect_events;
    for (struct lease *lease = run->leases; lease; lease = lease->next)
        lease->held = false;
    json_array_foreach(list, index, held) take_up(run, held, sure);
    for (struct lease **at = &run->leases; *at;)
        if ((*at)->held)
            at = &(*at)->next;
        else
            end(run, at);
}

/* --- what is lost --- */

enum { CLOCK_AT = 11, CLOCK_SIZE = 8 }; /* of a moment's text */

/* " (it was away from 13:02:11 to 13:03:40 UTC)" */
static void add_absence(const struct lease *lease, struct text *out)
{
    char from[MOMENT_TEXT_SIZE], to[MOMENT_TEXT_SIZE];
    if (!lease->back_ms) return;
    moment_format(lease->away_ms, from);
    moment_format(lease->back_ms, to);
    text_add_format(out, " (it was away from %.*s to %.*s UTC)", CLOCK_SIZE, from + CLOCK_AT, CLOCK_SIZE, to + CLOCK_AT);
}

/* What happened, rather than what the domain answered. Caller frees. */
static char *loss_words(const struct lease *lease)
{
    struct text out = {0};
    bool refused = is_refusal(lease->status);
    if (lease->standby) {
        text_add_format(&out, "the server was away for longer than the lease of %s, ", lease->service);
        text_add_duration(&out, lease->ttl_ms);
        add_absence(lease, &out);
        text_add(&out, ", and the domain holds none: it goes back only now");
        return text_take(&out);
    }
    text_add_format(&out, "the server %s not renew the lease of %s for longer than ", refused ? "did" : "could", lease->service);
    text_add_duration(&out, lease->ttl_ms);
    add_absence(lease, &out);
    if (!refused && lease->trouble) text_add_format(&out, ", %s", lease->trouble);
    text_add(&out, refused ? ", so the domain went back to the baseline" : "; the domain goes back to the baseline by itself");
    return text_take(&out);
}

static void cancel(struct live_run *run, const struct lease *lease)
{
    AUTO(free_text) char *comment = loss_words(lease);
    struct event_list events = {0};
    json_t *data = json_object();
    json_put_text(data, "reason", reason_name(REASON_lease_lost));
    json_put_text(data, "comment", comment);
    event_list_add(&events, EVENT_cancel_requested, NO_STEP, clock_now_ms(), data);
    live_fold(run, &events);
}

/* A run that is on its way back already loses nothing by it; one that needs a person is cancelled once that has settled what is unknown. */
static bool may_be_cancelled(const struct live_run *run)
{
    return run->state->status == RUN_running || run->state->status == RUN_waiting;
}

static void stand_by(const struct live_run *run, struct lease *lease)
{
    lease->ttl_ms = lease->wanted_ttl_ms;
    lease->over_ms = now_ms() + lease->ttl_ms;
    lease->renew_ms = now_ms() + lease->ttl_ms / 3;
    standby_note(run);
}

static void renew_if_due(struct lease *lease, int64_t now)
{
    if (lease->asking || now < lease->renew_ms) return;
    if (lease->standby)
        stand_by(lease->run, lease);
    else
        begin_asking(lease);
}

static void tend_one(struct live_run *run, struct lease *lease)
{
    int64_t now = now_ms();
    if (!lease->asking && now >= lease->over_ms) lease->lost = true;
    if (lease->lost && may_be_cancelled(run)) cancel(run, lease);
    if (lease->lost) lease->sure = true;
    if (!lease->lost) renew_if_due(lease, now);
}

bool lease_tend_asleep(struct live_run *run)
{
    int64_t now = now_ms();
    bool lost = false;
    for (struct lease *lease = run->leases; lease; lease = lease->next) {
        bool is_lost = lease->lost || (!lease->asking && now >= lease->over_ms);
        if (!is_lost) renew_if_due(lease, now);
        lost |= is_lost;
    }
    return lost;
}

void lease_recover(struct live_run *run)
{
    if (!run_status_at_rest(run->state->status)) look_what_is_held(run, false);
}

void lease_tend(struct live_run *run)
{
    if (run_status_at_rest(run->state->status)) {
        while (run->leases)
            end(run, &run->leases);
        return;
    }
    look_what_is_held(run, true);
    for (struct lease *lease = run->leases; lease; lease = lease->next)
        tend_one(run, lease);
}

bool lease_is_unsure(const struct live_run *run)
{
    for (const struct lease *lease = run->leases; lease; lease = lease->next)
        if (!lease->sure) return true;
    return false;
}

bool lease_is_troubled(const struct live_run *run)
{
    for (const struct lease *lease = run->leases; lease; lease = lease->next)
        if (lease->trouble || lease->lost) return true;
    return lease_is_unsure(run);
}

int64_t lease_wait_ms(const struct live_run *run)
{
    int64_t next = INT64_MAX, now = now_ms();
    for (const struct lease *lease = run->leases; lease; lease = lease->next) {
        if (lease->lost || lease->asking) continue;
        int64_t due = lease->renew_ms < lease->over_ms ? lease->renew_ms : lease->over_ms;
        if (due < next) next = due;
    }
    if (next == INT64_MAX) return next;
    return next > now ? next - now : 0;
}

void lease_release(struct live_run *run)
{
    while (run->leases)
        let_go(&run->leases);
}

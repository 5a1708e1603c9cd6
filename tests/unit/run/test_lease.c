/* test_lease.c: renewing leases against a domain in a child process that answers what a test tells it to. */
#include "run/lease.h"
#include "run/sleep.h"
#include "run/standby.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/support/make_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROXYS_412 = 9412 }; /* a 412 that says nothing of epochs */

struct fixture {
    char folder[64];
    struct error failure; /* of the journal */
    uv_loop_t loop;
    struct engine engine; /* closing, so that nothing is decided or written */
    struct live_run *run;
    pid_t domain;
    char url[64];
    int said; /* the first line of each request that the domain got */
};

/* --- the domain --- */

static void serve(int listener, int said, const int *answers)
{
    for (; *answers; answers++) {
        char request[4096], response[128];
        int peer = accept(listener, NULL, NULL);
        ssize_t got = read(peer, request, sizeof request - 1);
        if (got <= 0) _exit(1);
        request[got] = '\0';
        dprintf(said, "%.*s %s\n", (int)strcspn(request, "\r"), request, strrchr(request, '\n') + 1);
        const char *body = *answers == 412   ? "{\"error\":{\"code\":\"STALE\"}}"
                           : *answers == 507 ? "{\"error\":{\"message\":\"no space\"}}"
                                             : "{}";
        int size = snprintf(response, sizeof response, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
            *answers == PROXYS_412 ? 412 : *answers, strlen(body), body);
        if (write(peer, response, (size_t)size) < 0) _exit(1);
        close(peer);
    }
    _exit(0);
}

/* answers: ends with 0; then nobody listens any more. */
static void domain_start(struct fixture *fixture, const int *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 5), 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    snprintf(fixture->url, sizeof fixture->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    fixture->domain = fork();
    if (fixture->domain == 0) serve(fd, ends[1], answers);
    close(fd);
    close(ends[1]);
    fixture->said = ends[0];
}

static void expect_said(const struct fixture *fixture, const char *expected)
{
    char text[4096];
    ssize_t size = read(fixture->said, text, sizeof text - 1);
    assert_true(size >= 0);
    text[size] = '\0';
    assert_string_equal(text, expected);
}

/* --- a run --- */

static void fold(struct fixture *fixture, enum event_type type, uint32_t step, json_t *data)
{
    struct event_list events = {0};
    event_list_add(&events, type, step, 1000, data);
    assert_true(live_fold(fixture->run, &events));
}

static void hold(struct fixture *fixture, json_t *outcome)
{
    fold(fixture, EVENT_effect_intended, 0, json_pack("{s:s, s:s, s:s, s:s}", "name", "e", "target", "t", "key", "k", "digest", "d"));
    fold(fixture, EVENT_effect_done, 0, json_pack("{s:s, s:o}", "name", "e", "outcome", outcome));
}

static void failed(void *context, const struct error *err)
{
    ((struct fixture *)context)->failure = *err;
}

static void open_journal(struct fixture *fixture)
{
    struct error err;
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/crescendo-lease-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    const struct journal_options options = {.folder = fixture->folder, .failed = failed, .context = fixture};
    if (journal_open(&fixture->loop, &options, &fixture->engine.journal, &err) < 0) fail_msg("%s", err.message);
}

static void begin_with(struct fixture *fixture, const int *answers, int ttl_ms, bool standby)
{
    struct plan *plan = mem_alloc(sizeof *plan);
    *plan = *make_plan("stage a\nstep x undo=e\n");
    *fixture = (struct fixture){.engine = {.options = {.data = "/nowhere"}, .closing = true}};
    uv_loop_init(&fixture->loop);
    fixture->engine.loop = &fixture->loop;
    domain_start(fixture, answers);
    open_journal(fixture);
    fixture->run = live_new(&fixture->engine, 1, plan, json_object());
    fold(fixture, EVENT_run_accepted, NO_STEP, json_pack("{s:i}", "number", 1));
    fold(fixture, EVENT_run_started, NO_STEP, NULL);
    fold(fixture, EVENT_step_starting, 0, json_pack("{s:i}", "attempt", 1));
    json_t *lease = json_pack("{s:s, s:i, s:s}", "service", "17.1/x", "ttl_ms", ttl_ms, "url", fixture->url);
    if (standby) json_object_set_new(lease, "standby", json_true());
    hold(fixture, json_pack("{s:o}", "lease", lease));
}

static void begin(struct fixture *fixture, const int *answers, int ttl_ms)
{
    begin_with(fixture, answers, ttl_ms, false);
}

static void end(struct fixture *fixture)
{
    live_close(fixture->run);
    journal_close(&fixture->engine.journal);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    close(fixture->said);
    kill(fixture->domain, SIGKILL); /* on a busy machine a lease may be over before it was asked for: then it would wait for ever */
    assert_int_equal(waitpid(fixture->domain, NULL, 0), fixture->domain);
    assert_int_equal(file_remove_tree(fixture->folder, NULL), 0);
}

/* Waits until something is due, and for its answer. */
static void tend(struct fixture *fixture)
{
    int64_t wait_ms = lease_wait_ms(fixture->run);
    assert_true(wait_ms < 60 * 1000);
    usleep((useconds_t)(wait_ms + 1) * 1000);
    lease_tend(fixture->run);
    uv_run(&fixture->loop, UV_RUN_ONCE);
    lease_tend(fixture->run);
}

static void a_lease_is_renewed(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){200, 200, 0}, 300);
    lease_tend(fixture.run);
    assert_false(lease_is_unsure(fixture.run)); /* it was lent a moment ago */
    assert_true(lease_wait_ms(fixture.run) <= 100);
    tend(&fixture);
    const struct epoch *epoch = journal_epoch(fixture.engine.journal);
    AUTO(free_text)
    char *expected = mem_format("PUT /lease/v1/leases/17.1%%2Fx HTTP/1.1 {\"ttl_ms\":300,\"engine\":\"%s\",\"epoch\":%llu}\n",
        epoch->engine, (unsigned long long)epoch->number);
    expect_said(&fixture, expected);
    assert_true(lease_wait_ms(fixture.run) <= 100);
    tend(&fixture);
    assert_int_equal(fixture.run->state->status, RUN_running);
    end(&fixture);
}

static void a_lost_lease_cancels_the_run_once(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){409, 0}, 300);
    lease_tend(fixture.run);
    tend(&fixture);
    lease_tend(fixture.run);
    assert_int_equal(fixture.run->state->status, RUN_cancelling);
    assert_int_equal(fixture.run->state->cancel_count, 1);
    assert_int_equal(fixture.run->state->cancel_reason, REASON_lease_lost);
    assert_null(fixture.run->state->cancelled_by);
    assert_string_equal(fixture.run->state->cancel_comment,
        "the server did not renew the lease of 17.1/x for longer than 300 ms, so the domain went back to the baseline");
    assert_true(lease_wait_ms(fixture.run) == INT64_MAX);
    end(&fixture);
}

static bool tend_asleep(struct fixture *fixture)
{
    usleep((useconds_t)(lease_wait_ms(fixture->run) + 1) * 1000);
    bool lost = lease_tend_asleep(fixture->run);
    if (!lost) uv_run(&fixture->loop, UV_RUN_ONCE);
    return lost;
}

/* Good answers and none are taken in without the state; only what is lost is told. */
static void a_run_that_sleeps_renews_its_lease(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){200, 0}, 900);
    lease_tend(fixture.run);
    live_strip(fixture.run);
    assert_false(tend_asleep(&fixture));
    assert_true(run_sleeps(fixture.run));
    assert_false(lease_is_troubled(fixture.run));
    assert_true(lease_wait_ms(fixture.run) <= 300);
    assert_false(tend_asleep(&fixture)); /* from here on nobody listens */
    assert_true(run_sleeps(fixture.run));
    assert_true(lease_is_troubled(fixture.run));
    while (!tend_asleep(&fixture))
        assert_true(run_sleeps(fixture.run));
    end(&fixture);
}

static void what_a_refusal_means_the_state_tells(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){409, 0}, 900);
    fixture.engine.options.failed = failed;
    fixture.engine.options.context = &fixture;
    lease_tend(fixture.run);
    live_strip(fixture.run);
    assert_false(tend_asleep(&fixture));
    assert_true(fixture.engine.failed); /* it was to be woken, and this journal holds nothing of it */
    assert_non_null(strstr(fixture.failure.message, "run 1"));
    end(&fixture);
}

/* A promotion ends the lease in the domain a moment before its outcome is on record here. */
static void what_is_under_way_may_have_ended_it(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){409, 409, 0}, 300);
    fold(&fixture, EVENT_effect_intended, 0, json_pack("{s:s, s:s, s:s, s:s}", "name", "f", "target", "t", "key", "l", "digest", "d"));
    fold(&fixture, EVENT_effect_sent, 0, json_pack("{s:s}", "name", "f"));
    lease_recover(fixture.run);
    tend(&fixture);
    assert_int_equal(fixture.run->state->status, RUN_running);
    assert_false(lease_is_unsure(fixture.run)); /* its step may have to be started again, to find out */
    tend(&fixture);
    assert_int_equal(fixture.run->state->status, RUN_running);
    fold(&fixture, EVENT_effect_done, 0, json_pack("{s:s, s:{s:n, s:s}}", "name", "f", "outcome", "lease", "service", "17.1/x"));
    lease_tend(fixture.run);
    assert_true(lease_wait_ms(fixture.run) == INT64_MAX);
    end(&fixture);
}

static void what_was_under_way_may_not_have_ended_it(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){409, 409, 0}, 300);
    fold(&fixture, EVENT_effect_intended, 0, json_pack("{s:s, s:s, s:s, s:s}", "name", "f", "target", "t", "key", "l", "digest", "d"));
    lease_tend(fixture.run);
    tend(&fixture);
    assert_int_equal(fixture.run->state->status, RUN_running);
    fold(&fixture, EVENT_effect_done, 0, json_pack("{s:s, s:{}}", "name", "f", "outcome"));
    tend(&fixture);
    assert_int_equal(fixture.run->state->cancel_reason, REASON_lease_lost);
    end(&fixture);
}

static void trouble_is_no_loss_until_its_time_is_over(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){503, 0}, 1500);
    lease_tend(fixture.run);
    tend(&fixture);
    assert_int_equal(fixture.run->state->status, RUN_running);
    assert_true(lease_wait_ms(fixture.run) <= 1000);
    while (fixture.run->state->status == RUN_running) /* from here on nobody listens */
        tend(&fixture);
    assert_int_equal(fixture.run->state->cancel_reason, REASON_lease_lost);
    assert_non_null(strstr(fixture.run->state->cancel_comment, "the server could not renew the lease of 17.1/x for longer than 1.5 s, "));
    end(&fixture);
}

static void the_loss_says_what_the_domain_said(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){507, 507, 0}, 300);
    lease_tend(fixture.run);
    while (fixture.run->state->status == RUN_running)
        tend(&fixture);
    assert_non_null(strstr(fixture.run->state->cancel_comment, ", the domain answers 507: no space; "));
    end(&fixture);
}

static void after_a_restart_it_is_asked_for_at_once(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){500, 200, 0}, 60 * 1000);
    lease_recover(fixture.run);
    assert_true(lease_is_unsure(fixture.run));
    assert_int_equal(lease_wait_ms(fixture.run), 0);
    tend(&fixture);
    assert_true(lease_is_unsure(fixture.run)); /* that was no answer */
    tend(&fixture);
    assert_false(lease_is_unsure(fixture.run));
    end(&fixture);
}

static void what_is_let_go_is_not_renewed(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){200, 0}, 300);
    lease_tend(fixture.run);
    tend(&fixture);
    fold(&fixture, EVENT_effect_compensated, 0, json_pack("{s:s}", "name", "e"));
    lease_tend(fixture.run);
    assert_true(lease_wait_ms(fixture.run) == INT64_MAX);
    end(&fixture);
}

static void a_run_may_go_while_its_request_is_under_way(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){200, 0}, 300);
    lease_recover(fixture.run);
    lease_tend(fixture.run);
    end(&fixture);
}

static void write_all(struct fixture *fixture)
{
    journal_append(fixture->engine.journal, &(struct journal_batch){.durable = true}, NULL, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

/* As the next server finds it. */
static void take_up_again(struct fixture *fixture)
{
    lease_release(fixture->run);
    fixture->run->leases_at = UINT64_MAX;
    lease_recover(fixture->run);
}

static void put_seen(struct fixture *fixture, int64_t seen_ms)
{
    AUTO(free_text) char *body = mem_format("{\"seen_ms\":%lld}", (long long)seen_ms);
    const struct document document = {.collection = "standby", .id = "1", .body = body, .size = strlen(body)};
    journal_append(
        fixture->engine.journal, &(struct journal_batch){.documents = &document, .document_count = 1, .durable = true}, NULL, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static void where_the_domain_holds_none_the_server_stands_by(void **unused)
{
    (void)unused;
    struct fixture fixture;
    int64_t before_ms = clock_now_ms();
    begin_with(&fixture, (const int[]){0}, 60 * 1000, true);
    lease_tend(fixture.run);
    assert_false(lease_is_unsure(fixture.run));
    assert_true(lease_wait_ms(fixture.run) > 10 * 1000 && lease_wait_ms(fixture.run) <= 20 * 1000);
    write_all(&fixture);
    assert_true(standby_seen_ms(fixture.run) >= before_ms);
    take_up_again(&fixture); /* by a server that came back at once */
    assert_false(lease_is_unsure(fixture.run));
    lease_tend(fixture.run);
    assert_int_equal(fixture.run->state->status, RUN_running);
    fold(&fixture, EVENT_effect_compensated, 0, json_pack("{s:s}", "name", "e"));
    lease_tend(fixture.run);
    write_all(&fixture);
    assert_int_equal(standby_seen_ms(fixture.run), 0); /* nothing is lent any more */
    expect_said(&fixture, "");                         /* and nobody was asked */
    end(&fixture);
}

static void a_server_that_was_away_for_too_long_goes_back_when_it_returns(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin_with(&fixture, (const int[]){0}, 60 * 1000, true);
    put_seen(&fixture, clock_now_ms() - 61 * 1000);
    take_up_again(&fixture);
    lease_tend(fixture.run);
    assert_int_equal(fixture.run->state->status, RUN_cancelling);
    assert_int_equal(fixture.run->state->cancel_reason, REASON_lease_lost);
    const char *comment = fixture.run->state->cancel_comment;
    assert_true(text_starts(comment, "the server was away for longer than the lease of 17.1/x, 1 m 0 s (it was away from "));
    assert_non_null(strstr(comment, "the domain holds none: it goes back only now"));
    end(&fixture);
}

static void a_server_that_was_away_for_less_goes_on(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin_with(&fixture, (const int[]){0}, 60 * 1000, true);
    put_seen(&fixture, clock_now_ms() - 30 * 1000);
    take_up_again(&fixture);
    lease_tend(fixture.run);
    assert_int_equal(fixture.run->state->status, RUN_running);
    end(&fixture);
}

static void a_core_that_obeys_a_later_server_stops_ours(void **unused)
{
    (void)unused;
    struct fixture fixture;
    begin(&fixture, (const int[]){PROXYS_412, 412, 0}, 60 * 1000);
    lease_recover(fixture.run);
    tend(&fixture);
    assert_int_equal(fixture.run->state->status, RUN_running); /* trouble, as any other answer */
    assert_int_equal(journal_check_ours(fixture.engine.journal, NULL), 0);
    tend(&fixture);
    assert_int_equal(fixture.run->state->status, RUN_running); /* the run is not ours to end */
    journal_append(fixture.engine.journal, &(struct journal_batch){.durable = true}, NULL, NULL);
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    assert_int_equal(fixture.failure.code, ERROR_STALE);
    assert_non_null(strstr(fixture.failure.message, fixture.url));
    end(&fixture);
}

static void a_server_that_was_replaced_does_not_ask(void **unused)
{
    (void)unused;
    struct fixture fixture;
    struct journal *other = NULL;
    struct error err;
    begin(&fixture, (const int[]){200, 0}, 60 * 1000);
    AUTO(free_text) char *lock = mem_format("%s/lock", fixture.folder);
    assert_int_equal(unlink(lock), 0);
    const struct journal_options options = {.folder = fixture.folder};
    if (journal_open(&fixture.loop, &options, &other, &err) < 0) fail_msg("%s", err.message);
    lease_recover(fixture.run); /* it is due at once */
    lease_tend(fixture.run);
    uv_run(&fixture.loop, UV_RUN_NOWAIT);
    assert_true(lease_is_unsure(fixture.run));
    journal_close(&other);
    kill(fixture.domain, SIGKILL);
    expect_said(&fixture, "");
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_is_renewed),
        cmocka_unit_test(a_lost_lease_cancels_the_run_once),
        cmocka_unit_test(a_run_that_sleeps_renews_its_lease),
        cmocka_unit_test(what_a_refusal_means_the_state_tells),
        cmocka_unit_test(what_is_under_way_may_have_ended_it),
        cmocka_unit_test(what_was_under_way_may_not_have_ended_it),
        cmocka_unit_test(trouble_is_no_loss_until_its_time_is_over),
        cmocka_unit_test(the_loss_says_what_the_domain_said),
        cmocka_unit_test(after_a_restart_it_is_asked_for_at_once),
        cmocka_unit_test(what_is_let_go_is_not_renewed),
        cmocka_unit_test(a_run_may_go_while_its_request_is_under_way),
        cmocka_unit_test(where_the_domain_holds_none_the_server_stands_by),
        cmocka_unit_test(a_server_that_was_away_for_too_long_goes_back_when_it_returns),
        cmocka_unit_test(a_server_that_was_away_for_less_goes_on),
        cmocka_unit_test(a_core_that_obeys_a_later_server_stops_ours),
        cmocka_unit_test(a_server_that_was_replaced_does_not_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

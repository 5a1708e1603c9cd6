/* test_server.c: the HTTP server over real sockets: it runs in a child process, this one asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "http/server.h"
#include "net/http.h"
#include "net/local.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FLOOD_BYTES = 24 * 1024 * 1024, FLOOD_PART = 64 * 1024 };

static struct fixture {
    char folder[64], socket[128], server[160];
    pid_t child;
    int left; /* a byte comes when a stream was closed */
    int port;
} fixture;

/* --- in the child --- */

struct child {
    uv_loop_t loop;
    int left;
    struct http_server *local, *tcp;
};

static void handle_echo(struct request *request, void *context)
{
    (void)context;
    const char *query = request_query(request, "q"), *header = request_header(request, "X-Test");
    respond_header(request, "X-Answer", "yes");
    respond_json(request, 200,
        json_pack("{s:s, s:s, s:s, s:s}", "name", request_part(request, "name"), "user", request_user(request), "q", query ? query : "",
            "header", header ? header : ""));
}

/* Every name and value of the query, and the body's size, as text. */
static void handle_raw(struct request *request, void *context)
{
    (void)context;
    AUTO(text_release) struct text told = {0};
    const char *name, *value;
    size_t size;
    const char *bytes = request_bytes(request, &size);
    for (size_t i = 0; request_query_nth(request, i, &name, &value); i++)
        text_add_format(&told, "%s is %s; ", name, value);
    text_add_format(&told, "%zu bytes, the first %d", size, bytes[0]);
    respond_text(request, 200, "text/plain", told.bytes, told.size);
}

static void handle_refusal(struct request *request, void *context)
{
    (void)context;
    struct error err;
    error_set(&err, ERROR_CONFLICT, NOWHERE, "it is there");
    respond_error(request, &err);
}

static json_t *own_error(const struct error *err, int status)
{
    return json_pack("{s:s, s:i}", "own", err->message, "status", status);
}

static void handle_post(struct request *request, void *context)
{
    (void)context;
    respond_json(request, 201, json_incref((json_t *)request_body(request)));
}

static void on_later(uv_timer_t *timer)
{
    struct request *request = timer->data;
    uv_close((uv_handle_t *)timer, (uv_close_cb)free);
    respond_text(request, 200, "text/plain", "late", 4);
}

static void handle_later(struct request *request, void *context)
{
    struct child *child = context;
    uv_timer_t *timer = mem_alloc(sizeof *timer);
    uv_timer_init(&child->loop, timer);
    timer->data = request;
    uv_timer_start(timer, on_later, 20, 0);
}

struct ticking {
    uv_timer_t timer;
    struct stream *stream;
    struct child *child;
    int count;
};

static void on_stream_closed(void *context)
{
    struct ticking *ticking = context;
    assert_int_equal(write(ticking->child->left, "x", 1), 1);
    uv_close((uv_handle_t *)&ticking->timer, (uv_close_cb)free);
}

static void on_tick(uv_timer_t *timer)
{
    struct ticking *ticking = timer->data;
    if (ticking->count == 3) {
        stream_end(ticking->stream);
        uv_timer_stop(timer);
        return;
    }
    AUTO(free_text) char *line = mem_format("id: %d\ndata: tick\n\n", ++ticking->count);
    stream_write(ticking->stream, line, strlen(line));
}

/* /ticks ends after three; /forever writes one and waits. */
static void handle_ticks(struct request *request, void *context)
{
    struct ticking *ticking = mem_alloc(sizeof *ticking);
    ticking->child = context;
    ticking->timer.data = ticking;
    uv_timer_init(&ticking->child->loop, &ticking->timer);
    ticking->stream = respond_stream(request, "text/event-stream", on_stream_closed, ticking);
    if (text_equal(request_path(request), "/ticks"))
        uv_timer_start(&ticking->timer, on_tick, 5, 5);
    else
        stream_write(ticking->stream, "data: one\n\n", 11);
}

struct flood {
    struct stream *stream;
    size_t sent, most;
};

static void flood_more(void *context)
{
    struct flood *flood = context;
    static const char part[FLOOD_PART];
    while (stream_queued(flood->stream) < 4 * FLOOD_PART && flood->sent < FLOOD_BYTES) {
        stream_write(flood->stream, part, sizeof part);
        flood->sent += sizeof part;
    }
    if (flood->sent == FLOOD_BYTES) stream_end(flood->stream);
}

static void on_flood_closed(void *context)
{
    free(context);
}

static void handle_half(struct request *request, void *context)
{
    (void)context;
    struct stream *stream = respond_stream(request, "text/plain", NULL, NULL);
    stream_write(stream, "half", 4);
    stream_fail(stream);
}

static void handle_flood(struct request *request, void *context)
{
    (void)context;
    struct flood *flood = mem_alloc(sizeof *flood);
    flood->stream = respond_stream(request, "application/octet-stream", on_flood_closed, flood);
    stream_on_drained(flood->stream, flood_more);
}

static const struct field post_fields[] = {
    {.name = "text", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "Some text"},
    FIELD_END,
};

static const struct route routes[] = {
    {"GET", "/echo/{name}", handle_echo, "Says it back", NULL},
    {"POST", "/post", handle_post, "Gives the body back", post_fields},
    {"GET", "/later", handle_later, "Answers later", NULL},
    {"GET", "/ticks", handle_ticks, "Three events", NULL},
    {"GET", "/forever", handle_ticks, "One event, and no end", NULL},
    {"GET", "/flood", handle_flood, "Much", NULL},
    {"GET", "/half", handle_half, "The beginning of something, and a failure", NULL},
    ROUTE_END,
};

enum { RAW_LIMIT = 1000 };
static const struct route own_routes[] = {
    {"PUT", "/own/raw", handle_raw, "Tells what came", .raw_limit = RAW_LIMIT},
    {"POST", "/own/post", handle_post, "Gives the body back", post_fields},
    {"GET", "/own/refusal", handle_refusal, "Refuses", NULL},
    {"GET", "/own/later", handle_later, "Answers later", NULL},
    ROUTE_END,
};

static bool authenticate(void *context, const char *token, const char **ret_user, const char *const **ret_groups)
{
    static const char *const groups[] = {"testers", NULL};
    (void)context;
    *ret_user = "token-owner";
    *ret_groups = groups;
    return text_equal(token, "secret");
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    struct child *child = handle->data;
    http_server_close(&child->local);
    http_server_close(&child->tcp);
    uv_close((uv_handle_t *)handle, NULL);
}

static void serve(int local_fd, int tcp_fd, int left)
{
    struct child child = {.left = left};
    struct http_mount mounts[] = {{routes, &child}, {own_routes, &child, own_error}, {NULL, NULL}};
    struct http_options options = {.listen_fd = local_fd, .local = true, .mounts = mounts, .authenticate = authenticate};
    struct error err;
    uv_signal_t terminate;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&child.loop);
    uv_signal_init(&child.loop, &terminate);
    terminate.data = &child;
    uv_signal_start(&terminate, on_signal, SIGTERM);
    if (http_server_open(&child.loop, &options, &child.local, &err) < 0) _exit(1);
    options.listen_fd = tcp_fd;
    options.local = false;
    if (http_server_open(&child.loop, &options, &child.tcp, &err) < 0) _exit(1);
    uv_run(&child.loop, UV_RUN_DEFAULT);
    exit(uv_loop_close(&child.loop) == 0 ? 0 : 3); /* 3: something was left open */
}

static int start(void **state)
{
    (void)state;
    struct error err;
    int local_fd, tcp_fd, left[2];
    memcpy(fixture.folder, "/tmp/crescendo-http-XXXXXX", sizeof "/tmp/crescendo-http-XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    AUTO(free_text) char *socket = mem_format("%s/socket", fixture.folder);
    memcpy(fixture.socket, socket, strlen(socket) + 1);
    AUTO(free_text) char *server = mem_format("unix:%s", socket);
    memcpy(fixture.server, server, strlen(server) + 1);
    assert_int_equal(http_listen_unix(fixture.socket, &local_fd, &err), 0);
    assert_int_equal(http_listen_tcp("127.0.0.1:0", &tcp_fd, &err), 0);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    getsockname(tcp_fd, (struct sockaddr *)&address, &size);
    fixture.port = ntohs(address.sin_port);
    assert_int_equal(pipe2(left, O_CLOEXEC), 0);
    fixture.child = fork();
    if (fixture.child == 0) serve(local_fd, tcp_fd, left[1]);
    close(left[1]);
    close(local_fd);
    close(tcp_fd);
    fixture.left = left[0];
    return 0;
}

/* The server must end in order even when a stream is open. */
static int stop(void **state)
{
    (void)state;
    int status;
    kill(fixture.child, SIGTERM);
    waitpid(fixture.child, &status, 0);
    unlink(fixture.socket);
    rmdir(fixture.folder);
    close(fixture.left);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) print_error("the server ended with status %x\n", (unsigned)status);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* --- in the test --- */

static struct local_response ask(const char *method, const char *path, const char *body)
{
    struct local_request request = {
        .server = fixture.server, .method = method, .path = path, .body = body, .body_size = body ? strlen(body) : 0};
    struct local_response answer = {0};
    struct error err = {0};
    if (local_send(&request, &answer, &err) < 0) fail_msg("%s", err.message);
    return answer;
}

static void expect(const char *method, const char *path, const char *body, int status, const char *part)
{
    struct local_response answer = ask(method, path, body);
    if (answer.status != status || !strstr(answer.body, part)) fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
    local_response_release(&answer);
}

static void test_parts_queries_and_who_asks(void **state)
{
    (void)state;
    struct local_response answer = ask("GET", "/echo/a%2Fb?x=1&q=one+two%21&qq=3", NULL);
    json_t *body = NULL;
    struct error err;
    assert_int_equal(answer.status, 200);
    assert_int_equal(json_parse(answer.body, answer.size, "answer", &body, &err), 0);
    assert_string_equal(json_text(body, "name", ""), "a/b");
    assert_string_equal(json_text(body, "q", ""), "one two!");
    const struct passwd *me = getpwuid(getuid());
    if (me) assert_string_equal(json_text(body, "user", ""), me->pw_name);
    json_decref(body);
    local_response_release(&answer);
}

static void test_errors_say_what_to_do(void **state)
{
    (void)state;
    expect("GET", "/nothing", NULL, 404, "openapi.json");
    expect("DELETE", "/post", NULL, 405, "possible: POST");
    expect("GET", "/echo/%", NULL, 400, "malformed");
    expect("POST", "/post", "{", 400, "not valid JSON");
    expect("POST", "/post", "{\"text\":1}", 400, "'text' must be text");
    expect("POST", "/post", "", 400, "'text' is missing");
}

static void test_a_body_comes_back(void **state)
{
    (void)state;
    expect("POST", "/post", "{\"text\":\"hello\"}", 201, "hello");
    char *large = mem_alloc(3 * 1024 * 1024 + 64);
    memset(large, 'a', 3 * 1024 * 1024);
    memcpy(large, "{\"text\":\"", 9);
    memcpy(large + 3 * 1024 * 1024, "\"}", 3);
    expect("POST", "/post", large, 201, "aaaa");
    free(large);
}

static void test_a_body_that_is_too_large_is_refused(void **state)
{
    (void)state;
    char *large = mem_alloc(LIMIT_REQUEST_BYTES + 100);
    memset(large, 'a', LIMIT_REQUEST_BYTES + 99);
    expect("POST", "/post", large, 413, "too large");
    free(large);
    expect("POST", "/post", "{\"text\":\"still here\"}", 201, "still here");
}

static int connect_local(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, fixture.socket, strlen(fixture.socket) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Reads until part has come. */
static void hear(int fd, const char *part)
{
    char buffer[8192] = "";
    size_t used = 0;
    while (!strstr(buffer, part)) {
        ssize_t size = read(fd, buffer + used, sizeof buffer - 1 - used);
        if (size <= 0) fail_msg("the connection ended before '%s': %s", part, buffer);
        used += (size_t)size;
        buffer[used] = '\0';
    }
}

static void test_bytes_are_read_up_to_the_routes_own_limit(void **state)
{
    (void)state;
    char bytes[RAW_LIMIT + 2] = "";
    memset(bytes, 'a', RAW_LIMIT);
    expect("PUT", "/own/raw", bytes, 200, "1000 bytes, the first 97");
    expect("PUT", "/own/raw", NULL, 200, "0 bytes, the first 0");
    bytes[RAW_LIMIT] = 'a';
    expect("PUT", "/own/raw", bytes, 413, "\"own\":\"the body of this request is too large\"");
    int fd = connect_local(); /* announced, not sent: refused before it is read */
    say(fd, "PUT /own/raw HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    hear(fd, "413");
    close(fd);
}

static void test_all_of_the_query_can_be_read(void **state)
{
    (void)state;
    expect("PUT", "/own/raw?a.b=1%2C2&&empty=&bare&a.b=x+y", NULL, 200, "a.b is 1,2; empty is ; bare is ; a.b is x y; 0 bytes");
}

static void test_a_mounts_own_errors_hold_for_all_below_it(void **state)
{
    (void)state;
    expect("GET", "/own/nothing", NULL, 404, "{\"own\":\"there is no /own/nothing here\",\"status\":404}");
    expect("GET", "/own", NULL, 404, "\"own\"");
    expect("DELETE", "/own/post", NULL, 405, "\"status\":405");
    expect("POST", "/own/post", "{", 400, "\"own\"");
    expect("GET", "/own/%", NULL, 400, "\"own\"");
    expect("GET", "/own/refusal", NULL, 409, "{\"own\":\"it is there\",\"status\":409}");
    expect("GET", "/ownership", NULL, 404, "\"error\"");
    expect("GET", "/", NULL, 404, "\"error\"");
}

static void test_an_answer_may_come_later(void **state)
{
    (void)state;
    expect("GET", "/later", NULL, 200, "late");
}

static void test_a_connection_is_kept(void **state)
{
    (void)state;
    int fd = connect_local();
    say(fd, "GET /echo/one HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "\"one\"");
    say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "late");
    say(fd, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "NOT_FOUND");
    say(fd, "POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"text\":\r\n5\r\n\"hi\"}\r\n0\r\n\r\n");
    hear(fd, "\"hi\"");
    close(fd);
}

static void test_a_peer_that_leaves_before_the_answer_harms_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = connect_local();
        say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        close(fd);
    }
    expect("GET", "/later", NULL, 200, "late");
}

static void wait_for_closed(void)
{
    char byte;
    struct pollfd poll_fd = {.fd = fixture.left, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 20000), 1); /* a bound for a hang, not a measure */
    assert_int_equal(read(fixture.left, &byte, 1), 1);
}

static void test_a_stream_ends(void **state)
{
    (void)state;
    expect("GET", "/ticks", NULL, 200, "id: 1\ndata: tick\n\nid: 2\ndata: tick\n\nid: 3\ndata: tick\n\n");
    wait_for_closed();
}

static void test_a_peer_that_left_a_silent_stream_is_noticed(void **state)
{
    (void)state;
    int fd = connect_local();
    say(fd, "GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "data: one");
    close(fd);
    wait_for_closed();
}

static int count_bytes(void *context, const char *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;
    return 0;
}

static void test_much_passes_without_queueing(void **state)
{
    (void)state;
    size_t total = 0;
    struct local_request request = {
        .server = fixture.server, .method = "GET", .path = "/flood", .on_bytes = count_bytes, .context = &total};
    struct local_response answer = {0};
    struct error err = {0};
    assert_int_equal(local_send(&request, &answer, &err), 0);
    assert_int_equal(total, FLOOD_BYTES);
    local_response_release(&answer);
}

/* What was written arrives, and so does that more is missing. */
static void test_a_stream_that_fails_is_told_from_one_that_ends(void **state)
{
    (void)state;
    size_t total = 0;
    struct local_request request = {.server = fixture.server, .method = "GET", .path = "/half", .on_bytes = count_bytes, .context = &total};
    struct local_response answer = {0};
    struct error err = {0};
    assert_true(local_send(&request, &answer, &err) < 0);
    assert_int_equal(total, 4);
}

static void test_tcp_needs_a_token(void **state)
{
    (void)state;
    AUTO(free_text) char *url = mem_format("http://127.0.0.1:%d/echo/me", fixture.port);
    struct http_request request = {.method = "GET", .url = url};
    struct http_response answer = {0};
    struct error err = {0};
    assert_int_equal(http_send(&request, &answer, &err), 0);
    assert_int_equal(answer.status, 401);
    assert_non_null(strstr(answer.body, "UNAUTHENTICATED"));
    http_response_release(&answer);
    const char *const wrong[] = {"Authorization: Bearer wrong", NULL}, *const right[] = {"Authorization: Bearer secret", "X-Test: h", NULL};
    request.headers = wrong;
    assert_int_equal(http_send(&request, &answer, &err), 0);
    assert_int_equal(answer.status, 401);
    http_response_release(&answer);
    request.headers = right;
    assert_int_equal(http_send(&request, &answer, &err), 0);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "token-owner"));
    assert_non_null(strstr(answer.body, "\"header\":\"h\""));
    assert_string_equal(answer.type, "application/json");
    http_response_release(&answer);
}

static void test_the_socket_of_a_living_server_is_not_taken(void **state)
{
    (void)state;
    struct error err;
    int fd = -1;
    assert_int_equal(http_listen_unix(fixture.socket, &fd, &err), -ERROR_CONFLICT);
    assert_int_equal(http_check_unix(fixture.socket, &err), -ERROR_CONFLICT);
    assert_int_equal(http_check_unix("/nowhere/at/all/socket", &err), 0);
    AUTO(free_text) char *stale = mem_format("%s/stale", fixture.folder);
    assert_int_equal(http_listen_unix(stale, &fd, &err), 0);
    close(fd);
    assert_int_equal(http_check_unix(stale, &err), 0);
    assert_int_equal(http_listen_unix(stale, &fd, &err), 0);
    close(fd);
    unlink(stale);
    assert_int_equal(http_listen_tcp("nonsense", &fd, &err), -ERROR_INVALID);
    static const char *const no_ports[] = {"127.0.0.1:65536", "0.0.0.0:99999", "127.0.0.1:-1", "127.0.0.1:", "127.0.0.1:http",
        "127.0.0.1: 80", "127.0.0.1:+80", "127.0.0.1:99999999999999999999", "[::1]:65536"};
    for (size_t i = 0; i < COUNT_OF(no_ports); i++) {
        assert_int_equal(http_listen_tcp(no_ports[i], &fd, &err), -ERROR_INVALID);
        assert_non_null(strstr(err.message, "is no port"));
    }
}

static void test_a_long_path_is_no_obstacle(void **state)
{
    (void)state;
    struct error err;
    int fd = -1;
    AUTO(free_text) char *folder = mem_format("%s/%0100d", fixture.folder, 7);
    AUTO(free_text) char *path = mem_format("%s/socket", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(http_listen_unix(path, &fd, &err), 0);
    AUTO(free_text) char *server = mem_format("unix:%s", path);
    struct local_request request = {.server = server, .method = "GET", .path = "/", .timeout_ms = 50};
    struct local_response answer = {0};
    assert_int_equal(local_send(&request, &answer, &err), -ERROR_TIMEOUT); /* it connected; nobody answers */
    close(fd);
    unlink(path);
    rmdir(folder);
}

static void test_the_description_holds_every_route(void **state)
{
    (void)state;
    struct http_mount mounts[] = {{routes, NULL}, {NULL, NULL}};
    json_t *api = http_describe(mounts, "Test", "1");
    assert_non_null(api);
    json_t *paths = json_object_get(api, "paths");
    assert_int_equal(json_object_size(paths), 7);
    json_t *post = json_object_get(json_object_get(paths, "/post"), "post");
    AUTO(free_text) char *text = json_canonical(post);
    assert_non_null(strstr(text, "\"required\":[\"text\"]"));
    AUTO(free_text) char *echo = json_canonical(json_object_get(paths, "/echo/{name}"));
    assert_non_null(strstr(echo, "\"in\":\"path\",\"name\":\"name\""));
    json_decref(api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_queries_and_who_asks),
        cmocka_unit_test(test_errors_say_what_to_do),
        cmocka_unit_test(test_a_body_comes_back),
        cmocka_unit_test(test_a_body_that_is_too_large_is_refused),
        cmocka_unit_test(test_bytes_are_read_up_to_the_routes_own_limit),
        cmocka_unit_test(test_all_of_the_query_can_be_read),
        cmocka_unit_test(test_a_mounts_own_errors_hold_for_all_below_it),
        cmocka_unit_test(test_an_answer_may_come_later),
        cmocka_unit_test(test_a_connection_is_kept),
        cmocka_unit_test(test_a_peer_that_leaves_before_the_answer_harms_nobody),
        cmocka_unit_test(test_a_stream_ends),
        cmocka_unit_test(test_a_peer_that_left_a_silent_stream_is_noticed),
        cmocka_unit_test(test_a_stream_that_fails_is_told_from_one_that_ends),
        cmocka_unit_test(test_much_passes_without_queueing),
        cmocka_unit_test(test_tcp_needs_a_token),
        cmocka_unit_test(test_the_socket_of_a_living_server_is_not_taken),
        cmocka_unit_test(test_a_long_path_is_no_obstacle),
        cmocka_unit_test(test_the_description_holds_every_route),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

/* served.h: an HTTP server with routes of all kinds in a child process, and words to ask it with, over real sockets. */
#ifndef TESTS_UNIT_HTTP_SERVED_H
#define TESTS_UNIT_HTTP_SERVED_H

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

static inline int start_server(void **state)
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
static inline int stop_server(void **state)
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

static inline struct local_response ask(const char *method, const char *path, const char *body)
{
    struct local_request request = {
        .server = fixture.server, .method = method, .path = path, .body = body, .body_size = body ? strlen(body) : 0};
    struct local_response answer = {0};
    struct error err = {0};
    if (local_send(&request, &answer, &err) < 0) fail_msg("%s", err.message);
    return answer;
}

static inline void expect(const char *method, const char *path, const char *body, int status, const char *part)
{
    struct local_response answer = ask(method, path, body);
    if (answer.status != status || !strstr(answer.body, part)) fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
    local_response_release(&answer);
}

static inline int connect_local(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, fixture.socket, strlen(fixture.socket) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Reads until part has come. */
static inline void hear(int fd, const char *part)
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

static inline int count_bytes(void *context, const char *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;
    return 0;
}

#endif

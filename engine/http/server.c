/* server.c: libmicrohttpd in the libuv loop: its epoll descriptor is watched, and it runs when that is ready or its time has come. */
#include "http/internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IDLE_SECONDS = 120, CONNECTIONS_MAX = 4000, CONNECTION_BYTES = 32 * 1024, CLOSING_ROUNDS = 8 };

static void on_timer(uv_timer_t *timer);

/* Runs what is due and asks when the next is. */
static void pump(struct http_server *server)
{
    server->resumed = false;
    MHD_run(server->daemon);
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (server->resumed)
        uv_timer_start(&server->timer, on_timer, 0, 0);
    else if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES)
        uv_timer_start(&server->timer, on_timer, timeout_ms, 0);
    else
        uv_timer_stop(&server->timer);
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

void server_resume(struct http_server *server, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    server->resumed = true;
    if (!server->closing) uv_timer_start(&server->timer, on_timer, 0, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    pump(poll->data);
}

static void on_message(void *context, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
static void on_message(void *context, const char *format, va_list arguments)
{
    (void)context;
    AUTO(free_text) char *line = mem_format_list(format, arguments);
    line[strcspn(line, "\n")] = '\0';
    bool peer_left = text_starts(line, "Failed to send") || text_starts(line, "Closing connection");
    peer_left |= text_starts(line, "Connection socket");
    if (!peer_left) log_line(LOG_LEVEL_WARNING, "http: %s", line);
}

/* Paths and queries are decoded by us, part by part. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, request_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
        MHD_OPTION_LISTEN_SOCKET, server->options.listen_fd, MHD_OPTION_URI_LOG_CALLBACK, request_begin, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, request_completed, server,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
}

int http_server_open(uv_loop_t *loop, const struct http_options *options, struct http_server **ret, struct error *err)
{
    struct http_server *server = mem_alloc(sizeof *server);
    server->options = *options;
    server->daemon = start_daemon(server);
    if (!server->daemon) {
        free(server);
        return error_set(err, ERROR_INTERNAL, NOWHERE, "cannot start the HTTP server");
    }
    int epoll_fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    uv_poll_init(loop, &server->poll, epoll_fd);
    uv_timer_init(loop, &server->timer);
    uv_timer_init(loop, &server->watch);
    server->open_handles = 3;
    server->poll.data = server->timer.data = server->watch.data = server;
    uv_poll_start(&server->poll, UV_READABLE, on_ready);
    pump(server);
    *ret = server;
    return 0;
}

unsigned http_server_connections(const struct http_server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;
    if (--server->open_handles > 0) return;
    peer_cache_release(&server->peers);
    free(server);
}

/* libmicrohttpd must not be stopped while a connection is suspended. */
static void wake_all(struct http_server *server)
{
    streams_end_all(server);
    for (struct request *request = server->requests; request; request = request->next)
        if (request->phase == REQUEST_HANDED && request->suspended) respond_unavailable(request);
    for (int round = 0; round < CLOSING_ROUNDS; round++)
        MHD_run(server->daemon);
}

void http_server_close(struct http_server **server)
{
    struct http_server *one = take(server);
    if (!one) return;
    one->closing = true;
    int listen_fd = MHD_quiesce_daemon(one->daemon);
    wake_all(one);
    uv_close((uv_handle_t *)&one->poll, on_handle_closed);
    uv_close((uv_handle_t *)&one->timer, on_handle_closed);
    uv_close((uv_handle_t *)&one->watch, on_handle_closed);
    MHD_stop_daemon(one->daemon);
    if (listen_fd >= 0) close(listen_fd);
}

/* local.c: a small blocking HTTP/1.1 client for our own server: one request, one connection. Compiles with musl. */
#include "net/local.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_MS = 10 * 1000, HEAD_MAX_BYTES = 64 * 1024, BODY_MAX_BYTES = 256 * 1024 * 1024, READ_BYTES = 64 * 1024 };

struct connection {
    int fd, timeout_ms;
    const char *server; /* for messages */
    char *buffer;       /* READ_BYTES of room */
    size_t from, to;    /* what was read and not used */
};

static void connection_release(struct connection *connection)
{
    close_fd(&connection->fd);
    free(connection->buffer);
}

static int nobody_listens(const char *server, int saved_errno, struct error *err)
{
    int code = error_set(err, ERROR_UNAVAILABLE, NOWHERE, "no server answers at %s: %s", server, strerror(saved_errno));
    if (err) err->retryable = true;
    return code;
}

static int wait_for(const struct connection *connection, short events, struct error *err)
{
    struct pollfd poll_fd = {.fd = connection->fd, .events = events};
    int count;
    do
        count = poll(&poll_fd, 1, connection->timeout_ms);
    while (count < 0 && errno == EINTR);
    if (count > 0) return 0;
    if (count < 0) return error_set_errno(err, errno, "cannot wait for the server");
    return error_set(err, ERROR_TIMEOUT, NOWHERE, "the server at %s was silent for %d ms", connection->server, connection->timeout_ms);
}

static int finish_connect(const struct connection *connection, const struct sockaddr *address, socklen_t size, struct error *err)
{
    if (connect(connection->fd, address, size) == 0) return 0;
    if (errno != EINPROGRESS && errno != EAGAIN) return nobody_listens(connection->server, errno, err);
    int code = wait_for(connection, POLLOUT, err);
    if (code < 0) return code;
    int fault = 0;
    socklen_t fault_size = sizeof fault;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &fault, &fault_size);
    return fault ? nobody_listens(connection->server, fault, err) : 0;
}

/* A path longer than the kernel's 107 bytes is reached through its folder's descriptor. */
static int connect_unix(struct connection *connection, const char *path, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO(close_fd) int folder = -1;
    int size = snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (size >= (int)sizeof address.sun_path) {
        const char *slash = strrchr(path, '/');
        AUTO(free_text) char *name = mem_copy_bytes(path, slash ? (size_t)(slash - path) + 1 : 0);
        folder = open(*name ? name : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0) return nobody_listens(connection->server, errno, err);
        size = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, slash ? slash + 1 : path);
        if (size >= (int)sizeof address.sun_path) return nobody_listens(connection->server, ENAMETOOLONG, err);
    }
    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection->fd < 0) return error_set_errno(err, errno, "cannot make a socket");
    return finish_connect(connection, (const struct sockaddr *)&address, sizeof address, err);
}

static void free_addresses(struct addrinfo **addresses)
{
    if (*addresses) freeaddrinfo(*addresses);
}

/* authority: HOST:PORT; a path behind it is ignored. */
static int connect_tcp(struct connection *connection, const char *authority, struct error *err)
{
    AUTO(free_text) char *host = mem_copy_bytes(authority, strcspn(authority, "/"));
    char *colon = strrchr(host, ':');
    char *name = host[0] == '[' ? host + 1 : host;
    if (colon && strchr(colon, ']')) colon = NULL;
    if (colon) *colon = '\0';
    const char *port = colon ? colon + 1 : "80";
    name[strcspn(name, "]")] = '\0';
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    AUTO(free_addresses) struct addrinfo *addresses = NULL;
    if (getaddrinfo(name, port, &hints, &addresses) != 0) return nobody_listens(connection->server, EHOSTUNREACH, err);
    int code = -ERROR_UNAVAILABLE;
    for (struct addrinfo *at = addresses; at && code < 0; at = at->ai_next) {
        close_fd(&connection->fd);
        connection->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connection->fd < 0) return error_set_errno(err, errno, "cannot make a socket");
        code = finish_connect(connection, at->ai_addr, at->ai_addrlen, err);
    }
    const int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return code;
}

static int open_connection(struct connection *connection, struct error *err)
{
    const char *server = connection->server;
    if (text_starts(server, "unix:")) return connect_unix(connection, server + strlen("unix:"), err);
    if (text_starts(server, "http://")) return connect_tcp(connection, server + strlen("http://"), err);
    error_set(err, ERROR_INVALID, NOWHERE, "'%s' is not a server", server);
    return error_hint(err, "write unix:/path/to/crescendo.sock or http://HOST:PORT");
}

static int send_all(const struct connection *connection, const char *bytes, size_t size, struct error *err)
{
    while (size > 0) {
        ssize_t sent = send(connection->fd, bytes, size, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EPIPE || errno == ECONNRESET) return 0; /* it may have answered before it stopped reading: 413 */
        if (errno != EAGAIN) return error_set_errno(err, errno, "cannot write to %s", connection->server);
        int code = wait_for(connection, POLLOUT, err);
        if (code < 0) return code;
    }
    return 0;
}

static int send_request(const struct connection *connection, const struct local_request *request, struct error *err)
{
    bool tcp = text_starts(request->server, "http://");
    const char *authority = tcp ? request->server + strlen("http://") : "localhost";
    struct text head = {0};
    text_add_format(&head, "%s %s HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n", request->method, request->path,
        (int)strcspn(authority, "/"), authority);
    if (request->token) text_add_format(&head, "Authorization: Bearer %s\r\n", request->token);
    if (request->last_event_id) text_add_format(&head, "Last-Event-ID: %s\r\n", request->last_event_id);
    if (request->body) {
        text_add_format(&head, "Content-Type: %s\r\n", request->type ? request->type : "application/json");
        text_add_format(&head, "Content-Length: %zu\r\n", request->body_size);
    }
    text_add(&head, "\r\n");
    if (request->body) text_add_bytes(&head, request->body, request->body_size);
    int code = send_all(connection, head.bytes, head.size, err);
    text_release(&head);
    return code;
}

/* Reads what has come behind what is there; *ret_end where the server has closed. */
static int fill(struct connection *connection, bool *ret_end, struct error *err)
{
    if (connection->from == connection->to) connection->from = connection->to = 0;
    while (true) {
        ssize_t size = recv(connection->fd, connection->buffer + connection->to, READ_BYTES - connection->to, 0);
        if (size >= 0) {
            connection->to += (size_t)size;
            *ret_end = size == 0;
            return 0;
        }
        if (errno == EINTR) continue;
        if (errno == ECONNRESET) return error_set(err, ERROR_PROTOCOL, NOWHERE, "%s closed the connection", connection->server);
        if (errno != EAGAIN) return error_set_errno(err, errno, "cannot read from %s", connection->server);
        int code = wait_for(connection, POLLIN, err);
        if (code < 0) return code;
    }
}

static int broken(const struct connection *connection, const char *what, struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, NOWHERE, "%s: %s", connection->server, what);
}

/* One line without its end. Lines are short: heads and chunk sizes. */
static int read_line(struct connection *connection, struct text *line, struct error *err)
{
    line->size = 0;
    while (line->size < HEAD_MAX_BYTES) {
        const char *start = connection->buffer + connection->from;
        size_t have = connection->to - connection->from;
        const char *newline = memchr(start, '\n', have);
        size_t size = newline ? (size_t)(newline - start) : have;
        text_add_bytes(line, start, size);
        connection->from += size + (newline ? 1 : 0);
        if (newline) {
            if (line->size && line->bytes[line->size - 1] == '\r') line->bytes[--line->size] = '\0';
            return 0;
        }
        bool end = false;
        int code = fill(connection, &end, err);
        if (code < 0) return code;
        if (end) return broken(connection, "the answer ended early", err);
    }
    return broken(connection, "a line of the answer's head is too long", err);
}

struct head {
    int status;
    bool chunked, sized;
    unsigned long long size;
};

static void read_header(const char *line, struct head *head)
{
    if (strncasecmp(line, "Content-Length:", 15) == 0) {
        head->sized = true;
        head->size = strtoull(line + 15, NULL, 10);
    }
    if (strncasecmp(line, "Transfer-Encoding:", 18) == 0) head->chunked = strstr(line + 18, "chunked") != NULL;
}

static int read_head(struct connection *connection, struct head *head, struct error *err)
{
    struct text line = {0};
    int code = read_line(connection, &line, err);
    if (code == 0 && (!text_starts(text_view(&line), "HTTP/1.") || line.size < strlen("HTTP/1.1 200")))
        code = broken(connection, "this is not an HTTP server", err);
    if (code == 0) *head = (struct head){.status = (int)strtol(line.bytes + strlen("HTTP/1.1 "), NULL, 10)};
    size_t total = 0;
    while (code == 0 && (code = read_line(connection, &line, err)) == 0 && line.size > 0) {
        total += line.size;
        if (total > HEAD_MAX_BYTES)
            code = broken(connection, "the answer's head is too long", err);
        else
            read_header(line.bytes, head);
    }
    text_release(&line);
    return code;
}

struct sink {
    const struct local_request *request; /* NULL: collect */
    struct text body;
    bool stopped;
};

/* Passes size bytes on (ULLONG_MAX: until the server closes). */
static int read_bytes(struct connection *connection, unsigned long long size, struct sink *sink, struct error *err)
{
    while (size > 0 && !sink->stopped) {
        size_t have = connection->to - connection->from;
        if (have == 0) {
            bool end = false;
            int code = fill(connection, &end, err);
            if (code < 0) return code;
            if (end) return size > (unsigned long long)BODY_MAX_BYTES * 1024 ? 0 : broken(connection, "the answer ended early", err);
            continue;
        }
        size_t part = have < size ? have : (size_t)size;
        const char *bytes = connection->buffer + connection->from;
        if (sink->request)
            sink->stopped = sink->request->on_bytes(sink->request->context, bytes, part) != 0;
        else
            text_add_bytes(&sink->body, bytes, part);
        if (sink->body.size > BODY_MAX_BYTES) return error_set(err, ERROR_LIMIT, NOWHERE, "the answer is too large");
        connection->from += part;
        size -= part;
    }
    return 0;
}

static int read_chunks(struct connection *connection, struct sink *sink, struct error *err)
{
    struct text line = {0};
    int code = 0;
    while (code == 0 && !sink->stopped) {
        code = read_line(connection, &line, err);
        if (code < 0) break;
        char *end = NULL;
        unsigned long long size = strtoull(text_view(&line), &end, 16);
        bool good = line.size > 0 && end != line.bytes && (*end == '\0' || *end == ';') && size <= BODY_MAX_BYTES;
        if (!good)
            code = broken(connection, "a chunk of the answer is malformed", err);
        else if (size == 0)
            break; /* trailers do not matter: the connection ends here */
        else
            code = read_bytes(connection, size, sink, err);
        if (code == 0 && !sink->stopped) code = read_line(connection, &line, err);
        if (code == 0 && !sink->stopped && line.size > 0) code = broken(connection, "a chunk of the answer is too long", err);
    }
    text_release(&line);
    return code;
}

static int read_answer(struct connection *connection, const struct local_request *request, struct local_response *ret, struct error *err)
{
    struct head head = {0};
    int code = read_head(connection, &head, err);
    while (code == 0 && head.status >= 100 && head.status < 200)
        code = read_head(connection, &head, err);
    if (code < 0) return code;
    struct sink sink = {.request = request->on_bytes && head.status / 100 == 2 ? request : NULL};
    bool no_body = head.status == 204 || head.status == 304 || text_equal(request->method, "HEAD");
    if (head.chunked)
        code = read_chunks(connection, &sink, err);
    else if (!no_body)
        code = read_bytes(connection, head.sized ? head.size : ~0ULL, &sink, err);
    if (code < 0) {
        text_release(&sink.body);
        return code;
    }
    ret->status = head.status;
    ret->size = sink.body.size;
    ret->body = text_take(&sink.body);
    return 0;
}

static bool is_answering(const struct connection *connection, int within_ms)
{
    struct pollfd poll_fd = {.fd = connection->fd, .events = POLLIN};
    return poll(&poll_fd, 1, within_ms) > 0; /* an interruption counts as late, which does no harm */
}

int local_send(const struct local_request *request, struct local_response *ret, struct error *err)
{
    AUTO(connection_release) struct connection connection = {.fd = -1, .server = request->server};
    connection.timeout_ms = request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
    connection.buffer = mem_alloc(READ_BYTES);
    int code = open_connection(&connection, err);
    if (code == 0) code = send_request(&connection, request, err);
    if (code == 0 && request->late && !is_answering(&connection, request->late_ms)) request->late(request->late_context);
    return code < 0 ? code : read_answer(&connection, request, ret, err);
}

void local_response_release(struct local_response *response)
{
    free(response->body);
    *response = (struct local_response){0};
}

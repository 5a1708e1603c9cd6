/* connection.c: the engine's connection. A newer one replaces an older one with its ATTACH, unless its epoch is lower than one that was
   here; nothing is sent before that; reports are sent from the spool file, so that a slow engine costs no memory. The shim goes on without
   any. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024 };

void connections_bury(struct shim *shim)
{
    for (struct connection *closed = shim->closed, *next; closed; closed = next) {
        next = closed->next;
        wire_release(&closed->in);
        wire_release(&closed->out);
        free(closed);
    }
    shim->closed = NULL;
}

static void bury(struct shim *shim, struct connection **place)
{
    struct connection *connection = *place;
    if (!connection) return;
    watch_close(shim, &connection->watch);
    connection->next = shim->closed;
    shim->closed = connection;
    *place = NULL;
}

void connection_close(struct shim *shim)
{
    if (!shim->connection) return;
    bury(shim, &shim->connection);
    shim->alone_since_us = now_us();
    if (shim->spare_argv) shim->stop = true;
}

static void end(struct shim *shim, const struct connection *connection)
{
    if (connection == shim->newcomer)
        bury(shim, &shim->newcomer);
    else if (connection == shim->connection)
        connection_close(shim);
}

/* Fills the send buffer from the spool when it is empty. */
static bool refill(struct shim *shim, struct connection *connection)
{
    uint64_t left = shim->reports.size_bytes - connection->sent_offset;
    if (connection->out.size || !connection->attached || !left) return connection->out.size > 0;
    size_t wanted = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
    wire_reserve(&connection->out, wanted);
    ssize_t got = pread(shim->reports.fd, connection->out.bytes, wanted, (off_t)connection->sent_offset);
    if (got <= 0) return false;
    connection->out.size = (size_t)got;
    connection->sent_offset += (uint64_t)got;
    return true;
}

static void want_write(struct shim *shim, struct connection *connection, bool wanted)
{
    if (connection->writing == wanted) return;
    connection->writing = wanted;
    watch_change(shim, &connection->watch, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Between two frames, behind all that the spool holds. */
static void tell_stuck(const struct reports *reports, struct connection *connection)
{
    if (!connection->hears_stuck || connection->told == reports->failing) return;
    if (connection->out.size || connection->sent_offset != reports->size_bytes) return;
    connection->told = reports->failing;
    size_t start = wire_begin(&connection->out, SHIM_STUCK);
    wire_u32(&connection->out, (uint32_t)reports->failing);
    wire_finish(&connection->out, start);
}

static bool has_something(struct shim *shim, struct connection *connection)
{
    if (connection->hung_up) return false;
    if (connection->attached) tell_stuck(&shim->reports, connection);
    return refill(shim, connection);
}

void connection_send(struct shim *shim)
{
    shim->reports.deadline_us = 0;
    reports_spool(shim);
    shim->reports.deadline_us = 0;
    struct connection *connection = shim->connection;
    while (connection && has_something(shim, connection)) {
        ssize_t put = send(connection->watch.fd, connection->out.bytes, connection->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0 && errno == EAGAIN) return want_write(shim, connection, true);
        if (put < 0) connection->hung_up = true; /* what it said last, which may be SHIM_END, is still to be read, and then its end */
        if (put < 0) break;
        wire_drop(&connection->out, (size_t)put);
    }
    if (connection) want_write(shim, connection, false);
}

/* It is told once, and hears nothing else. */
static void refuse(struct shim *shim, struct connection *connection)
{
    size_t start = wire_begin(&connection->out, SHIM_STALE);
    wire_u64(&connection->out, fence_epoch(shim));
    wire_finish(&connection->out, start);
    ssize_t ignored = send(connection->watch.fd, connection->out.bytes, connection->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)ignored; /* the buffer of a new connection has room */
    connection->broken = true;
}

static void attach(struct shim *shim, struct connection *connection, struct view payload)
{
    uint32_t version = view_u32(&payload);
    uint64_t known = view_u64(&payload);
    uint64_t epoch = payload.left ? view_u64(&payload) : 0; /* version 1 did not say */
    connection->hears_stuck = payload.left && view_u32(&payload) >= 2;
    if (payload.bad || version < SHIM_PROTOCOL_OLDEST || version > SHIM_PROTOCOL_VERSION) {
        connection->broken = true;
        return;
    }
    if (!fence_pass(shim, epoch)) return refuse(shim, connection);
    connection_close(shim);
    shim->connection = connection;
    shim->newcomer = NULL;
    reports_spool(shim);
    connection->sent_offset = reports_offset_after(shim, known);
    connection->attached = true;
    shim->alone_since_us = 0;
    size_t start = wire_begin(&connection->out, SHIM_HELLO);
    wire_u32(&connection->out, SHIM_PROTOCOL_VERSION);
    wire_u32(&connection->out, (uint32_t)getpid());
    wire_u64(&connection->out, shim->reports.first);
    wire_u64(&connection->out, shim->reports.last);
    wire_finish(&connection->out, start);
    reports_soon(shim, true);
}

static void handle(struct shim *shim, struct connection *connection, unsigned type, struct view payload)
{
    if (type == SHIM_ATTACH && !connection->attached)
        attach(shim, connection, payload);
    else if (!connection->attached || !request_handle(shim, type, payload))
        connection->broken = true;
}

static void connection_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    struct connection *connection = CONTAINER(watch, struct connection, watch);
    if ((events & EPOLLOUT) && connection == shim->connection) connection_send(shim);
    if (connection->watch.fd < 0) return;
    wire_reserve(&connection->in, CHUNK_BYTES);
    ssize_t got = recv(watch->fd, connection->in.bytes + connection->in.size, connection->in.capacity - connection->in.size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return end(shim, connection);
    connection->in.size += (size_t)got;
    size_t used = 0;
    unsigned type;
    struct view payload;
    int whole = 0;
    while (!connection->broken && (whole = frame_peek(connection->in.bytes + used, connection->in.size - used, &type, &payload)) > 0) {
        used += frame_size(payload);
        handle(shim, connection, type, payload);
    }
    wire_drop(&connection->in, used);
    if (whole < 0 || connection->broken) end(shim, connection);
}

static void listener_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    (void)events;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    bury(shim, &shim->newcomer);
    struct connection *connection = shim_alloc(sizeof *connection);
    connection->watch = (struct watch){fd, connection_ready};
    shim->newcomer = connection;
    if (!shim->connection) shim->alone_since_us = now_us(); /* until it attaches */
    watch_add(shim, &connection->watch, EPOLLIN);
}

void connection_listen(struct shim *shim)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/shim.sock", shim->folder_fd);
    unlinkat(shim->folder_fd, "shim.sock", 0);
    shim->listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    shim->listener.ready = listener_ready;
    mode_t mask = umask(0177);
    if (shim->listener.fd < 0 || bind(shim->listener.fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(shim->listener.fd, 4) < 0)
        shim_die("shim.sock");
    umask(mask);
    watch_add(shim, &shim->listener, EPOLLIN);
}

/* stream.c: answers that go on. A stream with nothing to send suspends its connection; writing resumes it.
   libmicrohttpd does not notice that a suspended peer has left, so every stream's socket is looked at now and then. */
#include "http/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { WATCH_MS = 1000, BEAT_MS = 15 * 1000, BLOCK_BYTES = 16 * 1024, QUEUE_MAX_BYTES = 8 * 1024 * 1024 };

static void wake(struct stream *stream)
{
    if (!stream->suspended) return;
    stream->suspended = false;
    server_resume(stream->server, stream->connection);
}

size_t stream_queued(const struct stream *stream)
{
    return stream->queue.size - stream->taken;
}

static ssize_t take_queued(struct stream *stream, char *buffer, size_t room)
{
    size_t size = stream_queued(stream) < room ? stream_queued(stream) : room;
    memcpy(buffer, stream->queue.bytes + stream->taken, size);
    stream->taken += size;
    if (stream->taken == stream->queue.size) {
        if (stream->queue.capacity > BLOCK_BYTES) text_release(&stream->queue);
        stream->queue.size = stream->taken = 0;
    }
    return (ssize_t)size;
}

/* The connection is closed in the next round, which nothing else would bring about. */
static ssize_t cut_off(struct stream *stream)
{
    stream->server->resumed = true;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* libmicrohttpd has room for more. */
static ssize_t read_more(void *context, uint64_t position, char *buffer, size_t room)
{
    (void)position;
    struct stream *stream = context;
    if (stream->broken) return cut_off(stream);
    if (stream_queued(stream) == 0 && stream->drained && !stream->ended) stream->drained(stream->context);
    if (stream_queued(stream) > 0) return take_queued(stream, buffer, room);
    if (stream->failed) return cut_off(stream);
    if (stream->ended || stream->server->closing) return MHD_CONTENT_READER_END_OF_STREAM;
    stream->suspended = true;
    MHD_suspend_connection(stream->connection);
    return 0;
}

static void stream_free(void *context)
{
    struct stream *stream = context;
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        stream->server->streams = stream->next;
    if (stream->next) stream->next->previous = stream->previous;
    if (!stream->server->streams && !stream->server->closing) uv_timer_stop(&stream->server->watch);
    if (stream->closed) stream->closed(stream->context);
    text_release(&stream->queue);
    free(stream);
}

static void on_watch(uv_timer_t *timer)
{
    streams_look_after(timer->data);
}

struct stream *respond_stream(struct request *request, const char *type, void (*closed)(void *context), void *context)
{
    struct http_server *server = request->server;
    struct stream *stream = mem_alloc(sizeof *stream);
    stream->server = server;
    stream->connection = request->connection;
    stream->fd = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    stream->beats = text_starts(type, "text/event-stream");
    stream->written_ms = clock_monotonic_us() / 1000;
    stream->closed = closed;
    stream->context = context;
    stream->next = server->streams;
    if (server->streams) server->streams->previous = stream;
    server->streams = stream;
    if (!uv_is_active((uv_handle_t *)&server->watch)) uv_timer_start(&server->watch, on_watch, WATCH_MS, WATCH_MS);
    respond_with(
        request, MHD_HTTP_OK, type, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_more, stream, stream_free));
    return stream;
}

void stream_write(struct stream *stream, const char *bytes, size_t size)
{
    if (stream->ended || stream->broken || size == 0) return;
    stream->written_ms = clock_monotonic_us() / 1000;
    if (stream_queued(stream) + size > QUEUE_MAX_BYTES) {
        stream->broken = true; /* a peer this slow is cut off; its last event id takes it up again */
    } else {
        text_add_bytes(&stream->queue, bytes, size);
    }
    wake(stream);
}

void stream_end(struct stream *stream)
{
    stream->ended = true;
    wake(stream);
}

void stream_fail(struct stream *stream)
{
    stream->failed = true;
    stream_end(stream);
}

void stream_on_drained(struct stream *stream, void (*drained)(void *context))
{
    stream->drained = drained;
    if (drained && stream_queued(stream) == 0) wake(stream);
}

static bool peer_has_left(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};
    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void streams_look_after(struct http_server *server)
{
    int64_t now_ms = clock_monotonic_us() / 1000;
    for (struct stream *stream = server->streams; stream; stream = stream->next) {
        if (!stream->suspended) continue;
        if (peer_has_left(stream->fd))
            stream->broken = true;
        else if (!stream->beats || now_ms - stream->written_ms < BEAT_MS)
            continue;
        else
            stream_write(stream, ": \n\n", 4);
        wake(stream);
    }
}

void streams_end_all(struct http_server *server)
{
    for (struct stream *stream = server->streams; stream; stream = stream->next)
        stream_end(stream);
}

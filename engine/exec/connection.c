/* connection.c: a connection to a run's shim that finds it again, checks that no report is missed or heard twice, and knows when it is
   gone. Life: connecting (as long as its lock is held) → attached at HELLO → lost, when the socket is closed and the lock is free; then
   RUN/reports is read to its end before `lost` is called. Requests are queued until attached. Hooks may call any function here. */
#include "exec/connection.h"

#include "base/log.h"
#include "base/mem.h"
#include "exec/launch.h"
#include "exec/spool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A request takes the acknowledgement along; so many reports are worth a message of its own. */
enum {
    READ_BYTES = 256 * 1024,
    RETRY_MS = 50,
    RETRIES = 40,
    SLOW_RETRY_MS = 1000,
    SILENCE_MS = RETRIES * RETRY_MS,
    REPORTS_TO_ACKNOWLEDGE = 64
};

static void poll_ready(uv_poll_t *poll, int status, int events);

static void free_when_closed(uv_handle_t *handle)
{
    struct supervisor *supervisor = handle->data;
    if (--supervisor->open_handles) return;
    wire_release(&supervisor->in);
    wire_release(&supervisor->out);
    wire_release(&supervisor->queued);
    text_release(&supervisor->text);
    free(supervisor->folder);
    free(supervisor);
}

static void disconnect(struct supervisor *supervisor)
{
    if (supervisor->fd < 0) return;
    if (supervisor->polling) uv_poll_stop(&supervisor->poll);
    close(supervisor->fd);
    supervisor->fd = -1;
    supervisor->attached = supervisor->greeted = false;
    wire_drop(&supervisor->in, supervisor->in.size);
    wire_drop(&supervisor->out, supervisor->out.size);
}

static void close_poll(struct supervisor *supervisor)
{
    if (!supervisor->polling) return;
    supervisor->polling = false;
    uv_close((uv_handle_t *)&supervisor->poll, free_when_closed);
}

void connection_close(struct supervisor *supervisor)
{
    if (supervisor->closed) return;
    supervisor->closed = true;
    supervisor->hooks = (struct supervisor_hooks){0};
    uv_idle_stop(&supervisor->flush);
    if (supervisor->polling) uv_poll_stop(&supervisor->poll);
    close_poll(supervisor);
    if (supervisor->fd >= 0) close(supervisor->fd);
    supervisor->fd = -1;
    uv_close((uv_handle_t *)&supervisor->retry, free_when_closed);
    uv_close((uv_handle_t *)&supervisor->flush, free_when_closed);
}

static void deliver(void *context, const struct supervisor_report *report)
{
    struct supervisor *supervisor = context;
    if (supervisor->hooks.report) supervisor->hooks.report(supervisor->hooks.context, report);
}

static void lose(struct supervisor *supervisor)
{
    if (supervisor->lost || supervisor->closed) return;
    supervisor->lost = true;
    uv_timer_stop(&supervisor->retry);
    if (supervisor->ending) return connection_close(supervisor);
    spool_read(supervisor->folder, &supervisor->sequence, deliver, supervisor);
    if (supervisor->hooks.batch_end) supervisor->hooks.batch_end(supervisor->hooks.context);
    if (supervisor->hooks.lost) supervisor->hooks.lost(supervisor->hooks.context);
}

/* The shim lives and is not ours any more: what was queued for it is never said. */
static void give_way(struct supervisor *supervisor)
{
    supervisor->lost = true;
    uv_timer_stop(&supervisor->retry);
    if (supervisor->hooks.replaced) supervisor->hooks.replaced(supervisor->hooks.context, supervisor->replaced_by);
}

/* libuv asks the kernel anew at each start, so it is started only where something changes. */
static void watch(struct supervisor *supervisor)
{
    int wanted = UV_READABLE | (supervisor->out.size ? UV_WRITABLE : 0);
    if (supervisor->fd < 0 || !supervisor->polling || wanted == supervisor->watched) return;
    uv_poll_start(&supervisor->poll, wanted, poll_ready);
    supervisor->watched = wanted;
}

bool connection_must_acknowledge(const struct supervisor *supervisor)
{
    return supervisor->attached && supervisor->on_disk >= supervisor->told + REPORTS_TO_ACKNOWLEDGE;
}

static void acknowledge(struct supervisor *supervisor)
{
    if (!supervisor->attached || supervisor->on_disk <= supervisor->told) return;
    if (!supervisor->out.size && !connection_must_acknowledge(supervisor)) return;
    size_t start = wire_begin(&supervisor->out, SHIM_ACK);
    wire_u64(&supervisor->out, supervisor->on_disk);
    wire_finish(&supervisor->out, start);
    supervisor->told = supervisor->on_disk;
}

void connection_write(struct supervisor *supervisor)
{
    acknowledge(supervisor);
    while (supervisor->fd >= 0 && supervisor->out.size) {
        ssize_t put = send(supervisor->fd, supervisor->out.bytes, supervisor->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) break; /* full: poll tells; broken: the read side tells */
        wire_drop(&supervisor->out, (size_t)put);
    }
    if (supervisor->ending && supervisor->attached && !supervisor->out.size) return connection_close(supervisor);
    watch(supervisor);
}

static void flush_ready(uv_idle_t *flush)
{
    uv_idle_stop(flush);
    connection_write(flush->data);
}

void connection_write_soon(struct supervisor *supervisor)
{
    uv_idle_start(&supervisor->flush, flush_ready);
}

/* Said on each connection until one took it: a shim that missed it would wait for its engine. */
void connection_say_end(struct supervisor *supervisor)
{
    size_t start = wire_begin(&supervisor->out, SHIM_END);
    wire_finish(&supervisor->out, start);
    connection_write_soon(supervisor);
}

static void retry_later(struct supervisor *supervisor);

static void tell_trouble(const struct supervisor *supervisor, const char *why)
{
    if (supervisor->hooks.trouble) supervisor->hooks.trouble(supervisor->hooks.context, why);
}

/* Where the lock's holder has no number here, as of another PID namespace, none is told: 0 would be the group of who types it. */
static void tell_silent(const struct supervisor *supervisor)
{
    int holder = (int)launch_holder(supervisor->folder);
    const char *folder = supervisor->folder;
    AUTO(free_text) char *why = NULL;
    if (holder)
        why =
            mem_format("its supervisor, process %d in %s, lives and does not answer; it is waited for: `kill -9 %d` ends it, and its steps",
                holder, folder, holder);
    else
        why = mem_format("its supervisor in %s lives and does not answer; it is waited for: it is who holds %s/shim.lock, which cannot be "
                         "seen from here",
            folder, folder);
    tell_trouble(supervisor, why);
}

/* It took the connection, or the kernel did for it, and says nothing. */
static void silence_ready(uv_timer_t *timer)
{
    const struct supervisor *supervisor = timer->data;
    if (!supervisor->greeted) tell_silent(supervisor);
}

static void await_answer(struct supervisor *supervisor)
{
    uv_timer_start(&supervisor->retry, silence_ready, SILENCE_MS, 0);
}

static void connect_now(struct supervisor *supervisor)
{
    if (supervisor->fd >= 0) return await_answer(supervisor); /* a spare that was taken while it was connecting anew */
    supervisor->fd = launch_connect(supervisor->folder);
    if (supervisor->fd < 0) return retry_later(supervisor);
    if (uv_poll_init(supervisor->loop, &supervisor->poll, supervisor->fd)) {
        disconnect(supervisor);
        return retry_later(supervisor);
    }
    supervisor->poll.data = supervisor;
    supervisor->polling = true;
    supervisor->watched = 0;
    supervisor->open_handles++;
    size_t start = wire_begin(&supervisor->out, SHIM_ATTACH);
    wire_u32(&supervisor->out, SHIM_PROTOCOL_OLDEST);
    wire_u64(&supervisor->out, supervisor->sequence);
    wire_u64(&supervisor->out, supervisor->epoch);
    wire_u32(&supervisor->out, SHIM_PROTOCOL_VERSION);
    wire_finish(&supervisor->out, start);
    connection_write(supervisor);
    await_answer(supervisor);
}

/* Of a spare that was taken, the new hooks are told what the old ones were. */
static void retry_ready(uv_timer_t *timer)
{
    struct supervisor *supervisor = timer->data;
    if (!supervisor->attached) return connect_now(supervisor);
    if (supervisor->hooks.attached) supervisor->hooks.attached(supervisor->hooks.context);
}

void connection_begin(struct supervisor *supervisor)
{
    uv_timer_start(&supervisor->retry, retry_ready, 0, 0);
}

/* A closed socket is not yet a dead shim: only its free lock is. One that does not answer is waited for, however long that takes, because
   its steps may run; but nobody waits to tell it that it is over. */
static void retry_later(struct supervisor *supervisor)
{
    if (!launch_is_locked(supervisor->folder)) return lose(supervisor);
    bool slow = ++supervisor->tries > RETRIES;
    if (slow && supervisor->ending) return connection_close(supervisor);
    if (supervisor->tries == RETRIES) tell_silent(supervisor);
    uv_timer_start(&supervisor->retry, retry_ready, slow ? SLOW_RETRY_MS : RETRY_MS, 0);
}

static void poll_closed(uv_handle_t *handle)
{
    struct supervisor *supervisor = handle->data;
    bool others = supervisor->open_handles > 1;
    free_when_closed(handle);
    if (others && !supervisor->closed && !supervisor->lost) retry_later(supervisor);
}

/* The poll handle belongs to its descriptor, so a new connection waits until the old handle is closed. */
static void connection_broke(struct supervisor *supervisor)
{
    if (supervisor->fd < 0 || supervisor->closed) return;
    disconnect(supervisor);
    supervisor->polling = false;
    uv_close((uv_handle_t *)&supervisor->poll, poll_closed);
}

/* On a new connection it may make sense again. If it does not, none of its reports will ever be heard: it is ended, and its steps with it,
   before they are said to be lost. */
static void distrust(struct supervisor *supervisor)
{
    pid_t holder = supervisor->distrusted ? launch_holder(supervisor->folder) : 0;
    if (holder) {
        log_line(LOG_LEVEL_WARNING, "the supervisor in %.200s (process %d) does not tell what follows what was heard of it; it is ended",
            supervisor->folder, (int)holder);
        kill(holder, SIGKILL);
    }
    supervisor->distrusted = true;
    connection_broke(supervisor);
}

/* Nothing is asked before all that the shim has to tell was told: a step that ended long ago must not be started again. */
static void attach_when_replayed(struct supervisor *supervisor)
{
    if (supervisor->attached || supervisor->sequence < supervisor->replay_to) return;
    supervisor->attached = true;
    supervisor->distrusted = false;
    supervisor->tries = 0;
    wire_bytes(&supervisor->out, supervisor->queued.bytes, supervisor->queued.size);
    supervisor->queued.size = 0;
    connection_write_soon(supervisor);
    if (supervisor->ending) connection_say_end(supervisor);
    if (supervisor->hooks.attached) supervisor->hooks.attached(supervisor->hooks.context);
}

static bool greet(struct supervisor *supervisor, struct view payload)
{
    uint32_t version = view_u32(&payload);
    view_u32(&payload);
    uint64_t first = view_u64(&payload), last = view_u64(&payload);
    if (payload.bad || version < SHIM_PROTOCOL_OLDEST || supervisor->greeted) return false;
    if (last > supervisor->sequence && first > supervisor->sequence + 1) return false; /* reports were lost: not our shim any more */
    supervisor->greeted = true;
    supervisor->replay_to = last;
    attach_when_replayed(supervisor);
    return true;
}

static bool hear_stuck(struct supervisor *supervisor, struct view payload)
{
    int saved_errno = (int)view_u32(&payload);
    bool full = saved_errno == ENOSPC || saved_errno == EDQUOT;
    if (payload.bad) return false;
    AUTO(free_text)
    char *why = mem_format("%s/reports cannot be written: %s; %s, and it goes on by itself", supervisor->folder, strerror(saved_errno),
        full ? "make room" : "see to the disk");
    tell_trouble(supervisor, saved_errno ? why : NULL);
    return true;
}

/* false: the peer broke the protocol. */
static bool take_frame(struct supervisor *supervisor, unsigned type, struct view payload)
{
    if (type == SHIM_HELLO) return greet(supervisor, payload);
    if (type == SHIM_STALE && !supervisor->greeted) {
        supervisor->replaced_by = view_u64(&payload);
        return false;
    }
    if (type == SHIM_STUCK && supervisor->greeted) return hear_stuck(supervisor, payload);
    struct supervisor_report report;
    if (!supervisor->greeted || !report_read(type, payload, &supervisor->text, &report)) return false;
    if (report.sequence <= supervisor->sequence) return true; /* heard before */
    if (report.sequence != supervisor->sequence + 1) return false;
    supervisor->sequence = report.sequence;
    deliver(supervisor, &report);
    if (!supervisor->closed) attach_when_replayed(supervisor);
    return true;
}

static bool take_frames(struct supervisor *supervisor)
{
    size_t used = 0;
    unsigned type;
    struct view payload;
    int whole = 0;
    bool good = true;
    while (
        good && !supervisor->closed && (whole = frame_peek(supervisor->in.bytes + used, supervisor->in.size - used, &type, &payload)) > 0) {
        used += frame_size(payload);
        good = take_frame(supervisor, type, payload);
    }
    wire_drop(&supervisor->in, used);
    return good && whole >= 0;
}

static void read_in(struct supervisor *supervisor)
{
    wire_reserve(&supervisor->in, READ_BYTES);
    struct wire *in = &supervisor->in;
    ssize_t got = recv(supervisor->fd, in->bytes + in->size, in->capacity - in->size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return connection_broke(supervisor);
    supervisor->in.size += (size_t)got;
    bool good = take_frames(supervisor);
    if (supervisor->closed) return;
    if (supervisor->hooks.batch_end) supervisor->hooks.batch_end(supervisor->hooks.context);
    if (good || supervisor->closed) return;
    if (!supervisor->replaced_by) return distrust(supervisor);
    disconnect(supervisor);
    give_way(supervisor);
}

static void poll_ready(uv_poll_t *poll, int status, int events)
{
    struct supervisor *supervisor = poll->data;
    if (status < 0) return connection_broke(supervisor);
    if (events & UV_WRITABLE) connection_write(supervisor);
    if ((events & UV_READABLE) && supervisor->fd >= 0 && !supervisor->closed) read_in(supervisor);
}

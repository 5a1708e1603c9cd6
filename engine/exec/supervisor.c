/* supervisor.c: the engine's end of a run's shim: opening it, and what the engine does with it; connection.c is how both keep in touch. */
#include "exec/supervisor.h"

#include "base/mem.h"
#include "exec/connection.h"
#include "exec/launch.h"
#include "exec/requests.h"

#include <stdlib.h>

bool supervisor_lives(const char *folder)
{
    return launch_is_locked(folder);
}

static struct supervisor *supervisor_new(uv_loop_t *loop, const char *folder, uint64_t last_sequence, const struct supervisor_hooks *hooks)
{
    struct supervisor *supervisor = mem_alloc(sizeof *supervisor);
    *supervisor =
        (struct supervisor){.loop = loop, .hooks = *hooks, .sequence = last_sequence, .epoch = hooks->epoch, .fd = -1, .open_handles = 2};
    supervisor->folder = mem_copy_text(folder);
    uv_timer_init(loop, &supervisor->retry);
    uv_idle_init(loop, &supervisor->flush);
    supervisor->retry.data = supervisor->flush.data = supervisor;
    connection_begin(supervisor); /* so that no hook is called before the caller has the object */
    return supervisor;
}

int supervisor_open(uv_loop_t *loop, const char *folder, const char *shim_path, uint64_t last_sequence, bool start,
    const struct supervisor_hooks *hooks, struct supervisor **ret, struct error *err)
{
    if (start && !launch_is_locked(folder) && launch_shim(folder, shim_path, err) < 0) return -(int)err->code;
    *ret = supervisor_new(loop, folder, last_sequence, hooks);
    return 0;
}

int supervisor_open_spare(uv_loop_t *loop, const char *folder, const char *shim_path, const struct supervisor_hooks *hooks,
    struct supervisor **ret, struct error *err)
{
    if (launch_spare(folder, shim_path, err) < 0) return -(int)err->code;
    *ret = supervisor_new(loop, folder, 0, hooks);
    return 0;
}

/* --- requests --- */

const char *supervisor_folder(const struct supervisor *supervisor)
{
    return supervisor->folder;
}

struct wire *request_wire(struct supervisor *supervisor)
{
    return supervisor->attached ? &supervisor->out : &supervisor->queued;
}

void request_queued(struct supervisor *supervisor, struct wire *wire, size_t start)
{
    wire_finish(wire, start);
    if (supervisor->attached && !supervisor->closed) connection_write_soon(supervisor);
}

void supervisor_take(struct supervisor *supervisor, const char *folder, const struct supervisor_hooks *hooks)
{
    free(supervisor->folder);
    supervisor->folder = mem_copy_text(folder);
    supervisor->hooks = *hooks;
    struct wire *wire = request_wire(supervisor);
    size_t start = wire_begin(wire, SHIM_TAKE);
    wire_text(wire, folder);
    request_queued(supervisor, wire, start);
    connection_begin(supervisor);
}

void supervisor_acknowledge(struct supervisor *supervisor, uint64_t sequence)
{
    if (sequence > supervisor->on_disk) supervisor->on_disk = sequence;
    if (connection_must_acknowledge(supervisor) && !supervisor->closed) connection_write_soon(supervisor);
}

void supervisor_flush(struct supervisor *supervisor)
{
    if (supervisor->attached) connection_write(supervisor);
}

void supervisor_end(struct supervisor *supervisor)
{
    supervisor->hooks = (struct supervisor_hooks){0};
    if (supervisor->lost || supervisor->closed) return connection_close(supervisor);
    supervisor->ending = true;
    if (supervisor->attached) connection_say_end(supervisor);
}

void supervisor_detach(struct supervisor *supervisor)
{
    connection_write(supervisor);
    connection_close(supervisor);
}

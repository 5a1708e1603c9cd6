/* supervisor.h: the engine's end of a run's shim: start or find it, hand it steps, hear its reports. On the libuv loop; nothing
   here blocks but the start of the shim's process (posix_spawn, under a millisecond). */
#ifndef CRESCENDO_EXEC_SUPERVISOR_H
#define CRESCENDO_EXEC_SUPERVISOR_H

#include "crescendo/error.h"
#include "exec/protocol.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct supervisor;

struct supervisor_report {
    enum shim_report type;
    uint64_t sequence;
    int64_t time_ms;
    uint32_t step, attempt, stage;
    uint32_t pid, degree;
    enum shim_cause cause;
    int exit_code, signal;
    uint64_t cpu_us, memory_bytes, log_bytes, log_offset;
    const char *text;    /* line or message; NUL-terminated; borrowed for the call */
    const char *outputs; /* content of the output file */
    size_t outputs_size;
};

struct supervisor_hooks {
    /* Reports in order of sequence, none twice within the life of this object. */
    void (*report)(void *context, const struct supervisor_report *report);
    /* All reports of one read were delivered: the moment to decide and to write. */
    void (*batch_end)(void *context);
    /* HELLO was received, and the replay behind it is delivered: now START may be sent (again) for every step that should live. */
    void (*attached)(void *context);
    /* The shim is gone for good: reports that it left in RUN/reports were delivered before this call. */
    void (*lost)(void *context);
    void *context;
    /* The shim obeys an engine of a later epoch, and tells us nothing: neither attached nor lost will be called. */
    void (*replaced)(void *context, uint64_t epoch);
    uint64_t epoch; /* ours, that the shim is told */
    /* The shim lives and nothing is heard of it: why, where, and what to do; tried again and again until attached() is called, or this with
       NULL: it goes on. Borrowed for the call. */
    void (*trouble)(void *context, const char *why);
};

/* Finds the run's living shim by its lock, or starts one when `start` is set (else: delivers what RUN/reports holds beyond
   last_sequence, then calls lost). folder: RUN/, exists, borrowed for the call. shim_path: the program. last_sequence: what the journal
   has. */
int supervisor_open(uv_loop_t *loop, const char *folder, const char *shim_path, uint64_t last_sequence, bool start,
    const struct supervisor_hooks *hooks, struct supervisor **ret, struct error *err) MUST_CHECK;

/* Starts a shim that no run has yet, in a folder of its own; it lives while this object does. hooks: attached and lost. */
int supervisor_open_spare(uv_loop_t *loop, const char *folder, const char *shim_path, const struct supervisor_hooks *hooks,
    struct supervisor **ret, struct error *err) MUST_CHECK;
/* Of a spare that is attached: its folder was renamed to RUN/, and it is that run's from now on; attached() comes to the new hooks. */
void supervisor_take(struct supervisor *supervisor, const char *folder, const struct supervisor_hooks *hooks);

struct sandbox_request {
    uint32_t stage;
    const char *workspace;
    enum sandbox_mode mode;
    bool network_host;
    uint64_t memory_bytes, disk_bytes;
    uint32_t cpu_thousandths, processes;
    const char *const *read_only;  /* NULL-ended; may be NULL */
    const char *const *read_write; /* folders besides the workspace; NULL-ended; may be NULL */
};
struct start_request {
    uint32_t step, attempt, stage, after;
    uint32_t flags;
    uint64_t timeout_ms, grace_ms;
    const char *const *argv;        /* NULL-ended */
    const char *const *environment; /* NULL-ended */
    const char *input;              /* standard input's text; NULL = /dev/null */
    const char *title;
    const char *const *secrets; /* environment whose values are hidden in all logs of the run from then on; NULL-ended; may be NULL */
    const char *const *hidden;  /* values that are hidden as well; NULL-ended; may be NULL */
};
/* All of these queue bytes; they are written when the loop comes round (supervisor_flush writes at once). */
void supervisor_sandbox(struct supervisor *supervisor, const struct sandbox_request *request);
void supervisor_start(struct supervisor *supervisor, const struct start_request *request);
void supervisor_cancel(struct supervisor *supervisor, uint32_t step, uint32_t attempt);
void supervisor_say(struct supervisor *supervisor, uint32_t step, uint32_t attempt, const char *line);
/* Waits for another request, or for more that can be forgotten. */
void supervisor_acknowledge(struct supervisor *supervisor, uint64_t sequence);
void supervisor_end_stage(struct supervisor *supervisor, uint32_t stage);
void supervisor_flush(struct supervisor *supervisor);
/* Tells the shim that the run is over. No hook is called any more; frees itself when the socket is closed. */
void supervisor_end(struct supervisor *supervisor);
/* Lets go without ending anything (the server stops; the shim lives on). */
void supervisor_detach(struct supervisor *supervisor);

/* Is there a living shim for this folder, which may write to RUN/log? Any thread. */
bool supervisor_lives(const char *folder);

/* Ends what a lost shim may have left (its cgroup, and processes that carry CRESCENDO_RUN_FOLDER=folder). Blocks briefly. */
void supervisor_sweep(const char *folder);

#endif

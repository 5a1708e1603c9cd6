/* connection.h: a supervisor's connection, for supervisor.c, which opens and commands it. Inside engine/exec only; on the libuv loop. */
#ifndef CRESCENDO_EXEC_CONNECTION_H
#define CRESCENDO_EXEC_CONNECTION_H

#include "base/text.h"
#include "exec/supervisor.h"
#include "exec/wire.h"

struct supervisor {
    uv_loop_t *loop;
    uv_poll_t poll;
    uv_timer_t retry;
    uv_idle_t flush; /* writes what was queued in this turn of the loop */
    struct supervisor_hooks hooks;
    char *folder;
    int fd; /* -1: not connected */
    unsigned tries, open_handles;
    int watched; /* what the poll asks for; 0: nothing */
    bool greeted, attached, polling, lost, ending, closed, busy;
    bool distrusted;             /* it broke the protocol, and was not attached since */
    uint64_t epoch, replaced_by; /* ours; that of the engine for which the shim refused us, or 0 */
    uint64_t sequence;           /* the last report that was delivered */
    uint64_t on_disk, told;      /* the last report that may be forgotten; the last that the shim was told so of */
    uint64_t replay_to;          /* HELLO came, and the reports up to this one are told again; then it is attached */
    struct wire in, out;         /* out holds ATTACH alone until HELLO came */
    struct wire queued;          /* requests until then */
    struct text text;
};

/* Connects when the loop comes round, so that no hook is called before; one that is attached already tells its hooks so then. */
void connection_begin(struct supervisor *supervisor);
/* Writes what is queued, as far as the socket takes it; the rest, and all of it with the second, when the loop comes round. */
void connection_write(struct supervisor *supervisor);
void connection_write_soon(struct supervisor *supervisor);
/* Are so many reports on disk that the shim is told so without another request? */
bool connection_must_acknowledge(const struct supervisor *supervisor);
void connection_say_end(struct supervisor *supervisor);
/* No hook is called any more; frees the supervisor once the loop has let its handles go. */
void connection_close(struct supervisor *supervisor);

#endif

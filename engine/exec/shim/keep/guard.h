/* guard.h: what the guardian and its deputy share: notes, and what a guardian knows. Private to guard.c, deputy.c and notes.c. */
#ifndef CRESCENDO_SHIM_GUARD_H
#define CRESCENDO_SHIM_GUARD_H

#include "keep.h"

/* A note is a packet: its kind, a number, and for some a descriptor. */
enum note_kind {
    NOTE_PORT,  /* number, socket: hold it */
    NOTE_READY, /* the keeper answers */
    NOTE_OVER,  /* the keeper ends because it was told to, or nobody needs it */
    NOTE_KEEPER /* pid, channel: there is another keeper (to the deputy) */
};
struct note {
    int32_t kind, number;
};
bool note_send(int channel, enum note_kind kind, int number, int fd); /* fd -1: none. false: nobody is there. Does not wait. */
bool note_take(int channel, struct note *ret, int *ret_fd);           /* false: there is no more. Does not wait. */

struct guardian {
    struct keep *keep; /* as the next keeper will find it: fresh, but for the ports */
    int signals, parent;
    int channel;  /* the keeper's notes; -1 = none */
    pid_t keeper; /* 0 = none */
    bool adopted; /* it is not our child: the guardian before us started it */
    int pidfd;    /* of one that is adopted; -1 = none */
    int status;   /* how it ended, as wait() gives it */
    bool over;    /* it said that it would */
    pid_t deputy; /* 0 = none */
    int ear;      /* the deputy's; -1 = none */
    int64_t deputy_us;
    bool answered, ending; /* answered: a keeper was ready once, so who started us has gone on */
    unsigned failures;
};
void guard_take_port(struct keep *keep, int number, int fd);

/* Starts the deputy where there is none. Returns in the guardian at once, and in the deputy when it is the guardian. */
void deputy_see_to(struct guardian *guardian);
int deputy_wait_ms(const struct guardian *guardian); /* until it is to be seen to again; -1: it is there, or is not needed */
void deputy_tell_port(const struct guardian *guardian, int number, int fd);
void deputy_tell_keeper(const struct guardian *guardian);
void deputy_gone(struct guardian *guardian);
void deputy_end(struct guardian *guardian); /* before the guardian ends on purpose */

#endif

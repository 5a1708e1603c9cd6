/* deputy.c: the guardian's deputy: it holds what the guardian holds, and does nothing until the guardian is gone. Then it is the guardian
   of the same keeper, which goes on and hears nothing of it; where the keeper was killed too, it starts the next one. */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int64_t AGAIN_US = 100 * 1000, LOCK_US = 2 * 1000 * 1000;
enum { LOCK_PAUSE_US = 1000 };

/* --- in the deputy --- */

static void close_held(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* One that has ended already has no descriptor, and is looked after as one that was killed. */
static void know_keeper(struct guardian *guardian, pid_t pid, int channel)
{
    if (channel != guardian->channel) close_held(&guardian->channel);
    close_held(&guardian->pidfd);
    guardian->channel = channel;
    guardian->keeper = pid;
    guardian->over = false;
    guardian->pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1; /* close-on-exec by itself */
}

static void hear_guardian(struct guardian *guardian, int ear)
{
    struct note note;
    for (int fd; note_take(ear, &note, &fd);) {
        if (note.kind == NOTE_PORT)
            guard_take_port(guardian->keep, note.number, fd);
        else if (note.kind == NOTE_KEEPER)
            know_keeper(guardian, note.number, fd);
        else
            close_held(&fd);
    }
}

static void wait_for_its_end(struct guardian *guardian, int ear)
{
    struct pollfd news = {ear, POLLIN, 0};
    while (!(news.revents & (POLLHUP | POLLERR))) {
        if (poll(&news, 1, -1) < 0 && errno != EINTR) _exit(1);
        hear_guardian(guardian, ear);
    }
    close(ear);
}

/* The guardian's lock goes a moment after its sockets. Whoever else has taken it by hand is the guardian, then. */
static void take_its_place(struct guardian *guardian)
{
    const struct shim *shim = &guardian->keep->shim;
    int64_t end = now_us() + LOCK_US;
    while (!shim_lock(shim, LOCK_BYTE, F_SETLK)) {
        if (now_us() > end) _exit(0);
        usleep(LOCK_PAUSE_US);
    }
    shim_unlock(shim, DEPUTY_BYTE);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct signalfd_siginfo ignored;
    while (read(guardian->signals, &ignored, sizeof ignored) > 0)
        continue; /* they were for a deputy */
    guardian->adopted = true;
    guardian->deputy_us = 0;
}

static void serve_as_deputy(struct guardian *guardian, int ear)
{
    setsid();
    guardian->deputy = 0;
    guardian->ear = -1;
    know_keeper(guardian, guardian->keeper, guardian->channel);
    shim_lock(&guardian->keep->shim, DEPUTY_BYTE, F_SETLKW);
    wait_for_its_end(guardian, ear);
    take_its_place(guardian);
}

/* --- in the guardian --- */

static bool is_missing(const struct guardian *guardian)
{
    return guardian->answered && !guardian->ending && !guardian->deputy;
}

int deputy_wait_ms(const struct guardian *guardian)
{
    return is_missing(guardian) ? (int)(AGAIN_US / 1000) : -1;
}

void deputy_see_to(struct guardian *guardian)
{
    int ends[2];
    if (!is_missing(guardian) || (guardian->deputy_us && now_us() < guardian->deputy_us + AGAIN_US)) return;
    guardian->deputy_us = now_us();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return;
    pid_t pid = fork();
    close(ends[pid == 0 ? 0 : 1]);
    if (pid == 0) return serve_as_deputy(guardian, ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return;
    }
    guardian->deputy = pid;
    guardian->ear = ends[0];
}

void deputy_tell_port(const struct guardian *guardian, int number, int fd)
{
    if (guardian->ear >= 0) note_send(guardian->ear, NOTE_PORT, number, fd);
}

void deputy_tell_keeper(const struct guardian *guardian)
{
    if (guardian->ear >= 0) note_send(guardian->ear, NOTE_KEEPER, guardian->keeper, guardian->channel);
}

void deputy_gone(struct guardian *guardian)
{
    guardian->deputy = 0;
    close_held(&guardian->ear);
}

void deputy_end(struct guardian *guardian)
{
    if (guardian->deputy) kill(guardian->deputy, SIGKILL);
}

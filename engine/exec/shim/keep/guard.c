/* guard.c: the guardian: the first process of `crescendo-shim --keep KEEP`. The keeper is its child; it starts another one as soon as that
   has died and all that it left is gone, and holds each socket that clients come by, so that they wait in its queue rather than are
   refused. It does nothing else, so that there is little that could go wrong with it; what goes wrong with itself is its deputy's. */
#include "guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_FD = 3, LOOK_MS = 20 };
static const int64_t STABLE_US = 2000 * 1000, FIRST_DELAY_US = 100 * 1000, LONGEST_DELAY_US = 10 * 1000 * 1000, GONE_US = 10 * 1000 * 1000;

/* --- in the keeper --- */

void guard_hold(const struct keep *keep, const struct port *port)
{
    note_send(keep->guardian, NOTE_PORT, port->number, port->fd);
}

/* A guardian that was killed before it had a deputy leaves nobody to look after us: whoever wanted us starts again. */
void guard_ready(const struct keep *keep)
{
    if (!note_send(keep->guardian, NOTE_READY, 0, -1)) _exit(1);
}

void guard_over(const struct keep *keep)
{
    note_send(keep->guardian, NOTE_OVER, 0, -1);
}

static void become_keeper(const struct guardian *guardian, int channel)
{
    setsid();
    close(guardian->signals);
    if (guardian->ear >= 0) close(guardian->ear); /* its end is the deputy's sign */
    if (!guardian->answered) {
        close(READY_FD);
        close(guardian->parent);
    }
    guardian->keep->guardian = channel;
}

/* --- in the guardian --- */

/* True in the keeper. */
static bool start(struct guardian *guardian)
{
    int ends[2];
    guardian->channel = -1;
    guardian->keeper = 0;
    guardian->adopted = guardian->over = false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return false;
    pid_t pid = fork();
    close(ends[pid == 0 ? 0 : 1]);
    if (pid == 0) become_keeper(guardian, ends[1]);
    if (pid == 0) return true;
    guardian->channel = ends[0];
    guardian->keeper = pid > 0 ? pid : 0;
    deputy_tell_keeper(guardian);
    return false;
}

void guard_take_port(struct keep *keep, int number, int fd)
{
    if (fd >= 0 && keep->port_count < KEEP_PORTS) keep->ports[keep->port_count++] = (struct port){.number = number, .fd = fd};
}

static void take_note(struct guardian *guardian, const struct note *note, int fd)
{
    if (note->kind == NOTE_PORT) {
        guard_take_port(guardian->keep, note->number, fd);
        deputy_tell_port(guardian, note->number, fd);
    } else if (note->kind == NOTE_OVER) {
        guardian->over = true;
    } else if (note->kind == NOTE_READY) {
        if (!guardian->answered) shim_become_daemon(guardian->parent);
        guardian->answered = true;
    }
}

static void hear(struct guardian *guardian)
{
    struct note note;
    for (int fd; note_take(guardian->channel, &note, &fd);)
        take_note(guardian, &note, fd);
}

static void take_signals(struct guardian *guardian)
{
    struct signalfd_siginfo info;
    while (read(guardian->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGTERM) continue;
        guardian->ending = true;
        if (guardian->keeper > 0) kill(guardian->keeper, SIGTERM);
    }
}

static void wait_for_news(struct guardian *guardian, int ms)
{
    struct pollfd news[] = {{guardian->signals, POLLIN, 0}, {guardian->channel, POLLIN, 0}, {guardian->pidfd, POLLIN, 0}};
    if (poll(news, COUNT_OF(news), ms) <= 0) return;
    take_signals(guardian);
    hear(guardian);
    if (!(news[1].revents & POLLHUP)) return;
    close(guardian->channel);
    guardian->channel = -1;
}

/* All children that ended. True: the keeper was among them, or is a child no more. */
static bool reap(struct guardian *guardian)
{
    bool ended = false;
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid == guardian->deputy) deputy_gone(guardian);
        if (pid != guardian->keeper) continue;
        guardian->status = status;
        ended = true;
    }
    return ended;
}

/* Nobody tells us how one ended that is not our child, unless it did itself. */
static bool adopted_ended(struct guardian *guardian)
{
    struct pollfd end = {guardian->pidfd, POLLIN, 0};
    if (guardian->pidfd >= 0 && poll(&end, 1, 0) <= 0) return false;
    hear(guardian);
    guardian->status = guardian->over ? 0 : SIGKILL;
    return true;
}

static bool has_ended(struct guardian *guardian)
{
    bool ended = reap(guardian);
    if (guardian->adopted) return adopted_ended(guardian);
    if (!guardian->keeper) guardian->status = 1;
    return ended || !guardian->keeper;
}

static void drop(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Until it has ended. */
static void watch(struct guardian *guardian)
{
    while (!has_ended(guardian)) {
        deputy_see_to(guardian);
        wait_for_news(guardian, deputy_wait_ms(guardian));
    }
    hear(guardian);
    drop(&guardian->channel);
    drop(&guardian->pidfd);
    guardian->keeper = 0;
}

/* A service must not be there twice: what the keeper started is gone before the next one starts it anew. Most of it dies with the keeper;
   we are the subreaper of the rest, or know it by what it carries. */
static void end_leftovers(struct guardian *guardian)
{
    int64_t end = now_us() + GONE_US;
    for (;;) {
        reap(guardian);
        unsigned left = children_kill(guardian->deputy);
        if (guardian->adopted) left += carriers_kill(&guardian->keep->shim, guardian->deputy);
        if (!left || now_us() > end) return; /* one that hangs in the kernel does not come back from there alive */
        wait_for_news(guardian, LOOK_MS);
    }
}

static _Noreturn void leave(struct guardian *guardian, int code)
{
    deputy_end(guardian);
    _exit(code);
}

static void end_or_go_on(struct guardian *guardian)
{
    bool exited = WIFEXITED(guardian->status);
    if (exited && WEXITSTATUS(guardian->status) == 0) leave(guardian, 0); /* it was told to, or nobody needed it */
    if (guardian->ending || !folder_is_ours(&guardian->keep->shim)) leave(guardian, 0);
    if (!guardian->answered) leave(guardian, exited ? WEXITSTATUS(guardian->status) : 1);
}

static void back_off(struct guardian *guardian, int64_t started)
{
    guardian->failures = now_us() - started >= STABLE_US ? 0 : guardian->failures + 1;
    if (guardian->failures < 2) return;
    int64_t delay = FIRST_DELAY_US << (guardian->failures < 9 ? guardian->failures - 2 : 7);
    int64_t end = now_us() + (delay < LONGEST_DELAY_US ? delay : LONGEST_DELAY_US);
    for (int64_t left; !guardian->ending && (left = end - now_us()) > 0;)
        wait_for_news(guardian, (int)(left / 1000 + 1));
    if (guardian->ending) leave(guardian, 0);
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) shim_die("signalfd");
    return fd;
}

void guard_keeper(struct shim *shim, int parent)
{
    struct guardian guardian = {
        .keep = (struct keep *)shim, .signals = open_signals(), .channel = -1, .pidfd = -1, .ear = -1, .parent = parent};
    for (;;) {
        int64_t started = now_us();
        if (start(&guardian)) return;
        watch(&guardian);
        guardian.keep->ended = guardian.status;
        end_leftovers(&guardian);
        end_or_go_on(&guardian);
        back_off(&guardian, started);
    }
}

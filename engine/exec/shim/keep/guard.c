/* guard.c: the guardian: the first process of `crescendo-shim --keep KEEP`. The keeper is its child; it starts another one as soon as that
   has died and all that it left is gone, and holds each socket that clients come by, so that they wait in its queue rather than are
   refused. It does nothing else, so that there is little that could go wrong with it; the keeper dies with it. */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_FD = 3, LOOK_MS = 20, IS_READY = 0 };
static const int64_t STABLE_US = 2000 * 1000, FIRST_DELAY_US = 100 * 1000, LONGEST_DELAY_US = 10 * 1000 * 1000, GONE_US = 10 * 1000 * 1000;

struct guardian {
    struct keep *keep; /* as the next keeper will find it: fresh, but for the ports */
    int signals, channel, parent;
    pid_t keeper;
    bool answered, ending; /* answered: a keeper was ready once, so who started us has gone on */
    unsigned failures;
};

/* --- in the keeper --- */

static void tell(const struct keep *keep, int number, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec piece = {&number, sizeof number};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    (void)!sendmsg(keep->guardian, &message, MSG_NOSIGNAL | MSG_DONTWAIT); /* a guardian that is gone takes us with it */
}

void guard_hold(const struct keep *keep, const struct port *port)
{
    tell(keep, port->number, port->fd);
}

void guard_ready(const struct keep *keep)
{
    tell(keep, IS_READY, -1);
}

static void become_keeper(const struct guardian *guardian, int channel, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    setsid();
    close(guardian->signals);
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
    pid_t self = getpid();
    guardian->channel = -1;
    guardian->keeper = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return false;
    guardian->keeper = fork();
    close(ends[guardian->keeper == 0 ? 0 : 1]);
    if (guardian->keeper == 0) become_keeper(guardian, ends[1], self);
    guardian->channel = ends[0];
    return guardian->keeper == 0;
}

static void take_told(struct guardian *guardian, int number, int fd)
{
    struct keep *keep = guardian->keep;
    if (number == IS_READY) {
        if (!guardian->answered) shim_become_daemon(guardian->parent);
        guardian->answered = true;
    } else if (fd >= 0 && keep->port_count < KEEP_PORTS) {
        keep->ports[keep->port_count++] = (struct port){.number = number, .fd = fd};
    }
}

/* False: there is nothing more. */
static bool hear(struct guardian *guardian)
{
    int number, fd = -1;
    char control[CMSG_SPACE(sizeof fd)];
    struct iovec piece = {&number, sizeof number};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(guardian->channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof number) return false;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd);
    take_told(guardian, number, fd);
    return true;
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
    struct pollfd news[] = {{guardian->signals, POLLIN, 0}, {guardian->channel, POLLIN, 0}};
    if (poll(news, COUNT_OF(news), ms) <= 0) return;
    take_signals(guardian);
    while (guardian->channel >= 0 && hear(guardian))
        continue;
    if (!(news[1].revents & POLLHUP)) return;
    close(guardian->channel);
    guardian->channel = -1;
}

/* Until it has ended; how. */
static int watch(struct guardian *guardian)
{
    int status = 0;
    pid_t ended = 0;
    while (guardian->keeper > 0 && ended != guardian->keeper) {
        wait_for_news(guardian, -1);
        do
            ended = waitpid(-1, &status, WNOHANG);
        while (ended > 0 && ended != guardian->keeper);
    }
    while (guardian->channel >= 0 && hear(guardian))
        continue;
    if (guardian->channel >= 0) close(guardian->channel);
    guardian->channel = -1;
    return guardian->keeper > 0 ? status : 1;
}

/* A service must not be there twice: what the keeper started is gone before the next one starts it anew. Most of it dies with the keeper;
   we are the subreaper of the rest. */
static void end_leftovers(struct guardian *guardian)
{
    int64_t end = now_us() + GONE_US;
    guardian->keeper = -1;
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD) return;
        if (now_us() > end) return; /* it hangs in the kernel, and does not come back from there alive */
        children_kill();
        wait_for_news(guardian, LOOK_MS);
    }
}

/* The folder may have been removed under a keeper that was killed. */
static bool is_ours(const struct shim *shim)
{
    struct stat there, held;
    return fstatat(shim->folder_fd, "keeper.lock", &there, AT_SYMLINK_NOFOLLOW) == 0 && fstat(shim->lock_fd, &held) == 0 &&
           there.st_ino == held.st_ino && there.st_dev == held.st_dev;
}

static void end_or_go_on(const struct guardian *guardian, int status)
{
    bool exited = WIFEXITED(status);
    if (exited && WEXITSTATUS(status) == 0) _exit(0); /* it was told to, or nobody needed it */
    if (guardian->ending || !is_ours(&guardian->keep->shim)) _exit(0);
    if (!guardian->answered) _exit(exited ? WEXITSTATUS(status) : 1);
}

static void back_off(struct guardian *guardian, int64_t started)
{
    guardian->failures = now_us() - started >= STABLE_US ? 0 : guardian->failures + 1;
    if (guardian->failures < 2) return;
    int64_t delay = FIRST_DELAY_US << (guardian->failures < 9 ? guardian->failures - 2 : 7);
    int64_t end = now_us() + (delay < LONGEST_DELAY_US ? delay : LONGEST_DELAY_US);
    for (int64_t left; !guardian->ending && (left = end - now_us()) > 0;)
        wait_for_news(guardian, (int)(left / 1000 + 1));
    if (guardian->ending) _exit(0);
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
    struct guardian guardian = {.keep = (struct keep *)shim, .signals = open_signals(), .channel = -1, .parent = parent};
    for (;;) {
        int64_t started = now_us();
        if (start(&guardian)) return;
        int status = watch(&guardian);
        guardian.keep->ended = status;
        end_leftovers(&guardian);
        end_or_go_on(&guardian, status);
        back_off(&guardian, started);
    }
}

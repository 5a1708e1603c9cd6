/* init.c: a stage's own small init: process 1 of its namespaces, a copy of the shim that keeps nothing of it but one socket. It builds the
   stage's tree of files and then starts each step (inside.c), behind a step-init (stepinit.c), in a PID namespace of its own.
   If the shim dies, it dies, and the kernel ends everything in its PID namespace. */
#include "init.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void fail(int socket, const char *what, int error)
{
    struct init_header header = {.type = INIT_FAILED, .error = error};
    snprintf(header.what, sizeof header.what, "%s", what);
    ssize_t ignored = write(socket, &header, sizeof header);
    (void)ignored;
    _exit(1);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void keep_only(const int *wanted, unsigned wanted_count)
{
    int kept[SOURCES_MAX + 4];
    unsigned from = 3;
    memcpy(kept, wanted, wanted_count * sizeof kept[0]);
    qsort(kept, wanted_count, sizeof kept[0], by_number);
    for (unsigned i = 0; i < wanted_count; i++) {
        unsigned fd = (unsigned)kept[i];
        if (fd > from) syscall(SYS_close_range, from, fd - 1, 0);
        from = fd + 1;
    }
    syscall(SYS_close_range, from, ~0U, 0);
}

static void keep_ours(const struct sources *request, const struct limits *limits, int socket)
{
    int kept[SOURCES_MAX + 4];
    unsigned count = 0;
    kept[count++] = socket;
    for (unsigned i = 0; i < request->count; i++)
        kept[count++] = request->items[i].fd;
    for (unsigned i = 0; i < 3; i++)
        if (limits->join[i] >= 0) kept[count++] = limits->join[i];
    keep_only(kept, count);
}

static void loopback_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (fd < 0) return;
    ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
}

/* From here on we are the sandbox's user, who owns all that the tree is made of. Not by the library: it would look for threads. */
static int become_inside(const struct stage *stage)
{
    if (stage->without_users) return 0;
    uint32_t uid = stage->inside_uid, gid = stage->inside_gid;
    if (syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0) return -errno;
    return 0;
}

/* What needs no map of users is done while the shim writes it. */
static int set_up_early(const struct init *init, struct sources *common, const char **ret_what)
{
    if (!init->stage->network_host) loopback_up();
    *ret_what = "naming the host";
    if (sethostname("crescendo", 9) < 0) return -errno;
    return init->stage->templated ? 0 : sources_of_system(common, ret_what);
}

static int set_up_tree(struct init *init, struct sources *common, struct sources *request, const char **ret_what)
{
    const struct stage *stage = init->stage;
    int failed = request->complete ? 0 : sources_of_request(request, stage, -1, ret_what);
    if (failed) return failed;
    *ret_what = "becoming the sandbox's user";
    if ((failed = become_inside(stage)) < 0) return failed;
    if (!init->stage->templated) failed = tree_make_common(common, stage->inside_uid, stage->inside_gid, ret_what);
    return failed ? failed : tree_make_own(stage, ret_what);
}

static void set_up(struct init *init, struct sources *request)
{
    struct sources common = {.count = 0};
    const char *what = "its start";
    char byte;
    int failed = set_up_early(init, &common, &what);
    if (read(init->socket, &byte, 1) != 1) _exit(1); /* our map of users is written now */
    if (!failed) failed = set_up_tree(init, &common, request, &what);
    if (!failed && init->stage->ahead) ahead_adopt(init, request);
    if (!failed) failed = tree_finish(request, init->stage, &what);
    if (failed) fail(init->socket, what, -failed);
    init->landlock = landlock_make(init->stage, NULL);
    init->outputs = open("/run/crescendo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (init->outputs < 0) fail(init->socket, "/run/crescendo", errno);
    if ((failed = privileges_empty_bounds()) < 0) fail(init->socket, "emptying the bounding set", -failed);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of user, which clears it */
    prctl(PR_SET_DUMPABLE, 0);
}

static void tell_ready(const struct init *init)
{
    struct init_header header = {.type = INIT_READY, .error = init->landlock < 0 ? -init->landlock : 0};
    if (write(init->socket, &header, sizeof header) != (ssize_t)sizeof header) _exit(1);
}

static void take_request(struct init *init)
{
    struct init_header header = {0};
    int fds[4];
    unsigned count;
    if (!header_read(init->socket, &header, fds, &count)) _exit(0); /* the stage is over, or the shim is gone */
    if (header.type == INIT_START)
        inside_start(init, &header, fds, count);
    else
        inside_signal(init, &header);
}

static _Noreturn void serve(struct init *init)
{
    struct pollfd watched[2] = {{init->socket, POLLIN, 0}, {init->signals, POLLIN, 0}};
    for (;;) {
        struct signalfd_siginfo info;
        if (poll(watched, 2, -1) < 0 && errno != EINTR) _exit(1);
        if (watched[1].revents && read(init->signals, &info, sizeof info) < 0 && errno != EAGAIN) _exit(1);
        if (watched[1].revents) inside_reap(init);
        if (watched[0].revents) take_request(init);
    }
}

_Noreturn void init_run(struct stage *stage, struct sources *request, int socket)
{
    struct init init = {.stage = stage, .socket = socket};
    keep_ours(request, &stage->limits, socket);
    set_up(&init, request);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    init.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (init.signals < 0) fail(socket, "signalfd", errno);
    tell_ready(&init);
    inside_prepare(&init); /* a first step comes for sure, and its way to us takes as long */
    serve(&init);
}

/* init.c: a stage's own small init: process 1 of its namespaces, a copy of the shim that keeps nothing of it but one socket. It builds the
   stage's tree of files and then starts each step, behind a step-init (stepinit.c), in a PID namespace of its own.
   If the shim dies, it dies, and the kernel ends everything in its PID namespace. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

/* Everything but what is named is closed: the shim's sockets, its log, other steps' pipes. */
static void keep_only(const struct sources *sources, const struct limits *limits, int socket)
{
    int kept[SOURCES_MAX + 4];
    unsigned count = 0, from = 3;
    kept[count++] = socket;
    for (unsigned i = 0; i < sources->count; i++) kept[count++] = sources->items[i].fd;
    for (unsigned i = 0; i < 3; i++)
        if (limits->join[i] >= 0) kept[count++] = limits->join[i];
    qsort(kept, count, sizeof kept[0], by_number);
    for (unsigned i = 0; i < count; i++) {
        unsigned fd = (unsigned)kept[i];
        if (fd > from) syscall(SYS_close_range, from, fd - 1, 0);
        from = fd + 1;
    }
    syscall(SYS_close_range, from, ~0U, 0);
}

static void loopback_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (fd < 0) return;
    ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
}

static void raise_oom_score(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t ignored = write(fd, "300", 3);
    (void)ignored;
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

static void set_up(struct init *init, struct sources *sources)
{
    struct stage *stage = init->stage;
    const char *what = "its start";
    char byte;
    if (read(init->socket, &byte, 1) != 1) _exit(1); /* our map of users is written now */
    raise_oom_score();
    int failed = sources_of_system(sources, stage, &what);
    if (!failed && !sources->with_request) failed = sources_of_request(sources, stage, -1, &what);
    if (failed) fail(init->socket, what, -failed);
    if ((failed = become_inside(stage)) < 0) fail(init->socket, "becoming the sandbox's user", -failed);
    if ((failed = tree_make(sources, stage, &what)) < 0) fail(init->socket, what, -failed);
    if (!stage->network_host) loopback_up();
    if (sethostname("crescendo", 9) < 0) fail(init->socket, "naming the host", errno);
    init->landlock = landlock_make(stage, NULL);
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

static bool read_all(int fd, void *bytes, size_t size)
{
    for (char *at = bytes; size;) {
        ssize_t got = read(fd, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

/* A header comes whole: it is smaller than what a socket splits. */
static bool read_header(int socket, struct init_header *ret, int fds[4], unsigned *ret_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec part = {ret, sizeof *ret};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    *ret_count = 0;
    if (got <= 0) return false;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) {
        *ret_count = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(header), *ret_count * sizeof(int));
    }
    return (size_t)got == sizeof *ret || read_all(socket, (char *)ret + got, sizeof *ret - (size_t)got);
}

static char **split(char *bytes, uint32_t count)
{
    char **list = shim_alloc((count + 1) * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = bytes;
        bytes += strlen(bytes) + 1;
    }
    return list;
}

static void output_make(const struct init *init, const struct init_header *header)
{
    char name[32];
    snprintf(name, sizeof name, "%u-%u", header->step, header->attempt);
    int fd = openat(init->outputs, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0 && unlinkat(init->outputs, name, 0) == 0) fd = openat(init->outputs, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return;
    if (fchmod(fd, 0666) < 0) unlinkat(init->outputs, name, 0);
    close(fd);
}

static void start(struct init *init, const struct init_header *header, const int *fds, unsigned count)
{
    char *bytes = shim_alloc(header->size + 1);
    if (!read_all(init->socket, bytes, header->size) || count < 3) _exit(1);
    char **argv = split(bytes, header->argc);
    char *rest = bytes;
    for (uint32_t i = 0; i < header->argc; i++) rest += strlen(rest) + 1;
    struct running *running = shim_alloc(sizeof *running);
    running->facts = mmap(NULL, sizeof *running->facts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (running->facts == MAP_FAILED) _exit(1);
    running->step = header->step;
    running->attempt = header->attempt;
    running->limit = header->limit;
    bool other_user = init->stage->without_users && init->stage->sandbox_uid != geteuid();
    struct descriptors ends = {fds[0], fds[1], fds[2], count > 3 ? fds[3] : -1};
    struct launch launch = {.ends = &ends, .argv = argv, .environment = split(rest, header->environment_count),
        .folder = init->stage->workspace, .limits = &init->stage->limits, .landlock = init->landlock, .confine = true,
        .uid = other_user ? init->stage->sandbox_uid : UINT32_MAX, .gid = other_user ? init->stage->sandbox_gid : UINT32_MAX};
    output_make(init, header);
    running->pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    if (running->pid == 0) step_init_run(&launch, running->facts, init->done[1]);
    if (running->pid < 0) {
        running->facts->error = errno;
        snprintf((char *)running->facts->what, sizeof running->facts->what, "a PID namespace");
    }
    running->next = init->running;
    init->running = running;
    for (unsigned i = 0; i < count; i++) close(fds[i]);
    free(argv);
    free((void *)(uintptr_t)launch.environment);
    free(bytes);
}

static void signal_step(const struct init *init, const struct init_header *header)
{
    for (const struct running *running = init->running; running; running = running->next)
        if (running->step == header->step && running->attempt == header->attempt && running->pid > 0 && !running->told)
            kill(running->pid, (int)header->value);
}

static bool write_all(int fd, const void *bytes, size_t size)
{
    for (const char *at = bytes; size;) {
        ssize_t put = write(fd, at, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

static void tell_end(const struct init *init, const struct running *running, int status, const struct rusage *usage)
{
    char name[32];
    size_t size = 0;
    const char *problem = NULL;
    snprintf(name, sizeof name, "%u-%u", running->step, running->attempt);
    char *content = output_read(init->outputs, name, running->limit, &size, &problem);
    const struct step_facts *facts = running->facts;
    struct init_header header = {.type = INIT_ENDED, .size = (uint32_t)size, .step = running->step, .attempt = running->attempt,
        .value = (uint32_t)(facts->ended ? facts->status : status), .error = facts->error,
        .memory_bytes = (uint64_t)usage->ru_maxrss * 1024,
        .cpu_us = (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
                  (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec)};
    snprintf(header.what, sizeof header.what, "%s", facts->error ? (const char *)facts->what : problem ? problem : "");
    if (!write_all(init->socket, &header, sizeof header) || !write_all(init->socket, content, size)) _exit(1);
    free(content);
}

static void forget(struct init *init, struct running *running)
{
    for (struct running **at = &init->running; *at; at = &(*at)->next)
        if (*at == running) {
            *at = running->next;
            break;
        }
    munmap(running->facts, sizeof *running->facts);
    free(running);
}

/* A step is over when its step-init says so, or, killed from outside, when that is gone. */
static void reap(struct init *init)
{
    struct rusage usage = {0};
    int status = 0;
    for (struct running *running = init->running, *next; running; running = next) {
        next = running->next;
        bool gone = running->pid < 0 || wait4(running->pid, &status, WNOHANG, &usage) == running->pid;
        bool over = running->facts->ended;
        if (!running->told && (over || gone)) tell_end(init, running, status, over ? &running->facts->usage : &usage);
        running->told |= over || gone;
        if (gone) forget(init, running);
    }
}

static void serve(struct init *init, int signals)
{
    struct pollfd watched[3] = {{init->socket, POLLIN, 0}, {signals, POLLIN, 0}, {init->done[0], POLLIN, 0}};
    for (;;) {
        char bytes[64];
        if (poll(watched, 3, -1) < 0 && errno != EINTR) _exit(1);
        struct signalfd_siginfo info;
        if (watched[1].revents && read(signals, &info, sizeof info) < 0 && errno != EAGAIN) _exit(1);
        if (watched[2].revents && read(init->done[0], bytes, sizeof bytes) < 0 && errno != EINTR) _exit(1);
        if (watched[0].revents) {
            struct init_header header;
            int fds[4];
            unsigned count;
            if (!read_header(init->socket, &header, fds, &count)) _exit(0); /* the stage is over, or the shim is gone */
            if (header.type == INIT_START) start(init, &header, fds, count);
            else signal_step(init, &header);
        }
        reap(init);
    }
}

_Noreturn void init_run(struct stage *stage, struct sources *sources, int socket)
{
    struct init init = {.stage = stage, .socket = socket};
    keep_only(sources, &stage->limits, socket);
    set_up(&init, sources);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    if (pipe2(init.done, O_CLOEXEC) < 0) fail(socket, "a pipe", errno);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) fail(socket, "signalfd", errno);
    tell_ready(&init);
    serve(&init, signals);
    _exit(0);
}

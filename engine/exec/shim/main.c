/* main.c: crescendo-shim RUN_FOLDER: the supervisor of one run's steps; crescendo-shim --keep KEEP_FOLDER: the keeper of a domain (keep/).
   Starting, and the few helpers that every part uses. */
#include "keep/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_FD = 3, EXIT_LOCKED = 75, EXIT_USAGE = 64 };

void shim_die(const char *what)
{
    dprintf(STDERR_FILENO, "crescendo-shim: %s: %s\n", what, strerror(errno));
    _exit(1);
}

void *shim_alloc(size_t size)
{
    void *block = calloc(1, size ? size : 1);
    if (!block) shim_die("out of memory");
    return block;
}

char *shim_copy(const char *bytes, size_t size)
{
    char *copy = shim_alloc(size + 1);
    memcpy(copy, bytes, size);
    return copy;
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t now_us(void)
{
    return clock_us(CLOCK_BOOTTIME);
}

int64_t wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

void text_size(char *buffer, size_t room, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    uint64_t tenths = bytes * 10;
    for (; unit < 4 && tenths >= 10240; unit++)
        tenths /= 1024;
    if (unit == 0)
        snprintf(buffer, room, "%llu B", (unsigned long long)bytes);
    else
        snprintf(buffer, room, "%llu.%llu %s", (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10), units[unit]);
}

void text_duration(char *buffer, size_t room, uint64_t ms)
{
    unsigned long long whole = ms;
    if (ms % 1000)
        snprintf(buffer, room, "%llu ms", whole);
    else if (ms % 60000)
        snprintf(buffer, room, "%llu s", whole / 1000);
    else if (ms % 3600000)
        snprintf(buffer, room, "%llu m", whole / 60000);
    else
        snprintf(buffer, room, "%llu h", whole / 3600000);
}

static void open_folder(struct shim *shim, const char *folder)
{
    char *whole = realpath(folder, NULL);
    if (!whole || strlen(whole) >= sizeof shim->folder / 2) shim_die(folder);
    strncpy(shim->folder, whole, sizeof shim->folder - 1);
    free(whole);
    shim->folder_fd = open(shim->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (shim->folder_fd < 0) shim_die(shim->folder);
}

bool shim_lock(const struct shim *shim, enum lock_byte byte, int command)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int failed;
    do
        failed = fcntl(shim->lock_fd, command, &lock);
    while (failed < 0 && errno == EINTR);
    return failed == 0;
}

void shim_unlock(const struct shim *shim, enum lock_byte byte)
{
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    fcntl(shim->lock_fd, F_SETLK, &lock);
}

/* The lock says that this folder has a living supervisor, or guardian; it is never inherited and never given up before the end. */
static void take_lock(struct shim *shim, const char *name)
{
    shim->lock_name = name;
    shim->lock_fd = openat(shim->folder_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (shim->lock_fd < 0) shim_die(name);
    if (shim_lock(shim, LOCK_BYTE, F_SETLK)) return;
    if (errno == EAGAIN || errno == EACCES) _exit(EXIT_LOCKED);
    shim_die(name);
}

static void signals_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    (void)events;
    struct signalfd_siginfo told[4]; /* more than can be pending: there are two, each once */
    ssize_t got = read(watch->fd, told, sizeof told);
    for (ssize_t i = 0; i < got / (ssize_t)sizeof *told; i++) {
        if (told[i].ssi_signo == SIGCHLD)
            shim->child_ended = true;
        else
            shim->stop = true;
    }
}

/* A server started by nohup, or by a program that ignores signals, must not make its steps ignore them. By system call: the library keeps
   some numbers to itself. */
static void forget_ignored_signals(void)
{
    static const unsigned long by_default[4];
    for (int number = 1; number < _NSIG; number++)
        syscall(SYS_rt_sigaction, number, by_default, NULL, _NSIG / 8);
}

static void open_signals(struct shim *shim)
{
    forget_ignored_signals();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on our own files' size is an error to handle, not our end */
    shim->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    shim->signals.ready = signals_ready;
    if (shim->signals.fd < 0) shim_die("signalfd");
    watch_add(shim, &shim->signals, EPOLLIN);
}

static void leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) shim_die("/dev/null");
    for (int fd = 0; fd < 3; fd++)
        if (dup2(null, fd) < 0) shim_die("/dev/null");
    close(null);
}

/* Tells who started us that the socket is there, and becomes a daemon: nothing of the starter's is held any more. */
void shim_become_daemon(int parent)
{
    leave_terminal();
    ssize_t ignored = write(READY_FD, "1", 1); /* a starter that is gone already is no reason not to run */
    (void)ignored;
    close(READY_FD);
    ignored = write(parent, "1", 1);
    close(parent);
}

/* The shim is nobody's child, so that no zombie is left to a server that forgot it; what was spawned waits only to hand on a failure. */
static int detach(void)
{
    int ends[2], status = 0;
    char byte;
    if (pipe2(ends, O_CLOEXEC) < 0) shim_die("pipe");
    pid_t child = fork();
    if (child < 0) shim_die("fork");
    close(ends[child == 0 ? 0 : 1]);
    if (child == 0) return ends[1];
    close(READY_FD);
    if (read(ends[0], &byte, 1) == 1) _exit(0);
    waitpid(child, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void claim(struct shim *shim, const char *folder, const char *lock)
{
    umask(022);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    shim->id_map_fd = -1;
    open_folder(shim, folder);
    take_lock(shim, lock);
}

static void open_loop(struct shim *shim)
{
    shim->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (shim->epoll_fd < 0) shim_die("epoll");
    shim->null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (shim->null_fd < 0) shim_die("/dev/null");
    leftovers_open(shim);
    open_signals(shim);
    log_open(shim);
}

static void supervise(char **argv, bool spare, int parent)
{
    struct shim *shim = shim_alloc(sizeof *shim);
    if (spare) shim->spare_argv = argv;
    claim(shim, argv[spare ? 2 : 1], "shim.lock");
    open_loop(shim);
    reports_open(shim);
    connection_listen(shim);
    folder_open(shim);
    shim->alone_since_us = now_us();
    shim_become_daemon(parent);
    sandbox_prepare(shim);
    loop_run(shim);
    unlinkat(shim->folder_fd, "shim.sock", 0);
    outputs_remove(shim);
    run_cgroup_close(shim);
}

static void keep(const char *folder, int parent)
{
    struct shim *shim = keep_new();
    claim(shim, folder, "keeper.lock");
    forget_ignored_signals();
    guard_keeper(shim, parent);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!shim_lock(shim, KEEPER_BYTE, F_SETLKW)) shim_die("keeper.lock"); /* the one before us may be dying still */
    open_loop(shim);
    keep_open(shim);
    leave_terminal();
    guard_ready((struct keep *)shim);
    loop_run(shim);
    keep_close(shim);
    run_cgroup_close(shim);
    guard_over((struct keep *)shim);
}

static int usage(bool asked)
{
    dprintf(STDERR_FILENO, "usage: crescendo-shim RUN_FOLDER          supervises the steps of one run\n"
                           "       crescendo-shim --spare FOLDER      the same for a run that is to come\n"
                           "       crescendo-shim --keep KEEP_FOLDER  keeps a domain: its HAProxy and its instances\n"
                           "Started by crescendo-server.\n");
    return asked ? 0 : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    bool keeps = argc == 3 && strcmp(argv[1], "--keep") == 0, spare = argc == 3 && strcmp(argv[1], "--spare") == 0;
    if (!keeps && !spare && (argc != 2 || argv[1][0] == '-')) return usage(argc == 2 && strcmp(argv[1], "--help") == 0);
    setsid();
    syscall(SYS_close_range, READY_FD + 1, ~0U, 0);
    if (fcntl(READY_FD, F_GETFD) < 0 && dup2(STDERR_FILENO, READY_FD) < 0) shim_die("descriptor 3"); /* by hand: keep the number taken */
    int parent = detach();
    if (keeps)
        keep(argv[2], parent);
    else
        supervise(argv, spare, parent);
    return 0;
}

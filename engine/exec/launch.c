/* launch.c: starting a shim and finding one: its process, its lock, its socket. */
#include "exec/launch.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_FD = 3, READY_MS = 10 * 1000, EXIT_LOCKED = 75 };

enum { NOBODY = 0, SOMEBODY = -1 };

/* Who holds the lock; SOMEBODY: nobody can tell, since it cannot be looked at (no descriptor is free, say). */
static pid_t lock_holder(const char *folder, const char *name)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    AUTO(close_fd) int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? NOBODY : SOMEBODY;
    if (fcntl(fd, F_GETLK, &lock) < 0) return SOMEBODY;
    return lock.l_type == F_UNLCK ? NOBODY : lock.l_pid > 0 ? lock.l_pid : SOMEBODY;
}

bool launch_is_locked(const char *folder)
{
    return lock_holder(folder, "shim.lock") != NOBODY;
}

pid_t launch_holder(const char *folder)
{
    pid_t holder = lock_holder(folder, "shim.lock");
    return holder > 0 ? holder : 0;
}

bool launch_keeper_lives(const char *folder)
{
    return lock_holder(folder, "keeper.lock") > 0;
}

/* The path may be longer than a socket's address: it goes by way of the folder's descriptor. Non-blocking from the start: a process that is
   stopped accepts nobody, and the connections of servers that were killed meanwhile may have filled its backlog. */
static int connect_to(const char *folder, const char *name)
{
    AUTO(close_fd) int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (folder_fd < 0 || fd < 0) return -1;
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder_fd, name);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return -1;
    return take_fd(&fd);
}

int launch_connect(const char *folder)
{
    return connect_to(folder, "shim.sock");
}

bool launch_keeper_answers(const char *folder)
{
    AUTO(close_fd) int fd = connect_to(folder, "keeper.sock");
    return fd >= 0;
}

/* posix_spawn cannot put the pipe on 3 and leave it open when it is 3 already, unless it is another number first. */
static int spawn(const char *const argv[], const char *shim_path, int ready, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ready, READY_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, READY_FD + 1);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    int failed =
        posix_spawn(ret_pid, shim_path, &actions, &attributes, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int high_end(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, READY_FD + 1);
    close(fd);
    return high;
}

static bool wait_ready(int fd)
{
    struct pollfd ready = {fd, POLLIN, 0};
    char byte;
    int count;
    do
        count = poll(&ready, 1, READY_MS);
    while (count < 0 && errno == EINTR);
    return count > 0 && read(fd, &byte, 1) == 1;
}

static int launch(const char *const argv[], const char *folder, const char *shim_path, struct error *err)
{
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) < 0) return error_set_errno(err, errno, "starting %s", shim_path);
    AUTO(close_fd) int ours = ends[0];
    int theirs = high_end(ends[1]);
    int failed = spawn(argv, shim_path, theirs, &pid);
    close(theirs);
    if (failed) return error_set_errno(err, failed, "starting %s", shim_path);
    bool ready = wait_ready(ours);
    int status = 0;
    if (!ready && waitpid(pid, &status, WNOHANG) == 0) kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue; /* what was spawned ends at once: the shim is its child, a daemon */
    if (ready) return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_LOCKED) return 0; /* another one was quicker */
    return error_set(err, ERROR_UNAVAILABLE, NOWHERE, "%s did not start for %s (status %d)", shim_path, folder, status);
}

int launch_shim(const char *folder, const char *shim_path, struct error *err)
{
    return launch((const char *const[]){"crescendo-shim", folder, NULL}, folder, shim_path, err);
}

int launch_spare(const char *folder, const char *shim_path, struct error *err)
{
    return launch((const char *const[]){"crescendo-shim", "--spare", folder, NULL}, folder, shim_path, err);
}

int launch_keeper(const char *folder, const char *shim_path, struct error *err)
{
    return launch((const char *const[]){"crescendo-shim", "--keep", folder, NULL}, folder, shim_path, err);
}

/* users.c: who a sandbox's steps are, outside and inside, and the maps that say so.
   Root gives its sandboxes a user number that nobody else has, and maps ids on the workspace so that root's files are that user's inside: a
   step is never root outside, not even without capabilities. */
#include "init.h"

#include <fcntl.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int saved = errno;
    close(fd);
    errno = saved;
    return good;
}

static bool write_map(pid_t pid, const char *name, uint32_t inside, uint32_t outside)
{
    char path[64], line[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    snprintf(line, sizeof line, "%u %u 1\n", inside, outside);
    return write_file(path, line);
}

/* What is in a sandbox is what the kernel shall end first when memory is short. */
void raise_oom_score(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    write_file(path, "300");
}

bool users_map(pid_t pid, uint32_t uid, uint32_t outside_uid, uint32_t gid, uint32_t outside_gid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
    write_file(path, "deny");
    return write_map(pid, "uid_map", uid, outside_uid) && write_map(pid, "gid_map", gid, outside_gid);
}

/* Root of the whole machine, who may take any user number; root of a container's user namespace may not. */
static bool look_for_root(void)
{
    char text[64] = "";
    int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    unsigned inside, outside, count;
    return size > 0 && geteuid() == 0 && sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 && outside == 0 && count == UINT32_MAX;
}

bool is_real_root(struct shim *shim)
{
    if (!shim->root) shim->root = look_for_root() ? ROOT_REAL : ROOT_NOT;
    return shim->root == ROOT_REAL;
}

/* A user namespace that nobody lives in: it is only the map "root on disk is the sandbox's user". */
int users_make_id_map(void)
{
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) < 0) return -1;
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        char byte;
        close(gate[1]);
        _exit((int)read(gate[0], &byte, 1));
    }
    int fd = -1;
    if (pid > 0 && users_map(pid, 0, SANDBOX_USER, 0, SANDBOX_USER)) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    close(gate[0]);
    close(gate[1]);
    if (pid > 0) waitpid(pid, NULL, 0);
    return fd;
}

void users_choose(struct shim *shim, struct stage *stage)
{
    bool root = is_real_root(shim);
    stage->sandbox_uid = root ? SANDBOX_USER : geteuid();
    stage->sandbox_gid = root ? SANDBOX_USER : getegid();
    stage->inside_uid = geteuid() == 0 ? INSIDE_USER : geteuid();
    stage->inside_gid = geteuid() == 0 ? INSIDE_USER : getegid();
    if (stage->without_users) {
        stage->inside_uid = stage->sandbox_uid;
        stage->inside_gid = stage->sandbox_gid;
    }
}

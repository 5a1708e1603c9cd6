/* leftovers.c: what a step without namespaces leaves behind: its process group, its session, and whatever was reparented to us, its
   subreaper. A process is a step's when its session is, or when it carries the step's own CRESCENDO_OUTPUT in its environment; an orphan
   that hides both is ended with the last step that could have made it. */
#include "shim.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENVIRONMENT_BYTES = 256 * 1024 };

struct process {
    pid_t pid, parent, session;
    char state;
};

static ssize_t read_file(pid_t pid, const char *name, char *buffer, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t size = 0;
    for (ssize_t got; size < room && (got = read(fd, buffer + size, room - size)) > 0;)
        size += (size_t)got;
    close(fd);
    return (ssize_t)size;
}

/* /proc/PID/stat: "pid (name) S parent group session ..."; the name may hold anything, so look from the last bracket. */
static bool read_process(pid_t pid, struct process *ret)
{
    char text[512];
    ssize_t size = read_file(pid, "stat", text, sizeof text - 1);
    if (size <= 0) return false;
    text[size] = '\0';
    const char *end = strrchr(text, ')');
    int parent, group, session;
    char state;
    if (!end || sscanf(end + 1, " %c %d %d %d", &state, &parent, &group, &session) != 4) return false;
    *ret = (struct process){pid, parent, session, state};
    return true;
}

static bool has_variable(pid_t pid, const char *name, const char *value)
{
    char *text = shim_alloc(ENVIRONMENT_BYTES + 1);
    ssize_t size = read_file(pid, "environ", text, ENVIRONMENT_BYTES);
    char wanted[PATH_BYTES + 32];
    int length = snprintf(wanted, sizeof wanted, "%s=%s", name, value);
    bool found = size > 0 && memmem(text, (size_t)size, wanted, (size_t)length + 1);
    free(text);
    return found;
}

static bool carries(const struct step *step, pid_t pid)
{
    return has_variable(pid, "CRESCENDO_OUTPUT", step->output_path);
}

static bool is_known(const struct shim *shim, pid_t pid)
{
    if (pid == shim->companion || pid == shim->template.builder || pid == ahead_pid(shim)) return true;
    for (const struct step *step = shim->live; step; step = step->next)
        if (step->pid == pid) return true;
    for (const struct stage *stage = shim->stages; stage; stage = stage->next)
        if (stage->init == pid) return true;
    return false;
}

static bool only_one_here(const struct shim *shim)
{
    unsigned count = 0;
    for (const struct step *step = shim->live; step; step = step->next)
        count += step->stage->degree != DEGREE_NAMESPACES;
    return count <= 1;
}

static bool is_of(const struct shim *shim, const struct step *step, const struct process *process)
{
    if (process->session == step->pid) return true;
    if (process->parent != getpid() || is_known(shim, process->pid)) return false; /* its children come to us when it dies */
    return only_one_here(shim) || carries(step, process->pid);
}

/* Signals every process of the step; how many live ones there were. */
static unsigned signal_all(const struct shim *shim, const struct step *step, int number)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc");
    if (!folder) return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        struct process process;
        if (!read_process((pid_t)strtol(entry->d_name, NULL, 10), &process)) continue;
        if (process.pid == getpid() || process.pid == step->pid || process.state == 'Z') continue;
        if (!is_of(shim, step, &process)) continue;
        count++;
        kill(process.pid, number);
    }
    closedir(folder);
    return count;
}

/* A dead child counts until it is reaped: only then have all of its own come to us. */
unsigned children_kill(pid_t but)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc");
    if (!folder) return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct process process;
        if (!isdigit((unsigned char)entry->d_name[0]) || !read_process((pid_t)strtol(entry->d_name, NULL, 10), &process)) continue;
        if (process.parent != getpid() || process.pid == but) continue;
        count++;
        if (process.state != 'Z') kill(process.pid, SIGKILL);
    }
    closedir(folder);
    return count;
}

/* The inits of a sandbox never ran another program, so their command line is ours; what runs without namespaces has the folder's name in
   its environment. What is in a sandbox dies with its init. */
unsigned carriers_kill(const struct shim *shim, pid_t but)
{
    char ours[PATH_BYTES], line[PATH_BYTES];
    ssize_t size = read_file(getpid(), "cmdline", ours, sizeof ours);
    unsigned count = 0;
    DIR *folder = opendir("/proc");
    if (!folder) return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || pid == but) continue;
        bool is_init = size > 0 && read_file(pid, "cmdline", line, sizeof line) == size && memcmp(line, ours, (size_t)size) == 0;
        if (!is_init && !has_variable(pid, "CRESCENDO_RUN_FOLDER", shim->folder)) continue;
        count++;
        kill(pid, SIGKILL);
    }
    closedir(folder);
    return count;
}

void step_signal(struct shim *shim, struct step *step, int number)
{
    if (!step->reaped) kill(-step->pid, number);
    signal_all(shim, step, number);
}

/* Kept open, since a look at it follows each step's end. The shim has one thread, which has all children. */
void leftovers_open(struct shim *shim)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    shim->children_fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* What the kernel names as our children, where it does: -1 it cannot be told, 0 all are known, 1 some are not. What a step left behind is
   our child by the time that the step itself has been reaped, or is below such a child. */
static int unknown_children(const struct shim *shim)
{
    char text[4096];
    ssize_t size = pread(shim->children_fd, text, sizeof text - 1, 0);
    if (size < 0 || size == (ssize_t)sizeof text - 1) return -1;
    text[size] = '\0';
    char *end;
    for (const char *at = text; *at; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at) break;
        while (*end == ' ')
            end++;
        if (!is_known(shim, (pid_t)pid)) return 1;
    }
    return 0;
}

/* Nearly every step leaves nothing: then looking through all of /proc is not needed. */
static bool may_have_orphans(const struct shim *shim)
{
    siginfo_t info = {0};
    int unknown = unknown_children(shim);
    if (unknown >= 0) return unknown > 0;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

bool leftovers_kill(struct shim *shim, struct step *step)
{
    kill(-step->pid, SIGKILL); /* the group is the dead leader's number as long as a member lives */
    if (!may_have_orphans(shim)) return false;
    return signal_all(shim, step, SIGKILL) > 0;
}

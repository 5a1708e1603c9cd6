/* sweep.c: ends what a lost shim may have left: its cgroup, and processes that carry CRESCENDO_RUN_FOLDER of this run. Steps in namespaces
   died with their stage's init, which dies with the shim; so this is about `sandbox: none` and the Landlock degree. */
#include "exec/supervisor.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ENVIRONMENT_BYTES = 4 * 1024 * 1024, ROUNDS = 50, CGROUP_BYTES = 64 * 1024 };

static bool carries(const char *pid, const char *wanted, size_t wanted_size)
{
    AUTO(free_text) char *path = mem_format("/proc/%s/environ", pid);
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    if (file_read(path, ENVIRONMENT_BYTES, &bytes, &size, NULL)) return false;
    return memmem(bytes, size, wanted, wanted_size) != NULL;
}

static unsigned kill_marked(const char *wanted, size_t wanted_size)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc");
    if (!folder) return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !carries(entry->d_name, wanted, wanted_size)) continue;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid == getpid()) continue; /* a server that was itself started by a step */
        kill(pid, SIGKILL);
        count++;
    }
    closedir(folder);
    return count;
}

/* RUN/cgroups: one folder a line, the innermost last. */
static void end_cgroup(const char *path)
{
    AUTO(free_text) char *kill_path = mem_format("%s/cgroup.kill", path);
    AUTO(close_fd) int fd = open(kill_path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "1", 1) < 0) return;
}

static void sweep_cgroups(const char *folder, bool remove)
{
    AUTO(free_text) char *path = mem_format("%s/cgroups", folder);
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    if (file_read(path, CGROUP_BYTES, &bytes, &size, NULL)) return;
    for (char *line; *bytes; *line = '\0') { /* from the last line to the first: the innermost folder goes first */
        size_t left = strlen(bytes);
        if (bytes[left - 1] == '\n') bytes[left - 1] = '\0';
        char *before = strrchr(bytes, '\n');
        line = before ? before + 1 : bytes;
        if (!strstr(line, "/crescendo-")) continue;
        if (remove)
            rmdir(line);
        else
            end_cgroup(line);
    }
    if (remove) unlink(path);
}

static void sweep_marked(const char *folder)
{
    AUTO(free_text) char *wanted = mem_format("CRESCENDO_RUN_FOLDER=%s", folder);
    for (unsigned round = 0; round < ROUNDS && kill_marked(wanted, strlen(wanted) + 1); round++)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

void supervisor_sweep(const char *folder)
{
    AUTO(free_text) char *whole = realpath(folder, NULL);
    sweep_cgroups(folder, false);
    sweep_marked(folder);
    if (whole && !text_equal(whole, folder)) sweep_marked(whole); /* the shim names it by its whole path */
    sweep_cgroups(folder, true);
}

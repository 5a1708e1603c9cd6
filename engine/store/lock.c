/* lock.c: one server for a data folder: flock, which ends with the process whatever becomes of it. */
#include "store/lock.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { DYING_MS = 1500, LOOK_MS = 10 };

static int refuse(int fd, const char *folder, struct error *err)
{
    char pid[16] = "";
    ssize_t size = pread(fd, pid, sizeof pid - 1, 0);
    size_t digits = size > 0 ? strspn(pid, "0123456789") : 0;
    error_set(
        err, ERROR_CONFLICT, NOWHERE, "another server (pid %.*s) serves %s", digits ? (int)digits : 7, digits ? pid : "unknown", folder);
    return error_hint(err, "stop it or choose another --data");
}

/* A process that was killed has its lock until the kernel has put all that is its own away: a moment, or some where much is to be written.
   0, or -errno. */
static int lock(int fd)
{
    const struct timespec pause = {0, LOOK_MS * 1000000L};
    int64_t end_us = clock_monotonic_us() + DYING_MS * 1000LL;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK || clock_monotonic_us() > end_us) return -errno;
        nanosleep(&pause, NULL);
    }
    return 0;
}

int lock_take(const char *folder, int *ret_fd, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/lock", folder);
    AUTO(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_set_errno(err, errno, "%s", path);
        return error_hint(err, "a server has to write in its data folder: whose is it, and is its disk mounted read-only or full?");
    }
    int failed = lock(fd);
    if (failed) return failed == -EWOULDBLOCK ? refuse(fd, folder, err) : error_set_errno(err, -failed, "locking %s", path);
    char pid[16];
    int size = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    failed = ftruncate(fd, 0) < 0 ? -errno : file_write_all(fd, pid, (size_t)size);
    if (failed) return error_set_errno(err, -failed, "%s", path);
    *ret_fd = take_fd(&fd);
    return 0;
}

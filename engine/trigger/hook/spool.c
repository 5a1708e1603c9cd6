/* spool.c: the file that holds a push until a server has it on disk. */
#include "trigger/hook/hook.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char spool_folder[] = "crescendo-spool";

static bool write_all(int fd, const struct text *body)
{
    for (size_t done = 0; done < body->size;) {
        ssize_t size = write(fd, body->bytes + done, body->size - done);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return false;
        done += (size_t)size;
    }
    return true;
}

bool spool_write(struct spooled *spooled, const struct text *body, unsigned number)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (mkdir(spool_folder, 0777) < 0 && errno != EEXIST) return false;
    char *path = mem_format("%s/%012lld%09ld-%d-%u.json", spool_folder, (long long)now.tv_sec, now.tv_nsec, getpid(), number);
    AUTO(free_text) char *writing = mem_format("%s.tmp", path);
    spooled->fd = open(writing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    spooled->path = path;
    if (spooled->fd >= 0 && write_all(spooled->fd, body) && rename(writing, path) == 0) return true;
    int saved_errno = errno;
    unlink(writing);
    spool_forget(spooled);
    errno = saved_errno;
    return false;
}

void spool_sync(void *context)
{
    struct spooled *spooled = context;
    if (!spooled->path || spooled->synced) return;
    AUTO(close_fd) int folder = open(spool_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    spooled->synced = fdatasync(spooled->fd) == 0 && folder >= 0 && fsync(folder) == 0;
}

void spool_forget(struct spooled *spooled)
{
    if (spooled->fd >= 0) close(spooled->fd);
    free(spooled->path);
    *spooled = (struct spooled){.fd = -1};
}

void spool_remove(struct spooled *spooled)
{
    if (spooled->path) unlink(spooled->path);
}

void spool_reject(struct spooled *spooled)
{
    if (!spooled->path) return;
    AUTO(free_text) char *rejected = mem_format("%s.rejected", spooled->path);
    if (rename(spooled->path, rejected) < 0) unlink(spooled->path);
}

/* leftover.c: finds a write-ahead log that is not the database's own by the versions in the database's header (SQLite's file
 * format, 1.3.3). */
#include "store/leftover.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_VERSION = 18, READ_VERSION = 19, HEAD_BYTES = 20, WITHOUT_WAL = 1 };

bool leftover_is_there(const char *path)
{
    static const char magic[] = "SQLite format 3"; /* with its NUL */
    char head[HEAD_BYTES];
    struct stat status;
    AUTO(free_text) char *wal = mem_format("%s-wal", path);
    if (stat(wal, &status) < 0 || !status.st_size) return false;
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
    if (got == 0) return true;
    if (got != (ssize_t)sizeof head || memcmp(head, magic, sizeof magic) != 0) return false;
    return head[WRITE_VERSION] == WITHOUT_WAL && head[READ_VERSION] == WITHOUT_WAL;
}

int leftover_put_aside(const char *path, struct error *err)
{
    AUTO(free_text) char *wal = mem_format("%s-wal", path);
    AUTO(free_text) char *index = mem_format("%s-shm", path);
    AUTO(free_text) char *old = mem_format("%s-wal.old", path);
    if (rename(wal, old) < 0) return error_set_errno(err, errno, "%s", wal);
    if (unlink(index) < 0 && errno != ENOENT) return error_set_errno(err, errno, "%s", index);
    log_line(LOG_LEVEL_WARNING, "%s is of a journal that was replaced by a backup, or removed: it is put aside as %s", wal, old);
    return 0;
}

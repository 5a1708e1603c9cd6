/* calls.c: the calls through which programs, SQLite and libuv change files, taken and handed on. */
#include "disk_private.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- content --- */

static int open_at(int at, const char *path, int flags, mode_t mode)
{
    struct place place;
    bool ours = (flags & (O_CREAT | O_TRUNC)) && disk_has_at(at, path, &place);
    if (ours && place.inode && (flags & O_TRUNC)) {
        int fd = REAL(open)(place.path, O_RDONLY | O_CLOEXEC);
        struct place whole;
        if (fd >= 0 && disk_has_fd(fd, &whole)) disk_will_write(fd, &whole, 0, whole.size);
        if (fd >= 0) close(fd);
    }
    int fd = REAL(openat)(at, path, flags, mode);
    if (ours && !place.inode && fd >= 0) disk_made(place.path);
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define TAKE_OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list arguments; \
        va_start(arguments, flags); \
        int fd = open_at(AT_FDCWD, path, flags, mode_of(flags, arguments)); \
        va_end(arguments); \
        return fd; \
    }
#define TAKE_OPENAT(name) \
    int name(int at, const char *path, int flags, ...) \
    { \
        va_list arguments; \
        va_start(arguments, flags); \
        int fd = open_at(at, path, flags, mode_of(flags, arguments)); \
        va_end(arguments); \
        return fd; \
    }
TAKE_OPEN(open)
TAKE_OPEN(open64)
TAKE_OPENAT(openat)
TAKE_OPENAT(openat64)

/* What a program that was compiled with _FORTIFY_SOURCE calls. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}
int __open64_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}
int __openat_2(int at, const char *path, int flags)
{
    return open_at(at, path, flags, 0);
}
int __openat64_2(int at, const char *path, int flags)
{
    return open_at(at, path, flags, 0);
}

/* Returns false: it is to fail. at < 0: where the descriptor stands. */
static bool may_write(int fd, off_t at, size_t size)
{
    struct place place;
    if (!disk_has_fd(fd, &place)) return true;
    if (disk_fails(CALL_WRITE, "write", place.path)) return false;
    if (at < 0) at = fcntl(fd, F_GETFL) & O_APPEND ? (off_t)place.size : lseek(fd, 0, SEEK_CUR);
    disk_will_write(fd, &place, (uint64_t)at, size);
    return true;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    return may_write(fd, -1, size) ? REAL(write)(fd, bytes, size) : -1;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    return may_write(fd, -1, size) ? REAL(writev)(fd, parts, count) : -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return may_write(fd, at, size) ? REAL(pwrite)(fd, bytes, size, at) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return may_write(fd, at, size) ? REAL(pwrite)(fd, bytes, size, at) : -1;
}

int ftruncate(int fd, off_t size)
{
    struct place place;
    if (!disk_has_fd(fd, &place)) return REAL(ftruncate)(fd, size);
    if (disk_fails(CALL_WRITE, "ftruncate", place.path)) return -1;
    disk_will_write(fd, &place, (uint64_t)size, (uint64_t)size < place.size ? place.size - (uint64_t)size : 0);
    return REAL(ftruncate)(fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

/* Nothing is really synced: what this disk keeps is decided by its log. */
static int sync_place(const struct place *place, const char *what)
{
    uint32_t point = disk_point(what, place->path);
    uint64_t since = disk_log_size();
    if (disk_fails(CALL_SYNC, what, place->path)) return -1;
    if (!disk_is_deaf()) disk_synced(place, since);
    disk_point_done(point, what, place->path);
    return 0;
}

static int sync_fd(int fd, const char *what)
{
    struct place place;
    return disk_has_fd(fd, &place) ? sync_place(&place, what) : 0;
}

int fsync(int fd)
{
    return sync_fd(fd, "fsync");
}

int fdatasync(int fd)
{
    return sync_fd(fd, "fdatasync");
}

int syncfs(int fd)
{
    struct place place;
    if (!disk_has_fd(fd, &place)) return REAL(syncfs)(fd);
    place.inode = 0;
    return sync_place(&place, "syncfs");
}

/* --- names --- */

int renameat2(int from_at, const char *from_path, int to_at, const char *to_path, unsigned flags)
{
    struct place from, to;
    bool ours = disk_has_at(from_at, from_path, &from) && disk_has_at(to_at, to_path, &to);
    if (!ours) return REAL(renameat2)(from_at, from_path, to_at, to_path, flags);
    uint32_t point = disk_point("rename", to.path);
    if (disk_fails(CALL_RENAME, "rename", to.path)) return -1;
    uint64_t replaced = to.inode ? disk_keep(to.path) : 0;
    int result = REAL(renameat2)(from_at, from_path, to_at, to_path, flags);
    if (result == 0) disk_moved(&from, to.path, replaced);
    disk_point_done(point, "rename", to.path);
    return result;
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int at, const char *path, int flags)
{
    struct place place;
    if (!disk_has_at(at, path, &place) || !place.inode) return REAL(unlinkat)(at, path, flags);
    uint64_t number = flags & AT_REMOVEDIR ? 0 : disk_keep(place.path);
    int result = REAL(unlinkat)(at, path, flags);
    if (result == 0) disk_gone(&place, number);
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

static int made(int result, int at, const char *path)
{
    struct place place;
    if (result == 0 && disk_has_at(at, path, &place)) disk_made(place.path);
    return result;
}

int mkdirat(int at, const char *path, mode_t mode)
{
    return made(REAL(mkdirat)(at, path, mode), at, path);
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int symlink(const char *target, const char *path)
{
    return made(REAL(symlink)(target, path), AT_FDCWD, path);
}

int link(const char *from, const char *path)
{
    return made(REAL(link)(from, path), AT_FDCWD, path);
}

/* --- SQLite, told otherwise: the control of the whole proof --- */

int sqlite3_exec(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **), void *context, char **ret_error)
{
    char told[1024];
    const char *full = disk_is_off() ? strstr(sql, "synchronous = FULL") : NULL;
    if (full && strlen(sql) < sizeof told) {
        snprintf(told, sizeof told, "%.*ssynchronous = OFF %s", (int)(full - sql), sql, full + strlen("synchronous = FULL"));
        sql = told;
    }
    return REAL(sqlite3_exec)(database, sql, row, context, ret_error);
}

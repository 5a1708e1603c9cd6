/* disk.c: notes how to take back what was not synced, stops a process at a durable point, and lets calls fail. */
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk_private.h"

static const char *folder;
static size_t folder_size;
static char log_folder[PATH_MAX];
static int log_fd = -1;
static ino_t log_inode;
static struct control *control;
static _Atomic uint64_t kept;

static void give_up(const char *what)
{
    dprintf(2, "power: %s: %s\n", what, strerror(errno));
    _exit(70);
}

/* Programs close all descriptors that they do not know. */
static int log_open(void)
{
    char path[PATH_MAX + 16];
    struct stat facts;
    if (log_fd >= 0 && fstat(log_fd, &facts) == 0 && facts.st_ino == log_inode) return log_fd;
    snprintf(path, sizeof path, "%s/log", log_folder);
    log_fd = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0 || fstat(log_fd, &facts) < 0) give_up(path);
    log_inode = facts.st_ino;
    return log_fd;
}

__attribute__((constructor)) static void begin(void)
{
    char path[PATH_MAX + 16];
    folder = getenv("POWER_FOLDER");
    const char *log = getenv("POWER_LOG");
    if (!folder || !log) return;
    folder_size = strlen(folder);
    snprintf(log_folder, sizeof log_folder, "%s", log);
    log_open();
    snprintf(path, sizeof path, "%s/control", log_folder);
    int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) give_up(path);
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) give_up(path);
    close(fd);
    control = map;
}

bool disk_is_deaf(void)
{
    return control->deaf;
}

bool disk_is_off(void)
{
    return control && control->synchronous_off;
}

/* --- which file? --- */

bool disk_has(const char *path)
{
    if (!control || strncmp(path, folder, folder_size) != 0 || path[folder_size] != '/') return false;
    size_t size = strlen(path);
    return size < 4 || strcmp(path + size - 4, "-shm") != 0; /* the index of a WAL is made anew */
}

bool disk_has_fd(int fd, struct place *ret)
{
    char link[32];
    int saved = errno;
    struct stat facts;
    if (!control || fstat(fd, &facts) < 0 || !(S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode))) {
        errno = saved;
        return false;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, ret->path, sizeof ret->path - 1);
    errno = saved;
    if (size < 0) return false;
    ret->path[size] = '\0';
    ret->inode = facts.st_ino;
    ret->size = (uint64_t)facts.st_size;
    return disk_has(ret->path) || (S_ISDIR(facts.st_mode) && strcmp(ret->path, folder) == 0);
}

static uint64_t inode_of(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) == 0 ? facts.st_ino : 0;
}

bool disk_has_at(int at, const char *path, struct place *ret)
{
    int saved = errno;
    char link[32];
    ssize_t size = 0;
    if (!control) return false;
    if (path[0] != '/') {
        snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
        size = readlink(link, ret->path, sizeof ret->path - 1);
        if (size < 0) size = 0;
        ret->path[size++] = '/';
    }
    snprintf(ret->path + size, sizeof ret->path - (size_t)size, "%s", path);
    ret->inode = inode_of(ret->path);
    errno = saved;
    return disk_has(ret->path);
}

static uint64_t parent_of(const char *path)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    *strrchr(parent, '/') = '\0';
    return inode_of(parent);
}

/* --- the log --- */

static void note(struct record record, const char *path, const char *other, const void *bytes)
{
    int saved = errno;
    record.path_size = (uint32_t)strlen(path);
    record.other_size = other ? (uint32_t)strlen(other) : 0;
    if (record.kind >= RECORD_MADE) record.parents[0] = parent_of(path);
    if (record.kind == RECORD_MOVED) record.parents[1] = parent_of(other);
    struct iovec parts[] = {{&record, sizeof record}, {(void *)(uintptr_t)path, record.path_size},
        {(void *)(uintptr_t)other, record.other_size}, {(void *)(uintptr_t)bytes, record.bytes_size}};
    if (REAL(writev)(log_open(), parts, 4) < 0) give_up("the log");
    errno = saved;
}

void disk_will_write(int fd, const struct place *place, uint64_t offset, uint64_t size)
{
    char link[32];
    int saved = errno;
    struct record record = {.kind = RECORD_WRITE, .inode = place->inode, .offset = offset, .old_size = place->size};
    uint64_t end = offset + size < place->size ? offset + size : place->size;
    char *old = NULL;
    if (offset < end) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int reader = REAL(open)(link, O_RDONLY | O_CLOEXEC);
        old = malloc(end - offset);
        ssize_t got = reader < 0 || !old ? -1 : pread(reader, old, end - offset, (off_t)offset);
        if (got < 0) give_up(place->path);
        record.bytes_size = (uint32_t)got;
        close(reader);
    }
    note(record, place->path, NULL, old);
    free(old);
    errno = saved;
}

uint64_t disk_log_size(void)
{
    struct stat facts;
    return fstat(log_open(), &facts) == 0 ? (uint64_t)facts.st_size : 0;
}

void disk_synced(const struct place *place, uint64_t since)
{
    note((struct record){.kind = RECORD_SYNC, .inode = place->inode, .offset = since}, place->path, NULL, NULL);
}

void disk_made(const char *path)
{
    note((struct record){.kind = RECORD_MADE, .inode = inode_of(path)}, path, NULL, NULL);
}

uint64_t disk_keep(const char *path)
{
    char other[PATH_MAX + 32];
    int saved = errno;
    uint64_t number = (uint64_t)getpid() << 32 | ++kept;
    snprintf(other, sizeof other, "%s/kept-%llu", log_folder, (unsigned long long)number);
    bool done = linkat(AT_FDCWD, path, AT_FDCWD, other, 0) == 0;
    errno = saved;
    return done ? number : 0;
}

void disk_moved(const struct place *from, const char *to, uint64_t replaced)
{
    note((struct record){.kind = RECORD_MOVED, .inode = from->inode, .old_size = replaced}, from->path, to, NULL);
}

void disk_gone(const struct place *place, uint64_t number)
{
    note((struct record){.kind = RECORD_GONE, .inode = place->inode, .old_size = number}, place->path, NULL, NULL);
}

/* --- points and faults --- */

static void name_it(const char *what, const char *path)
{
    if (!control->name[0]) snprintf(control->name, sizeof control->name, "%s %s", what, path + folder_size);
}

static void stop(const char *what, const char *path)
{
    name_it(what, path);
    control->stopped = (uint32_t)getpid();
    kill(getpid(), control->freeze ? SIGSTOP : SIGKILL);
    for (;;)
        pause();
}

uint32_t disk_point(const char *what, const char *path)
{
    uint32_t point = ++control->points;
    if (point == control->stop_at && !control->stop_after) stop(what, path);
    return point;
}

void disk_point_done(uint32_t point, const char *what, const char *path)
{
    if (point == control->stop_at && control->stop_after) stop(what, path);
}

bool disk_fails(int call, const char *what, const char *path)
{
    uint32_t number = ++control->calls[call];
    if (!control->fail_at || control->fail_call != (uint32_t)call || number < control->fail_at || number > control->fail_last) return false;
    name_it(what, path);
    errno = control->fail_errno;
    return true;
}

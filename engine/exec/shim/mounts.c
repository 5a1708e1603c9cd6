/* mounts.c: detached mounts of what a stage's tree takes from outside: cloned while we still are the outside's user, so that a workspace
   below a folder that only root may enter can be had. A map of ids makes root's files the sandbox user's own, and only inside. */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/mount.h, which cannot be included beside sys/mount.h everywhere. */
struct mount_attributes {
    uint64_t set, clear, propagation, user_namespace;
};
enum { CLONE_TREE = 1, ATTR_READ_ONLY = 1, ATTR_NO_SUID = 2, ATTR_NO_DEVICES = 4, ATTR_ID_MAP = 0x100000 };
enum source_kind { WRITABLE = 1, DEEP = 2, DEVICE = 4 };

static int clone_mount(const char *path, unsigned kind, int id_map_fd)
{
    unsigned deep = kind & DEEP ? (unsigned)AT_RECURSIVE : 0U;
    int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, CLONE_TREE | (unsigned)O_CLOEXEC | deep);
    if (fd < 0) return -errno;
    struct mount_attributes attributes = {.set = ATTR_NO_SUID};
    if (!(kind & DEVICE)) attributes.set |= ATTR_NO_DEVICES;
    if (!(kind & (WRITABLE | DEVICE))) attributes.set |= ATTR_READ_ONLY;
    if (id_map_fd >= 0) {
        attributes.set |= ATTR_ID_MAP;
        attributes.user_namespace = (uint64_t)id_map_fd;
    }
    if (syscall(SYS_mount_setattr, fd, "", (unsigned)AT_EMPTY_PATH | deep, &attributes, sizeof attributes) == 0) return fd;
    int saved = errno;
    close(fd);
    return -saved;
}

/* A path that is not there is left out: the request may name what only some machines have. */
static int add(struct sources *sources, const char *path, unsigned kind, int id_map_fd, const char **ret_what)
{
    struct stat facts;
    if (sources->count == SOURCES_MAX) return -E2BIG;
    if (stat(path, &facts) < 0) return 0;
    int fd = clone_mount(path, kind, id_map_fd);
    if (fd < 0) {
        *ret_what = id_map_fd >= 0 ? "an id-mapped mount" : "cloning a mount";
        return fd;
    }
    sources->items[sources->count++] = (struct source){path, fd, S_ISDIR(facts.st_mode)};
    return 0;
}

static int by_length(const void *a, const void *b)
{
    size_t left = strlen(((const struct source *)a)->path), right = strlen(((const struct source *)b)->path);
    return left < right ? -1 : left > right;
}

/* Where /etc/resolv.conf leads to, when that is below /run, which no tree has. */
static int add_resolver(struct sources *sources, const char **ret_what)
{
    char *resolver = realpath("/etc/resolv.conf", NULL);
    int failed = 0;
    if (resolver && strncmp(resolver, "/run/", 5) == 0 && strlen(resolver) < sizeof sources->resolver) {
        memcpy(sources->resolver, resolver, strlen(resolver) + 1);
        failed = add(sources, sources->resolver, 0, -1, ret_what);
    }
    free(resolver);
    return failed;
}

int sources_of_request(struct sources *sources, const struct stage *stage, int id_map_fd, const char **ret_what)
{
    int failed = add(sources, stage->workspace, WRITABLE, id_map_fd, ret_what);
    for (char **path = stage->read_write; !failed && *path; path++)
        if (**path == '/') failed = add(sources, *path, WRITABLE, id_map_fd, ret_what);
    for (char **path = stage->read_only; !failed && *path; path++)
        if (**path == '/') failed = add(sources, *path, 0, id_map_fd, ret_what);
    if (!failed && stage->network_host) failed = add_resolver(sources, ret_what);
    /* What lies inside another is attached after it. */
    qsort(sources->items, sources->count, sizeof sources->items[0], by_length);
    sources->complete = !failed;
    return failed;
}

int sources_of_system(struct sources *sources, const char **ret_what)
{
    static const char *const folders[] = {"/usr", "/etc", "/opt", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", NULL};
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", NULL};
    int failed = 0;
    for (const char *const *path = folders; !failed && *path; path++) {
        struct stat facts;
        if (lstat(*path, &facts) == 0 && S_ISDIR(facts.st_mode)) failed = add(sources, *path, DEEP, -1, ret_what);
    }
    for (const char *const *path = devices; !failed && *path; path++)
        failed = add(sources, *path, DEVICE, -1, ret_what);
    return failed;
}

void sources_close(struct sources *sources)
{
    for (unsigned i = 0; i < sources->count; i++)
        if (sources->items[i].fd >= 0) close(sources->items[i].fd);
    sources->count = 0;
}

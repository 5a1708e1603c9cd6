/* walk.c: goes through a folder's tree in slices, by descriptors and without following links: what lies there belongs to a step, which may
   be changing it at this moment, and may be large. */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct walk {
    DIR *folders[WALK_DEPTH];
    unsigned depth;
    dev_t device;
    bool too_deep;
};

static bool descend(struct walk *walk, int fd)
{
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        if (fd >= 0) close(fd);
        return false;
    }
    walk->folders[walk->depth++] = folder;
    return true;
}

struct walk *walk_open(const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) < 0) {
        if (fd >= 0) close(fd);
        return NULL;
    }
    struct walk *walk = shim_alloc(sizeof *walk);
    walk->device = facts.st_dev;
    if (descend(walk, fd)) return walk;
    free(walk);
    return NULL;
}

void walk_close(struct walk **walk)
{
    if (!*walk) return;
    while ((*walk)->depth)
        closedir((*walk)->folders[--(*walk)->depth]);
    free(*walk);
    *walk = NULL;
}

bool walk_too_deep(const struct walk *walk)
{
    return walk->too_deep;
}

static void enter(struct walk *walk, int parent, const char *name)
{
    if (walk->depth == WALK_DEPTH)
        walk->too_deep = true;
    else
        descend(walk, openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool walk_next(struct walk *walk, int *ret_folder, const char **ret_name, struct stat *ret_facts)
{
    while (walk->depth) {
        DIR *folder = walk->folders[walk->depth - 1];
        struct dirent *entry = readdir(folder);
        if (!entry) {
            closedir(folder);
            walk->depth--;
            continue;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (fstatat(dirfd(folder), entry->d_name, ret_facts, AT_SYMLINK_NOFOLLOW) < 0) continue; /* gone meanwhile */
        if (ret_facts->st_dev != walk->device) continue;
        *ret_folder = dirfd(folder);
        *ret_name = entry->d_name;
        if (S_ISDIR(ret_facts->st_mode)) enter(walk, dirfd(folder), entry->d_name);
        return true;
    }
    return false;
}

/* folder.c: is the folder still ours? Who removes it wants nothing of the domain to be left: the keeper ends, and all that is its own. */
#include "keep.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t LOOK_US = 1000 * 1000;

/* Its lock's file is there, and is the one that is locked. */
bool folder_is_ours(const struct keep *keep)
{
    struct stat there, held;
    return fstatat(keep->shim.folder_fd, "keeper.lock", &there, AT_SYMLINK_NOFOLLOW) == 0 && fstat(keep->shim.lock_fd, &held) == 0 &&
           there.st_ino == held.st_ino && there.st_dev == held.st_dev;
}

static void changed(struct shim *shim, struct watch *watch, uint32_t events)
{
    char told[4096];
    (void)events;
    if (read(watch->fd, told, sizeof told) > 0) ((struct keep *)shim)->look_us = 0;
}

/* Where nobody tells of it, it is looked at about once a second while there is anything to do. */
void folder_open(struct keep *keep)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", keep->shim.lock_fd);
    keep->folder = (struct watch){inotify_init1(IN_CLOEXEC | IN_NONBLOCK), changed};
    if (keep->folder.fd < 0) return;
    inotify_add_watch(keep->folder.fd, path, IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
    watch_add(&keep->shim, &keep->folder, EPOLLIN);
}

void folder_turn(struct keep *keep, int64_t now)
{
    if (now < keep->look_us) return;
    keep->look_us = now + LOOK_US;
    if (!folder_is_ours(keep)) keep->shim.stop = true;
}

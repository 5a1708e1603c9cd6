/* folder.c: is the folder still ours? Who removes it wants nothing of the run, or of the domain, to be left: we end, and all that is ours.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t LOOK_US = 1000 * 1000, PATIENCE_US = 10 * 1000 * 1000;

/* Its lock's file is there, and is the one that is locked. Where nobody can tell (the kernel has no memory to look), it is ours. */
bool folder_is_ours(const struct shim *shim)
{
    struct stat there, held;
    if (fstatat(shim->folder_fd, shim->lock_name, &there, AT_SYMLINK_NOFOLLOW) < 0) return errno != ENOENT && errno != ESTALE;
    return fstat(shim->lock_fd, &held) < 0 || (there.st_ino == held.st_ino && there.st_dev == held.st_dev);
}

static void changed(struct shim *shim, struct watch *watch, uint32_t events)
{
    char told[4096];
    (void)events;
    if (read(watch->fd, told, sizeof told) > 0) shim->look_us = 0;
}

/* Where nobody tells of it, it is looked at about once a second while there is anything to do. */
void folder_open(struct shim *shim)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", shim->lock_fd);
    shim->folder_watch = (struct watch){inotify_init1(IN_CLOEXEC | IN_NONBLOCK), changed};
    if (shim->folder_watch.fd < 0) return;
    inotify_add_watch(shim->folder_watch.fd, path, IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
    watch_add(shim, &shim->folder_watch, EPOLLIN);
}

bool folder_turn(struct shim *shim, int64_t now)
{
    if (shim->orphaned_us) {
        if (now >= shim->orphaned_us + PATIENCE_US) shim->stop = true;
        return true;
    }
    if (now < shim->look_us) return false;
    shim->look_us = now + LOOK_US;
    if (folder_is_ours(shim)) return false;
    shim->orphaned_us = now;
    return true;
}

/* Nothing that is begun without a folder could be told to anybody: what lives is killed, what waits is forgotten. */
void folder_leave(struct shim *shim)
{
    for (struct step *step = shim->live; step; step = step->next)
        step_end_early(shim, step, SHIM_CAUSE_CANCELLED, true, "the run's folder was removed");
    if (!shim->live_count) shim->stop = true;
}

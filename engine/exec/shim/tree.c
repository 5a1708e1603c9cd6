/* tree.c: builds a stage's tree of files, in two halves: what all trees have alike, on an empty tmpfs that becomes the root, and what is
   the stage's own. Nothing of the old root can be reached after the first. */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CLONE_TREE = 1, MOVE_FROM_FD = 4, ATTR_READ_ONLY = 1 };
#define PLACE "/usr" /* any folder that is always there: the new root is put over it, and becomes the root */

static int attach(int fd, const char *path)
{
    int failed = syscall(SYS_move_mount, fd, "", AT_FDCWD, path, MOVE_FROM_FD) < 0 ? -errno : 0;
    close(fd);
    return failed;
}

/* Below the current folder, which is the new root. */
void tree_make_way(const char *path, bool folder)
{
    char copy[PATH_BYTES];
    int size = snprintf(copy, sizeof copy, "%s", path + 1);
    if (size < 0 || (size_t)size >= sizeof copy) return;
    for (char *slash = copy; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(copy, 0755);
        *slash = '/';
    }
    if (folder)
        mkdir(copy, 0755);
    else
        close(open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
}

static int attach_source(struct source *source)
{
    tree_make_way(source->path, source->folder);
    int fd = source->fd;
    source->fd = -1;
    return attach(fd, source->path + 1);
}

/* /bin and its like: where they are links on this machine, they are links inside. */
static void copy_links(void)
{
    static const char *const names[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", NULL};
    for (const char *const *name = names; *name; name++) {
        char path[16], target[64];
        snprintf(path, sizeof path, "/%s", *name);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size <= 0) continue;
        target[size] = '\0';
        if (symlink(target, *name) < 0) continue;
    }
}

/* One scratch tmpfs holds /tmp, /var/tmp, /dev/shm, /home/build and /run/crescendo, so that one limit bounds them all. */
static int attach_scratch(const char *name, const char *path)
{
    char from[32];
    snprintf(from, sizeof from, "tmp/%s", name);
    if (mkdir(from, 0777) < 0 || chmod(from, 01777) < 0) return -errno;
    int fd = (int)syscall(SYS_open_tree, AT_FDCWD, from, CLONE_TREE | (unsigned)O_CLOEXEC);
    if (fd < 0) return -errno;
    tree_make_way(path, true);
    return attach(fd, path + 1);
}

static int mount_scratch(const struct stage *stage, unsigned long flags)
{
    char options[64] = "mode=0755";
    if (stage->limits.disk_bytes) snprintf(options, sizeof options, "mode=0755,size=%llu", (unsigned long long)stage->limits.disk_bytes);
    return mount("tmp", "tmp", "tmpfs", MS_NOSUID | MS_NODEV | flags, options) < 0 ? -errno : 0;
}

static int make_scratch(const struct stage *stage)
{
    int limited = mount_scratch(stage, 0);
    if (limited < 0) return limited;
    int failed = attach_scratch("shm", "/dev/shm");
    if (!failed) failed = attach_scratch("home", "/home/build");
    if (!failed) failed = attach_scratch("run", "/run/crescendo");
    if (!failed) failed = attach_scratch("var", "/var/tmp");
    return failed ? failed : attach_scratch("tmp", "/tmp");
}

static void make_folders(void)
{
    static const char *const folders[] = {"/tmp", "/dev/shm", "/dev/pts", "/home/build", "/run/crescendo", "/var/tmp", NULL};
    for (const char *const *folder = folders; *folder; folder++)
        tree_make_way(*folder, true);
}

static int link_devices(void)
{
    static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
        {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};
    for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
        if (symlink(links[i][0], links[i][1]) < 0) return -errno;
    return 0;
}

static int mount_terminals(void)
{
    if (mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") < 0) return -errno;
    return 0;
}

/* The machine's file with a line for the sandbox's user in front, which is the one that is found. */
static int overlay(const char *name, const char *line)
{
    char outside[32], inside[32], bytes[16 * 1024];
    snprintf(outside, sizeof outside, "/etc/%s", name);
    snprintf(inside, sizeof inside, "run/%s", name);
    int from = open(outside, O_RDONLY | O_CLOEXEC);
    ssize_t got = from < 0 ? 0 : read(from, bytes, sizeof bytes);
    if (from >= 0) close(from);
    int to = open(inside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (to < 0) return -errno;
    bool good = write(to, line, strlen(line)) == (ssize_t)strlen(line) && (got <= 0 || write(to, bytes, (size_t)got) == got);
    close(to);
    if (!good) return -ENOSPC;
    if (from < 0) return 0;
    if (mount(inside, outside + 1, NULL, MS_BIND, NULL) < 0) return -errno;
    unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV;
    return mount(NULL, outside + 1, NULL, flags, NULL) < 0 ? -errno : 0;
}

static int name_user(uint32_t uid, uint32_t gid)
{
    char line[128];
    snprintf(line, sizeof line, "build:x:%u:%u:build:/home/build:/bin/sh\n", uid, gid);
    int failed = overlay("passwd", line);
    snprintf(line, sizeof line, "build:x:%u:\n", gid);
    return failed ? failed : overlay("group", line);
}

static int mount_proc(void)
{
    return mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}

static int attach_all(struct sources *sources)
{
    int failed = 0;
    for (unsigned i = 0; !failed && i < sources->count; i++)
        failed = attach_source(&sources->items[i]);
    return failed;
}

static int fill(struct sources *common, uint32_t uid, uint32_t gid, const char **ret_what)
{
    *ret_what = "mounting /proc"; /* first: the kernel wants to see an older one beside it */
    mkdir("proc", 0555);
    int failed = mount_proc();
    if (failed) return failed;
    make_folders();
    *ret_what = "linking the devices";
    failed = link_devices();
    *ret_what = "attaching a mount";
    if (!failed) failed = attach_all(common);
    if (failed) return failed;
    copy_links();
    *ret_what = "naming the user";
    return name_user(uid, gid);
}

/* The old root lies over the new one until it is let go of. */
static int enter(void)
{
    if (syscall(SYS_pivot_root, ".", ".") < 0) return -errno;
    if (umount2(".", MNT_DETACH) < 0) return -errno;
    return chdir("/") < 0 ? -errno : 0;
}

int tree_make_common(struct sources *common, uint32_t uid, uint32_t gid, const char **ret_what)
{
    *ret_what = "a private mount tree";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -errno;
    *ret_what = "mounting a tmpfs";
    if (mount("crescendo", PLACE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0 || chdir(PLACE) < 0) return -errno;
    int failed = fill(common, uid, gid, ret_what);
    if (failed) return failed;
    *ret_what = "pivot_root";
    return enter();
}

static int close_to_writing(void)
{
    struct {
        uint64_t set, clear, propagation, user_namespace;
    } read_only = {.set = ATTR_READ_ONLY};
    return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &read_only, sizeof read_only) < 0 ? -errno : 0;
}

int tree_make_own(const struct stage *stage, const char **ret_what)
{
    *ret_what = "mounting /proc";
    int failed = stage->templated ? mount_proc() : 0; /* else the common half's is its own */
    if (failed) return failed;
    *ret_what = "mounting /tmp";
    failed = make_scratch(stage);
    if (failed) return failed;
    *ret_what = "mounting /dev/pts";
    return mount_terminals();
}

int tree_finish(struct sources *request, const struct stage *stage, const char **ret_what)
{
    *ret_what = "limiting /tmp";
    int failed = stage->ahead && stage->limits.disk_bytes ? mount_scratch(stage, MS_REMOUNT) : 0;
    *ret_what = "attaching a mount";
    if (!failed) failed = attach_all(request);
    if (failed) return failed;
    *ret_what = "closing the tree to writing";
    return close_to_writing();
}

/* file.c: files and folders, whole. */
#include "base/file.h"

#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, size_t limit_bytes, char **ret_bytes, size_t *ret_size, struct error *err)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "%s", path);
    struct text text = {0};
    char chunk[16 * 1024];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            int saved = errno;
            text_release(&text);
            return error_set_errno(err, saved, "%s", path);
        }
        if (got == 0) break;
        if (text.size + (size_t)got > limit_bytes) {
            text_release(&text);
            return error_set(err, ERROR_LIMIT, NOWHERE, "%s is larger than %zu bytes", path, limit_bytes);
        }
        text_add_bytes(&text, chunk, (size_t)got);
    }
    if (ret_size) *ret_size = text.size;
    *ret_bytes = text_take(&text);
    return 0;
}

int file_write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size) {
        ssize_t put = write(fd, at, size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -errno;
        at += put;
        size -= (size_t)put;
    }
    return 0;
}

static int sync_folder(const char *path)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_sync_folder(const char *path, struct error *err)
{
    int failed = sync_folder(path);
    return failed ? error_set_errno(err, -failed, "syncing %s", path) : 0;
}

static int sync_folder_of(const char *path)
{
    AUTO(free_text) char *copy = mem_copy_text(path);
    return sync_folder(dirname(copy));
}

int file_replace(const char *path, const void *bytes, size_t size, mode_t mode, struct error *err)
{
    AUTO(free_text) char *fresh = mem_format("%s.new-%d", path, (int)getpid());
    unlink(fresh); /* left by a crash, perhaps read-only */
    AUTO(close_fd) int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return error_set_errno(err, errno, "%s", fresh);
    int failed = file_write_all(fd, bytes, size);
    if (!failed && fsync(fd) < 0) failed = -errno;
    if (!failed && rename(fresh, path) < 0) failed = -errno;
    if (!failed) failed = sync_folder_of(path);
    if (!failed) return 0;
    unlink(fresh);
    return error_set_errno(err, -failed, "%s", path);
}

static bool is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* A folder that may be changed and not read cannot be synced: there is nothing to be done about it. */
static int sync_name(const char *path)
{
    int failed = sync_folder_of(path);
    return failed == -EACCES ? 0 : failed;
}

static int make_folders(const char *path, mode_t mode, bool keep, struct error *err)
{
    if (!*path) return error_set(err, ERROR_INVALID, NOWHERE, "a folder's path is empty");
    AUTO(free_text) char *copy = mem_copy_text(path);
    for (char *slash = copy + 1;; slash++) {
        if (*slash && *slash != '/') continue;
        char kept = *slash;
        *slash = '\0';
        bool made = mkdir(copy, mode) == 0;
        if (!made && errno != EEXIST) return error_set_errno(err, errno, "making folder %s", copy);
        int failed = keep && (made || !kept) ? sync_name(copy) : 0;
        if (failed) return error_set_errno(err, -failed, "syncing the folder above %s", copy);
        *slash = kept;
        if (!kept) break;
    }
    return is_folder(path) ? 0 : error_set_errno(err, ENOTDIR, "making folder %s", path);
}

int file_make_folders(const char *path, mode_t mode, struct error *err)
{
    return make_folders(path, mode, false, err);
}

int file_keep_folders(const char *path, mode_t mode, struct error *err)
{
    return make_folders(path, mode, true, err);
}

/* --- removing --- */

/* Folders deeper than this are moved up beside the first ones, so that a tree of any depth takes few descriptors and little stack. */
enum { REMOVE_DEPTH = 32 };

struct removal {
    int top;        /* the folder that is to go, -1 until it is open */
    unsigned moved; /* folders that were moved up into it */
};

/* Gives us all rights on a folder of ours; never through a link. */
static bool make_accessible(int parent, const char *name)
{
    AUTO(close_fd) int handle = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
    return handle >= 0 && chmod(path, 0700) == 0;
}

/* Returns a descriptor or -errno. */
static int open_for_removal(int parent, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);
    if (fd < 0 && errno == EACCES && make_accessible(parent, name)) fd = openat(parent, name, flags);
    return fd < 0 ? -errno : fd;
}

static int move_up(struct removal *removal, int parent, const char *name)
{
    make_accessible(parent, name); /* moving a folder writes its ".." */
    for (;;) {
        char fresh[48];
        snprintf(fresh, sizeof fresh, ".removing-%d-%u", (int)getpid(), ++removal->moved);
        if (renameat2(parent, name, removal->top, fresh, RENAME_NOREPLACE) == 0) return 0;
        if (errno != EEXIST) return -errno;
    }
}

static int remove_below(struct removal *removal, int parent, const char *name, unsigned depth);

static int remove_content(struct removal *removal, int fd, DIR *folder, unsigned depth)
{
    int failed = 0;
    for (struct dirent *entry; !failed && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        failed = remove_below(removal, fd, entry->d_name, depth + 1);
        if (failed == -EACCES && fchmod(fd, 0700) == 0) failed = remove_below(removal, fd, entry->d_name, depth + 1);
    }
    return failed;
}

static int remove_folder(struct removal *removal, int parent, const char *name, unsigned depth)
{
    int fd = open_for_removal(parent, name);
    if (fd < 0) return fd;
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return -ENOMEM;
    }
    if (depth == 0) removal->top = fd;
    int failed;
    unsigned moved;
    do { /* what was moved up comes last */
        moved = removal->moved;
        rewinddir(folder);
        failed = remove_content(removal, fd, folder, depth);
    } while (!failed && depth == 0 && removal->moved != moved);
    closedir(folder);
    if (!failed && unlinkat(parent, name, AT_REMOVEDIR) < 0) failed = -errno;
    return failed;
}

static int remove_below(struct removal *removal, int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 0;
    int saved = errno;
    if (saved != EISDIR && saved != EPERM) return -saved;
    int failed = depth < REMOVE_DEPTH ? remove_folder(removal, parent, name, depth) : move_up(removal, parent, name);
    return failed == -ENOTDIR ? -saved : failed;
}

int file_remove_tree(const char *path, struct error *err)
{
    int failed = remove_below(&(struct removal){.top = -1}, AT_FDCWD, path, 0);
    return failed ? error_set_errno(err, -failed, "removing %s", path) : 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *file_program_folder(void)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size < 0) return NULL;
    path[size] = '\0';
    return mem_copy_text(dirname(path));
}

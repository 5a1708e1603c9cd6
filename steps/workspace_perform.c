/* workspace_perform.c: writing files below a folder from names that nobody has vouched for. */
#include "workspace.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 64 * 1024 };

int workspace_open(const char *path, int *ret_fd, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "%s", path);
    *ret_fd = fd;
    return 0;
}

int workspace_empty(const char *path, struct error *err)
{
    int failed = 0;
    DIR *listing = opendir(path);
    if (!listing) return error_set_errno(err, errno, "%s", path);
    for (struct dirent *entry; !failed && (entry = readdir(listing));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        AUTO(free_text) char *below = mem_format("%s/%s", path, entry->d_name);
        failed = file_remove_tree(below, err);
    }
    closedir(listing);
    return failed;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int workspace_list(int folder, const char *shown, struct name_list *ret, struct error *err)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* of its own, for its own position */
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing) return error_set_errno(err, errno, "%s", *shown ? shown : "the folder");
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        ret->items = mem_grow(ret->items, &ret->capacity, ret->count + 1, sizeof *ret->items);
        ret->items[ret->count++] = mem_copy_text(entry->d_name);
    }
    closedir(listing);
    if (ret->count) qsort(ret->items, ret->count, sizeof *ret->items, compare_names);
    return 0;
}

void name_list_release(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct name_list){0};
}

static void times_of(int64_t mtime_ns, struct timespec ret[2])
{
    ret[0] = (struct timespec){.tv_sec = mtime_ns / 1000000000, .tv_nsec = mtime_ns % 1000000000};
    ret[1] = ret[0];
}

void workspace_set_time(int folder, int64_t mtime_ns)
{
    struct timespec times[2];
    times_of(mtime_ns, times);
    if (mtime_ns != MTIME_KEEP) futimens(folder, times);
}

static int check_name(const char *name, const char *shown, struct error *err)
{
    if (path_part_is_safe(name)) return 0;
    error_set(err, ERROR_DENIED, NOWHERE, "%s: \"%s\" cannot be the name of a file or folder in a workspace", shown, name);
    return error_hint(err, "take it out of the commit; it would leave the workspace or pass for git's own folder");
}

static int open_folder(int parent, const char *name, const char *shown, int *ret_fd, struct error *err)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "%s", shown);
    *ret_fd = fd;
    return 0;
}

int workspace_make_folder(int parent, const char *name, const char *shown, int *ret_fd, struct error *err)
{
    int failed = check_name(name, shown, err);
    if (failed) return failed;
    if (mkdirat(parent, name, 0755) < 0) return error_set_errno(err, errno, "%s", shown);
    return open_folder(parent, name, shown, ret_fd, err);
}

int workspace_enter_folder(int parent, const char *name, const char *shown, int *ret_fd, struct error *err)
{
    int failed = check_name(name, shown, err);
    if (failed) return failed;
    if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST) return error_set_errno(err, errno, "%s", shown);
    return open_folder(parent, name, shown, ret_fd, err);
}

static int create_file(int parent, const char *name, const char *shown, int *ret_fd, struct error *err)
{
    int failed = check_name(name, shown, err);
    if (failed) return failed;
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return error_set_errno(err, errno, "%s", shown);
    *ret_fd = fd;
    return 0;
}

/* The umask has no say: what a workspace holds depends on the commit alone. */
static int finish_file(int fd, const char *shown, bool executable, const struct timespec *times, struct error *err)
{
    if (fchmod(fd, executable ? 0755 : 0644) < 0) return error_set_errno(err, errno, "%s", shown);
    if (times && futimens(fd, times) < 0) return error_set_errno(err, errno, "%s", shown);
    return 0;
}

int workspace_write_file(
    int parent, const char *name, const char *shown, const void *bytes, size_t size, bool executable, int64_t mtime_ns, struct error *err)
{
    AUTO(close_fd) int fd = -1;
    struct timespec times[2];
    times_of(mtime_ns, times);
    int failed = create_file(parent, name, shown, &fd, err);
    if (failed) return failed;
    failed = file_write_all(fd, bytes, size);
    if (failed) return error_set_errno(err, -failed, "%s", shown);
    return finish_file(fd, shown, executable, mtime_ns == MTIME_KEEP ? NULL : times, err);
}

int workspace_write_link(int parent, const char *name, const char *shown, const char *target, int64_t mtime_ns, struct error *err)
{
    struct timespec times[2];
    times_of(mtime_ns, times);
    int failed = check_name(name, shown, err);
    if (failed) return failed;
    if (!link_stays_inside(target, path_depth(shown))) {
        error_set(err, ERROR_DENIED, NOWHERE, "%s: the link to \"%.100s\" leads out of the workspace", shown, target);
        return error_hint(err, "make it relative, with \"..\" only at its front, and let it end inside the repository");
    }
    if (symlinkat(target, parent, name) < 0) return error_set_errno(err, errno, "%s", shown);
    if (mtime_ns != MTIME_KEEP) utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
    return 0;
}

static int copy_bytes(int from, int to)
{
    char chunk[COPY_BYTES];
    for (;;) {
        ssize_t got = read(from, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0 ? -errno : 0;
        int failed = file_write_all(to, chunk, (size_t)got);
        if (failed) return failed;
    }
}

int workspace_copy_file(int from, int parent, const char *name, const char *shown, struct error *err)
{
    AUTO(close_fd) int fd = -1;
    struct stat status;
    if (fstat(from, &status) < 0) return error_set_errno(err, errno, "%s", shown);
    int failed = create_file(parent, name, shown, &fd, err);
    if (failed) return failed;
    failed = copy_bytes(from, fd);
    if (failed) return error_set_errno(err, -failed, "%s", shown);
    struct timespec times[2] = {status.st_mtim, status.st_mtim};
    return finish_file(fd, shown, status.st_mode & 0100, times, err);
}

int workspace_remove(int parent, const char *name, const char *shown, struct error *err)
{
    int failed = check_name(name, shown, err);
    if (failed) return failed;
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 0;
    return error_set_errno(err, errno, "%s cannot be replaced", shown);
}

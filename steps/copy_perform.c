/* copy_perform.c: copies files between folders for checkouts. */
#include "copy.h"

#include "base/mem.h"
#include "paths.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_file(const struct copy *copy, int from, const char *name, int to, const char *shown, struct error *err)
{
    AUTO(close_fd) int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "%s", shown);
    int failed = copy->replace ? workspace_remove(to, name, shown, err) : 0;
    copy->checkout->files++;
    return failed ? failed : workspace_copy_file(fd, to, name, shown, err);
}

static int pass_over(const struct copy *copy, const char *shown, const char *why)
{
    return step_annotate(copy->checkout->step, "warning", shown, 0, why);
}

static int copy_link(const struct copy *copy, int from, const char *name, int to, const char *shown, struct error *err)
{
    char target[PATH_MAX];
    ssize_t size = readlinkat(from, name, target, sizeof target - 1);
    if (size < 0) return error_set_errno(err, errno, "%s", shown);
    target[size] = '\0';
    if (!link_stays_inside(target, path_depth(shown))) return pass_over(copy, shown, "not copied: the link leads out of the workspace");
    int failed = copy->replace ? workspace_remove(to, name, shown, err) : 0;
    copy->checkout->files++;
    return failed ? failed : workspace_write_link(to, name, shown, target, MTIME_KEEP, err);
}

static int copy_below(const struct copy *copy, int from, const char *name, int to, const char *shown, unsigned depth, struct error *err)
{
    AUTO(close_fd) int below_from = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(close_fd) int below_to = -1;
    if (below_from < 0) return error_set_errno(err, errno, "%s", shown);
    int failed =
        copy->replace ? workspace_enter_folder(to, name, shown, &below_to, err) : workspace_make_folder(to, name, shown, &below_to, err);
    return failed ? failed : copy_folder(copy, below_from, below_to, shown, depth + 1, err);
}

int copy_entry(const struct copy *copy, int from, const char *name, int to, const char *shown, unsigned depth, struct error *err)
{
    struct stat status;
    if (!path_part_is_safe(name)) return 0; /* .git, a folder's or a submodule's */
    if (depth > TREE_DEPTH_MAX) return error_set(err, ERROR_LIMIT, NOWHERE, "%.80s...: folders are nested more than 200 deep", shown);
    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return error_set_errno(err, errno, "%s", shown);
    if (copy->leave_out && copy->leave_out(copy->context, shown, S_ISDIR(status.st_mode))) return 0;
    if (S_ISDIR(status.st_mode)) return copy_below(copy, from, name, to, shown, depth, err);
    if (S_ISREG(status.st_mode)) return copy_file(copy, from, name, to, shown, err);
    if (S_ISLNK(status.st_mode)) return copy_link(copy, from, name, to, shown, err);
    return pass_over(copy, shown, "not copied: neither a file, a folder nor a link");
}

int copy_folder(const struct copy *copy, int from, int to, const char *above, unsigned depth, struct error *err)
{
    AUTO(name_list_release) struct name_list names = {0};
    int failed = workspace_list(from, above, &names, err);
    for (size_t i = 0; i < names.count && !failed; i++) {
        AUTO(free_text) char *shown = mem_format("%s%s%s", above, *above ? "/" : "", names.items[i]);
        failed = copy_entry(copy, from, names.items[i], to, shown, depth, err);
    }
    return failed;
}

/* contents_perform.c: which files a package holds: `contents` spread out into files, sorted, each in one place. */
#include "package.h"

#include "base/mem.h"
#include "base/text.h"
#include "paths.h"
#include "workspace.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add_path(
    struct package_files *files, const char *workspace, const char *path, const char *from, unsigned depth, struct error *err);

void contents_release(struct package_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].path);
        free(files->items[i].from);
    }
    free(files->items);
    *files = (struct package_files){0};
}

/* "build/helo" → "build/hello": the nearest name in the deepest folder that is there. Caller frees; NULL when nothing is near. */
static char *suggest(const char *workspace, const char *from)
{
    AUTO(free_text) char *head = mem_copy_text(from);
    AUTO(name_list_release) struct name_list names = {0};
    struct stat status;
    for (;;) {
        char *slash = strrchr(head, '/');
        const char *tail = slash ? slash + 1 : head;
        if (slash) *slash = '\0';
        AUTO(free_text) char *folder = slash ? mem_format("%s/%s", workspace, head) : mem_copy_text(workspace);
        if (slash && (stat(folder, &status) < 0 || !S_ISDIR(status.st_mode))) continue;
        AUTO(close_fd) int fd = -1;
        if (workspace_open(folder, &fd, NULL) < 0 || workspace_list(fd, folder, &names, NULL) < 0) return NULL;
        names.items = mem_grow(names.items, &names.capacity, names.count + 1, sizeof *names.items);
        names.items[names.count] = NULL;
        const char *nearest = text_nearest(tail, (const char *const *)names.items);
        return !nearest ? NULL : slash ? mem_format("%s/%s", head, nearest) : mem_copy_text(nearest);
    }
}

static int not_found(const char *workspace, const char *from, struct error *err)
{
    AUTO(free_text) char *nearest = suggest(workspace, from);
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "contents: there is no \"%s\" in the workspace", from);
    if (nearest) return error_hint(err, "did you mean \"%s\"?", nearest);
    return error_hint(err, "does a step before this one make it? Paths start at the workspace's top");
}

/* A link is only as good as where it ends: inside the workspace, and at a file. */
static int check_end(const char *workspace, const char *place, const char *from, struct error *err)
{
    char top[PATH_MAX], end[PATH_MAX];
    if (!realpath(workspace, top)) return error_set_errno(err, errno, "%s", workspace);
    if (!realpath(place, end)) return error_set_errno(err, errno, "contents: %s", from);
    size_t size = strlen(top);
    if (strncmp(end, top, size) == 0 && (end[size] == '/' || end[size] == '\0')) return 0;
    error_set(err, ERROR_DENIED, NOWHERE, "contents: %s leads out of the workspace", from);
    return error_hint(err, "copy what it points at into the workspace first");
}

static int add_file(struct package_files *files, const char *path, const char *from, bool executable, struct error *err)
{
    if (files->count == PACKAGE_FILES_MAX)
        return error_set(err, ERROR_LIMIT, NOWHERE, "a package holds at most %d files", PACKAGE_FILES_MAX);
    if (!text_is_utf8(path, strlen(path)))
        return error_set(err, ERROR_INVALID, NOWHERE, "contents: a file's name below %s is not UTF-8", from);
    files->items = mem_grow(files->items, &files->capacity, files->count + 1, sizeof *files->items);
    files->items[files->count++] =
        (struct package_file){.path = mem_copy_text(path), .from = mem_copy_text(from), .executable = executable};
    return 0;
}

static int add_folder(
    struct package_files *files, const char *workspace, const char *path, const char *from, unsigned depth, struct error *err)
{
    AUTO(free_text) char *place = mem_format("%s/%s", workspace, from);
    AUTO(name_list_release) struct name_list names = {0};
    AUTO(close_fd) int fd = -1;
    bool at_top = strcmp(from, ".") == 0;
    if (depth == TREE_DEPTH_MAX) return error_set(err, ERROR_LIMIT, NOWHERE, "contents: folders are nested more than 200 deep");
    int failed = workspace_open(place, &fd, err);
    if (!failed) failed = workspace_list(fd, from, &names, err);
    for (size_t i = 0; i < names.count && !failed; i++) {
        AUTO(free_text) char *below_path = mem_format("%s/%s", path, names.items[i]);
        AUTO(free_text) char *below_from = mem_format("%s%s%s", at_top ? "" : from, at_top ? "" : "/", names.items[i]);
        failed = add_path(files, workspace, below_path, below_from, depth + 1, err);
    }
    return failed;
}

/* Links to folders are refused below the top level of contents: they may lead round in circles. */
static int add_path(
    struct package_files *files, const char *workspace, const char *path, const char *from, unsigned depth, struct error *err)
{
    AUTO(free_text) char *place = mem_format("%s/%s", workspace, from);
    struct stat itself, end;
    if (lstat(place, &itself) == 0 && stat(place, &end) < 0 && errno == ENOENT)
        return error_set(err, ERROR_NOT_FOUND, NOWHERE, "contents: %s is a link to nothing", from);
    if (lstat(place, &itself) < 0 || stat(place, &end) < 0)
        return errno == ENOENT || errno == ENOTDIR ? not_found(workspace, from, err) : error_set_errno(err, errno, "contents: %s", from);
    int failed = check_end(workspace, place, from, err);
    if (failed) return failed;
    if (S_ISREG(end.st_mode)) return add_file(files, path, from, end.st_mode & 0100, err);
    if (S_ISDIR(itself.st_mode)) return add_folder(files, workspace, path, from, depth, err);
    error_set(err, ERROR_INVALID, NOWHERE, "contents: %s is neither a file nor a folder", from);
    return error_hint(err, "links to folders, sockets, pipes and devices cannot be packaged");
}

int contents_add(struct package_files *files, const char *workspace, const char *path, const char *from, struct error *err)
{
    AUTO(free_text) char *to = mem_copy_text(path), *source = mem_copy_text(from ? from : "");
    size_t to_size = strlen(to), source_size = strlen(source);
    if (!path_stays_inside(to) || strcmp(to, "manifest.json") == 0)
        return error_set(err, ERROR_INVALID, NOWHERE, "contents: \"%s\" cannot be a path in a package", to);
    if (!path_stays_inside(source) && strcmp(source, ".") != 0)
        return error_set(err, ERROR_INVALID, NOWHERE, "contents: \"%s\" is not inside the workspace", source);
    if (to[to_size - 1] == '/') to[to_size - 1] = '\0';
    if (source[source_size - 1] == '/') source[source_size - 1] = '\0';
    return add_path(files, workspace, to, source, 0, err);
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct package_file *)a)->path, ((const struct package_file *)b)->path);
}

/* Looks a path up by bisection; the list is sorted. */
static bool holds_file(const struct package_files *files, const char *path)
{
    struct package_file wanted = {.path = mem_copy_text(path)};
    bool found = bsearch(&wanted, files->items, files->count, sizeof *files->items, compare_files) != NULL;
    free(wanted.path);
    return found;
}

/* Is a folder above path itself a file of the package? */
static bool is_below_file(const struct package_files *files, const char *path)
{
    AUTO(free_text) char *above = mem_copy_text(path);
    for (char *slash; (slash = strrchr(above, '/'));) {
        *slash = '\0';
        if (holds_file(files, above)) return true;
    }
    return false;
}

int contents_sort(struct package_files *files, struct error *err)
{
    if (files->count) qsort(files->items, files->count, sizeof *files->items, compare_files);
    for (size_t i = 0; i < files->count; i++) {
        const struct package_file *file = &files->items[i];
        bool twice = i > 0 && strcmp(file[-1].path, file->path) == 0;
        if (!twice && !is_below_file(files, file->path)) continue;
        error_set(err, ERROR_CONFLICT, NOWHERE, "contents: \"%s\" in the package comes from two places", file->path);
        return error_hint(err, "%s is one of them: give it another path in the package", file->from);
    }
    return 0;
}

int contents_collect(const char *workspace, const json_t *contents, struct package_files *ret, struct error *err)
{
    struct package_files files = {0};
    const char *path;
    json_t *from;
    int failed = 0;
    json_object_foreach((json_t *)contents, path, from)
    {
        failed = contents_add(&files, workspace, path, json_string_value(from), err);
        if (failed) break;
    }
    if (!failed && files.count == 0) failed = error_set(err, ERROR_INVALID, NOWHERE, "contents: there is not a single file to package");
    if (failed)
        contents_release(&files);
    else
        *ret = files;
    return failed;
}

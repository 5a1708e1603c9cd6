/* workspace.h: writing files below a folder from names that nobody has vouched for. Everything goes through descriptors of real folders
   and never follows a link, so that no tree can write outside of the folder. mtime_ns of -1 leaves the time alone. */
#ifndef CRESCENDO_STEPS_WORKSPACE_H
#define CRESCENDO_STEPS_WORKSPACE_H

#include "crescendo/error.h"

#include <stddef.h>
#include <stdint.h>

#define MTIME_KEEP ((int64_t)-1)
enum { TREE_DEPTH_MAX = 200 };

/* Opens a folder for the calls below; the caller closes. */
int workspace_open(const char *path, int *ret_fd, struct error *err) MUST_CHECK;
/* Removes what is in path, not path itself. */
int workspace_empty(const char *path, struct error *err) MUST_CHECK;

/* The names in an open folder, sorted by bytes, without "." and "..". Starts as {0}. */
struct name_list {
    char **items;
    size_t count, capacity;
};
int workspace_list(int folder, const char *shown, struct name_list *ret, struct error *err) MUST_CHECK;
void name_list_release(struct name_list *list);

/* `shown` is the whole relative path, for messages. */
int workspace_make_folder(int parent, const char *name, const char *shown, int *ret_fd, struct error *err) MUST_CHECK;
/* As make_folder; a real folder that is there already is opened. */
int workspace_enter_folder(int parent, const char *name, const char *shown, int *ret_fd, struct error *err) MUST_CHECK;
int workspace_write_file(int parent, const char *name, const char *shown, const void *bytes, size_t size, bool executable, int64_t mtime_ns,
    struct error *err) MUST_CHECK;
/* Refuses a target that leaves the top (-ERROR_DENIED); the parent's depth is that of shown. */
int workspace_write_link(
    int parent, const char *name, const char *shown, const char *target, int64_t mtime_ns, struct error *err) MUST_CHECK;
/* Copies the open regular file `from` with its executable bit and time. */
int workspace_copy_file(int from, int parent, const char *name, const char *shown, struct error *err) MUST_CHECK;
/* Removes a file or link that is to be replaced; nothing there is fine. */
int workspace_remove(int parent, const char *name, const char *shown, struct error *err) MUST_CHECK;
void workspace_set_time(int folder, int64_t mtime_ns);

#endif

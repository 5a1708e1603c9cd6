/* file.h: files and folders, whole. All block; none retries what failed, all say which path. */
#ifndef CRESCENDO_BASE_FILE_H
#define CRESCENDO_BASE_FILE_H

#include "crescendo/error.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads all of path; NUL-terminated copy in *ret_bytes (caller frees). Larger than limit_bytes is ERROR_LIMIT. */
int file_read(const char *path, size_t limit_bytes, char **ret_bytes, size_t *ret_size, struct error *err) MUST_CHECK;

/* Writes a neighbour, syncs it, renames it over path and syncs the folder: path holds all or the old content. */
int file_replace(const char *path, const void *bytes, size_t size, mode_t mode, struct error *err) MUST_CHECK;

/* Makes what was made, renamed or removed in the folder durable. */
int file_sync_folder(const char *path, struct error *err) MUST_CHECK;

/* Creates path and its parents; existing folders are fine. */
int file_make_folders(const char *path, mode_t mode, struct error *err) MUST_CHECK;

/* The same, and a loss of power does not take them: what is synced in a folder is lost with the folder's own name. Who made it may
 * have died before it was synced, so the last one's name is synced though it exists. Blocks on the disk. */
int file_keep_folders(const char *path, mode_t mode, struct error *err) MUST_CHECK;

/* Removes path and all below it without following links, to any depth, unreadable folders included; a missing path is fine. */
int file_remove_tree(const char *path, struct error *err) MUST_CHECK;

bool file_exists(const char *path);

/* Writes all of bytes to fd, across short writes and EINTR. Returns 0 or -errno. */
int file_write_all(int fd, const void *bytes, size_t size);

/* The folder of the running program, for finding its neighbours. Caller frees. NULL when /proc is missing. */
char *file_program_folder(void);

#endif

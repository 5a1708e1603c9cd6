/* walk.h: goes through a folder's tree in slices: walk_open, walk_next until false, walk_close. */
#ifndef CRESCENDO_SHIM_WALK_H
#define CRESCENDO_SHIM_WALK_H

#include "shim.h"

#include <sys/stat.h>

enum { WALK_DEPTH = 256 };

struct walk;
struct walk *walk_open(const char *path); /* NULL: not there */
void walk_close(struct walk **walk);
/* The next entry, a folder before what is in it; folder and name are borrowed until the next call. Stays on one file system. */
bool walk_next(struct walk *walk, int *ret_folder, const char **ret_name, struct stat *ret_facts);
bool walk_too_deep(const struct walk *walk); /* something was nested deeper than WALK_DEPTH and not looked at */

#endif

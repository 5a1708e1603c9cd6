/* paths.h: which relative paths and link targets stay below the folder that they are meant for. Pure text, no look at the disk. */
#ifndef CRESCENDO_STEPS_PATHS_H
#define CRESCENDO_STEPS_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* Relative, not empty, no part that is empty, "." or ".."; one slash at the end is fine. */
bool path_stays_inside(const char *path);

/* May one part of a path (a name in a tree) be written? Not "", ".", "..", nor with a slash, nor .git in any case. */
bool path_part_is_safe(const char *name);

/* A link's target, seen from a real folder `depth` levels below the top. Parts ".." count only at the front: behind a name that
   may itself be a link, nobody can tell where they lead. */
bool link_stays_inside(const char *target, size_t depth);

/* 0 for "file", 1 for "folder/file". */
size_t path_depth(const char *path);

#endif

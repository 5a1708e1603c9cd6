/* mounts.h: the stage's own tree of files, in two halves: sources are collected under the outside's user, the tree is built by the
   sandbox's. */
#ifndef CRESCENDO_SHIM_MOUNTS_H
#define CRESCENDO_SHIM_MOUNTS_H

#include "shim.h"

enum { SOURCES_MAX = 128 };
struct source {
    const char *path; /* where it comes from and where it goes */
    int fd;           /* a detached mount */
    bool folder;
};
struct sources {
    struct source items[SOURCES_MAX];
    unsigned count;
    bool complete;      /* all of the request's are among them */
    char resolver[256]; /* where /etc/resolv.conf leads to, when that is below /run */
};

/* The workspace and the request's other paths; by the shim itself where a map of ids is to be laid over them (id_map_fd >= 0). 0 or -errno
   with what failed. */
int sources_of_request(struct sources *sources, const struct stage *stage, int id_map_fd, const char **ret_what);
/* The system's folders and devices. */
int sources_of_system(struct sources *sources, const char **ret_what);
void sources_close(struct sources *sources);

/* tree.c. All: 0 or -errno with what failed. */
/* Builds what all trees have alike, on an empty tmpfs that becomes the root; the old root is let go of. The user is who is named in
   /etc/passwd. */
int tree_make_common(struct sources *common, uint32_t uid, uint32_t gid, const char **ret_what);
/* Adds what is a stage's own and has no name. */
int tree_make_own(const struct stage *stage, const char **ret_what);
/* Adds what it names, and closes the tree to writing. */
int tree_finish(struct sources *request, const struct stage *stage, const char **ret_what);
void tree_make_way(const char *path, bool folder); /* for a mount at an absolute path; what is there already is fine */

#endif

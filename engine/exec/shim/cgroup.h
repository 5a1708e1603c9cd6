/* cgroup.h: folders of the control group trees, below our own group. */
#ifndef CRESCENDO_SHIM_CGROUP_H
#define CRESCENDO_SHIM_CGROUP_H

#include "shim.h"

/* Makes OURS/crescendo-HASH/leaf in a controller's v1 tree, or in the v2 tree (controller NULL). Every folder made is noted in RUN/cgroups,
   for supervisor_sweep. false: it cannot be had. */
bool cgroup_make(struct shim *shim, const char *controller, const char *leaf, char ret_folder[PATH_BYTES]);
/* Can these controllers be handed on in the v2 tree? Tries to. */
bool cgroup_has_controllers(bool memory, bool cpu, bool pids);
void cgroup_write(const char *folder, const char *file, const char *text); /* best effort */
bool cgroup_read(const char *folder, const char *file, char *text, size_t room);
int cgroup_open(const char *folder, const char *file); /* for writing; -1 */

#endif

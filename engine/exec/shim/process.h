/* process.h: a step's process from clone to exec: what it is given, and the walls that it is put behind. */
#ifndef CRESCENDO_SHIM_PROCESS_H
#define CRESCENDO_SHIM_PROCESS_H

#include "shim.h"

struct descriptors {
    int input, output, error, talk; /* the step's ends; talk may be -1 */
};

/* spawn.c */
/* In the new process: everything between clone and exec that is the same in and out of namespaces. Async-signal-safe. Never returns;
   on failure *ret_errno and *ret_what are set (shared memory) and the process ends with 127. */
struct launch {
    const struct descriptors *ends;
    char *const *argv, *const *environment;
    const char *folder;
    const struct limits *limits;
    int landlock;      /* ruleset or -1 */
    bool confine;      /* no capabilities, no new privileges, system call filter */
    bool walled;       /* the filter and the empty bounding set are our parent's already */
    bool no_network;   /* the filter that refuses sockets other than local ones */
    uint32_t uid, gid; /* to become; UINT32_MAX = stay */
    volatile int *ret_errno;
    const char *volatile *ret_what;
};
_Noreturn void launch_exec(const struct launch *launch);
void reset_signals(void);

/* landlock.c: a ruleset's descriptor or -errno. run_folder: NULL inside the stage's own tree. */
int landlock_make(const struct stage *stage, const char *run_folder);
int landlock_version(void);

/* seccomp.c, in the step's process */
int seccomp_apply(bool no_network);
/* privileges.c, in the step's process: all capabilities gone, no_new_privs; 0 or -errno. with_bounds: the bounding set is not empty yet. */
int privileges_drop(uint32_t uid, uint32_t gid, bool with_bounds);
int privileges_empty_bounds(void);

/* limits.c, in the new process */
int limits_join(const struct limits *limits);
void limits_set_resources(const struct limits *limits);

#endif

/* privileges.c: what a sandboxed step may not be or become: no capabilities, none to be had by exec. In the step's process. */
#include "process.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int privileges_empty_bounds(void)
{
    int capability = 0;
    while (prctl(PR_CAPBSET_DROP, capability) == 0)
        capability++;
    return errno == EINVAL || errno == EPERM ? 0 : -errno; /* there are no more; or there is nothing to drop them with */
}

/* System calls, not the library's functions: those would change every thread's user, and a vforked child's threads are the shim's. */
static int become(uint32_t uid, uint32_t gid)
{
    if (gid != UINT32_MAX && (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0)) return -errno;
    if (uid != UINT32_MAX && syscall(SYS_setresuid, uid, uid, uid) < 0) return -errno;
    return 0;
}

int privileges_drop(uint32_t uid, uint32_t gid, bool with_bounds)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    int failed = with_bounds ? privileges_empty_bounds() : 0;
    if (!failed) failed = become(uid, gid);
    if (failed) return failed;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL) return -errno;
    if (syscall(SYS_capset, &header, none) < 0) return -errno;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

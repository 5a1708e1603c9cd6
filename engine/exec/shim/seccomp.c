/* seccomp.c: the system call filter of a sandboxed step, compiled at build time (tools/make-seccomp-filter.c). */
#include "process.h"

#include "seccomp_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

int seccomp_apply(bool no_network)
{
    const struct sock_filter *filter = no_network ? seccomp_filter_no_network : seccomp_filter;
    size_t size = no_network ? sizeof seccomp_filter_no_network : sizeof seccomp_filter;
    struct sock_fprog program = {(unsigned short)(size / sizeof *filter), (struct sock_filter *)(uintptr_t)filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

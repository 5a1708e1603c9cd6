/* make-seccomp-filter.c: prints build/gen/seccomp_filter.h: the two system call filters of a sandbox, compiled to BPF by libseccomp, so
   that the static shim needs no library. Why each call is refused: docs/explanation/sandbox.md. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Refused with EPERM. A name that this libseccomp or architecture does not know is left out by it. */
static const char *const refused[] = {
    /* what files there are */
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "move_mount",
    "open_tree",
    "mount_setattr",
    "name_to_handle_at",
    "open_by_handle_at",
    "quotactl",
    "quotactl_fd",
    /* other namespaces */
    "setns",
    "unshare",
    /* the kernel itself */
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "create_module",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "syslog",
    "bpf",
    "perf_event_open",
    "iopl",
    "ioperm",
    "lookup_dcookie",
    "uselib",
    "nfsservctl",
    "vm86",
    "vm86old",
    "modify_ldt",
    /* the clock */
    "settimeofday",
    "clock_settime",
    "clock_settime64",
    "clock_adjtime",
    "clock_adjtime64",
    "adjtimex",
    "stime",
    /* keys are kept by user, not by namespace */
    "keyctl",
    "add_key",
    "request_key",
    /* much attack surface, little use in a build */
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "vhangup",
    "fanotify_init",
    "process_vm_writev",
    "kcmp",
    "move_pages",
    "mbind",
    "migrate_pages",
    "set_mempolicy",
    "sethostname",
    "setdomainname",
};

static void check(int failed, const char *what)
{
    if (!failed) return;
    fprintf(stderr, "make-seccomp-filter: %s: error %d\n", what, -failed);
    exit(1);
}

static void refuse_names(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int number = seccomp_syscall_resolve_name(refused[i]);
        if (number != __NR_SCMP_ERROR) check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0), refused[i]);
    }
}

/* clone may make threads and processes, never namespaces; clone3's flags are in memory, where a filter cannot look: "not there", and the C
   libraries use clone instead. */
static void refuse_namespaces(scmp_filter_ctx filter)
{
    static const uint64_t flags[] = {
        CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWTIME};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        check(
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i])), "clone");
    check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
}

/* Typing into the terminal of whoever started us. The comparison looks at the low half, as the kernel does. */
static void refuse_typing(scmp_filter_ctx filter)
{
    static const uint64_t requests[] = {TIOCSTI, 0x541C /* TIOCLINUX */};
    for (size_t i = 0; i < 2; i++)
        check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, requests[i])),
            "ioctl");
}

/* READ_IMPLIES_EXEC (0x400000) would take W^X from what the step runs; asking (0xffffffff, so with the highest bit) is fine. */
static void refuse_personalities(scmp_filter_ctx filter)
{
    check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(personality), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, 0x80400000, 0x400000)),
        "personality");
}

static void refuse_sockets(scmp_filter_ctx filter)
{
    check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX)), "socket");
}

static void print_filter(scmp_filter_ctx filter, const char *name)
{
    int fd = memfd_create(name, 0);
    check(fd < 0 ? -errno : seccomp_export_bpf(filter, fd), "export");
    check(lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0, "seek");
    printf("static const struct sock_filter %s[] = {\n", name);
    struct sock_filter one;
    while (read(fd, &one, sizeof one) == (ssize_t)sizeof one)
        printf("    {0x%x, %u, %u, 0x%x},\n", one.code, one.jt, one.jf, one.k);
    printf("};\n");
    close(fd);
}

static void make(const char *name, int without_network)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    check(filter ? 0 : -ENOMEM, "init");
    check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimise");
    refuse_names(filter);
    refuse_namespaces(filter);
    refuse_typing(filter);
    refuse_personalities(filter);
    if (without_network) refuse_sockets(filter);
    print_filter(filter, name);
    seccomp_release(filter);
}

int main(void)
{
    printf("/* Made by tools/make-seccomp-filter.c; do not edit. */\n#include <linux/filter.h>\n");
    make("seccomp_filter", 0);
    make("seccomp_filter_no_network", 1);
    return 0;
}

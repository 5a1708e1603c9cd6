/* stepinit.c: process 1 of a step's PID namespace: mounts the namespace's own /proc, puts up the system call filter, waits for its orders,
   starts the program, reaps orphans, hands SIGTERM on to everybody. When the program ends, it kills the rest, tells the shim and ends; the
   kernel then kills and reaps whatever is left, however it hid. */
#include "init.h"
#include "process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 32 * 1024 };

static int born(void *context)
{
    launch_exec(context);
}

struct own {
    const struct init *init;
    struct step_facts *facts;
    uint32_t step, attempt;
    uint64_t limit;
    struct launch launch;
    struct descriptors ends;
};

static uint64_t microseconds(const struct rusage *usage)
{
    return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* $CRESCENDO_OUTPUT goes ahead in pieces, then the end. */
static bool tell_end(const struct own *own, int status)
{
    struct rusage usage;
    char name[32];
    size_t size = 0;
    const char *problem = NULL;
    getrusage(RUSAGE_CHILDREN, &usage);
    snprintf(name, sizeof name, "%u-%u", own->step, own->attempt);
    char *content = output_read(own->init->outputs, name, own->limit, &size, &problem);
    for (size_t at = 0, piece; at < size; at += piece) {
        piece = size - at < INIT_PIECE_BYTES ? size - at : INIT_PIECE_BYTES;
        struct init_header header = {.type = INIT_OUTPUT, .size = (uint32_t)piece, .step = own->step, .attempt = own->attempt};
        if (!header_send(own->init->socket, &header, content + at, NULL, 0)) return false;
    }
    struct init_header header = {.type = INIT_ENDED,
        .step = own->step,
        .attempt = own->attempt,
        .value = (uint32_t)status,
        .error = own->facts->error,
        .memory_bytes = (uint64_t)usage.ru_maxrss * 1024,
        .cpu_us = microseconds(&usage)};
    const char *what = own->facts->error ? (const char *)(uintptr_t)own->facts->what : problem ? problem : "";
    snprintf(header.what, sizeof header.what, "%s", what);
    return header_send(own->init->socket, &header, NULL, NULL, 0);
}

/* Everybody else here is killed and reaped first: then the step is over, and said to be, before the kernel takes the namespaces down.
   Orphans are our children: where there is no child, there is nobody. */
static _Noreturn void end(const struct own *own, int status)
{
    if (waitpid(-1, NULL, WNOHANG) >= 0) kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        continue;
    own->facts->told = tell_end(own, status);
    _exit(0);
}

static void fail(struct step_facts *facts, const char *what, int error)
{
    for (unsigned i = 0; what[i] && i + 1 < sizeof facts->what; i++)
        facts->what[i] = what[i];
    facts->error = error;
}

static pid_t launch_program(struct own *own)
{
    _Alignas(16) char stack[STACK_BYTES];
    volatile int failed = 0;
    const char *volatile what = "clone";
    own->launch.ret_errno = &failed;
    own->launch.ret_what = &what;
    pid_t pid = clone(born, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &own->launch);
    if (pid < 0) failed = errno;
    if (failed) fail(own->facts, what, failed);
    return pid;
}

static void reap(const struct own *own, pid_t program)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        if (pid == program) end(own, status);
}

/* The filter binds the program and us too; it is put up while nobody waits for it. Landlock is the program's alone: it keeps it from
   signalling us. */
static void put_up_walls(struct step_facts *facts)
{
    int failed = 0;
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        fail(facts, "mounting its /proc", errno);
    else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(facts, "no new privileges", errno);
    else if ((failed = seccomp_apply(false)) < 0)
        fail(facts, "the system call filter", -failed);
    if (facts->error) _exit(1);
}

static char *const *split(char **at, uint32_t count)
{
    char **list = shim_alloc((count + 1) * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = *at;
        *at += strlen(*at) + 1;
    }
    return list;
}

/* Waits for its step. The init that goes away without one ends us: we are of no use then. */
static void take_orders(struct own *own, int orders)
{
    struct init_header header = {0};
    int fds[4];
    unsigned count;
    if (!header_read(orders, &header, fds, &count) || count < 3) _exit(1);
    char *bytes = shim_alloc(header.size + 1);
    if (!bytes_read(orders, bytes, header.size)) _exit(1);
    const struct stage *stage = own->init->stage;
    bool other_user = stage->without_users && stage->sandbox_uid != geteuid();
    own->step = header.step;
    own->attempt = header.attempt;
    own->limit = header.limit;
    own->ends = (struct descriptors){fds[0], fds[1], fds[2], count > 3 ? fds[3] : -1};
    own->launch = (struct launch){.ends = &own->ends,
        .folder = stage->workspace,
        .limits = &stage->limits,
        .landlock = own->init->landlock,
        .confine = true,
        .walled = true,
        .uid = other_user ? stage->sandbox_uid : UINT32_MAX,
        .gid = other_user ? stage->sandbox_gid : UINT32_MAX};
    own->launch.argv = split(&bytes, header.argc);
    own->launch.environment = split(&bytes, header.environment_count);
}

/* Only the shim's socket and the folder of outputs stay open: nothing of the program's, or its pipes would never end. */
static void keep_ours(const struct init *init)
{
    unsigned low = (unsigned)(init->socket < init->outputs ? init->socket : init->outputs);
    unsigned high = (unsigned)(init->socket < init->outputs ? init->outputs : init->socket);
    if (low > 0) syscall(SYS_close_range, 0U, low - 1, 0);
    if (high - low > 1) syscall(SYS_close_range, low + 1, high - 1, 0);
    syscall(SYS_close_range, high + 1, ~0U, 0);
}

_Noreturn void step_init_run(const struct init *init, struct step_facts *facts, int orders)
{
    struct own own = {.init = init, .facts = facts};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_SETMASK, &set, NULL); /* blocked, so not ignored although we are process 1 */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    put_up_walls(facts);
    take_orders(&own, orders);
    pid_t program = launch_program(&own);
    if (program < 0) _exit(1);
    keep_ours(init);
    for (;;) {
        siginfo_t info;
        reap(&own, program);
        if (sigwaitinfo(&set, &info) == SIGTERM) kill(-1, SIGTERM);
    }
}

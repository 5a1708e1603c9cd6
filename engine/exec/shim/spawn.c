/* spawn.c: from clone to exec. A step without namespaces is cloned with the shim's memory shared and the shim stopped until exec (as vfork
   does, but on a stack of its own), so the child itself can put STARTED, with its process id, into the spool before its program runs. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_BYTES = 32 * 1024, EXIT_UNSTARTED = 127 };

void reset_signals(void)
{
    static const int touched[] = {SIGPIPE, SIGHUP, SIGINT, SIGXFSZ, SIGTERM, SIGCHLD};
    for (unsigned i = 0; i < sizeof touched / sizeof *touched; i++)
        signal(touched[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void fail(const struct launch *launch, const char *what, int error)
{
    *launch->ret_what = what;
    *launch->ret_errno = error;
    _exit(EXIT_UNSTARTED);
}

static const char *variable(char *const *environment, const char *name)
{
    size_t size = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, size) == 0 && (*environment)[size] == '=') return *environment + size + 1;
    return NULL;
}

/* As execvp, but by the step's own PATH. */
static void exec_by_path(const struct launch *launch)
{
    const char *program = launch->argv[0];
    const char *path = variable(launch->environment, "PATH");
    if (strchr(program, '/') || !path) {
        execve(program, launch->argv, launch->environment);
        return;
    }
    int seen = ENOENT;
    for (const char *end; *path; path = *end ? end + 1 : end) {
        char whole[PATH_BYTES];
        end = strchrnul(path, ':');
        int size = snprintf(whole, sizeof whole, "%.*s/%s", (int)(end - path), path, program);
        if (size < 0 || (size_t)size >= sizeof whole) continue;
        execve(whole, launch->argv, launch->environment);
        if (errno != ENOENT && errno != ENOTDIR) seen = errno;
    }
    errno = seen;
}

/* dup2 to itself keeps FD_CLOEXEC, so that case takes it off. */
static void place(const struct launch *launch, int from, int to)
{
    if (from == to ? fcntl(to, F_SETFD, 0) < 0 : dup2(from, to) < 0) fail(launch, "its descriptors", errno);
}

_Noreturn void launch_exec(const struct launch *launch)
{
    int failed;
    setsid();
    if ((failed = limits_join(launch->limits)) < 0) fail(launch, "its cgroup", -failed);
    limits_set_resources(launch->limits);
    if (chdir(launch->folder) < 0) fail(launch, "its workspace", errno);
    if (launch->confine) {
        if ((failed = privileges_drop(launch->uid, launch->gid, !launch->walled)) < 0) fail(launch, "dropping privileges", -failed);
        if (launch->landlock >= 0 && syscall(SYS_landlock_restrict_self, launch->landlock, 0) < 0) fail(launch, "Landlock", errno);
    }
    const struct descriptors *ends = launch->ends;
    place(launch, ends->input, 0);
    place(launch, ends->output, 1);
    place(launch, ends->error, 2);
    if (ends->talk >= 0) place(launch, ends->talk, 3);
    syscall(SYS_close_range, ends->talk >= 0 ? 4U : 3U, ~0U, 0);
    umask(022);
    reset_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* behind the change of user, which clears it */
    if (launch->confine && !launch->walled) failed = seccomp_apply(launch->no_network);
    if (failed < 0) fail(launch, "the system call filter", -failed);
    exec_by_path(launch);
    fail(launch, "cannot be run", errno);
}

struct birth {
    struct shim *shim;
    size_t pid_at; /* in the pending reports */
    struct launch launch;
};

static int born(void *context)
{
    struct birth *birth = context;
    struct wire *pending = &birth->shim->reports.pending;
    wire_put_u32(pending->bytes + birth->pid_at, (uint32_t)getpid());
    if (!reports_spool(birth->shim)) fail(&birth->launch, "its start could not be recorded in RUN/reports", birth->shim->reports.failing);
    launch_exec(&birth->launch);
}

static size_t report_started(struct shim *shim, const struct step *step, size_t *ret_pid_at)
{
    struct wire *pending = &shim->reports.pending;
    size_t start = report_begin(shim, SHIM_STARTED);
    wire_u32(pending, step->id);
    wire_u32(pending, step->attempt);
    *ret_pid_at = pending->size;
    wire_u32(pending, step->stage->init > 0 ? (uint32_t)step->stage->init : 0);
    wire_u32(pending, step->stage->degree);
    wire_u64(pending, shim->log.size_bytes);
    report_finish(shim, start);
    return start;
}

static bool spawn_here(struct shim *shim, struct step *step, const struct descriptors *ends)
{
    _Alignas(16) char stack[STACK_BYTES];
    volatile int failed = 0;
    const char *volatile what = NULL;
    bool confine = step->stage->degree == DEGREE_LANDLOCK;
    struct birth birth = {.shim = shim,
        .launch = {.ends = ends,
            .argv = step->argv,
            .environment = step->environment,
            .folder = step->stage->workspace,
            .limits = &step->stage->limits,
            .landlock = step->stage->landlock,
            .confine = confine,
            .no_network = confine && !step->stage->network_host,
            .uid = step->stage->sandbox_uid,
            .gid = step->stage->sandbox_gid,
            .ret_errno = &failed,
            .ret_what = &what}};
    size_t start = report_started(shim, step, &birth.pid_at);
    step->pid = clone(born, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &birth);
    if (step->pid < 0) {
        step->start_errno = errno;
        step->start_what = "clone";
        shim->reports.pending.size = start;
        shim->reports.last--;
        return false;
    }
    step->start_errno = failed;
    step->start_what = what;
    return true;
}

bool spawn_step(struct shim *shim, struct step *step, const struct descriptors *ends)
{
    if (step->stage->degree != DEGREE_NAMESPACES) return spawn_here(shim, step, ends);
    size_t pid_at;
    report_started(shim, step, &pid_at);
    if (reports_spool(shim) && stage_start_step(shim, step, ends)) return true;
    step->start_errno = ENOSPC;
    step->start_what = "its start could not be recorded in RUN/reports, or handed to its sandbox";
    return false;
}

/* stepinit.c: process 1 of a step's PID namespace: mounts the namespace's own /proc, starts the program, reaps orphans, hands SIGTERM on to
   everybody. When the program ends, it ends, and the kernel kills and reaps whatever the program left behind, however it hid. */
#include "init.h"

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

/* Everybody else here is killed and reaped first: then the step is over, and said to be, while the kernel still takes the namespaces down. */
static _Noreturn void end(struct step_facts *facts, int status, int done)
{
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
    getrusage(RUSAGE_CHILDREN, &facts->usage);
    facts->status = status;
    facts->ended = 1;
    ssize_t ignored = write(done, "", 1);
    (void)ignored;
    _exit(0);
}

static void fail(struct step_facts *facts, const char *what, int error)
{
    for (unsigned i = 0; what[i] && i + 1 < sizeof facts->what; i++) facts->what[i] = what[i];
    facts->error = error;
}

static pid_t launch_program(struct launch *launch, struct step_facts *facts)
{
    _Alignas(16) char stack[STACK_BYTES];
    volatile int failed = 0;
    const char *volatile what = "clone";
    launch->ret_errno = &failed;
    launch->ret_what = &what;
    pid_t pid = clone(born, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, launch);
    if (pid < 0) failed = errno;
    if (failed) fail(facts, what, failed);
    return pid;
}

static void reap(struct step_facts *facts, pid_t program, int done)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        if (pid == program) end(facts, status, done);
}

_Noreturn void step_init_run(struct launch *launch, struct step_facts *facts, int done)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_SETMASK, &set, NULL); /* blocked, so not ignored although we are process 1 */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
        fail(facts, "mounting its /proc", errno);
        _exit(1);
    }
    pid_t program = launch_program(launch, facts);
    if (program < 0) _exit(1);
    if (done > 0) syscall(SYS_close_range, 0U, (unsigned)done - 1, 0);
    syscall(SYS_close_range, (unsigned)done + 1, ~0U, 0);
    for (;;) {
        siginfo_t info;
        reap(facts, program, done);
        if (sigwaitinfo(&set, &info) == SIGTERM) kill(-1, SIGTERM);
    }
}

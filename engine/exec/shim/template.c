/* template.c: the half of a tree that all stages of a run have alike, made once: a mount namespace that nobody lives in. The shim steps
   into it to clone a stage's init, which then is born with a copy: without the machine's root, and with the stage's own half left to make.
   Root's runs only: others may not enter what their own children made. Where it cannot be had, each init makes all of its tree. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a PID namespace of its own, which ends with it: the /proc that is left shows nobody, and is there because the kernel lets a user
   namespace mount its own only beside another. */
static _Noreturn void build(int socket)
{
    struct sources system = {.count = 0};
    const char *what = "";
    char byte;
    keep_only(&socket, 1);
    int failed = sources_of_system(&system, &what);
    if (!failed) failed = tree_make_common(&system, INSIDE_USER, INSIDE_USER, &what);
    if (failed || write(socket, "1", 1) != 1) _exit(1);
    ssize_t ignored = read(socket, &byte, 1); /* until the shim holds the namespace */
    (void)ignored;
    _exit(0);
}

static int open_own(const char *name)
{
    return open(name, O_RDONLY | O_CLOEXEC);
}

void template_begin(struct shim *shim)
{
    struct template *template = &shim->template;
    int ends[2];
    if (template->state != TEMPLATE_NONE) return;
    template->state = TEMPLATE_REFUSED;
    template->own_mounts = open_own("/proc/self/ns/mnt");
    template->own_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (template->own_mounts < 0 || template->own_root < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return;
    template->builder = (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (template->builder == 0) build(ends[1]);
    close(ends[1]);
    template->socket = ends[0];
    if (template->builder > 0)
        template->state = TEMPLATE_MAKING;
    else
        close(ends[0]);
}

/* It takes some milliseconds from template_begin on, and is nobody's code but ours: it is waited for. */
static void finish(struct template *template)
{
    char byte, path[64];
    template->state = TEMPLATE_REFUSED;
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)template->builder);
    if (read(template->socket, &byte, 1) == 1 && (template->mounts = open_own(path)) >= 0) template->state = TEMPLATE_READY;
    close(template->socket);
}

/* Back where we were, root included: it need not have been the namespace's. */
static void go_back(const struct template *template)
{
    if (setns(template->own_mounts, CLONE_NEWNS) < 0 || fchdir(template->own_root) < 0 || chroot(".") < 0) shim_die("leaving the template");
}

bool template_enter(struct shim *shim, const struct sources *request)
{
    struct template *template = &shim->template;
    template_begin(shim);
    if (template->state == TEMPLATE_MAKING) finish(template);
    if (template->state != TEMPLATE_READY) return false;
    if (setns(template->mounts, CLONE_NEWNS) < 0) {
        template->state = TEMPLATE_REFUSED;
        return false;
    }
    for (unsigned i = 0; i < request->count; i++)
        tree_make_way(request->items[i].path, request->items[i].folder);
    return true;
}

void template_leave(struct shim *shim)
{
    go_back(&shim->template);
}

/* template.c: the half of a tree that all stages of a run have alike, made once: a mount namespace that nobody lives in. The shim steps
   into it to clone a stage's init, which then is born with a copy: without the machine's root, and with the stage's own half left to make.
   Root's runs only: others may not enter what their own children made. Where it cannot be had, each init makes all of its tree. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a PID namespace of its own, which ends with it: the /proc that is left shows nobody, and is there because the kernel lets a user
   namespace mount its own only beside another. */
static _Noreturn void build(int socket)
{
    struct sources common = {.count = 0};
    const char *what = "";
    char byte;
    keep_only(&socket, 1);
    int failed = sources_of_system(&common, &what);
    if (!failed) failed = tree_make_common(&common, INSIDE_USER, INSIDE_USER, &what);
    if (failed || write(socket, "1", 1) != 1) _exit(1);
    ssize_t ignored = read(socket, &byte, 1); /* until the shim holds the namespace */
    (void)ignored;
    _exit(0);
}

static int open_own(const char *name)
{
    return open(name, O_RDONLY | O_CLOEXEC);
}

/* When the files were last changed that the template holds a copy of. */
static int64_t copied_from(void)
{
    static const char *const names[] = {"/etc/passwd", "/etc/group"};
    int64_t sum = 0;
    struct stat facts;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (stat(names[i], &facts) == 0) sum += facts.st_mtim.tv_sec * 1000003 + facts.st_mtim.tv_nsec + (int64_t)facts.st_ino;
    return sum;
}

/* Something was mounted or unmounted on this machine since (proc(5): such a file then has an exceptional condition), or a user was added.
 */
static bool is_stale(const struct tree_template *template)
{
    struct pollfd changed = {template->machine_mounts, POLLPRI, 0};
    return poll(&changed, 1, 0) != 0 || copied_from() != template->copied_from;
}

static void forget(struct tree_template *template)
{
    close(template->mounts);
    close(template->machine_mounts);
    close(template->own_mounts);
    close(template->own_root);
    template->state = TEMPLATE_NONE;
}

/* It takes some milliseconds from template_begin on, and is nobody's code but ours: who needs it waits for it. */
static void finish(struct shim *shim)
{
    struct tree_template *template = &shim->template;
    char byte, path[64];
    template->state = TEMPLATE_REFUSED;
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)template->builder);
    if (read(template->watch.fd, &byte, 1) == 1 && (template->mounts = open_own(path)) >= 0) template->state = TEMPLATE_READY;
    watch_close(shim, &template->watch);
}

static void built(struct shim *shim, struct watch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
    finish(shim);
    if (shim->spare_argv) ahead_make(shim);
}

void template_begin(struct shim *shim)
{
    struct tree_template *template = &shim->template;
    int ends[2];
    if (template->state != TEMPLATE_NONE) return;
    template->state = TEMPLATE_REFUSED;
    template->generation++;
    template->own_mounts = open_own("/proc/self/ns/mnt");
    template->own_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    template->machine_mounts = open_own("/proc/self/mounts");
    template->copied_from = copied_from();
    if (template->own_mounts < 0 || template->own_root < 0 || template->machine_mounts < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return;
    template->builder = (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (template->builder == 0) build(ends[1]);
    close(ends[1]);
    if (template->builder < 0) {
        close(ends[0]);
        return;
    }
    template->state = TEMPLATE_MAKING;
    template->watch = (struct watch){ends[0], built};
    watch_add(shim, &template->watch, EPOLLIN);
}

/* Back where we were, root included: it need not have been the namespace's. */
static void go_back(const struct tree_template *template)
{
    if (setns(template->own_mounts, CLONE_NEWNS) < 0 || fchdir(template->own_root) < 0 || chroot(".") < 0) shim_die("leaving the template");
}

bool template_enter(struct shim *shim, const struct sources *request)
{
    struct tree_template *template = &shim->template;
    if (template->state == TEMPLATE_MAKING) finish(shim);
    if (template->state == TEMPLATE_READY && is_stale(template)) forget(template);
    template_begin(shim);
    if (template->state == TEMPLATE_MAKING) finish(shim);
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

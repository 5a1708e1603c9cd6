/* inside.c: the steps of a stage, by its init. A step-init is made ahead, where a next step is to be expected: with its PID namespace, its
   /proc and its filter it waits for that step, which then starts hardly later than outside. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void output_make(const struct init *init, const struct init_header *header)
{
    char name[32];
    snprintf(name, sizeof name, "%u-%u", header->step, header->attempt);
    int fd = openat(init->outputs, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0 && unlinkat(init->outputs, name, 0) == 0) fd = openat(init->outputs, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return;
    if (fchmod(fd, 0666) < 0) unlinkat(init->outputs, name, 0);
    close(fd);
}

static void fail(struct inside *inside, const char *what, int error)
{
    inside->facts->error = error;
    snprintf((char *)(uintptr_t)inside->facts->what, sizeof inside->facts->what, "%s", what);
}

static struct inside *make(struct init *init)
{
    struct inside *inside = shim_alloc(sizeof *inside);
    int ends[2] = {-1, -1};
    inside->facts = mmap(NULL, sizeof *inside->facts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (inside->facts == MAP_FAILED) _exit(1);
    inside->pid = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0
                      ? -1
                      : (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    if (inside->pid == 0) {
        close(ends[0]);
        step_init_run(init, inside->facts, ends[1]);
    }
    if (inside->pid < 0) fail(inside, "a PID namespace", errno);
    if (ends[1] >= 0) close(ends[1]);
    inside->orders = ends[0];
    return inside;
}

void inside_prepare(struct init *init)
{
    if (!init->spare) init->spare = make(init);
}

static void forget(struct inside *inside)
{
    if (inside->orders >= 0) close(inside->orders);
    munmap(inside->facts, sizeof *inside->facts);
    free(inside);
}

static void hand_over(struct inside *inside, const struct init_header *header, const char *bytes, const int *fds, unsigned count)
{
    inside->step = header->step;
    inside->attempt = header->attempt;
    bool good = inside->orders >= 0 && header_send(inside->orders, header, bytes, fds, count);
    if (!good && !inside->facts->error) fail(inside, "its process 1", errno);
    if (inside->orders >= 0) close(inside->orders);
    inside->orders = -1;
}

void inside_start(struct init *init, const struct init_header *header, const int *fds, unsigned count)
{
    char *bytes = shim_alloc(header->size + 1);
    if (!bytes_read(init->socket, bytes, header->size) || count < 3) _exit(1);
    output_make(init, header);
    inside_prepare(init);
    struct inside *inside = init->spare;
    init->spare = NULL;
    hand_over(inside, header, bytes, fds, count);
    inside->next = init->running;
    init->running = inside;
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
    free(bytes);
    if (inside->pid < 0) inside_reap(init);
    if (header->value) inside_prepare(init);
}

void inside_signal(const struct init *init, const struct init_header *header)
{
    for (const struct inside *inside = init->running; inside; inside = inside->next)
        if (inside->step == header->step && inside->attempt == header->attempt && inside->pid > 0) kill(inside->pid, (int)header->value);
}

/* A step-init that was killed from outside, or never came to its step, cannot say so itself. */
static void tell_end(const struct init *init, const struct inside *inside, int status)
{
    const struct step_facts *facts = inside->facts;
    struct init_header header = {
        .type = INIT_ENDED, .step = inside->step, .attempt = inside->attempt, .value = (uint32_t)status, .error = facts->error};
    char name[32];
    snprintf(name, sizeof name, "%u-%u", inside->step, inside->attempt);
    unlinkat(init->outputs, name, 0);
    snprintf(header.what, sizeof header.what, "%s", (const char *)(uintptr_t)facts->what);
    if (!header_send(init->socket, &header, NULL, NULL, 0)) _exit(1);
}

static bool is_gone(const struct inside *inside, int *ret_status)
{
    return inside->pid < 0 || waitpid(inside->pid, ret_status, WNOHANG) == inside->pid;
}

void inside_reap(struct init *init)
{
    int status = 0;
    for (struct inside **at = &init->running, *inside; (inside = *at);) {
        if (!is_gone(inside, &status)) {
            at = &inside->next;
            continue;
        }
        if (!inside->facts->told) tell_end(init, inside, status);
        *at = inside->next;
        forget(inside);
    }
    if (!init->spare || !is_gone(init->spare, &status)) return;
    forget(init->spare); /* the next start makes one, and says what fails */
    init->spare = NULL;
}

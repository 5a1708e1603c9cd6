/* inside.c: the steps of a stage, by its init. A step-init is made ahead: with its PID namespace, its /proc and its walls it waits for the next
   step, so that starting one costs hardly more than outside; and only where a next step is to be expected. */
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
    inside->limit = header->limit;
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
    struct inside *inside = take(&init->spare);
    hand_over(inside, header, bytes, fds, count);
    inside->next = init->running;
    init->running = inside;
    for (unsigned i = 0; i < count; i++) close(fds[i]);
    free(bytes);
    if (inside->pid < 0) inside_reap(init);
    if (header->value) inside_prepare(init);
}

void inside_signal(const struct init *init, const struct init_header *header)
{
    for (const struct inside *inside = init->running; inside; inside = inside->next)
        if (inside->step == header->step && inside->attempt == header->attempt && inside->pid > 0 && !inside->told)
            kill(inside->pid, (int)header->value);
}

static uint64_t microseconds(const struct rusage *usage)
{
    return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static void tell_end(const struct init *init, const struct inside *inside, int status, const struct rusage *usage)
{
    char name[32];
    size_t size = 0;
    const char *problem = NULL;
    snprintf(name, sizeof name, "%u-%u", inside->step, inside->attempt);
    char *content = output_read(init->outputs, name, inside->limit, &size, &problem);
    const struct step_facts *facts = inside->facts;
    struct init_header header = {.type = INIT_ENDED, .size = (uint32_t)size, .step = inside->step, .attempt = inside->attempt,
        .value = (uint32_t)(facts->ended ? facts->status : status), .error = facts->error,
        .memory_bytes = (uint64_t)usage->ru_maxrss * 1024, .cpu_us = microseconds(usage)};
    snprintf(header.what, sizeof header.what, "%s", facts->error ? (const char *)(uintptr_t)facts->what : problem ? problem : "");
    if (!header_send(init->socket, &header, content, NULL, 0)) _exit(1);
    free(content);
}

static bool is_gone(const struct inside *inside, int *ret_status, struct rusage *ret_usage)
{
    return inside->pid < 0 || wait4(inside->pid, ret_status, WNOHANG, ret_usage) == inside->pid;
}

/* A step is over when its step-init says so, or, killed from outside, when that is gone. */
void inside_reap(struct init *init)
{
    for (struct inside **at = &init->running, *inside; (inside = *at);) {
        struct rusage usage = {0};
        int status = 0;
        bool over = inside->facts->ended, gone = is_gone(inside, &status, &usage);
        over |= gone && inside->facts->ended; /* it may have ended between the two looks */
        if (!inside->told && (over || gone)) tell_end(init, inside, status, over ? &inside->facts->usage : &usage);
        inside->told |= over || gone;
        if (!gone) {
            at = &inside->next;
            continue;
        }
        *at = inside->next;
        forget(inside);
    }
    struct rusage usage;
    int status;
    if (init->spare && is_gone(init->spare, &status, &usage)) forget(take(&init->spare)); /* the next start makes one, and says what fails */
}

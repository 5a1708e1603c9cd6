/* loop.c: epoll, the children's ends, and the one deadline that the loop sleeps to. */
#include "shim.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS = 32 };
static const int64_t ALONE_US = 10 * 60 * 1000000LL, SPARE_ALONE_US = 10 * 1000000LL, LOOK_US = 100 * 1000;

void watch_add(struct shim *shim, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(shim->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0) shim_die("epoll_ctl");
}

void watch_change(struct shim *shim, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(shim->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0) shim_die("epoll_ctl");
}

void watch_close(struct shim *shim, struct watch *watch)
{
    if (watch->fd < 0) return;
    epoll_ctl(shim->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    close(watch->fd);
    watch->fd = -1;
}

static struct step *step_of_pid(struct shim *shim, pid_t pid)
{
    for (struct step *step = shim->live; step; step = step->next)
        if (step->pid == pid && !step->reaped) return step;
    return NULL;
}

static void step_reaped(struct shim *shim, struct step *step, int status, const struct rusage *usage)
{
    step->reaped = true;
    step->status = status;
    step->cpu_us = (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
                   (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
    step->memory_bytes = (uint64_t)usage->ru_maxrss * 1024;
    step_exited(shim, step);
}

/* All children that ended: steps, stages' inits, and orphans that came to us because we are their subreaper. */
static void reap(struct shim *shim)
{
    struct rusage usage;
    int status;
    for (pid_t pid; shim->child_ended && (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
        struct step *step = step_of_pid(shim, pid);
        if (step) {
            step_reaped(shim, step, status, &usage);
            continue;
        }
        if (pid == shim->template.builder) shim->template.builder = 0;
        if (pid == ahead_pid(shim)) ahead_drop(shim);
        for (struct stage *stage = shim->stages; stage; stage = stage->next)
            if (stage->init == pid) {
                stage_ended(shim, stage);
                break;
            }
        if (shim->hooks.reaped) shim->hooks.reaped(shim, pid, status);
    }
    shim->child_ended = false;
    for (struct step *step = shim->live, *next; step; step = next) {
        next = step->next;
        if (step->reaped) step_exited(shim, step); /* an orphan's end may have been the last of its step's */
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 ? b : b == 0 || a < b ? a : b;
}

static bool nothing_to_do(const struct shim *shim)
{
    return !shim->live_count && !shim->waiting_count;
}

/* When it has been without an engine for too long; 0: never. What is only in memory, since the disk is full, would be lost with it; a disk
   that is full ends the server, too. */
static int64_t alone_until_us(const struct shim *shim)
{
    if (!shim->alone_since_us || shim->reports.pending.size) return 0;
    return shim->alone_since_us + (shim->spare_argv ? SPARE_ALONE_US : ALONE_US);
}

static int64_t next_deadline(const struct shim *shim)
{
    int64_t deadline = earlier(steps_next_deadline(shim), stages_next_deadline(shim));
    deadline = earlier(deadline, earlier(shim->reports.deadline_us, shim->reports.retry_us));
    if (shim->hooks.deadline) return earlier(deadline, shim->hooks.deadline(shim));
    if (shim->orphaned_us) return earlier(deadline, now_us() + LOOK_US);
    return nothing_to_do(shim) ? earlier(deadline, alone_until_us(shim)) : deadline;
}

static int milliseconds_to(int64_t deadline)
{
    if (!deadline) return -1;
    int64_t left = deadline - now_us();
    return left <= 0 ? 0 : left > 3600 * 1000000LL ? 3600 * 1000 : (int)((left + 999) / 1000);
}

static void tick(struct shim *shim)
{
    int64_t now = now_us();
    steps_tick(shim, now);
    stages_tick(shim, now);
    if (shim->hooks.turn) return shim->hooks.turn(shim, now);
    if (folder_turn(shim, now)) return folder_leave(shim);
    struct reports *reports = &shim->reports;
    if (reports->retry_us && now >= reports->retry_us) reports_spool(shim);
    if (reports->deadline_us && now >= reports->deadline_us) connection_send(shim);
    if (!nothing_to_do(shim)) return;
    int64_t alone_until = alone_until_us(shim);
    if (shim->ending || (alone_until && now >= alone_until)) {
        connection_send(shim);
        shim->stop = true;
    }
}

void loop_run(struct shim *shim)
{
    struct epoll_event events[EVENTS];
    while (!shim->stop) {
        int count = epoll_wait(shim->epoll_fd, events, EVENTS, milliseconds_to(next_deadline(shim)));
        if (count < 0 && errno != EINTR) shim_die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct watch *watch = events[i].data.ptr;
            if (watch->fd >= 0) watch->ready(shim, watch, events[i].events);
        }
        reap(shim);
        tick(shim);
        steps_bury(shim);
        stages_bury(shim);
        connections_bury(shim);
    }
}
